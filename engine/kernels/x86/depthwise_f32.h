/* SPDX-License-Identifier: MIT */
/* Depthwise weights in float: blocks of so many channels, each bias[block], then weight[taps][block]. With a
 * multiplier other than 1 the layout is the C reference's. */
#ifndef PIPIT_ENGINE_KERNELS_X86_DEPTHWISE_F32_H
#define PIPIT_ENGINE_KERNELS_X86_DEPTHWISE_F32_H

#include "engine/kernels/c.h"

#include <string.h>

static inline size_t depthwise_block_floats(const struct depthwise *d, size_t block)
{
    return block * ((size_t)depthwise_taps(d) + 1);
}

static inline size_t depthwise_blocks_bytes(const struct depthwise *d, size_t block)
{
    if (d->multiplier != 1)
        return depthwise_packed_bytes_f32_c(d);
    return ((size_t)d->channels + block - 1) / block * depthwise_block_floats(d, block) * sizeof(float);
}

static inline void depthwise_pack_blocks(const struct depthwise *d, const struct conv_weights *weights,
                                         void *packed, size_t block)
{
    if (d->multiplier != 1) {
        depthwise_pack_f32_c(d, weights, packed);
        return;
    }
    memset(packed, 0, depthwise_blocks_bytes(d, block));
    for (size_t c = 0; c < (size_t)d->channels; c++) {
        float *to = (float *)packed + c / block * depthwise_block_floats(d, block) + c % block;
        *to = weights->bias_f32 ? weights->bias_f32[c] : 0;
        for (size_t t = 0; t < (size_t)depthwise_taps(d); t++)
            to[block * (t + 1)] = weights->f32[t * (size_t)d->channels + c];
    }
}

#endif
