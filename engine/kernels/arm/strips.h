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

/* Windows that there are strips for: 3x3 and 5x5 at strides 1 and 2. */
static inline bool strips_fit(const struct depthwise *d)
{
    return d->multiplier == 1 && (d->size[0] == 3 || d->size[0] == 5) && d->size[1] == d->size[0] &&
           d->stride[0] <= 2 && d->stride[1] == d->stride[0] && d->dilation[0] == 1 && d->dilation[1] == 1;
}

/* As many threes as it takes to come out even, fours behind them. */
static inline void strips_run(const struct strips *strips, const struct depthwise *d,
                              const struct depthwise_tile *tile)
{
    int n = tile->columns, threes = (4 - n % 4) % 4;
    for (int y = 0; y < tile->rows; y++) {
        int x = 0;
        for (int i = 0; i < threes && n - x >= 3; i++, x += 3)
            strips->three(d, tile, y, x);
        for (; n - x >= 4; x += 4)
            strips->four(d, tile, y, x);
        for (; x < n; x++)
            strips->one(d, tile, y, x);
    }
}

#endif
