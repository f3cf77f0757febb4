/* SPDX-License-Identifier: MIT */
/* Weights of a float convolution for AVX2 and AVX-512: panels of 16 channels, the last one of 8 where no more
 * are left. A panel is bias[width], then weight[taps * depth][width]; channels that are not there are 0. */
#ifndef PIPIT_ENGINE_KERNELS_X86_CONV_F32_H
#define PIPIT_ENGINE_KERNELS_X86_CONV_F32_H

#include "engine/kernels/kernels.h"
#include "engine/kernels/x86/turn.h"

enum { PANEL = 16, HALF = 8 };

static inline size_t inputs(const struct conv *conv)
{
    return (size_t)conv->taps * (size_t)conv->depth;
}

static inline int width(const struct conv *conv, int channel)
{
    return conv->channels - channel / PANEL * PANEL <= HALF ? HALF : PANEL;
}

static inline size_t packed_bytes(const struct conv *conv)
{
    size_t channels = ((size_t)conv->channels + HALF - 1) / HALF * HALF;
    return channels * (inputs(conv) + 1) * sizeof(float);
}

static inline const float *panel_of(const struct conv *conv, int channel)
{
    return (const float *)conv->packed + (size_t)channel * (inputs(conv) + 1);
}

static inline void pack(const struct conv *conv, const struct conv_weights *weights, void *packed, int from,
                        int to)
{
    size_t each = inputs(conv), end = (size_t)to;
    for (size_t j = (size_t)from; j < end; j += PANEL) {
        size_t n = (size_t)width(conv, (int)j), rows = end - j < n ? end - j : n;
        float *panel = (float *)packed + j * (each + 1);
        if (rows < n)
            memset(panel, 0, n * (each + 1) * sizeof(float));
        for (size_t i = 0; i < rows; i++)
            panel[i] = weights->bias_f32 ? weights->bias_f32[j + i] : 0;
        turn(weights->f32 + j * each, each, rows, each, panel + n, n);
    }
}

#endif
