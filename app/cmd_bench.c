/* SPDX-License-Identifier: MIT */
#include "app/json.h"
#include "app/model_open.h"
#include "app/say.h"
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct result {
    const char *name;
    struct pipit_info info;
    double load_ms, median_ms, p95_ms, best_ms;
    long peak_kib, start_kib;
    int runs, steps;
    double *layer_ms;                      /* mean of each step, NULL when not wanted */
    double peak[PIPIT_PRECISION_INT8 + 1]; /* MAC/s that the machine can; 0: not of this network */
    double least_ms;                       /* what the multiplications would take at the peak */
};

/* ---- measuring ---- */

/* A line of /proc/self/status. Not getrusage(): its peak outlives exec and may be that of the program's
 * parent. */
static long memory_kib(const char *key)
{
    char line[256];
    long kib = 0;
    size_t length = strlen(key);
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file))
        if (!strncmp(line, key, length))
            kib = strtol(line + length, NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

/* Seeded bytes, as pixels where the input is a picture, so that every run of every machine sees the same. */
static void fill_inputs(struct pipit_model *model)
{
    uint32_t state = 1;
    for (int i = 0; i < pipit_model_inputs(model); i++) {
        const struct pipit_tensor *input = pipit_model_input(model, i);
        for (size_t at = 0; at < input->size; at++) {
            state = state * 1664525u + 1013904223u; /* Numerical Recipes */
            ((uint8_t *)input->data)[at] = (uint8_t)(state >> 24);
        }
        for (size_t at = 0; input->type == PIPIT_F32 && at < input->size / sizeof(float); at++)
            ((float *)input->data)[at] = (float)((const uint8_t *)input->data)[at * 4] / 128 - 1;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int measure(struct pipit_model *model, const struct options *options, struct result *result)
{
    double *ms = calloc((size_t)options->runs, sizeof(*ms));
    if (!ms)
        return EX_OSERR;
    for (int i = 0; i < options->warmup; i++)
        pipit_model_run(model);
    for (int i = 0; i < options->runs; i++) {
        uint64_t start = clock_now_ns();
        pipit_model_run(model);
        ms[i] = clock_ms_since(start);
    }
    qsort(ms, (size_t)options->runs, sizeof(*ms), by_value);
    int n = options->runs, p95 = (n * 95 + 99) / 100 - 1;
    result->median_ms = n % 2 ? ms[n / 2] : (ms[n / 2 - 1] + ms[n / 2]) / 2;
    result->p95_ms = ms[p95];
    result->best_ms = ms[0];
    result->runs = n;
    free(ms);
    return EX_OK;
}

/* Runs that take the time of every step; the mean of each in *ms, which is to be freed. */
static int measure_layers(struct pipit_model *model, int runs, double **ms)
{
    struct pipit_step step;
    int steps = pipit_model_steps(model);
    *ms = calloc((size_t)steps + 1, sizeof(**ms));
    if (!*ms)
        return EX_OSERR;
    for (int run = 0; run < runs; run++) {
        pipit_model_run_timed(model);
        for (int i = 0; i < steps; i++)
            (*ms)[i] += pipit_model_step(model, i, &step) ? 0 : step.ms / runs;
    }
    return EX_OK;
}

/* What a step's multiplications would take at the peak; 0 where its precision has none. */
static double step_least_ms(const struct result *r, const struct pipit_step *step)
{
    double peak = r->peak[step->precision];
    return peak > 0 ? (double)step->macs / peak * 1e3 : 0;
}

static void measure_peak(const struct pipit_model *model, struct result *r)
{
    struct pipit_step step;
    for (int i = 0; !pipit_model_step(model, i, &step); i++) {
        if (step.macs && r->peak[step.precision] == 0)
            r->peak[step.precision] = pipit_cpu_peak(r->info.cpu, step.precision, r->info.threads);
        r->least_ms += step_least_ms(r, &step);
    }
}

/* ---- opening: a catalogue name, a file, or the name of a network ---- */

static int open_any(struct opened *opened, const struct options *options, struct pipit_error *error)
{
    struct pipit_settings settings;
    struct pipit_error why = {""};
    int status = model_open(opened, options, "classify", error);
    if (!status || opened->path)
        return status;
    pipit_settings_defaults(&settings);
    settings.threads = options->threads;
    settings.cpu_mask = options->cpu_mask;
    settings.precision = options->precision;
    int failed = pipit_model_random(&opened->model, options->model, 1, &settings, &why);
    free(opened->name);
    opened->name = strdup(options->model);
    if (!failed && opened->name)
        model_tell_precision(opened->model, opened->name, options);
    if (!failed)
        return opened->name ? EX_OK : EX_OSERR;
    if (failed == -ENOTSUP) /* the name is known */
        return failure(error, exit_status(failed), "%s", why.text);
    if (status == EX_NOINPUT)
        return failure(error, EX_NOINPUT, "there is no file and no model '%s', and %s", options->model,
                       why.text);
    return status;
}

/* ---- telling ---- */

static double total(const struct result *r)
{
    double all = 0;
    for (int i = 0; i < r->steps; i++)
        all += r->layer_ms[i];
    return all > 0 ? all : 1;
}

static void print_layers(const struct result *r, const struct pipit_model *model)
{
    struct pipit_step step;
    double all = total(r), least_ms = 0, macs = 0;
    say("%9s %6s %9s %8s %6s  %-32s %-17s %-20s %s\n", "ms", "%", "M MACs", "GMAC/s", "peak %", "operation",
        "output", "kernel", "name");
    for (int i = 0; !pipit_model_step(model, i, &step); i++) {
        char shape[64];
        double ms = r->layer_ms[i];
        snprintf(shape, sizeof(shape), "%dx%dx%dx%d", step.out_shape[0], step.out_shape[1], step.out_shape[2],
                 step.out_shape[3]);
        macs += (double)step.macs;
        least_ms += step_least_ms(r, &step);
        if (step.joined) {
            say("%9s %6s %9.3f %8s %6s  %-32s %-17s %-20s %.60s\n", "with next", "", (double)step.macs / 1e6,
                "", "", step.operation, shape, step.kernel, step.name);
            continue;
        }
        say("%9.4f %6.1f %9.3f %8.2f %6.1f  %-32s %-17s %-20s %.60s\n", ms, ms * 100 / all,
            (double)step.macs / 1e6, ms > 0 ? macs / ms / 1e6 : 0, ms > 0 ? least_ms / ms * 100 : 0,
            step.operation, shape, step.kernel, step.name);
        macs = least_ms = 0;
    }
}

static void print_people(const struct result *r, const struct pipit_model *model)
{
    char cpu[128];
    pipit_cpu_format(r->info.cpu, cpu, sizeof(cpu));
    say("%s  (%s, %d threads%s, cpu %s, %d runs)\n", r->name, pipit_precision_name(r->info.precision),
        r->info.threads, r->info.unlike ? " on unlike processors" : "", cpu, r->runs);
    say("  median      %8.3f ms   p95 %.3f ms   best %.3f ms\n", r->median_ms, r->p95_ms, r->best_ms);
    say("  speed       %8.2f GMAC/s   (%.1f M multiply-adds)\n", (double)r->info.macs / r->median_ms / 1e6,
        (double)r->info.macs / 1e6);
    for (int i = 0; i <= PIPIT_PRECISION_INT8; i++)
        if (r->peak[i] > 0)
            say("  peak        %8.2f GMAC/s   measured in registers, %s\n", r->peak[i] / 1e9,
                pipit_precision_name((enum pipit_precision)i));
    say("  share       %8.1f %%        of the peak\n", r->least_ms / r->median_ms * 100);
    say("  load        %8.1f ms   from opening the file to the first answer\n", r->load_ms);
    say("  memory      %8ld KiB at most, %ld KiB above the start\n", r->peak_kib, r->peak_kib - r->start_kib);
    if (r->layer_ms)
        print_layers(r, model);
}

static struct json_object *json_layers(const struct result *r, const struct pipit_model *model)
{
    struct json_object *list = json_object_new_array();
    struct pipit_step step;
    double all = total(r), least_ms = 0;
    for (int i = 0; !pipit_model_step(model, i, &step); i++) {
        least_ms += step_least_ms(r, &step);
        struct json_object *entry = json_object_new_object(), *shape = json_object_new_array();
        for (int d = 0; d < 4; d++)
            json_object_array_add(shape, json_object_new_int(step.out_shape[d]));
        json_add(entry, "name", json_text(step.name));
        json_add(entry, "operation", json_text(step.operation));
        json_add(entry, "kernel", json_text(step.kernel));
        json_add(entry, "output", shape);
        json_add(entry, "macs", json_object_new_int64(step.macs));
        json_add(entry, "joined", json_object_new_boolean(step.joined));
        json_add(entry, "ms", json_real(r->layer_ms[i]));
        json_add(entry, "share", json_real(r->layer_ms[i] / all));
        json_add(entry, "peak_share", json_real(r->layer_ms[i] > 0 ? least_ms / r->layer_ms[i] : 0));
        least_ms = step.joined ? least_ms : 0;
        json_object_array_add(list, entry);
    }
    return list;
}

static void print_programs(const struct result *r, const struct pipit_model *model)
{
    struct json_object *object = json_object_new_object(), *peaks = json_object_new_object();
    char cpu[128];
    pipit_cpu_format(r->info.cpu, cpu, sizeof(cpu));
    json_add(object, "model", json_text(r->name));
    json_add(object, "threads", json_object_new_int(r->info.threads));
    json_add(object, "unlike_processors", json_object_new_boolean(r->info.unlike));
    json_add(object, "cpu", json_text(cpu));
    json_add(object, "precision", json_text(pipit_precision_name(r->info.precision)));
    json_add(object, "runs", json_object_new_int(r->runs));
    json_add(object, "median_ms", json_real(r->median_ms));
    json_add(object, "p95_ms", json_real(r->p95_ms));
    json_add(object, "load_ms", json_ms(r->load_ms));
    json_add(object, "macs", json_object_new_int64(r->info.macs));
    json_add(object, "gmacs_per_s", json_real((double)r->info.macs / r->median_ms / 1e6));
    for (int i = 0; i <= PIPIT_PRECISION_INT8; i++)
        if (r->peak[i] > 0)
            json_add(peaks, pipit_precision_name((enum pipit_precision)i), json_real(r->peak[i] / 1e9));
    json_add(object, "peak_gmacs_per_s", peaks);
    json_add(object, "peak_share", json_real(r->least_ms / r->median_ms));
    json_add(object, "peak_rss_kib", json_object_new_int64(r->peak_kib));
    json_add(object, "rss_above_start_kib", json_object_new_int64(r->peak_kib - r->start_kib));
    if (r->layer_ms)
        json_add(object, "layers", json_layers(r, model));
    json_print(object);
}

static int run_all(struct pipit_model *model, const struct options *options, struct result *result)
{
    pipit_model_info(model, &result->info);
    result->steps = pipit_model_steps(model);
    int status = measure(model, options, result);
    result->peak_kib = memory_kib("VmHWM:");
    if (!status)
        measure_peak(model, result);
    if (!status && options->per_layer)
        status = measure_layers(model, options->runs, &result->layer_ms);
    return status;
}

static int run(const struct options *options)
{
    struct options wanted = *options;
    struct opened opened;
    struct pipit_error error = {""};
    struct result result = {.start_kib = memory_kib("VmRSS:")};
    wanted.model = options->argument[0];
    uint64_t start = clock_now_ns();
    int status = open_any(&opened, &wanted, &error);
    if (!status) {
        fill_inputs(opened.model);
        pipit_model_run(opened.model);
        result.load_ms = clock_ms_since(start);
        result.name = opened.name;
        status = run_all(opened.model, options, &result);
    }
    if (status)
        report(options, wanted.model, &error);
    else if (options->json)
        print_programs(&result, opened.model);
    else
        print_people(&result, opened.model);
    free(result.layer_ms);
    model_close(&opened);
    return status;
}

const struct command command_bench = {
    .name = "bench",
    .summary = "measure how fast a network runs on this machine",
    .usage = "MODEL|NETWORK [--threads N] [--runs N] [--per-layer] [--json]",
    .options = "threads cpu-mask precision calibrate runs warmup per-layer json verbose",
    .help =
        "Median and 95th percentile of the latency, speed, memory, and the time from opening the file to the "
        "first\n"
        "answer. NETWORK[:WIDTH][@RESOLUTION][/int8] is a network with random weights, so that no file is "
        "needed:\n"
        "mobilenet-v1, mobilenet-v2, mobilenet-v3-small, mobilenet-v3-large, efficientnet-lite0 to -lite4,\n"
        "ssd-mobilenet-v2.\n\n"
        "  pipit bench mobilenet-v3-small:0.75@192/int8 --threads 2",
    .least = 1,
    .most = 1,
    .run = run,
};
