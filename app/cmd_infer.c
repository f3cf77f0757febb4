/* SPDX-License-Identifier: MIT */
/* The engine bare, for comparing it with other runtimes. */
#include "app/json.h"
#include "app/model_open.h"
#include "app/sha256.h"
#include "app/tensors.h"
#include "app/say.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- input ---- */

/* Exactly `size` bytes. */
static int read_exactly(FILE *file, void *bytes, size_t size, const char *what, struct pipit_error *error)
{
    errno = 0;
    size_t got = fread(bytes, 1, size, file);
    bool more = got == size && fgetc(file) != EOF;
    if (ferror(file))
        return failure(error, exit_status(errno ? -errno : -EIO), "cannot read it: %s", strerror(errno));
    if (got == size && !more)
        return EX_OK;
    return more ? failure(error, EX_DATAERR, "it has more than the %zu bytes of %s", size, what)
                : failure(error, EX_DATAERR, "it has %zu bytes, not the %zu of %s", got, size, what);
}

static int set_rgb(struct pipit_model *model, FILE *file, struct pipit_error *error)
{
    struct pipit_info info;
    char what[80];
    pipit_model_info(model, &info);
    if (!info.input_width || pipit_model_inputs(model) != 1)
        return failure(
            error, EX_DATAERR,
            "the model's input is not one picture: give the bytes of all its inputs with --tensor");
    size_t stride = (size_t)info.input_width * 3, size = stride * (size_t)info.input_height;
    uint8_t *rgb = malloc(size);
    snprintf(what, sizeof(what), "%d x %d RGB pixels", info.input_width, info.input_height);
    int status = rgb ? read_exactly(file, rgb, size, what, error) : EX_OSERR;
    if (!status) {
        struct pipit_image image = {.format = PIPIT_RGB24,
                                    .width = info.input_width,
                                    .height = info.input_height,
                                    .data = {rgb},
                                    .stride = {(ptrdiff_t)stride}};
        status = exit_status(pipit_model_set_image(model, &image, error));
    }
    free(rgb);
    return status;
}

static int set_tensors(struct pipit_model *model, FILE *file, struct pipit_error *error)
{
    size_t size = 0, at = 0;
    for (int i = 0; i < pipit_model_inputs(model); i++)
        size += pipit_model_input(model, i)->size;
    char *bytes = malloc(size + 1);
    int status = bytes ? read_exactly(file, bytes, size, "the input tensors", error) : EX_OSERR;
    for (int i = 0; i < pipit_model_inputs(model) && !status; i++) {
        const struct pipit_tensor *input = pipit_model_input(model, i);
        memcpy(input->data, bytes + at, input->size);
        at += input->size;
    }
    free(bytes);
    return status;
}

static int set_input(struct pipit_model *model, const char *path, bool tensor, struct pipit_error *error)
{
    FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
    if (!file)
        return failure(error, exit_status(-errno), "cannot read it: %s", strerror(errno));
    int status = tensor ? set_tensors(model, file, error) : set_rgb(model, file, error);
    if (file != stdin)
        fclose(file);
    return status;
}

/* ---- output ---- */

/* Under another name first, so that no half a file is ever seen. */
static int write_bytes(const char *path, const struct pipit_tensor *tensor)
{
    char *temporary;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return -ENOMEM;
    int descriptor = mkostemp(temporary, O_CLOEXEC), status = 0;
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (!file || fchmod(descriptor, 0644) || fwrite(tensor->data, 1, tensor->size, file) != tensor->size ||
        fflush(file))
        status = -errno;
    if (file && fclose(file) && !status)
        status = -errno;
    if (!status && rename(temporary, path))
        status = -errno;
    if (status && descriptor >= 0)
        unlink(temporary);
    free(temporary);
    return status;
}

static int write_output(const char *folder, int index, const struct pipit_tensor *tensor,
                        struct pipit_error *error)
{
    char *path;
    if (asprintf(&path, "%s/out%d.bin", folder, index) < 0)
        return EX_OSERR;
    int failed = write_bytes(path, tensor);
    int status = failed
                     ? failure(error, output_status(failed), "cannot write '%s': %s", path, strerror(-failed))
                     : EX_OK;
    free(path);
    return status;
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
        say("out%d.bin  %s  %s\n", i, output->name, tensor_text(output, text, sizeof(text)));
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

static int write_all(const struct pipit_model *model, const char *folder, struct pipit_error *error)
{
    int status = EX_OK;
    if (mkdir(folder, 0777) && errno != EEXIST)
        return failure(error, EX_CANTCREAT, "cannot make the folder '%s': %s", folder, strerror(errno));
    for (int i = 0; i < pipit_model_outputs(model) && !status; i++)
        status = write_output(folder, i, pipit_model_output(model, i), error);
    return status;
}

static int run(const struct options *options)
{
    struct options wanted = *options;
    struct pipit_error error = {""};
    struct opened opened;
    const char *input = options->argument[1];
    wanted.model = options->argument[0];
    if (!options->output_dir) {
        log_error("say with --output-dir where the output tensors go");
        return EX_USAGE;
    }
    int status = model_open(&opened, &wanted, "classify", &error);
    if (!status)
        status = set_input(opened.model, input, options->tensor, &error);
    if (!status)
        status = exit_status(pipit_model_run(opened.model));
    if (!status)
        status = write_all(opened.model, options->output_dir, &error);
    if (status)
        report(options, input, &error);
    else if (options->json)
        print_programs(opened.model, opened.name);
    else
        print_people(opened.model);
    model_close(&opened);
    return status;
}

const struct command command_infer = {
    .name = "infer",
    .summary = "run a network on raw input and write its output tensors",
    .usage = "MODEL INPUT --output-dir DIR [--tensor] [OPTION]...",
    .options = "output-dir tensor mean std threads cpu-mask precision calibrate json verbose",
    .help = "INPUT is raw RGB, 8 bit, interleaved, of exactly the network's input size; it is normalised as "
            "the model's\n"
            "card, metadata or input quantisation says, or by --mean and --std. With --tensor it is the "
            "input tensor's\n"
            "own bytes, of several inputs one behind the other. Each output is written as it is, "
            "little-endian, to out0.bin, out1.bin, ... in DIR.\n\n"
            "  pipit infer model.tflite photo_224x224.rgb --output-dir answers --json",
    .least = 2,
    .most = 2,
    .run = run,
};
