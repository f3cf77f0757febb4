/* SPDX-License-Identifier: MIT */
/* Sums of int8 products to int8, 16 channels at a time. */
#ifndef PIPIT_ENGINE_KERNELS_ARM_REQUANT_H
#define PIPIT_ENGINE_KERNELS_ARM_REQUANT_H

#include "engine/kernels/c.h"
#include "engine/kernels/arm/neon.h"

/* What 16 packed channels start with. 8 channels that are made for two pixels at a time stand here twice. */
struct head_i8 {
    int32_t bias[16], multiplier[16], shift[16];
};

enum { HEAD = 16 };

static inline void head_set(struct head_i8 *head, int at, int64_t bias, struct requant r)
{
    head->bias[at] = (int32_t)bias;
    head->multiplier[at] = r.multiplier;
    head->shift[at] = r.shift;
}

/* The zero point and the clamp of the output, and what its channels have in common. */
struct output_i8 {
    int32_t zero, min, max;
    bool right;   /* every shift is to the right, by 1 or more */
    bool signed_; /* values below the zero point are not clamped away, so their halves must be rounded down */
};

static inline struct output_i8 output_i8(const struct head_i8 *head, int32_t zero, int32_t min, int32_t max)
{
    int32x4_t most = vmaxq_s32(vmaxq_s32(vld1q_s32(head->shift), vld1q_s32(head->shift + 4)),
                               vmaxq_s32(vld1q_s32(head->shift + 8), vld1q_s32(head->shift + 12)));
    return (struct output_i8){zero, min, max, vmaxvq_s32(most) < 0, min < zero};
}

/* requantise() of kernels.h. SQRDMULH leaves no INT32_MIN, so that one can be taken off below zero. */
static inline __attribute__((always_inline)) int32x4_t right4(int32x4_t x, int32x4_t multiplier,
                                                              int32x4_t shift, const bool signed_)
{
    x = vqrdmulhq_s32(x, multiplier);
    return vrshlq_s32(signed_ ? vsraq_n_s32(x, x, 31) : x, shift);
}

static inline __attribute__((always_inline)) int8x16_t
right16(int32x4x4_t x, const struct head_i8 *head, const struct output_i8 *out, const bool signed_)
{
    int32x4x4_t m = vld1q_s32_x4(head->multiplier), s = vld1q_s32_x4(head->shift);
    int16x8_t low = vqmovn_high_s32(vqmovn_s32(right4(x.val[0], m.val[0], s.val[0], signed_)),
                                    right4(x.val[1], m.val[1], s.val[1], signed_));
    int16x8_t high = vqmovn_high_s32(vqmovn_s32(right4(x.val[2], m.val[2], s.val[2], signed_)),
                                     right4(x.val[3], m.val[3], s.val[3], signed_));
    const int16x8_t zero = vdupq_n_s16((int16_t)out->zero);
    int8x16_t all = vqmovn_high_s16(vqmovn_s16(vqaddq_s16(low, zero)), vqaddq_s16(high, zero));
    return vminq_s8(vmaxq_s8(all, vdupq_n_s8((int8_t)out->min)), vdupq_n_s8((int8_t)out->max));
}

static inline int8x16_t any16(int32x4x4_t x, const struct head_i8 *head, const struct output_i8 *out)
{
    const int32x4_t zero = vdupq_n_s32(out->zero), min = vdupq_n_s32(out->min), max = vdupq_n_s32(out->max);
    for (int q = 0; q < 4; q++)
        x.val[q] = clamp4(requantise4(x.val[q], requant4_load(head->multiplier + 4 * q, head->shift + 4 * q)),
                          zero, min, max);
    return narrow16(x.val[0], x.val[1], x.val[2], x.val[3]);
}

/* int8 depthwise without dot product, which dotprod falls back on. */
size_t depthwise_packed_bytes_i8_neon(const struct depthwise *d);
void depthwise_pack_i8_neon(const struct depthwise *d, const struct conv_weights *weights, void *packed);
void depthwise_run_i8_neon(const struct depthwise *d, const struct depthwise_tile *tile);

#endif
