/* SPDX-License-Identifier: MIT */
/*
 * The kernel table. kernels_init() fills every slot with the C reference and lets each instruction set that
 * the CPU has (and the mask allows) overwrite slots with faster spellings of the same function. Integer
 * kernels are bit-exact to the reference; float ones may sum in another order.
 */
#ifndef PIPIT_ENGINE_KERNELS_H
#define PIPIT_ENGINE_KERNELS_H

#include "engine/kernels/product.h"

enum { ADD_BITS = 22 };
struct add_products { /* (a * by_a + b * by_b + plus) >> ADD_BITS, clamped, in 32 bits */
    bool same;        /* it is what the reference answers, for all a and b */
    int32_t by_a, by_b, plus;
};

struct add_i8 { /* TensorFlow Lite's ADD and SUB: both inputs to a common scale, 20 bits up */
    int32_t zero_a, zero_b, zero_out, min, max, left_shift;
    struct requant a, b, out;
    int32_t sign_b;               /* 1; -1 for SUB */
    struct add_products products; /* add_products() or all 0 */
};

/* What is true of all else in *add. By = high * 256 + low: high fits 16 bits, low is -127 .. 127. Takes a
 * third of a million instructions. */
struct add_products add_products(const struct add_i8 *add);

struct mul_i8 {
    int32_t zero_a, zero_b, zero_out, min, max;
    struct requant out;
};

enum binary_f32 { BINARY_ADD, BINARY_SUB, BINARY_MUL, BINARY_DIV, BINARY_MAX, BINARY_MIN, BINARY_COUNT };

struct kernels {
    unsigned flags; /* PIPIT_CPU_* in use */
    struct conv_kernel conv_f32, conv_i8, conv_f16;
    /* In place of conv_f32, with float32 inputs, outputs and biases: it rounds inputs and weights to the
     * nearest bfloat16, and sums in float32. Faster ones take numbers below 2^-126 for 0. */
    struct conv_kernel conv_bf16;
    struct depthwise_kernel depthwise_f32, depthwise_i8, depthwise_f16;

    /* Rows of n elements; step_b is 1, or 0 where b is one value for all (step_a likewise). out may be a or
     * b. */
    void (*binary_f32[BINARY_COUNT])(float *out, const float *a, int step_a, const float *b, int step_b,
                                     int n, float min, float max);
    void (*add_i8)(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct add_i8 *add);
    bool add_products; /* add_i8 is faster with them */
    void (*mul_i8)(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct mul_i8 *mul);

    /* Squeeze-excite: out[row][i] = in[row][i] * scale[i] (MUL of int8); step: elements from one row to the
     * next. out must not be in. */
    void (*scale_f32)(float *out, const float *in, const float *scale, int n, int rows, size_t step);
    void (*scale_i8)(int8_t *out, const int8_t *in, const int8_t *scale, int n, int rows, size_t step,
                     const struct mul_i8 *mul);
    void (*scale_f16)(uint16_t *out, const uint16_t *in, const uint16_t *scale, int n, int rows, size_t step);

    /* out[i] = table[(uint8_t)in[i]]; every quantised function of one variable */
    void (*lookup_i8)(int8_t *out, const int8_t *in, int n, const int8_t table[256]);
    void (*clamp_f32)(float *out, const float *in, int n, float min, float max);
    void (*hard_swish_f32)(float *out, const float *in, int n); /* x * relu6(x + 3) / 6, Howard et al. 2019 */
    void (*hard_sigmoid_f32)(float *out, const float *in, int n); /* relu6(x + 3) / 6 */
    void (*flip_sign)(uint8_t *out, const uint8_t *in, int n);    /* byte ^ 0x80 */

    /* sum[i] += in[i] of each row; step: elements from one row to the next. Pools and means over pixels */
    void (*accumulate_f32)(float *sum, const float *in, int n, int rows, size_t step);
    void (*accumulate_i8)(int32_t *sum, const int8_t *in, int n, int rows, size_t step);

    /* float16, as its bits: the same functions. Faster ones also sum in float16, accumulate_f16() no more
     * than 8 rows. */
    void (*binary_f16[BINARY_COUNT])(uint16_t *out, const uint16_t *a, int step_a, const uint16_t *b,
                                     int step_b, int n, float min, float max);
    void (*clamp_f16)(uint16_t *out, const uint16_t *in, int n, float min, float max);
    void (*hard_swish_f16)(uint16_t *out, const uint16_t *in, int n);
    void (*hard_sigmoid_f16)(uint16_t *out, const uint16_t *in, int n);
    void (*accumulate_f16)(float *sum, const uint16_t *in, int n, int rows, size_t step);
    void (*f16_from_f32)(uint16_t *out, const float *in, int n); /* to the nearest */
    void (*f32_from_f16)(float *out, const uint16_t *in, int n);

    /* Nothing but this instruction set's multiplications, in registers; returns how many. NULL: it has none.
     */
    int64_t (*probe_f32)(int rounds);
    int64_t (*probe_f16)(int rounds);
    int64_t (*probe_bf16)(int rounds);
    int64_t (*probe_i8)(int rounds);
};

void kernels_init(struct kernels *kernels, unsigned flags);

#endif
