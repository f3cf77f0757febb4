/* SPDX-License-Identifier: MIT */
/* The engine bare, for comparing it with other runtimes. */
#include "app/json.h"
#include "app/model_open.h"
#include "app/sha256.h"
#include "app/tensors.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- input ---- */

/* Exactly `size` bytes. EX_OK, or an exit status with a message. */
static int read_exactly(const char *path, void *bytes, size_t size, const char *what)
{
    FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
    if (!file) {
        log_error("cannot read '%s': %s", path, strerror(errno));
        return exit_status(-errno);
    }
    errno = 0;
    size_t got = fread(bytes, 1, size, file);
    bool more = got == size && fgetc(file) != EOF, broken = ferror(file);
    int why = errno;
    if (file != stdin)
        fclose(file);
    if (got == size && !more)
        return EX_OK;
    if (broken) {
        log_error("cannot read '%s': %s", path, strerror(why));
        return exit_status(-why);
    }
    log_error("'%s' has %s than the %zu bytes of %s", path, more ? "more" : "fewer", size, what);
    return EX_DATAERR;
}

static int set_rgb(struct pipit_model *model, const char *path)
{
    struct pipit_info info;
    struct pipit_error error = {""};
    char what[80];
    pipit_model_info(model, &info);
    if (!info.input_width) {
        log_error("the model's input is no picture: give its bytes with --tensor");
        return EX_DATAERR;
    }
    size_t stride = (size_t)info.input_width * 3, size = stride * (size_t)info.input_height;
    uint8_t *rgb = malloc(size);
    snprintf(what, sizeof(what), "%d x %d RGB pixels", info.input_width, info.input_height);
    int status = rgb ? read_exactly(path, rgb, size, what) : EX_OSERR;
    if (!status) {
        struct pipit_image image = {.format = PIPIT_RGB24,
                                    .width = info.input_width,
                                    .height = info.input_height,
                                    .data = {rgb},
                                    .stride = {(ptrdiff_t)stride}};
        int failed = pipit_model_set_image(model, &image, &error);
        if (failed)
            log_error("%s", error.text);
        status = exit_status(failed);
    }
    free(rgb);
    return status;
}

static int set_tensors(struct pipit_model *model, const char *path)
{
    size_t size = 0;
    for (int i = 0; i < pipit_model_inputs(model); i++)
        size += pipit_model_input(model, i)->size;
    char *bytes = malloc(size + 1);
    int status = bytes ? read_exactly(path, bytes, size, "the input tensor") : EX_OSERR;
    size_t at = 0;
    for (int i = 0; i < pipit_model_inputs(model) && !status; i++) {
        const struct pipit_tensor *input = pipit_model_input(model, i);
        memcpy(input->data, bytes + at, input->size);
        at += input->size;
    }
    free(bytes);
    return status;
}

/* ---- output ---- */

static int write_output(const char *folder, int index, const struct pipit_tensor *tensor)
{
    char *path, *temporary;
    if (asprintf(&path, "%s/out%d.bin", folder, index) < 0)
        return EX_OSERR;
    if (asprintf(&temporary, "%s.part", path) < 0) {
        free(path);
        return EX_OSERR;
    }
    FILE *file = fopen(temporary, "we");
    bool good = file && fwrite(tensor->data, 1, tensor->size, file) == tensor->size && !fflush(file);
    if (file && fclose(file))
        good = false;
    good = good && !rename(temporary, path);
    if (!good) {
        log_error("cannot write '%s': %s", path, strerror(errno));
        unlink(temporary);
    }
    free(path);
    free(temporary);
    return good ? EX_OK : EX_CANTCREAT;
}

static struct json_object *json_output(const struct pipit_tensor *tensor, int index)
{
    struct json_object *object = json_tensor(tensor);
    struct sha256 sha;
    char text[65];
    sha256_init(&sha);
    sha256_add(&sha, tensor->data, tensor->size);
    sha256_text(&sha, text);
    json_add(object, "sha256", json_text(text));
    snprintf(text, sizeof(text), "out%d.bin", index);
    json_add(object, "file", json_text(text));
    return object;
}

static void print_people(const struct pipit_model *model)
{
    char text[200];
    for (int i = 0; i < pipit_model_outputs(model); i++) {
        const struct pipit_tensor *output = pipit_model_output(model, i);
        printf("out%d.bin  %s  %s\n", i, output->name, tensor_text(output, text, sizeof(text)));
    }
}

static void print_programs(const struct pipit_model *model, const char *name)
{
    struct json_object *object = json_object_new_object();
    struct json_object *inputs = json_object_new_array(), *outputs = json_object_new_array();
    for (int i = 0; i < pipit_model_inputs(model); i++)
        json_object_array_add(inputs, json_tensor(pipit_model_input(model, i)));
    for (int i = 0; i < pipit_model_outputs(model); i++)
        json_object_array_add(outputs, json_output(pipit_model_output(model, i), i));
    json_add(object, "model", json_text(name));
    json_add(object, "inputs", inputs);
    json_add(object, "outputs", outputs);
    json_print(object);
}

static int write_all(const struct opened *opened, const struct options *options)
{
    if (mkdir(options->output_dir, 0777) && errno != EEXIST) {
        log_error("cannot make the folder '%s': %s", options->output_dir, strerror(errno));
        return EX_CANTCREAT;
    }
    int status = EX_OK;
    for (int i = 0; i < pipit_model_outputs(opened->model) && !status; i++)
        status = write_output(options->output_dir, i, pipit_model_output(opened->model, i));
    if (!status && options->json)
        print_programs(opened->model, opened->name);
    else if (!status)
        print_people(opened->model);
    return status;
}

static int run(const struct options *options)
{
    struct options wanted = *options;
    struct opened opened;
    wanted.model = options->argument[0];
    if (!options->output_dir) {
        log_error("say with --output-dir where the output tensors go");
        return EX_USAGE;
    }
    int status = model_open(&opened, &wanted, "classify");
    if (status)
        return status;
    status = options->tensor ? set_tensors(opened.model, options->argument[1])
                             : set_rgb(opened.model, options->argument[1]);
    if (!status)
        status = exit_status(pipit_model_run(opened.model));
    if (!status)
        status = write_all(&opened, options);
    model_close(&opened);
    return status;
}

const struct command command_infer = {
    .name = "infer",
    .summary = "run a network on raw input and write its output tensors",
    .usage = "MODEL INPUT --output-dir DIR [--tensor] [OPTION]...",
    .options = "output-dir tensor mean std threads cpu-mask json verbose",
    .help =
        "INPUT is raw RGB, 8 bit, interleaved, of exactly the network's input size; it is normalised as the "
        "model's\n"
        "card, metadata or input quantisation says, or by --mean and --std. With --tensor it is the input "
        "tensor's\n"
        "own bytes. Each output is written as it is, little-endian, to out0.bin, out1.bin, ... in DIR.\n\n"
        "  pipit infer model.tflite photo_224x224.rgb --output-dir answers --json",
    .least = 2,
    .most = 2,
    .run = run,
};
