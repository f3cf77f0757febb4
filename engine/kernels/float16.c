/* SPDX-License-Identifier: MIT */
/* The C references in float16: numbers are kept in 16 bits, and computed in float32. */
#include "engine/float16.h"
#include "engine/kernels/c.h"

enum { TILE = 4 };

/* ---- convolutions: packed as bias[channels], weight[channels][taps * depth] ---- */

static size_t packed_bytes(const struct conv *conv)
{
    size_t each = (size_t)conv->taps * (size_t)conv->depth + 1;
    return (size_t)conv->channels * each * sizeof(uint16_t);
}

/* Of channels [from, to), each with `each` weights. */
static void pack_channels(const struct conv_weights *weights, size_t channels, size_t each, size_t from,
                          size_t to, uint16_t *out)
{
    for (size_t j = from; j < to; j++)
        out[j] = float16_from_float(weights->bias_f32 ? weights->bias_f32[j] : 0);
    for (size_t k = from * each; k < to * each; k++)
        out[channels + k] = float16_from_float(weights->f32[k]);
}

static void pack(const struct conv *conv, const struct conv_weights *weights, void *packed, int from, int to)
{
    pack_channels(weights, (size_t)conv->channels, (size_t)conv->taps * (size_t)conv->depth, (size_t)from,
                  (size_t)to, packed);
}

static float dot(const struct conv *conv, const struct conv_tile *tile, int row, const uint16_t *weight)
{
    float sum = 0;
    for (int t = 0; t < conv->taps; t++) {
        const uint16_t *in = (const void *)((const char *)tile->in[t] + (size_t)row * tile->in_step);
        for (int c = 0; c < conv->depth; c++)
            sum += float16_to_float(in[c]) * float16_to_float(*weight++);
    }
    return sum;
}

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    const uint16_t *bias = conv->packed, *weight = bias + conv->channels;
    size_t each = (size_t)conv->taps * (size_t)conv->depth;
    for (int i = 0; i < tile->pixels; i++) {
        uint16_t *out = (uint16_t *)tile->out + (size_t)i * tile->out_stride;
        for (int j = tile->from; j < tile->to; j++) {
            float sum = float16_to_float(bias[j]) + dot(conv, tile, i, weight + (size_t)j * each);
            out[j] = float16_from_float(activate_f32(sum, conv->min_f32, conv->max_f32, conv->hard_swish));
        }
    }
}

/* ---- depthwise: packed as bias[n], weight[taps][n], n = channels * multiplier ---- */

static size_t outputs(const struct depthwise *d)
{
    return (size_t)d->channels * (size_t)d->multiplier;
}

size_t depthwise_packed_bytes_f16_c(const struct depthwise *d)
{
    return outputs(d) * ((size_t)depthwise_taps(d) + 1) * sizeof(uint16_t);
}

void depthwise_pack_f16_c(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    pack_channels(weights, outputs(d), (size_t)depthwise_taps(d), 0, outputs(d), packed);
}

static float pixel(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x, size_t j)
{
    const uint16_t *bias = d->packed, *weight = bias + outputs(d);
    float sum = float16_to_float(bias[j]);
    for (int t = 0; t < depthwise_taps(d); t++) {
        const uint16_t *in = depthwise_input(d, tile, y, x, t, sizeof(*in));
        sum += float16_to_float(in[j / (size_t)d->multiplier]) *
               float16_to_float(weight[(size_t)t * outputs(d) + j]);
    }
    return activate_f32(sum, d->min_f32, d->max_f32, d->hard_swish);
}

void depthwise_run_f16_c(const struct depthwise *d, const struct depthwise_tile *tile)
{
    for (int y = 0; y < tile->rows; y++)
        for (int x = 0; x < tile->columns; x++) {
            uint16_t *out = (uint16_t *)tile->out + (size_t)y * tile->out_row + (size_t)x * outputs(d);
            for (size_t j = 0; j < outputs(d); j++)
                out[j] = float16_from_float(pixel(d, tile, y, x, j));
        }
}

/* ---- element by element ---- */

#define BINARY_F16(name, expression)                                                                         \
    static void name##_f16(uint16_t *out, const uint16_t *a, int step_a, const uint16_t *b, int step_b,      \
                           int n, float min, float max)                                                      \
    {                                                                                                        \
        for (int i = 0; i < n; i++) {                                                                        \
            float x = float16_to_float(a[i * step_a]), y = float16_to_float(b[i * step_b]);                  \
            out[i] = float16_from_float(activate_f32(expression, min, max, false));                          \
        }                                                                                                    \
    }

BINARY_F16(add, x + y)
BINARY_F16(sub, x - y)
BINARY_F16(mul, x *y)
BINARY_F16(div, x / y)
BINARY_F16(max, x > y ? x : y)
BINARY_F16(min, x < y ? x : y)

void scale_f16_c(uint16_t *out, const uint16_t *in, const uint16_t *scale, int n, int rows, size_t step)
{
    for (int row = 0; row < rows; row++, in += step, out += step)
        for (int i = 0; i < n; i++)
            out[i] = float16_from_float(float16_to_float(in[i]) * float16_to_float(scale[i]));
}

void clamp_f16_c(uint16_t *out, const uint16_t *in, int n, float min, float max)
{
    for (int i = 0; i < n; i++)
        out[i] = float16_from_float(activate_f32(float16_to_float(in[i]), min, max, false));
}

void hard_swish_f16_c(uint16_t *out, const uint16_t *in, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = float16_from_float(activate_f32(float16_to_float(in[i]), 0, 0, true));
}

void hard_sigmoid_f16_c(uint16_t *out, const uint16_t *in, int n)
{
    for (int i = 0; i < n; i++) {
        float y = float16_to_float(in[i]) + 3;
        out[i] = float16_from_float((y < 0 ? 0 : y > 6 ? 6 : y) * (1.0f / 6));
    }
}

void accumulate_f16_c(float *sum, const uint16_t *in, int n, int rows, size_t step)
{
    for (int row = 0; row < rows; row++, in += step)
        for (int i = 0; i < n; i++)
            sum[i] += float16_to_float(in[i]);
}

void f16_from_f32_c(uint16_t *out, const float *in, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = float16_from_float(in[i]);
}

void f32_from_f16_c(float *out, const uint16_t *in, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = float16_to_float(in[i]);
}

void kernels_init_float16_c(struct kernels *kernels)
{
    kernels->conv_f16 = (struct conv_kernel){"conv_f16_c", TILE, 1, packed_bytes, pack, NULL, run};
    kernels->depthwise_f16 = (struct depthwise_kernel){"depthwise_f16_c", 1, depthwise_packed_bytes_f16_c,
                                                       depthwise_pack_f16_c, depthwise_run_f16_c};
    kernels->binary_f16[BINARY_ADD] = add_f16;
    kernels->binary_f16[BINARY_SUB] = sub_f16;
    kernels->binary_f16[BINARY_MUL] = mul_f16;
    kernels->binary_f16[BINARY_DIV] = div_f16;
    kernels->binary_f16[BINARY_MAX] = max_f16;
    kernels->binary_f16[BINARY_MIN] = min_f16;
    kernels->scale_f16 = scale_f16_c;
    kernels->clamp_f16 = clamp_f16_c;
    kernels->hard_swish_f16 = hard_swish_f16_c;
    kernels->hard_sigmoid_f16 = hard_sigmoid_f16_c;
    kernels->accumulate_f16 = accumulate_f16_c;
    kernels->f16_from_f32 = f16_from_f32_c;
    kernels->f32_from_f16 = f32_from_f16_c;
}
