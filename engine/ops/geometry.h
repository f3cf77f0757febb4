/* SPDX-License-Identifier: MIT */
/* Where a window's taps lie in an NHWC tensor. */
#ifndef PIPIT_ENGINE_OPS_GEOMETRY_H
#define PIPIT_ENGINE_OPS_GEOMETRY_H

#include "engine/op.h"

struct geometry {
    int batch, in[2], out[2], size[2]; /* [0] vertical, [1] horizontal */
    int stride[2], dilation[2], before[2];
    size_t pixel_bytes; /* from one input pixel to the next */
};

struct geometry geometry_of(const struct tensor *in, const struct tensor *out, const struct window *window,
                            int size_y, int size_x);
static inline int geometry_pixels(const struct geometry *g)
{
    return g->batch * g->out[0] * g->out[1];
}

/* Sets list[t * tap_step] to tap t of output pixel `pixel` (batch, row, column counted through), or to
 * `outside`. */
void geometry_taps(const struct geometry *g, const void *in, const void *outside, int pixel,
                   const void **list, int tap_step);

#endif
