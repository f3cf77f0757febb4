/* SPDX-License-Identifier: MIT */
/*
 * pattern FILE MODEL PATH: a fetched model on a picture that follows from a formula, so that no other data is
 * needed. Lines of FILE: model, output, mean and std of R, G, B, range of the output, then pairs of an
 * element and its value. Floats may be 1e-4 of the range away. Exit status 77: the model was not fetched.
 */
#include "engine/pipit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct line {
    int output;
    float mean[3], std[3], range;
    const char *pairs;
};

static bool read_line(const char *text, const char *model, struct line *line)
{
    char name[64];
    int at = 0;
    float *m = line->mean, *s = line->std;
    if (sscanf(text, "%63s %d %f %f %f %f %f %f %f%n", name, &line->output, &m[0], &m[1], &m[2], &s[0], &s[1],
               &s[2], &line->range, &at) != 9)
        return false;
    line->pairs = text + at;
    return !strcmp(name, model);
}

static void paint(const struct pipit_tensor *input, const struct line *line)
{
    int height = input->shape[1], width = input->shape[2];
    float *out = input->data;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++) {
                int byte = (x * 255 / width + y * 3 * (c + 1) + (x * y * (c + 2) >> 5)) & 255;
                *out++ = ((float)byte - line->mean[c]) / line->std[c];
            }
}

/* The number of values compared, -1 when one is wrong. */
static int compare(const struct line *line, const struct pipit_tensor *tensor)
{
    int compared = 0;
    const char *at = line->pairs;
    char *end;
    for (long index = strtol(at, &end, 10); end != at; index = strtol(at, &end, 10)) {
        float wanted = strtof(end, &end);
        at = end;
        if (index < 0 || (size_t)index >= tensor->size / sizeof(float))
            return -1;
        float got = ((const float *)tensor->data)[index];
        if (!(fabsf(got - wanted) <= 1e-4f * line->range)) {
            printf("output %d [%ld] is %.8g, not %.8g\n", line->output, index, (double)got, (double)wanted);
            return -1;
        }
        compared++;
    }
    return compared;
}

static int check(FILE *file, const char *name, struct pipit_model *model)
{
    char text[4096];
    struct line line;
    int compared = 0;
    const struct pipit_tensor *input = pipit_model_input(model, 0);
    if (input->type != PIPIT_F32 || input->rank != 4 || input->shape[3] != 3)
        return 1;
    while (fgets(text, sizeof(text), file)) {
        if (!read_line(text, name, &line))
            continue;
        const struct pipit_tensor *output = pipit_model_output(model, line.output);
        paint(input, &line);
        int count = output && !pipit_model_run(model) ? compare(&line, output) : -1;
        if (count < 1)
            return 1;
        compared += count;
    }
    printf("%s: %d values agree\n", name, compared);
    return compared == 0;
}

int main(int argc, char **argv)
{
    struct pipit_error error;
    struct pipit_model *model;
    FILE *file = argc == 4 ? fopen(argv[1], "r") : NULL;
    if (!file) {
        fprintf(stderr, "usage: pattern FILE MODEL PATH\n");
        return 64;
    }
    int status = 77;
    if (access(argv[3], R_OK)) {
        printf("%s is not there; models/fetch gets it\n", argv[3]);
    } else if (pipit_model_open(&model, argv[3], NULL, &error)) {
        printf("%s\n", error.text);
        status = 1;
    } else {
        status = check(file, argv[2], model);
        pipit_model_destroy(model);
    }
    fclose(file);
    return status;
}
