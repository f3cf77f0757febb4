/* SPDX-License-Identifier: MIT */
/*
 * golden [--brief] [--f16|--bf16] DATA MODEL [FILE]: one model on each photo, with every level of
 * instructions and 1, 2 and 4 threads; --brief: on one photo, with all instructions, and threads only on
 * small models, unless PIPIT_TEST_ALL is set. --f16, --bf16: in that precision, by the C reference and by
 * what the CPU has. FILE: a fetched model, whose reference is under DATA/golden/defaults. Exit status 77:
 * something is absent.
 */
#include "engine/model.h"
#include "tests/golden/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void set_input(const struct golden *golden, const struct photo *photo,
                      const struct pipit_tensor *input)
{
    float *real = input->data;
    if (input->type != PIPIT_F32)
        memcpy(input->data, photo->rgb, photo->size);
    for (size_t i = 0; input->type == PIPIT_F32 && i < photo->size; i++)
        real[i] = (float)((photo->rgb[i] - golden->mean[i % 3]) / golden->std[i % 3]);
}

static bool fits(const struct photo *photo, const struct pipit_tensor *input)
{
    return input && !input->channels_first && input->size == photo->size * pipit_type_size(input->type);
}

struct matrix {
    const struct golden *golden;
    int photos;
    struct verdict sum;
};

/* Bytes of all outputs, folded; the same for every kernel set when the arithmetic is of integers. FNV-1a. */
static uint64_t fingerprint(struct pipit_model *model)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (int i = 0; i < pipit_model_outputs(model); i++) {
        const struct pipit_tensor *tensor = pipit_model_output(model, i);
        for (size_t k = 0; k < tensor->size; k++)
            hash = (hash ^ ((const uint8_t *)tensor->data)[k]) * 0x100000001b3;
    }
    return hash;
}

static void run_photos(struct matrix *matrix, struct pipit_model *model, uint64_t *prints)
{
    for (int i = 0; i < matrix->photos; i++) {
        const struct photo *photo = &matrix->golden->photo[i];
        const struct pipit_tensor *input = pipit_model_input(model, 0);
        if (!fits(photo, input) || (set_input(matrix->golden, photo, input), pipit_model_run(model))) {
            printf("%s: the input does not fit, or the run failed\n", photo->name);
            matrix->sum.failed = true;
            return;
        }
        golden_judge(matrix->golden, photo, model, &matrix->sum);
        uint64_t print = fingerprint(model);
        if (matrix->golden->integer && prints[i] && prints[i] != print) {
            printf("%s: other bytes than from the C kernels with one thread\n", photo->name);
            matrix->sum.failed = true;
        }
        prints[i] = print;
    }
}

/* With a chunk for each thread, and with three, as on processors of unlike speed. */
static void run_cut(struct matrix *matrix, struct pipit_model *model, int threads, uint64_t *prints)
{
    for (int each = 1; each <= (threads > 1 ? 3 : 1); each += 2) {
        plan_cut(&model->plan, each);
        run_photos(matrix, model, prints);
    }
}

static bool has_precision(const struct pipit_model *model, enum pipit_precision precision)
{
    struct pipit_info info;
    pipit_model_info(model, &info);
    if (info.precision != precision)
        printf("runs in %s\n", pipit_precision_name(info.precision));
    return info.precision == precision;
}

static void run_once(struct matrix *matrix, unsigned mask, int threads, uint64_t *prints)
{
    struct pipit_settings settings;
    struct pipit_error error;
    struct pipit_model *model;
    char cpu[80];
    bool failed_before = matrix->sum.failed;
    pipit_settings_defaults(&settings);
    settings.threads = threads;
    settings.cpu_mask = mask;
    settings.precision = matrix->golden->precision;
    matrix->sum.failed = false;
    if (pipit_model_open(&model, matrix->golden->path, &settings, &error)) {
        printf("%s\n", error.text);
        matrix->sum.failed = true;
    } else if (!has_precision(model, settings.precision)) {
        matrix->sum.failed = true;
    } else {
        run_cut(matrix, model, threads, prints);
    }
    pipit_cpu_format(pipit_cpu_flags() & mask, cpu, sizeof(cpu));
    if (matrix->sum.failed)
        printf("  with %s and %d threads\n", cpu, threads);
    matrix->sum.failed |= failed_before;
    pipit_model_destroy(model);
}

static void run_matrix(struct matrix *matrix, bool brief, bool small)
{
    unsigned flags = pipit_cpu_flags(), mask = 0;
    uint64_t prints[PHOTOS_MAX] = {0};
    matrix->photos = brief ? 1 : matrix->golden->photos;
    for (int threads = 1; threads <= 4 && !brief; threads *= 2)
        run_once(matrix, 0, threads, prints);
    for (unsigned bit = 1; bit && bit <= flags; bit <<= 1) {
        mask |= bit;
        for (int threads = 1; threads <= 4; threads *= 2)
            if (flags & bit && (!brief || ((mask & flags) == flags && (threads == 1 || small))))
                run_once(matrix, mask, threads, prints);
    }
    if (!flags && brief)
        run_once(matrix, 0, 1, prints);
}

static void run_precision(struct matrix *matrix, bool brief)
{
    unsigned flag = matrix->golden->precision == PIPIT_PRECISION_F16 ? PIPIT_CPU_FP16 : PIPIT_CPU_BF16;
    bool has = pipit_cpu_flags() & flag;
    uint64_t prints[PHOTOS_MAX] = {0};
    matrix->photos = brief ? 1 : matrix->golden->photos;
    if (!has || !brief)
        run_once(matrix, 0, 1, prints);
    for (int threads = 1; threads <= 4 && has; threads *= 2)
        run_once(matrix, ~0u, threads, prints);
}

static bool is_small(const char *path)
{
    size_t size;
    void *bytes = golden_read(path, &size);
    free(bytes);
    return size < 1 << 20;
}

static int report(const char *model, const struct verdict *sum)
{
    printf("%s: %d of %d outputs are the reference's in every byte; the largest difference is %g\n", model,
           sum->identical, sum->outputs, sum->worst);
    return sum->failed || !sum->outputs;
}

int main(int argc, char **argv)
{
    bool brief = argc > 1 && !strcmp(argv[1], "--brief");
    enum pipit_precision precision = PIPIT_PRECISION_F32;
    bool other = argc > 1 + brief && !strncmp(argv[1 + brief], "--", 2) &&
                 !pipit_precision_parse(argv[1 + brief] + 2, &precision);
    int options = brief + other;
    const char *all = getenv("PIPIT_TEST_ALL"), *data = getenv("PIPIT_TEST_DATA");
    char **args = argv + options;
    struct golden golden;
    if (argc - options < 3 || argc - options > 4) {
        fprintf(stderr, "usage: golden [--brief] [--f16|--bf16] DATA MODEL [FILE]\n");
        return 64;
    }
    data = data && *data ? data : args[1];
    int status = golden_load(&golden, data, args[3], args[2]);
    if (args[3])
        snprintf(golden.path, sizeof(golden.path), "%s", args[3]);
    if (!status && access(golden.path, R_OK)) {
        printf("%s is not there\n", golden.path);
        status = 77;
    }
    if (!status) {
        struct matrix matrix = {.golden = &golden};
        golden.precision = precision;
        brief = brief && !(all && *all);
        if (other)
            run_precision(&matrix, brief);
        else
            run_matrix(&matrix, brief, is_small(golden.path));
        status = report(args[2], &matrix.sum);
    }
    golden_free(&golden);
    return status;
}
