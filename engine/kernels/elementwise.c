/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"

#define CLAMP_F32(x) ((x) < min ? min : (x) > max ? max : (x))
#define BINARY_F32(name, expression)                                                                         \
    static void name##_f32(float *out, const float *a, int step_a, const float *b, int step_b, int n,        \
                           float min, float max)                                                             \
    {                                                                                                        \
        for (int i = 0; i < n; i++) {                                                                        \
            float x = a[i * step_a], y = b[i * step_b], z = expression;                                      \
            out[i] = CLAMP_F32(z);                                                                           \
        }                                                                                                    \
    }

BINARY_F32(add, x + y)
BINARY_F32(sub, x - y)
BINARY_F32(mul, x *y)
BINARY_F32(div, x / y)
BINARY_F32(max, x > y ? x : y)
BINARY_F32(min, x < y ? x : y)

void add_i8_c(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
              const struct add_i8 *add)
{
    for (int i = 0; i < n; i++) {
        int32_t x = requantise((a[i * step_a] - add->zero_a) * (1 << add->left_shift), add->a);
        int32_t y = requantise((b[i * step_b] - add->zero_b) * (1 << add->left_shift), add->b);
        int32_t sum = requantise_to((uint32_t)x + (uint32_t)(add->sign_b * y), add->out, add->zero_out);
        out[i] = (int8_t)clamp_i32(sum, add->min, add->max);
    }
}

void mul_i8_c(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
              const struct mul_i8 *mul)
{
    for (int i = 0; i < n; i++) {
        int32_t product = (a[i * step_a] - mul->zero_a) * (b[i * step_b] - mul->zero_b);
        out[i] =
            (int8_t)clamp_i32(requantise_to((uint32_t)product, mul->out, mul->zero_out), mul->min, mul->max);
    }
}

void scale_i8_c(int8_t *out, const int8_t *in, const int8_t *scale, int n, int rows, size_t step,
                const struct mul_i8 *mul)
{
    for (int row = 0; row < rows; row++, in += step, out += step)
        mul_i8_c(out, in, 1, scale, 1, n, mul);
}

void scale_f32_c(float *out, const float *in, const float *scale, int n, int rows, size_t step)
{
    for (int row = 0; row < rows; row++, in += step, out += step)
        for (int i = 0; i < n; i++)
            out[i] = in[i] * scale[i];
}

static void lookup_i8(int8_t *out, const int8_t *in, int n, const int8_t table[256])
{
    for (int i = 0; i < n; i++)
        out[i] = table[(uint8_t)in[i]];
}

static void clamp_f32(float *out, const float *in, int n, float min, float max)
{
    for (int i = 0; i < n; i++)
        out[i] = CLAMP_F32(in[i]);
}

static float relu6_of_3_more(float x)
{
    float y = x + 3;
    return y < 0 ? 0 : y > 6 ? 6 : y;
}

void hard_swish_f32_c(float *out, const float *in, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = in[i] * relu6_of_3_more(in[i]) * (1.0f / 6);
}

static void hard_sigmoid_f32(float *out, const float *in, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = relu6_of_3_more(in[i]) * (1.0f / 6);
}

static void flip_sign(uint8_t *out, const uint8_t *in, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = in[i] ^ 0x80;
}

void accumulate_f32_c(float *sum, const float *in, int n, int rows, size_t step)
{
    for (int row = 0; row < rows; row++, in += step)
        for (int i = 0; i < n; i++)
            sum[i] += in[i];
}

void accumulate_i8_c(int32_t *sum, const int8_t *in, int n, int rows, size_t step)
{
    for (int row = 0; row < rows; row++, in += step)
        for (int i = 0; i < n; i++)
            sum[i] += in[i];
}

void kernels_init_elementwise_c(struct kernels *kernels)
{
    kernels->binary_f32[BINARY_ADD] = add_f32;
    kernels->binary_f32[BINARY_SUB] = sub_f32;
    kernels->binary_f32[BINARY_MUL] = mul_f32;
    kernels->binary_f32[BINARY_DIV] = div_f32;
    kernels->binary_f32[BINARY_MAX] = max_f32;
    kernels->binary_f32[BINARY_MIN] = min_f32;
    kernels->add_i8 = add_i8_c;
    kernels->add_products = false;
    kernels->mul_i8 = mul_i8_c;
    kernels->scale_i8 = scale_i8_c;
    kernels->scale_f32 = scale_f32_c;
    kernels->lookup_i8 = lookup_i8;
    kernels->clamp_f32 = clamp_f32;
    kernels->hard_swish_f32 = hard_swish_f32_c;
    kernels->hard_sigmoid_f32 = hard_sigmoid_f32;
    kernels->flip_sign = flip_sign;
    kernels->accumulate_f32 = accumulate_f32_c;
    kernels->accumulate_i8 = accumulate_i8_c;
}
