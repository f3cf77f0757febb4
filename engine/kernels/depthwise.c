/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"

#include <string.h>

/* ---- float32: packed as bias[n], weight[taps][n], n = channels * multiplier ---- */

static size_t outputs(const struct depthwise *d)
{
    return (size_t)d->channels * (size_t)d->multiplier;
}

size_t depthwise_packed_bytes_f32_c(const struct depthwise *d)
{
    return outputs(d) * ((size_t)depthwise_taps(d) + 1) * sizeof(float);
}

void depthwise_pack_f32_c(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    float *out = packed;
    for (size_t j = 0; j < outputs(d); j++)
        out[j] = weights->bias_f32 ? weights->bias_f32[j] : 0;
    memcpy(out + outputs(d), weights->f32, outputs(d) * (size_t)depthwise_taps(d) * sizeof(float));
}

static float pixel_f32(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x, size_t j)
{
    const float *bias = d->packed, *weight = bias + outputs(d);
    float sum = bias[j];
    for (int t = 0; t < depthwise_taps(d); t++)
        sum += ((const float *)depthwise_input(d, tile, y, x, t, sizeof(float)))[j / (size_t)d->multiplier] *
               weight[(size_t)t * outputs(d) + j];
    return activate_f32(sum, d->min_f32, d->max_f32, d->hard_swish);
}

void depthwise_run_f32_c(const struct depthwise *d, const struct depthwise_tile *tile)
{
    for (int y = 0; y < tile->rows; y++)
        for (int x = 0; x < tile->columns; x++) {
            float *out = (float *)tile->out + (size_t)y * tile->out_row + (size_t)x * outputs(d);
            for (size_t j = 0; j < outputs(d); j++)
                out[j] = pixel_f32(d, tile, y, x, j);
        }
}

/* ---- int8: packed as {bias, requant}[n], weight[taps][n] ---- */

struct channel_i8 {
    int32_t bias;
    struct requant requant;
};

size_t depthwise_packed_bytes_i8_c(const struct depthwise *d)
{
    return outputs(d) * ((size_t)depthwise_taps(d) + sizeof(struct channel_i8));
}

void depthwise_pack_i8_c(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    struct channel_i8 *channel = packed;
    for (size_t j = 0; j < outputs(d); j++) {
        channel[j].bias = weights->bias_i32 ? weights->bias_i32[j] : 0;
        channel[j].requant = weights->requant[j];
    }
    memcpy(channel + outputs(d), weights->i8, outputs(d) * (size_t)depthwise_taps(d));
}

static int8_t pixel_i8(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x, size_t j)
{
    const struct channel_i8 *channel = d->packed;
    const int8_t *weight = (const int8_t *)(channel + outputs(d));
    uint32_t sum = (uint32_t)channel[j].bias;
    for (int t = 0; t < depthwise_taps(d); t++) {
        int a =
            ((const int8_t *)depthwise_input(d, tile, y, x, t, 1))[j / (size_t)d->multiplier] - d->in_zero;
        sum += (uint32_t)(a * (weight[(size_t)t * outputs(d) + j] - d->weight_zero));
    }
    int32_t value = requantise_to(sum, channel[j].requant, d->out_zero);
    return (int8_t)clamp_i32(value, d->min_i8, d->max_i8);
}

void depthwise_run_i8_c(const struct depthwise *d, const struct depthwise_tile *tile)
{
    for (int y = 0; y < tile->rows; y++)
        for (int x = 0; x < tile->columns; x++) {
            int8_t *out = (int8_t *)tile->out + (size_t)y * tile->out_row + (size_t)x * outputs(d);
            for (size_t j = 0; j < outputs(d); j++)
                out[j] = pixel_i8(d, tile, y, x, j);
        }
}

void kernels_init_depthwise_c(struct kernels *kernels)
{
    kernels->depthwise_f32 = (struct depthwise_kernel){"depthwise_f32_c", 1, depthwise_packed_bytes_f32_c,
                                                       depthwise_pack_f32_c, depthwise_run_f32_c};
    kernels->depthwise_i8 = (struct depthwise_kernel){"depthwise_i8_c", 1, depthwise_packed_bytes_i8_c,
                                                      depthwise_pack_i8_c, depthwise_run_i8_c};
}
