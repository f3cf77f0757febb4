/* SPDX-License-Identifier: MIT */
/* Sums of int8 products to int8, 16 channels at a time. */
#ifndef PIPIT_ENGINE_KERNELS_ARM_REQUANT_H
#define PIPIT_ENGINE_KERNELS_ARM_REQUANT_H

#include "engine/kernels/c.h"
#include "engine/kernels/arm/neon.h"

/* What 16 packed channels start with. 8 channels that are made for two pixels at a time stand here twice. */
struct head_i8 {
    int32_t bias[16], multiplier[16], shift[16];
    int32_t lift[16]; /* the output's zero point before the shift to the right, where that is 15 at most */
    int32_t wide; /* a channel may leave 16 bits before it is clamped, or is not shifted right by 1 to 15 */
    int32_t zero; /* to be subtracted from the weights that follow */
    int32_t own;  /* the kernel's own */
    int32_t unused;
};

enum { HEAD = 16 };

/* All channels that are not there: they must not make a head wide. */
static inline void head_clear(struct head_i8 *head)
{
    memset(head, 0, sizeof(*head));
    for (int i = 0; i < HEAD; i++)
        head->shift[i] = -1;
}

/* `most`: the largest magnitude of a sum of products that the bias is added to. */
static inline void head_set(struct head_i8 *head, int at, int64_t bias, int64_t most, struct requant r,
                            int32_t out_zero)
{
    double sum = (double)(bias < 0 ? -bias : bias) + (double)most;
    double value = r.shift < 0 ? sum * r.multiplier / 2147483648.0 / (double)(1ll << -r.shift) : sum;
    head->bias[at] = (int32_t)bias;
    head->multiplier[at] = r.multiplier;
    head->shift[at] = r.shift;
    head->lift[at] = r.shift < 0 && r.shift >= -15 ? out_zero * (1 << -r.shift) : 0;
    head->wide |= r.shift >= 0 || r.shift < -15 || sum > INT32_MAX || value > INT16_MAX - 256;
}

/* head.zero of a panel: the weights' zero point if one of them less it does not fit 8 bits, else 0. */
int32_t panel_zero(const struct conv *conv, const struct conv_weights *weights, int first, int count);

/* How sums become int8. All but the last clamp by narrowing alone. */
enum finish {
    FINISH_CLAMP,   /* values below the zero point, -128, become that: ReLU */
    FINISH_ROUND,   /* values below the zero point stay, so their halves must be rounded down */
    FINISH_CLAMP_8, /* 8 channels of 16 */
    FINISH_ROUND_8,
    FINISH_ANY,
};

struct output_i8 {
    int32_t zero, min, max;
    int count;    /* channels to be stored */
    bool right;   /* every shift is to the right, by 1 or more */
    bool signed_; /* as FINISH_ROUND */
    enum finish finish;
};

/* Of `wide` channels in a register of sums, the first `count`. */
static inline struct output_i8 output_i8(const struct head_i8 *head, int32_t zero, int32_t min, int32_t max,
                                         int wide, int count)
{
    int32x4_t most = vmaxq_s32(vmaxq_s32(vld1q_s32(head->shift), vld1q_s32(head->shift + 4)),
                               vmaxq_s32(vld1q_s32(head->shift + 8), vld1q_s32(head->shift + 12)));
    struct output_i8 out = {zero, min, max, count, vmaxvq_s32(most) < 0, min < zero, FINISH_ANY};
    if (!head->wide && min == -128 && max == 127 && count == wide)
        out.finish = out.signed_ ? FINISH_ROUND : FINISH_CLAMP;
    else if (!head->wide && min == -128 && max == 127 && count == 8 && wide == 16)
        out.finish = out.signed_ ? FINISH_ROUND_8 : FINISH_CLAMP_8;
    return out;
}

/* requantise() of kernels.h. SQRDMULH leaves no INT32_MIN, so that one can be taken off below zero. */
static inline __attribute__((always_inline)) int32x4_t right4(int32x4_t x, int32x4_t multiplier,
                                                              int32x4_t shift, const bool signed_)
{
    x = vqrdmulhq_s32(x, multiplier);
    return vrshlq_s32(signed_ ? vsraq_n_s32(x, x, 31) : x, shift);
}

static inline __attribute__((always_inline)) int8x16_t
right16(int32x4x4_t x, int32x4x4_t m, int32x4x4_t s, const struct output_i8 *out, const bool signed_)
{
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

static inline __attribute__((always_inline)) int8x16_t finish16(int32x4x4_t x, const struct head_i8 *head,
                                                                const struct output_i8 *out)
{
    if (!out->right)
        return any16(x, head, out);
    int32x4x4_t m = vld1q_s32_x4(head->multiplier), s = vld1q_s32_x4(head->shift);
    return out->signed_ ? right16(x, m, s, out, true) : right16(x, m, s, out, false);
}

/* int8 depthwise without dot product, which dotprod falls back on. */
size_t depthwise_packed_bytes_i8_neon(const struct depthwise *d);
void depthwise_pack_i8_neon(const struct depthwise *d, const struct conv_weights *weights, void *packed);
void depthwise_run_i8_neon(const struct depthwise *d, const struct depthwise_tile *tile);

#endif
