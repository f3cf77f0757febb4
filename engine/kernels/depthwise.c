/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"

#include <string.h>

/* ---- float32: packed as bias[n], weight[taps][n], n = channels * multiplier ---- */

static size_t outputs(const struct depthwise *d)
{
    return (size_t)d->channels * (size_t)d->multiplier;
}

static size_t packed_bytes_f32(const struct depthwise *d)
{
    return outputs(d) * ((size_t)d->taps + 1) * sizeof(float);
}

static void pack_f32(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    float *out = packed;
    for (size_t j = 0; j < outputs(d); j++)
        out[j] = weights->bias_f32 ? weights->bias_f32[j] : 0;
    memcpy(out + outputs(d), weights->f32, outputs(d) * (size_t)d->taps * sizeof(float));
}

void depthwise_run_f32_c(const struct depthwise *d, const void *const *in, int rows, void *out,
                         size_t out_stride)
{
    const float *bias = d->packed, *weight = bias + outputs(d);
    for (int i = 0; i < rows; i++, in += d->taps) {
        float *row = (float *)out + (size_t)i * out_stride;
        for (size_t j = 0; j < outputs(d); j++) {
            float sum = bias[j];
            for (int t = 0; t < d->taps; t++)
                sum += ((const float *)in[t])[j / (size_t)d->multiplier] * weight[(size_t)t * outputs(d) + j];
            row[j] = sum < d->min_f32 ? d->min_f32 : sum > d->max_f32 ? d->max_f32 : sum;
        }
    }
}

/* ---- int8: packed as {bias, requant}[n], weight[taps][n] ---- */

struct channel_i8 {
    int32_t bias;
    struct requant requant;
};

size_t depthwise_packed_bytes_i8_c(const struct depthwise *d)
{
    return outputs(d) * ((size_t)d->taps + sizeof(struct channel_i8));
}

void depthwise_pack_i8_c(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    struct channel_i8 *channel = packed;
    for (size_t j = 0; j < outputs(d); j++) {
        channel[j].bias = weights->bias_i32 ? weights->bias_i32[j] : 0;
        channel[j].requant = weights->requant[j];
    }
    memcpy(channel + outputs(d), weights->i8, outputs(d) * (size_t)d->taps);
}

void depthwise_run_i8_c(const struct depthwise *d, const void *const *in, int rows, void *out,
                        size_t out_stride)
{
    const struct channel_i8 *channel = d->packed;
    const int8_t *weight = (const int8_t *)(channel + outputs(d));
    for (int i = 0; i < rows; i++, in += d->taps) {
        int8_t *row = (int8_t *)out + (size_t)i * out_stride;
        for (size_t j = 0; j < outputs(d); j++) {
            uint32_t sum = (uint32_t)channel[j].bias;
            for (int t = 0; t < d->taps; t++) {
                int a = ((const int8_t *)in[t])[j / (size_t)d->multiplier] - d->in_zero;
                sum += (uint32_t)(a * (weight[(size_t)t * outputs(d) + j] - d->weight_zero));
            }
            int32_t value = requantise_to(sum, channel[j].requant, d->out_zero);
            row[j] = (int8_t)clamp_i32(value, d->min_i8, d->max_i8);
        }
    }
}

void kernels_init_depthwise_c(struct kernels *kernels)
{
    kernels->depthwise_f32 =
        (struct depthwise_kernel){"depthwise_f32_c", packed_bytes_f32, pack_f32, depthwise_run_f32_c};
    kernels->depthwise_i8 = (struct depthwise_kernel){"depthwise_i8_c", depthwise_packed_bytes_i8_c,
                                                      depthwise_pack_i8_c, depthwise_run_i8_c};
}
