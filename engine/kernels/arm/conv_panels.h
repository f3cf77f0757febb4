/* SPDX-License-Identifier: MIT */
/*
 * Convolutions in float: panels of channels for blocks of pixels, in assembly. A panel is packed as its bias,
 * as often as fills 64 bytes, then weight[taps * depth][width].
 */
#ifndef PIPIT_ENGINE_KERNELS_ARM_CONV_PANELS_H
#define PIPIT_ENGINE_KERNELS_ARM_CONV_PANELS_H

#include "engine/kernels/kernels.h"

/* What the assembly reads, by place. */
struct panel_call {
    const void *const *in; /* as in struct conv_tile */
    size_t in_step, first; /* bytes: from one pixel to the next, and to the first */
    long blocks;           /* of pixels, one behind the other */
    void *out;             /* of the first pixel */
    size_t out_step;       /* bytes */
    long depth;
    const void *limits; /* as in struct strip_call, and `finish` */
    const void *packed;
    const void *const *taps; /* `in` once more */
    long tap_count, finish;
};

typedef void panel_call_fn(const struct panel_call *call);

struct panel { /* one width of them */
    int width, pixels;
    panel_call_fn *block, *one; /* `pixels` pixels; one */
};

struct panel_set {
    size_t element;                                      /* bytes */
    const struct panel *(*panel)(int left);              /* for the next of `left` channels */
    void (*convert)(void *to, const float *from, int n); /* to elements */
};

size_t panel_set_bytes(const struct panel_set *set, const struct conv *conv);
/* Weights and biases times `factor`, of the panels whose first channel is one of [from, to). */
void panel_set_pack(const struct panel_set *set, const struct conv *conv, const struct conv_weights *weights,
                    float factor, void *packed, int from, int to);
/* A panel is made by whoever has its first channel. */
void panel_set_run(const struct panel_set *set, const struct conv *conv, const struct conv_tile *tile,
                   const void *limits);

#endif
