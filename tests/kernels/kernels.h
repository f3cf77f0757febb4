/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_TESTS_KERNELS_H
#define PIPIT_TESTS_KERNELS_H

#include "engine/kernels/kernels.h"
#include "engine/pipit.h"

struct context {
    uint32_t seed;
    bool bench;
    int compared, failures; /* functions, cases */
    struct kernels c;
};

uint32_t random_bits(struct context *context);
int random_between(struct context *context, int low, int high);
float random_float(struct context *context); /* -1 to 1 */
void report(struct context *context, const char *name, const char *what);

/* Each compares the functions of `next` that differ from those of `last`. */
void check_conv(struct context *context, const struct kernels *last, const struct kernels *next);
void check_depthwise(struct context *context, const struct kernels *last, const struct kernels *next);
void check_elementwise(struct context *context, const struct kernels *last, const struct kernels *next);
void check_float16(struct context *context, const struct kernels *last, const struct kernels *next);

/* A factor as models have them, or with a shift to the left or a large one to the right. */
struct requant random_requant(struct context *context);
/* Compares `rows` rows of `n` (stride apart) and the poison between and behind them. */
bool same_f32(const float *a, const float *b, int rows, int n, int stride, float tolerance);
bool same_bytes(const void *a, const void *b, size_t size);

#endif
