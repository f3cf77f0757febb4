/* SPDX-License-Identifier: MIT */
#include "engine/bfloat16.h"
#include "engine/kernels/c.h"

#include <string.h>

enum { TILE = 4 };

/* ---- float32: packed as bias[channels], weight[channels][taps * depth] ---- */

static size_t packed_bytes_f32(const struct conv *conv)
{
    size_t each = (size_t)conv->taps * (size_t)conv->depth + 1;
    return (size_t)conv->channels * each * sizeof(float);
}

static void pack_f32(const struct conv *conv, const struct conv_weights *weights, void *packed, int from,
                     int to)
{
    float *out = packed;
    for (int j = from; j < to; j++)
        out[j] = weights->bias_f32 ? weights->bias_f32[j] : 0;
    size_t each = (size_t)conv->taps * (size_t)conv->depth, first = (size_t)from * each;
    memcpy(out + conv->channels + first, weights->f32 + first, (size_t)(to - from) * each * sizeof(float));
}

typedef float dot_fn(const struct conv *conv, const struct conv_tile *tile, int row, const float *weight);

static float dot_f32(const struct conv *conv, const struct conv_tile *tile, int row, const float *weight)
{
    float sum = 0;
    for (int t = 0; t < conv->taps; t++) {
        const float *in = (const void *)((const char *)tile->in[t] + (size_t)row * tile->in_step);
        for (int c = 0; c < conv->depth; c++)
            sum += in[c] * *weight++;
    }
    return sum;
}

static void run_dots(const struct conv *conv, const struct conv_tile *tile, dot_fn *dot)
{
    const float *bias = conv->packed, *weight = bias + conv->channels;
    size_t each = (size_t)conv->taps * (size_t)conv->depth;
    for (int i = 0; i < tile->pixels; i++) {
        float *out = (float *)tile->out + (size_t)i * tile->out_stride;
        for (int j = tile->from; j < tile->to; j++) {
            float sum = bias[j] + dot(conv, tile, i, weight + (size_t)j * each);
            out[j] = activate_f32(sum, conv->min_f32, conv->max_f32, conv->hard_swish);
        }
    }
}

static void run_f32(const struct conv *conv, const struct conv_tile *tile)
{
    run_dots(conv, tile, dot_f32);
}

/* ---- bfloat16: weights and inputs are rounded to it; products, which are exact, and sums are float32 ----
 */

static void pack_bf16(const struct conv *conv, const struct conv_weights *weights, void *packed, int from,
                      int to)
{
    float *out = (float *)packed + conv->channels;
    size_t each = (size_t)conv->taps * (size_t)conv->depth;
    pack_f32(conv, weights, packed, from, to);
    for (size_t k = (size_t)from * each; k < (size_t)to * each; k++)
        out[k] = bfloat16_round(out[k]);
}

static float dot_bf16(const struct conv *conv, const struct conv_tile *tile, int row, const float *weight)
{
    float sum = 0;
    for (int t = 0; t < conv->taps; t++) {
        const float *in = (const void *)((const char *)tile->in[t] + (size_t)row * tile->in_step);
        for (int c = 0; c < conv->depth; c++)
            sum += bfloat16_round(in[c]) * *weight++;
    }
    return sum;
}

static void run_bf16(const struct conv *conv, const struct conv_tile *tile)
{
    run_dots(conv, tile, dot_bf16);
}

/* ---- int8: packed as {bias, requant}[channels], weight[channels][taps * depth] ---- */

struct channel_i8 {
    int32_t bias; /* less in_zero times the sum of the weights less weight_zero */
    struct requant requant;
};

static size_t packed_bytes_i8(const struct conv *conv)
{
    size_t each = (size_t)conv->taps * (size_t)conv->depth + sizeof(struct channel_i8);
    return (size_t)conv->channels * each;
}

static void pack_i8(const struct conv *conv, const struct conv_weights *weights, void *packed, int from,
                    int to)
{
    struct channel_i8 *channel = packed;
    size_t each = (size_t)conv->taps * (size_t)conv->depth;
    for (int j = from; j < to; j++) {
        int64_t sum = 0;
        for (size_t k = 0; k < each; k++)
            sum += weights->i8[(size_t)j * each + k] - conv->weight_zero;
        int64_t bias = weights->bias_i32 ? weights->bias_i32[j] : 0;
        channel[j].bias = (int32_t)(bias - weights->in_zero * sum);
        channel[j].requant = weights->requant[j];
    }
    int8_t *out = (int8_t *)(channel + conv->channels) + (size_t)from * each;
    memcpy(out, weights->i8 + (size_t)from * each, (size_t)(to - from) * each);
}

static int32_t dot_i8(const struct conv *conv, const struct conv_tile *tile, int row, const int8_t *weight)
{
    uint32_t sum = 0; /* wraps as the reference's accumulator does */
    for (int t = 0; t < conv->taps; t++) {
        const int8_t *in = (const int8_t *)tile->in[t] + (size_t)row * tile->in_step;
        for (int c = 0; c < conv->depth; c++)
            sum += (uint32_t)(in[c] * (*weight++ - conv->weight_zero));
    }
    return (int32_t)sum;
}

static void run_i8(const struct conv *conv, const struct conv_tile *tile)
{
    const struct channel_i8 *channel = conv->packed;
    const int8_t *weight = (const int8_t *)(channel + conv->channels);
    size_t each = (size_t)conv->taps * (size_t)conv->depth;
    for (int i = 0; i < tile->pixels; i++) {
        int8_t *out = (int8_t *)tile->out + (size_t)i * tile->out_stride;
        for (int j = tile->from; j < tile->to; j++) {
            uint32_t sum =
                (uint32_t)channel[j].bias + (uint32_t)dot_i8(conv, tile, i, weight + (size_t)j * each);
            int32_t value = requantise_to(sum, channel[j].requant, conv->out_zero);
            out[j] = (int8_t)clamp_i32(value, conv->min_i8, conv->max_i8);
        }
    }
}

void kernels_init_conv_c(struct kernels *kernels)
{
    kernels->conv_f32 =
        (struct conv_kernel){"conv_f32_c", TILE, 1, packed_bytes_f32, pack_f32, NULL, run_f32};
    kernels->conv_bf16 =
        (struct conv_kernel){"conv_bf16_c", TILE, 1, packed_bytes_f32, pack_bf16, NULL, run_bf16};
    kernels->conv_i8 = (struct conv_kernel){"conv_i8_c", TILE, 1, packed_bytes_i8, pack_i8, NULL, run_i8};
}
