/* SPDX-License-Identifier: MIT */
#include "app/json.h"
#include "app/model_open.h"
#include "app/tensors.h"
#include "app/say.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS_MAX = 256 };

struct facts {
    struct opened opened; /* its model is NULL when it cannot be run */
    const char *why;      /* then the reason */
    struct pipit_operator operators[KINDS_MAX];
    int kinds;
};

static const char *decoder_name(enum pipit_decoder decoder)
{
    static const char *const names[] = {
        [PIPIT_DECODER_AUTO] = "unknown",        [PIPIT_DECODER_CLASSES] = "classes",
        [PIPIT_DECODER_SSD_BOXES] = "SSD boxes", [PIPIT_DECODER_SSD_RAW] = "raw SSD heads",
        [PIPIT_DECODER_NONE] = "tensors",
    };
    return names[decoder];
}

/* ---- for people ---- */

static void print_operators(const struct facts *facts)
{
    for (int i = 0; i < facts->kinds; i++) {
        const struct pipit_operator *o = &facts->operators[i];
        say("  %4d  %s%s%s\n", o->count, o->name, o->why ? ": " : "", o->why ? o->why : "");
    }
}

static void print_normalisation(const struct opened *opened, const struct pipit_info *info)
{
    if (!strcmp(info->normalisation, "none"))
        say("normalisation  none: give --mean and --std\n");
    else
        say("normalisation  mean %g %g %g, std %g %g %g, from the %s\n", (double)info->mean[0],
            (double)info->mean[1], (double)info->mean[2], (double)info->std[0], (double)info->std[1],
            (double)info->std[2], model_normalisation(opened));
}

static void print_plan(const struct pipit_model *model)
{
    struct pipit_step step;
    say("plan\n  %-10s %-10s %-34s %-18s %s\n", "offset", "bytes", "operation", "output", "kernel");
    for (int i = 0; !pipit_model_step(model, i, &step); i++) {
        char shape[64];
        snprintf(shape, sizeof(shape), "%dx%dx%dx%d", step.out_shape[0], step.out_shape[1], step.out_shape[2],
                 step.out_shape[3]);
        if (step.joined)
            say("  %-10s %-10s %-34s %-18s %s\n", "by rows", "-", step.operation, shape, step.kernel);
        else
            say("  %-10zu %-10zu %-34s %-18s %s\n", step.arena_offset, step.output_bytes, step.operation,
                shape, step.kernel);
    }
}

static void print_model(const struct facts *facts, bool verbose)
{
    struct pipit_info info;
    char text[256];
    pipit_model_info(facts->opened.model, &info);
    say("format         %s%s%s\n", info.format, *info.network ? ", " : "", info.network);
    if (*info.description)
        say("description    %s\n", info.description);
    for (int i = 0; i < pipit_model_inputs(facts->opened.model); i++)
        say("input %d        %s: %s\n", i, pipit_model_input(facts->opened.model, i)->name,
            tensor_text(pipit_model_input(facts->opened.model, i), text, sizeof(text)));
    for (int i = 0; i < pipit_model_outputs(facts->opened.model); i++)
        say("output %d       %s: %s\n", i, pipit_model_output(facts->opened.model, i)->name,
            tensor_text(pipit_model_output(facts->opened.model, i), text, sizeof(text)));
    print_normalisation(&facts->opened, &info);
    say("answers with   %s\n", decoder_name(pipit_model_decoder(facts->opened.model)));
    say("labels         %d\n", pipit_model_labels(facts->opened.model));
    say("size           %.1f M multiply-adds, %.2f M parameters\n", (double)info.macs / 1e6,
        (double)info.parameters / 1e6);
    pipit_cpu_format(info.cpu, text, sizeof(text));
    say("plan           %d operators in %d steps; activations %.1f KiB, weights %.1f KiB; %d threads, cpu "
        "%s, precision %s\n",
        info.operators, info.steps, (double)info.arena_bytes / 1024, (double)info.weight_bytes / 1024,
        info.threads, text, pipit_precision_name(info.precision));
    if (verbose)
        print_plan(facts->opened.model);
}

static void print_people(const struct facts *facts, bool verbose)
{
    say("model          %s (%s)\n", facts->opened.name, facts->opened.path);
    if (facts->opened.model)
        print_model(facts, verbose);
    if (facts->kinds)
        say("operators\n");
    print_operators(facts);
    say("can be run     %s%s%s\n", facts->opened.model ? "yes" : "no", facts->opened.model ? "" : ": ",
        facts->opened.model ? "" : facts->why);
}

/* ---- for programs ---- */

static struct json_object *json_triple(const float *values)
{
    struct json_object *list = json_object_new_array();
    for (int c = 0; c < 3; c++)
        json_object_array_add(list, json_real((double)values[c]));
    return list;
}

static struct json_object *json_normalisation(const struct opened *opened, const struct pipit_info *info)
{
    if (!strcmp(info->normalisation, "none"))
        return NULL;
    struct json_object *object = json_object_new_object();
    json_add(object, "mean", json_triple(info->mean));
    json_add(object, "std", json_triple(info->std));
    json_add(object, "from", json_text(model_normalisation(opened)));
    return object;
}

static struct json_object *json_operators(const struct facts *facts)
{
    struct json_object *list = json_object_new_array();
    for (int i = 0; i < facts->kinds; i++) {
        struct json_object *entry = json_object_new_object();
        json_add(entry, "name", json_text(facts->operators[i].name));
        json_add(entry, "count", json_object_new_int(facts->operators[i].count));
        json_add(entry, "why_not", json_text(facts->operators[i].why));
        json_object_array_add(list, entry);
    }
    return list;
}

static struct json_object *json_plan(const struct pipit_model *model, const struct pipit_info *info)
{
    struct json_object *object = json_object_new_object(), *steps = json_object_new_array();
    struct pipit_step step;
    for (int i = 0; !pipit_model_step(model, i, &step); i++) {
        struct json_object *entry = json_object_new_object();
        json_add(entry, "name", json_text(step.name));
        json_add(entry, "operation", json_text(step.operation));
        json_add(entry, "kernel", json_text(step.kernel));
        json_add(entry, "macs", json_object_new_int64(step.macs));
        json_add(entry, "joined", json_object_new_boolean(step.joined));
        json_add(entry, "offset", json_object_new_int64((int64_t)step.arena_offset));
        json_add(entry, "bytes", json_object_new_int64((int64_t)step.output_bytes));
        json_object_array_add(steps, entry);
    }
    json_add(object, "arena_bytes", json_object_new_int64((int64_t)info->arena_bytes));
    json_add(object, "weight_bytes", json_object_new_int64((int64_t)info->weight_bytes));
    json_add(object, "threads", json_object_new_int(info->threads));
    json_add(object, "precision", json_text(pipit_precision_name(info->precision)));
    json_add(object, "steps", steps);
    return object;
}

static void add_model(struct json_object *object, const struct opened *opened)
{
    const struct pipit_model *model = opened->model;
    struct pipit_info info;
    struct json_object *inputs = json_object_new_array(), *outputs = json_object_new_array();
    struct json_object *labels = json_object_new_array();
    pipit_model_info(model, &info);
    for (int i = 0; i < pipit_model_inputs(model); i++)
        json_object_array_add(inputs, json_tensor(pipit_model_input(model, i)));
    for (int i = 0; i < pipit_model_outputs(model); i++)
        json_object_array_add(outputs, json_tensor(pipit_model_output(model, i)));
    for (int i = 0; i < pipit_model_labels(model); i++)
        json_object_array_add(labels, json_text(pipit_model_label(model, i)));
    json_add(object, "format", json_text(info.format));
    json_add(object, "network", json_text(info.network));
    json_add(object, "description", json_text(info.description));
    json_add(object, "inputs", inputs);
    json_add(object, "outputs", outputs);
    json_add(object, "normalisation", json_normalisation(opened, &info));
    json_add(object, "answers_with", json_text(decoder_name(pipit_model_decoder(model))));
    json_add(object, "macs", json_object_new_int64(info.macs));
    json_add(object, "parameters", json_object_new_int64(info.parameters));
    json_add(object, "plan", json_plan(model, &info));
    json_add(object, "labels", labels);
}

static void print_programs(const struct facts *facts)
{
    struct json_object *object = json_object_new_object();
    json_add(object, "model", json_text(facts->opened.name));
    json_add(object, "file", json_text(facts->opened.path));
    json_add(object, "runs", json_object_new_boolean(facts->opened.model != NULL));
    json_add(object, "why_not", json_text(facts->opened.model ? NULL : facts->why));
    json_add(object, "operators", json_operators(facts));
    if (facts->opened.model)
        add_model(object, &facts->opened);
    json_print(object);
}

/* ---- finding out ---- */

/* A model that cannot be run is told of too, as long as its file can be read. */
static int look_into(struct facts *facts, const struct options *options, struct pipit_error *error)
{
    int status = model_open(&facts->opened, options, "classify", error);
    bool readable = !status || (status == EX_UNAVAILABLE && facts->opened.path);
    if (!readable)
        return status;
    struct pipit_error ignored;
    int kinds = pipit_file_operators(facts->opened.path, facts->operators, KINDS_MAX, &ignored);
    facts->kinds = kinds < 0 ? 0 : kinds < KINDS_MAX ? kinds : KINDS_MAX;
    facts->why = error->text;
    if (options->json)
        print_programs(facts);
    else
        print_people(facts, options->verbose);
    return status;
}

static int run(const struct options *options)
{
    struct options wanted = *options;
    struct pipit_error error = {""};
    struct facts *facts = calloc(1, sizeof(*facts));
    if (!facts)
        return EX_OSERR;
    wanted.model = options->argument[0];
    int status = look_into(facts, &wanted, &error);
    if (status && !facts->why)
        report(options, wanted.model, &error);
    model_close(&facts->opened);
    free(facts);
    return status;
}

const struct command command_info = {
    .name = "info",
    .summary = "tell what is in a model file, and whether Pipit can run it",
    .usage = "MODEL [--json] [-v] [OPTION]...",
    .options = "labels mean std threads cpu-mask precision calibrate json verbose",
    .help = "Inputs, outputs, operators, size, labels, where the normalisation comes from, and the memory "
            "plan (with -v\n"
            "step by step). A model that cannot be run is described too: which operator stands in the way, "
            "and why.\n\n"
            "  pipit info model.tflite",
    .least = 1,
    .most = 1,
    .run = run,
};
