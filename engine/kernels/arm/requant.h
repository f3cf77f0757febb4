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

/* The first `count` channels of pixels side by side; `columns` is a constant where this is inlined. */
static inline __attribute__((always_inline)) void finish_columns(int32x4_t (*sum)[4], const int columns,
                                                                 const struct head_i8 *head,
                                                                 const struct output_i8 out, int8_t *to,
                                                                 size_t pixel, int count)
{
#pragma GCC unroll 4
    for (int i = 0; i < columns; i++, to += pixel)
        store16(to, finish16((int32x4x4_t){{sum[i][0], sum[i][1], sum[i][2], sum[i][3]}}, head, &out), count);
}

/* The same of accumulators that assembly has made: GCC moves each of four registers to a place of its own
 * when one of them is named alone, and back for the next assembly. */
#define RIGHT(x, m, s) "sqrdmulh " x ".4s, " x ".4s, " m ".4s\nsrshl " x ".4s, " x ".4s, " s ".4s\n"
#define RIGHT_SIGNED(x, m, s)                                                                                \
    "sqrdmulh " x ".4s, " x ".4s, " m ".4s\nssra " x ".4s, " x ".4s, #31\n"                                  \
    "srshl " x ".4s, " x ".4s, " s ".4s\n"
#define RIGHT_16(right)                                                                                      \
    right("%S[x]", "%S[m]", "%S[s]") right("%T[x]", "%T[m]", "%T[s]") right("%U[x]", "%U[m]", "%U[s]")       \
        right("%V[x]", "%V[m]", "%V[s]")

static inline __attribute__((always_inline)) int8x16_t finish_sums(int32x4x4_t x, const struct head_i8 *head,
                                                                   const struct output_i8 *out)
{
    int32x4x4_t m = vld1q_s32_x4(head->multiplier), s = vld1q_s32_x4(head->shift);
    int8x16_t all;
    if (!out->right) {
        int32_t each[16];
        vst1q_s32_x4(each, x);
        return any16(
            (int32x4x4_t){{vld1q_s32(each), vld1q_s32(each + 4), vld1q_s32(each + 8), vld1q_s32(each + 12)}},
            head, out);
    }
    if (out->signed_)
        __asm__ volatile(RIGHT_16(RIGHT_SIGNED) : [x] "+w"(x) : [m] "w"(m), [s] "w"(s));
    else
        __asm__ volatile(RIGHT_16(RIGHT) : [x] "+w"(x) : [m] "w"(m), [s] "w"(s));
    __asm__("sqxtn %S[x].4h, %S[x].4s\nsqxtn %U[x].4h, %U[x].4s\n"
            "sqxtn2 %S[x].8h, %T[x].4s\nsqxtn2 %U[x].8h, %V[x].4s\n"
            "sqadd %S[x].8h, %S[x].8h, %[zero].8h\nsqadd %U[x].8h, %U[x].8h, %[zero].8h\n"
            "sqxtn %[all].8b, %S[x].8h\nsqxtn2 %[all].16b, %U[x].8h\n"
            : [x] "+w"(x), [all] "=&w"(all)
            : [zero] "w"(vdupq_n_s16((int16_t)out->zero)));
    return vminq_s8(vmaxq_s8(all, vdupq_n_s8((int8_t)out->min)), vdupq_n_s8((int8_t)out->max));
}

/* int8 depthwise without dot product, which dotprod falls back on. */
size_t depthwise_packed_bytes_i8_neon(const struct depthwise *d);
void depthwise_pack_i8_neon(const struct depthwise *d, const struct conv_weights *weights, void *packed);
void depthwise_run_i8_neon(const struct depthwise *d, const struct depthwise_tile *tile);

#endif
