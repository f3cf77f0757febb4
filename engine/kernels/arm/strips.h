/* SPDX-License-Identifier: MIT */
/* A row of depthwise outputs is made in strips of 4 and 3 columns: a strip's inputs are loaded once for all
 * the windows that they lie in. */
#ifndef PIPIT_ENGINE_KERNELS_ARM_STRIPS_H
#define PIPIT_ENGINE_KERNELS_ARM_STRIPS_H

#include "engine/kernels/kernels.h"

typedef void strip_fn(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x);

struct strips { /* by columns */
    strip_fn *one, *three, *four;
};

/* `strip` (an inline function of columns, size and stride) for each window that strips_fit(), and the table
 * of them by size and stride; `one_` makes one column of any window. */
#define STRIP(strip, columns, size, stride)                                                                  \
    static void strip_##columns##_##size##_##stride(const struct depthwise *d,                               \
                                                    const struct depthwise_tile *tile, int y, int x)         \
    {                                                                                                        \
        strip(d, tile, y, x, columns, size, stride);                                                         \
    }
#define STRIPS(strip, one_)                                                                                  \
    STRIP(strip, 3, 3, 1)                                                                                    \
    STRIP(strip, 4, 3, 1)                                                                                    \
    STRIP(strip, 3, 3, 2)                                                                                    \
    STRIP(strip, 4, 3, 2)                                                                                    \
    STRIP(strip, 3, 5, 1)                                                                                    \
    STRIP(strip, 4, 5, 1)                                                                                    \
    STRIP(strip, 3, 5, 2)                                                                                    \
    STRIP(strip, 4, 5, 2)                                                                                    \
    static const struct strips strips[2][2] = {                                                              \
        {{one_, strip_3_3_1, strip_4_3_1}, {one_, strip_3_3_2, strip_4_3_2}},                                \
        {{one_, strip_3_5_1, strip_4_5_1}, {one_, strip_3_5_2, strip_4_5_2}}};

/* Windows that there are strips for: 3x3 and 5x5 at strides 1 and 2. */
static inline bool strips_fit(const struct depthwise *d)
{
    return d->multiplier == 1 && (d->size[0] == 3 || d->size[0] == 5) && d->size[1] == d->size[0] &&
           d->stride[0] <= 2 && d->stride[1] == d->stride[0] && d->dilation[0] == 1 && d->dilation[1] == 1;
}

/* As many threes as it takes to come out even, fours behind them; all by ones if strips_fit() does not hold.
 */
static inline void strips_run(const struct strips table[2][2], bool fit, const struct depthwise *d,
                              const struct depthwise_tile *tile)
{
    const struct strips *strips = fit ? &table[d->size[0] == 5][d->stride[0] - 1] : &table[0][0];
    int n = tile->columns, threes = (4 - n % 4) % 4;
    for (int y = 0; y < tile->rows; y++) {
        int x = 0;
        for (int i = 0; fit && i < threes && n - x >= 3; i++, x += 3)
            strips->three(d, tile, y, x);
        for (; fit && n - x >= 4; x += 4)
            strips->four(d, tile, y, x);
        for (; x < n; x++)
            strips->one(d, tile, y, x);
    }
}

#endif
