/* SPDX-License-Identifier: MIT */
/*
 * The kernel table. kernels_init() fills every slot with the C reference and lets each instruction set that
 * the CPU has (and the mask allows) overwrite slots with faster spellings of the same function. Integer
 * kernels are bit-exact to the reference; float ones may sum in another order.
 *
 * Integer arithmetic is TensorFlow Lite's reference: a 32-bit accumulator is multiplied by a Q31 multiplier
 * with the rounded high half of twice the product (gemmlowp's SaturatingRoundingDoublingHighMul, NEON's
 * SQRDMULH), then shifted right with halves rounded away from zero (RoundingDivideByPOT). Two roundings, as
 * the reference kernels have them, so that whole models agree bit for bit (Jacob et al., Quantization and
 * Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, 2018). There is one 8-bit
 * type, int8: uint8 tensors are moved by 128 when a model is loaded.
 */
#ifndef PIPIT_ENGINE_KERNELS_H
#define PIPIT_ENGINE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

struct requant {        /* real factor = multiplier / 2^31 * 2^shift */
    int32_t multiplier; /* 0 or 2^30 .. 2^31 - 1 */
    int32_t shift;      /* > 0: to the left, before the multiplication */
};

/* A convolution as a product of matrices: output pixel i, channel j = sum over taps t and channels c of
 * in[t][i][c] * weight[j][t][c]. Pointwise convolutions and fully connected layers have one tap. */
struct conv {
    int taps, depth, channels; /* kernel positions, input channels, output channels (of one group) */
    const void *packed;     /* weights, bias and requantisation in the order in which the kernel reads them */
    float min_f32, max_f32; /* the activation as a clamp; -INFINITY, INFINITY: none */
    int32_t out_zero, min_i8, max_i8;
    int32_t weight_zero; /* of asymmetric weights (uint8 files), after the move by 128; else 0 */
};

/* Up to `tile` output pixels, and of each the channels [from, to). */
struct conv_tile {
    const void *const *in; /* in[t * rows + i]: the `depth` elements under tap t of pixel i; padding points to
                              `depth` elements of the zero point */
    int rows;              /* pixels, 1 to tile */
    int from, to;          /* from is a multiple of the kernel's panel; to also, or equal to `channels` */
    void *out;             /* float or int8; channel 0 of the first pixel */
    size_t out_stride;     /* elements from one pixel to the next */
    void *scratch;         /* conv_scratch() bytes, 64-byte aligned, this worker's own */
};

/* What a convolution's weights are before packing: [channels][taps][depth], row-major. */
struct conv_weights {
    const float *f32;
    const int8_t *i8;
    const float *bias_f32;         /* channels, or NULL */
    const int32_t *bias_i32;       /* channels, or NULL */
    const struct requant *requant; /* channels; int8 only */
    int32_t in_zero;               /* zero point of the input; int8 only */
};

struct conv_kernel {
    const char *name;
    int tile;  /* pixels a call can make */
    int panel; /* channels made together */
    size_t (*packed_bytes)(const struct conv *conv);
    void (*pack)(const struct conv *conv, const struct conv_weights *weights, void *packed);
    size_t (*scratch)(const struct conv *conv); /* bytes a worker; NULL: none */
    void (*run)(const struct conv *conv, const struct conv_tile *tile);
};

/* A depthwise convolution: output pixel i, channel j = sum over taps t of in[t][i][j / multiplier] *
 * weight[t][j]. */
struct depthwise {
    int taps, channels, multiplier; /* channels: of the input */
    const void *packed;
    float min_f32, max_f32;
    int32_t in_zero, weight_zero, out_zero, min_i8, max_i8;
};

struct depthwise_kernel {
    const char *name;
    size_t (*packed_bytes)(const struct depthwise *depthwise);
    /* weights: [taps][channels * multiplier] */
    void (*pack)(const struct depthwise *depthwise, const struct conv_weights *weights, void *packed);
    /* in[i * taps + t]; rows pixels; out_stride in elements from one pixel to the next */
    void (*run)(const struct depthwise *depthwise, const void *const *in, int rows, void *out,
                size_t out_stride);
};

struct add_i8 { /* TensorFlow Lite's ADD and SUB: both inputs to a common scale, 20 bits up */
    int32_t zero_a, zero_b, zero_out, min, max, left_shift;
    struct requant a, b, out;
    int32_t sign_b; /* 1; -1 for SUB */
};

struct mul_i8 {
    int32_t zero_a, zero_b, zero_out, min, max;
    struct requant out;
};

enum binary_f32 { BINARY_ADD, BINARY_SUB, BINARY_MUL, BINARY_DIV, BINARY_MAX, BINARY_MIN, BINARY_COUNT };

struct kernels {
    unsigned flags; /* PIPIT_CPU_* in use */
    struct conv_kernel conv_f32, conv_i8;
    struct depthwise_kernel depthwise_f32, depthwise_i8;

    /* Rows of n elements; step_b is 1, or 0 where b is one value for all (step_a likewise). out may be a or
     * b. */
    void (*binary_f32[BINARY_COUNT])(float *out, const float *a, int step_a, const float *b, int step_b,
                                     int n, float min, float max);
    void (*add_i8)(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct add_i8 *add);
    void (*mul_i8)(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct mul_i8 *mul);

    /* out[i] = table[(uint8_t)in[i]]; every quantised function of one variable */
    void (*lookup_i8)(int8_t *out, const int8_t *in, int n, const int8_t table[256]);
    void (*clamp_f32)(float *out, const float *in, int n, float min, float max);
    void (*hard_swish_f32)(float *out, const float *in, int n); /* x * relu6(x + 3) / 6, Howard et al. 2019 */
    void (*hard_sigmoid_f32)(float *out, const float *in, int n); /* relu6(x + 3) / 6 */
    void (*flip_sign)(uint8_t *out, const uint8_t *in, int n);    /* byte ^ 0x80 */

    /* sum[i] += in[i]: the inner loop of pools and means over pixels */
    void (*accumulate_f32)(float *sum, const float *in, int n);
    void (*accumulate_i8)(int32_t *sum, const int8_t *in, int n);
};

void kernels_init(struct kernels *kernels, unsigned flags);

/* The reference's rounding, for all C kernels. */
static inline int32_t requantise(int32_t value, struct requant r)
{
    int left = r.shift > 0 ? r.shift : 0;
    int right = r.shift > 0 ? 0 : -r.shift;
    int64_t product = (int64_t)(int32_t)((uint32_t)value << left) * r.multiplier;
    int32_t high =
        (int32_t)((product + (1 << 30)) >> 31); /* halves up; equal to gemmlowp's for all products */
    if (right == 0)
        return high;
    int32_t mask = (int32_t)((1u << right) - 1), remainder = high & mask;
    return (high >> right) + (remainder > (mask >> 1) + (high < 0));
}

/* The zero point added modulo 2^32, as the reference's int32 sums wrap on absurd models. */
static inline int32_t requantise_to(uint32_t value, struct requant r, int32_t zero)
{
    return (int32_t)((uint32_t)requantise((int32_t)value, r) + (uint32_t)zero);
}

/* multiplier and shift of a positive real factor, as TensorFlow Lite's QuantizeMultiplier. */
struct requant requant_from_double(double factor);

#endif
