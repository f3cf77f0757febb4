/* SPDX-License-Identifier: MIT */
/*
 * 3x3 and 5x5 depthwise convolutions in float: a row of outputs is made in strips of 7, 4 and 3 columns, of
 * all channels, in assembly. An input is loaded once for all the windows of a strip that it lies in, a weight
 * once for a strip, and what lies outside the image is neither read nor multiplied.
 */
#ifndef PIPIT_ENGINE_KERNELS_ARM_DEPTHWISE_STRIPS_H
#define PIPIT_ENGINE_KERNELS_ARM_DEPTHWISE_STRIPS_H

#include "engine/kernels/kernels.h"

enum { STRIP_ROWS = 5, STRIP_KINDS = 3 };

/* What the assembly reads, by place. A block is 16, 32 or 64 bytes of channels. */
struct strip_call {
    const void *row[STRIP_ROWS]; /* column 0 of the image, channel 0; NULL: outside */
    const void *weights;         /* of the first block: bias, then weights by tap */
    void *out;                   /* the first strip's leftmost column, channel 0 */
    size_t pixel, offset;        /* bytes from one column to the next; from channel 0 to the first block */
    long left, right;            /* input columns outside on either side, at most size / 2 */
    long blocks;
    long finish;        /* as enum finish */
    const void *limits; /* 16 bytes each: low, high, and what the hard swish wants */
    size_t skip;        /* bytes from column 0 to the strip's first that is there */
    long strips;        /* side by side; one, where something is outside */
};

typedef void strip_call_fn(const struct strip_call *call);

/* Functions by bytes of a block / 16 (1, 2, 4), size 3 or 5, stride and columns 3, 4 or 7; NULL: none. */
struct strip_set {
    size_t element; /* bytes */
    strip_call_fn *fn[STRIP_KINDS][2][2][3];
    /* Output pixel x of row y, however its window lies. */
    void (*one)(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x);
};

/* The activation, as the assembly compares. */
enum finish { FINISH_NONE, FINISH_RELU, FINISH_CLAMP, FINISH_HARD_SWISH };
static inline enum finish finish_of(float min, float max, bool hard_swish)
{
    enum finish kind = max < __builtin_inff() ? FINISH_CLAMP : min < 0 ? FINISH_NONE : FINISH_RELU;
    if (min > -__builtin_inff() && kind == FINISH_NONE)
        kind = FINISH_CLAMP;
    return hard_swish ? FINISH_HARD_SWISH : kind;
}

/* 3x3 and 5x5 at strides 1 and 2, of channels that are whole blocks. */
bool strip_set_fits(const struct strip_set *set, const struct depthwise *d);
/* Channels of the block that begins at channel c, which is where a block begins. */
int strip_set_block(const struct strip_set *set, const struct depthwise *d, int c);
void strip_set_run(const struct strip_set *set, const struct depthwise *d, const struct depthwise_tile *tile,
                   const void *limits);

#define STRIP_NAME(type, block, size, stride, columns)                                                       \
    pipit_strip_##type##_##block##_##size##_##stride##_##columns
#define STRIP_DECLARE(type, block, size, stride, columns)                                                    \
    strip_call_fn STRIP_NAME(type, block, size, stride, columns);
#define STRIP_DECLARE_3(type, block)                                                                         \
    STRIP_DECLARE(type, block, 3, 1, 3)                                                                      \
    STRIP_DECLARE(type, block, 3, 1, 4)                                                                      \
    STRIP_DECLARE(type, block, 3, 2, 3) STRIP_DECLARE(type, block, 3, 2, 4)
#define STRIP_DECLARE_5(type, block)                                                                         \
    STRIP_DECLARE(type, block, 5, 1, 3)                                                                      \
    STRIP_DECLARE(type, block, 5, 1, 4)                                                                      \
    STRIP_DECLARE(type, block, 5, 1, 7)                                                                      \
    STRIP_DECLARE(type, block, 5, 2, 3)                                                                      \
    STRIP_DECLARE(type, block, 5, 2, 4) STRIP_DECLARE(type, block, 5, 2, 7)
#define STRIP_TABLE_3(type, block)                                                                           \
    {                                                                                                        \
        {STRIP_NAME(type, block, 3, 1, 3), STRIP_NAME(type, block, 3, 1, 4)},                                \
            {STRIP_NAME(type, block, 3, 2, 3), STRIP_NAME(type, block, 3, 2, 4)},                            \
    }
#define STRIP_TABLE_5(type, block)                                                                           \
    {                                                                                                        \
        {STRIP_NAME(type, block, 5, 1, 3), STRIP_NAME(type, block, 5, 1, 4),                                 \
         STRIP_NAME(type, block, 5, 1, 7)},                                                                  \
            {STRIP_NAME(type, block, 5, 2, 3), STRIP_NAME(type, block, 5, 2, 4),                             \
             STRIP_NAME(type, block, 5, 2, 7)},                                                              \
    }

#endif
