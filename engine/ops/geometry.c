/* SPDX-License-Identifier: MIT */
#include "engine/ops/geometry.h"

struct geometry geometry_of(const struct tensor *in, const struct tensor *out, const struct window *window,
                            int size_y, int size_x)
{
    struct geometry g = {.batch = in->shape[0], .size = {size_y, size_x}};
    for (int d = 0; d < 2; d++) {
        g.in[d] = in->shape[1 + d];
        g.out[d] = out->shape[1 + d];
        g.stride[d] = window->stride[d];
        g.dilation[d] = window->dilation[d];
        g.before[d] = window->before[d];
    }
    g.pixel_bytes = (size_t)in->shape[3] * pipit_type_size(in->type);
    return g;
}

void geometry_taps(const struct geometry *g, const void *in, const void *outside, int pixel,
                   const void **list, int tap_step)
{
    int image = pixel / (g->out[0] * g->out[1]), place = pixel % (g->out[0] * g->out[1]);
    int top = place / g->out[1] * g->stride[0] - g->before[0];
    int left = place % g->out[1] * g->stride[1] - g->before[1];
    const char *base =
        (const char *)in + (size_t)image * (size_t)g->in[0] * (size_t)g->in[1] * g->pixel_bytes;
    for (int ky = 0; ky < g->size[0]; ky++) {
        int y = top + ky * g->dilation[0];
        bool row_inside = y >= 0 && y < g->in[0];
        for (int kx = 0; kx < g->size[1]; kx++, list += tap_step) {
            int x = left + kx * g->dilation[1];
            bool inside = row_inside && x >= 0 && x < g->in[1];
            *list = inside ? base + ((size_t)y * (size_t)g->in[1] + (size_t)x) * g->pixel_bytes : outside;
        }
    }
}
