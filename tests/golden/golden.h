/* SPDX-License-Identifier: MIT */
/* What a model should answer for a photo, and how it is judged. The data: golden/README.md of the test data.
 */
#ifndef PIPIT_TESTS_GOLDEN_H
#define PIPIT_TESTS_GOLDEN_H

#include "engine/pipit.h"

#define PHOTOS_MAX  8
#define OUTPUTS_MAX 4

struct wanted {
    void *data;      /* in the output's type */
    size_t size;     /* bytes */
    double diff;     /* how far the faster kernels of the reference runtime are from it: steps, or the float
                        itself */
    double elements; /* how many of its elements differ there */
};

struct photo {
    const char *name;
    uint8_t *rgb;
    size_t size; /* bytes */
    struct wanted output[OUTPUTS_MAX];
    int outputs;
};

enum task { TASK_CLASSIFY, TASK_DETECT, TASK_SEGMENT, TASK_NUMBERS };

struct golden {
    enum task task;
    bool logits;                    /* classes are answered as logits */
    bool integer;                   /* the same bytes are due from every kernel set and number of threads */
    enum pipit_precision precision; /* of what is float32 */
    char path[1200];
    double mean[3], std[3];
    struct photo photo[PHOTOS_MAX];
    int photos;
};

/* Reads golden.json or defaults/defaults.json under `data`. 0; 77: some data is absent, and was named; 1: it
 * is wrong. */
int golden_load(struct golden *golden, const char *data, const char *cache, const char *model);
void golden_free(struct golden *golden);
void *golden_read(const char *path, size_t *size); /* gunzips; NULL: it is not there */

struct verdict {
    int outputs, identical; /* compared, and the same in every byte */
    double worst;           /* difference: steps, floats, or a share of pixels */
    bool failed;
};

/* Compares the model's outputs with those of the photo; says what is wrong on standard output. */
void golden_judge(const struct golden *golden, const struct photo *photo, struct pipit_model *model,
                  struct verdict *verdict);

#endif
