/* SPDX-License-Identifier: MIT */
/*
 * Runs Pipit as runner.py runs its peers: runner MODEL PRECISION THREADS PICTURE. PICTURE holds the bytes R,
 * G, B of the input, row by row; the network sees byte / 127.5 - 1. PRECISION float16 or bfloat16 is the
 * arithmetic; else it is the file's, and the word is for the peers. Says "ready" and the milliseconds from
 * opening the file to the first answer, then does what standard input says, a line each:
 * - run N: milliseconds of N runs, one after the other
 * - answer FILE: all outputs as float32, dequantised, to FILE
 * - memory: KiB resident before the model was opened, and at most since
 */
#include "pipit.h"
#include "base/clock.h"

#include <err.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long resident_kib(const char *key)
{
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file))
        if (!strncmp(line, key, strlen(key)))
            kib = strtol(line + strlen(key), NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

/* The peak is of the program's start otherwise (proc(5), clear_refs). */
static void forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "we");
    if (file) {
        fputs("5", file);
        fclose(file);
    }
}

static void set_input(const struct pipit_tensor *input, const char *path)
{
    FILE *file = fopen(path, "rbe");
    size_t count = input->size / pipit_type_size(input->type);
    for (size_t i = 0; file && i < count; i++) {
        double real = fgetc(file) / 127.5 - 1;
        long step = input->scales ? lround(real / input->scale[0]) + input->zero_point[0] : 0;
        if (input->type == PIPIT_F32)
            ((float *)input->data)[i] = (float)real;
        else if (input->type == PIPIT_I8)
            ((int8_t *)input->data)[i] = (int8_t)(step < -128 ? -128 : step > 127 ? 127 : step);
        else
            ((uint8_t *)input->data)[i] = (uint8_t)(step < 0 ? 0 : step > 255 ? 255 : step);
    }
    if (!file || feof(file) || fgetc(file) != EOF)
        errx(1, "%s: must have %zu bytes", path, count);
    fclose(file);
}

static float real_value(const struct pipit_tensor *output, size_t i)
{
    if (output->type == PIPIT_F32)
        return ((const float *)output->data)[i];
    int step =
        output->type == PIPIT_I8 ? ((const int8_t *)output->data)[i] : ((const uint8_t *)output->data)[i];
    return output->scale[0] * (float)(step - output->zero_point[0]);
}

static void write_answer(const struct pipit_model *model, const char *path)
{
    FILE *file = fopen(path, "wbe");
    if (!file)
        err(1, "%s", path);
    for (int k = 0; k < pipit_model_outputs(model); k++) {
        const struct pipit_tensor *output = pipit_model_output(model, k);
        for (size_t i = 0; i < output->size / pipit_type_size(output->type); i++) {
            float value = real_value(output, i);
            fwrite(&value, sizeof(value), 1, file);
        }
    }
    fclose(file);
}

static void run(struct pipit_model *model, long times)
{
    for (long i = 0; i < times; i++) {
        uint64_t start = clock_now_ns();
        pipit_model_run(model);
        printf("%.6f ", clock_ms_since(start));
    }
    putchar('\n');
}

static enum pipit_precision precision_of(const char *name)
{
    return !strcmp(name, "bfloat16")  ? PIPIT_PRECISION_BF16
           : !strcmp(name, "float16") ? PIPIT_PRECISION_F16
                                      : PIPIT_PRECISION_F32;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        errx(2, "usage: runner MODEL PRECISION THREADS PICTURE");
    char line[4096];
    struct pipit_model *model;
    struct pipit_error error;
    struct pipit_settings settings;
    pipit_settings_defaults(&settings);
    settings.threads = (int)strtol(argv[3], NULL, 10);
    settings.precision = precision_of(argv[2]);
    forget_peak();
    long before = resident_kib("VmRSS:");
    uint64_t start = clock_now_ns();
    if (pipit_model_open(&model, argv[1], &settings, &error) < 0)
        errx(1, "%s", error.text);
    double opened = clock_ms_since(start);
    set_input(pipit_model_input(model, 0), argv[4]);
    start = clock_now_ns();
    pipit_model_run(model);
    printf("ready %.6f\n", opened + clock_ms_since(start));
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (!strncmp(line, "run ", 4))
            run(model, strtol(line + 4, NULL, 10));
        else if (!strncmp(line, "answer ", 7))
            write_answer(model, line + 7);
        else
            printf("%ld %ld\n", before, resident_kib("VmHWM:"));
        if (!strncmp(line, "answer ", 7))
            puts("written");
        fflush(stdout);
    }
    pipit_model_destroy(model);
    return 0;
}
