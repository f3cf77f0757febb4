/* SPDX-License-Identifier: MIT */
/*
 * Integer arithmetic is TensorFlow Lite's reference: a 32-bit accumulator is multiplied by a Q31 multiplier
 * with the rounded high half of twice the product (gemmlowp's SaturatingRoundingDoublingHighMul, NEON's
 * SQRDMULH), then shifted right with halves rounded away from zero (RoundingDivideByPOT). Two roundings, as
 * the reference kernels have them, so that whole models agree bit for bit (Jacob et al., Quantization and
 * Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, 2018). There is one 8-bit
 * type, int8: uint8 tensors are moved by 128 when a model is loaded.
 */
#ifndef PIPIT_ENGINE_KERNELS_REQUANT_H
#define PIPIT_ENGINE_KERNELS_REQUANT_H

#include <stdint.h>

struct requant {        /* real factor = multiplier / 2^31 * 2^shift */
    int32_t multiplier; /* 0 or 2^30 .. 2^31 - 1 */
    int32_t shift;      /* > 0: to the left, before the multiplication */
};

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
