/* SPDX-License-Identifier: MIT */
/*
 * Runs the cases that suite.py packed: conformance SUITE [NAME]. Each case's outputs are compared with what
 * the reference answered: integers exactly (or to `steps`), floats to `tolerance` of the output's range. Once
 * with the C kernels alone, once with each level of instructions that the machine has, and once with three
 * threads. With --rewritten in front each model is written anew by our own writer first, and once is enough.
 */
#include "engine/export/tflite_out.h"
#include "engine/model.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct text {
    const char *data;
    uint32_t size;
};

struct reader {
    const char *at, *end;
};

struct expected {
    uint32_t type, rank;
    int32_t shape[PIPIT_RANK_MAX];
    struct text data;
};

#define ENDS_MAX 16

struct test {
    struct text name, message, model;
    float tolerance;
    int32_t steps, status;
    uint32_t inputs, outputs;
    struct text input[ENDS_MAX];
    struct expected output[ENDS_MAX];
};

/* ---- reading; the file is our own, but a damaged one ends the test in words ---- */

static const char *take(struct reader *reader, size_t bytes)
{
    if ((size_t)(reader->end - reader->at) < bytes) {
        fprintf(stderr, "the suite is cut off\n");
        exit(1);
    }
    reader->at += bytes;
    return reader->at - bytes;
}

static uint32_t take_u32(struct reader *reader)
{
    uint32_t value;
    memcpy(&value, take(reader, 4), 4);
    return value;
}

static uint32_t take_count(struct reader *reader, uint32_t most)
{
    uint32_t value = take_u32(reader);
    if (value > most) {
        fprintf(stderr, "the suite is damaged\n");
        exit(1);
    }
    return value;
}

static struct text take_text(struct reader *reader)
{
    uint32_t size = take_u32(reader);
    return (struct text){take(reader, size), size};
}

static void take_test(struct reader *reader, struct test *test)
{
    test->name = take_text(reader);
    memcpy(&test->tolerance, take(reader, 4), 4);
    test->steps = (int32_t)take_u32(reader);
    test->status = (int32_t)take_u32(reader);
    test->message = take_text(reader);
    test->model = take_text(reader);
    test->inputs = take_count(reader, ENDS_MAX);
    for (uint32_t i = 0; i < test->inputs; i++)
        test->input[i] = take_text(reader);
    test->outputs = take_count(reader, ENDS_MAX);
    for (uint32_t i = 0; i < test->outputs; i++) {
        struct expected *output = &test->output[i];
        output->type = take_u32(reader);
        output->rank = take_count(reader, PIPIT_RANK_MAX);
        for (uint32_t d = 0; d < output->rank; d++)
            output->shape[d] = (int32_t)take_u32(reader);
        output->data = take_text(reader);
    }
}

/* ---- comparing ---- */

static int64_t integer_at(const void *data, uint32_t type, size_t i)
{
    const char *bytes = data;
    int64_t wide;
    int32_t word;
    switch (type) {
    case PIPIT_I64:
        memcpy(&wide, bytes + 8 * i, 8);
        return wide;
    case PIPIT_I32:
        memcpy(&word, bytes + 4 * i, 4);
        return word;
    case PIPIT_I8:
        return (int8_t)bytes[i];
    default:
        return (uint8_t)bytes[i];
    }
}

static float float_at(const void *data, size_t i)
{
    float value;
    memcpy(&value, (const char *)data + 4 * i, 4);
    return value;
}

static float range_of(const struct text *data)
{
    float low = 0, high = 0;
    for (size_t i = 0; i < data->size / 4; i++) {
        float value = float_at(data->data, i);
        if (isfinite(value)) {
            low = fminf(low, value);
            high = fmaxf(high, value);
        }
    }
    return high - low;
}

static bool close_floats(float got, float wanted, float allowed)
{
    if (isnan(wanted) || isnan(got))
        return isnan(wanted) && isnan(got);
    return got == wanted || fabsf(got - wanted) <= allowed;
}

/* The number of elements that differ too much; the first of them is described. */
static size_t differing(const struct test *test, const struct expected *wanted, const void *got, char *what,
                        size_t size)
{
    size_t element = pipit_type_size((enum pipit_type)wanted->type), count = wanted->data.size / element,
           bad = 0;
    bool is_float = wanted->type == PIPIT_F32;
    float allowed = is_float ? test->tolerance * range_of(&wanted->data) : 0;
    for (size_t i = 0; i < count; i++) {
        if (is_float) {
            float a = float_at(got, i), b = float_at(wanted->data.data, i);
            if (!close_floats(a, b, allowed) && !bad++)
                snprintf(what, size, "[%zu] is %.9g, not %.9g", i, (double)a, (double)b);
        } else {
            int64_t a = integer_at(got, wanted->type, i), b = integer_at(wanted->data.data, wanted->type, i);
            if (llabs(a - b) > test->steps && !bad++)
                snprintf(what, size, "[%zu] is %lld, not %lld", i, (long long)a, (long long)b);
        }
    }
    return bad;
}

static bool same_shape(const struct pipit_tensor *tensor, const struct expected *wanted)
{
    if (tensor->type != (enum pipit_type)wanted->type || tensor->rank != (int)wanted->rank ||
        tensor->size != wanted->data.size)
        return false;
    return !tensor->rank || !memcmp(tensor->shape, wanted->shape, sizeof(int32_t) * (size_t)tensor->rank);
}

static int check_output(const struct test *test, struct pipit_model *model, uint32_t index, const char *how)
{
    const struct pipit_tensor *tensor = pipit_model_output(model, (int)index);
    const struct expected *wanted = &test->output[index];
    char what[160] = "its type or shape differs";
    size_t bad = 1;
    if (tensor && same_shape(tensor, wanted))
        bad = differing(test, wanted, tensor->data, what, sizeof(what));
    if (bad)
        printf("%.*s (%s): output %u: %zu elements differ: %s\n", (int)test->name.size, test->name.data, how,
               index, bad, what);
    return bad != 0;
}

/* ---- running ---- */

static int complain(const struct test *test, const char *how, const char *what)
{
    printf("%.*s (%s): %s\n", (int)test->name.size, test->name.data, how, what);
    return 1;
}

static int check_refusal(const struct test *test, int status, const struct pipit_error *error,
                         const char *how)
{
    if (status == test->status &&
        memmem(error->text, strlen(error->text), test->message.data, test->message.size))
        return 0;
    printf("status %d, not %d: ", status, (int)test->status);
    return complain(test, how, error->text);
}

static int run_model(const struct test *test, struct pipit_model *model, const char *how)
{
    if (pipit_model_inputs(model) != (int)test->inputs || pipit_model_outputs(model) != (int)test->outputs)
        return complain(test, how, "another number of inputs or outputs");
    for (uint32_t i = 0; i < test->inputs; i++) {
        const struct pipit_tensor *tensor = pipit_model_input(model, (int)i);
        if (tensor->size != test->input[i].size)
            return complain(test, how, "an input of another size");
        memcpy(tensor->data, test->input[i].data, tensor->size);
    }
    int bad = 0;
    for (int again = 0; again < 2 && !bad; again++) { /* a second run finds what the first left behind */
        if (pipit_model_run(model))
            return complain(test, how, "run failed");
        for (uint32_t i = 0; i < test->outputs; i++)
            bad |= check_output(test, model, i, how);
    }
    return bad;
}

/* From a file, whose memory goes while the model is opened. */
static int open_file(struct pipit_model **model, const struct test *test,
                     const struct pipit_settings *settings, struct pipit_error *error)
{
    char path[64];
    int descriptor = memfd_create("conformance", MFD_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
    ssize_t written = write(descriptor, test->model.data, test->model.size);
    int status = -EIO;
    if (written == (ssize_t)test->model.size)
        status = pipit_model_open(model, path, settings, error);
    close(descriptor);
    return status;
}

static int run_test(const struct test *test, unsigned mask, int threads, bool from_file)
{
    struct pipit_settings settings;
    struct pipit_error error = {""};
    struct pipit_model *model = NULL;
    char cpu[64], how[100];
    pipit_settings_defaults(&settings);
    settings.threads = threads;
    settings.cpu_mask = mask;
    pipit_cpu_format(pipit_cpu_flags() & mask, cpu, sizeof(cpu));
    snprintf(how, sizeof(how), "%s, %d threads", cpu, threads);
    int status = from_file
                     ? open_file(&model, test, &settings, &error)
                     : pipit_model_open_memory(&model, test->model.data, test->model.size, &settings, &error);
    if (test->status)
        status = check_refusal(test, status, &error, how);
    else
        status = status ? complain(test, how, error.text) : run_model(test, model, how);
    pipit_model_destroy(model);
    return status;
}

static int run_everywhere(const struct test *test)
{
    unsigned flags = pipit_cpu_flags(), mask = 0;
    int bad = run_test(test, 0, 1, false);
    for (unsigned bit = 1; bit && bit <= flags && !bad; bit <<= 1) {
        mask |= bit;
        if (flags & bit)
            bad = run_test(test, mask, 1, false);
    }
    return bad ? bad : run_test(test, ~0u, 3, true);
}

/* ---- written anew ---- */

/* The writer has no uint8: the graph that it gets has int8 and FLIP_SIGN in its place. */
static bool can_be_written(const struct graph *graph)
{
    for (int n = 0; n < graph->nodes; n++)
        if (graph->node[n].op == OP_FLIP_SIGN)
            return false;
    return true;
}

static int run_rewritten(struct test *test, uint32_t *written)
{
    struct pipit_error error = {""};
    struct pipit_settings settings;
    struct pipit_model *model = NULL;
    uint8_t *bytes = NULL;
    size_t size = 0;
    pipit_settings_defaults(&settings);
    settings.threads = 1;
    if (test->status)
        return 0;
    int status = model_open_for_export(&model, test->model.data, test->model.size, &settings, &error);
    if (!status && can_be_written(&model->graph))
        status = tflite_write(&model->graph, &bytes, &size, &error);
    if (status)
        status = complain(test, "written anew", error.text);
    pipit_model_destroy(model);
    if (bytes) {
        ++*written;
        test->model = (struct text){(char *)bytes, (uint32_t)size};
        status = run_test(test, 0, 1, false);
    }
    free(bytes);
    return status;
}

static char *read_all(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *bytes = NULL;
    if (file && !fseek(file, 0, SEEK_END)) {
        *size = (size_t)ftell(file);
        rewind(file);
        bytes = malloc(*size + 1);
        if (bytes && fread(bytes, 1, *size, file) != *size)
            *size = 0;
    }
    if (file)
        fclose(file);
    return bytes;
}

int main(int argc, char **argv)
{
    bool rewritten = argc > 1 && !strcmp(argv[1], "--rewritten");
    argc -= rewritten;
    argv += rewritten;
    size_t size = 0;
    char *bytes = argc > 1 ? read_all(argv[1], &size) : NULL;
    if (!bytes || size < 8 || memcmp(bytes, "PCS1", 4)) {
        fprintf(stderr, "usage: conformance [--rewritten] SUITE [NAME]\n");
        return 1;
    }
    struct reader reader = {bytes + 4, bytes + size};
    uint32_t count = take_u32(&reader), failed = 0, run = 0, written = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct test test;
        take_test(&reader, &test);
        if (argc > 2 && !memmem(test.name.data, test.name.size, argv[2], strlen(argv[2])))
            continue;
        run++;
        failed += (rewritten ? run_rewritten(&test, &written) : run_everywhere(&test)) != 0;
    }
    if (rewritten)
        printf("%u were written anew\n", written);
    printf("%u cases, %u failed\n", run, failed);
    free(bytes);
    return failed || !run || (rewritten && !written);
}
