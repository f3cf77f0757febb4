/* SPDX-License-Identifier: MIT */
/* Sums of int8 products to int8, 16 channels at a time. */
#ifndef PIPIT_ENGINE_KERNELS_ARM_REQUANT_H
#define PIPIT_ENGINE_KERNELS_ARM_REQUANT_H

#include "engine/kernels/c.h"
#include "engine/kernels/arm/neon.h"

/* What 16 packed channels start with. 8 channels that are made for two pixels at a time stand here twice. */
struct head_i8 {
    int32_t bias[16], multiplier[16], shift[16];
    int32_t wide; /* a channel may leave 16 bits before it is clamped, or its shift is not to the right */
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
static inline void head_set(struct head_i8 *head, int at, int64_t bias, int64_t most, struct requant r)
{
    double sum = (double)(bias < 0 ? -bias : bias) + (double)most;
    double value = r.shift < 0 ? sum * r.multiplier / 2147483648.0 / (double)(1ll << -r.shift) : sum;
    head->bias[at] = (int32_t)bias;
    head->multiplier[at] = r.multiplier;
    head->shift[at] = r.shift;
    head->wide |= r.shift >= 0 || sum > INT32_MAX || value > INT16_MAX - 256;
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
 * when one of them is named alone, and back for the next assembly. What 16 sums become is in S. */
#define FINISH_EACH(each) each("S") each("T") each("U") each("V")
#define CLAMP_4(q)                                                                                           \
    "sqrdmulh %" q "[x].4s, %" q "[x].4s, %" q "[m].4s\nsrshl %" q "[x].4s, %" q "[x].4s, %" q "[s].4s\n"
#define ROUND_4(q)                                                                                           \
    "sqrdmulh %" q "[x].4s, %" q "[x].4s, %" q "[m].4s\nssra %" q "[x].4s, %" q "[x].4s, #31\n"              \
    "srshl %" q "[x].4s, %" q "[x].4s, %" q "[s].4s\n"
#define HALVE "uzp1 %S[x].8h, %S[x].8h, %T[x].8h\nuzp1 %U[x].8h, %U[x].8h, %V[x].8h\n"
#define CLAMP_16                                                                                             \
    FINISH_EACH(CLAMP_4)                                                                                     \
    HALVE "sqxtun %S[x].8b, %S[x].8h\nsqxtun2 %S[x].16b, %U[x].8h\neor %S[x].16b, %S[x].16b, %[z].16b\n"
#define ROUND_16                                                                                             \
    FINISH_EACH(ROUND_4)                                                                                     \
    HALVE "add %S[x].8h, %S[x].8h, %[z].8h\nadd %U[x].8h, %U[x].8h, %[z].8h\n"                               \
          "sqxtn %S[x].8b, %S[x].8h\nsqxtn2 %S[x].16b, %U[x].8h\n"
/* Where they go: 16 or 8 channels of a pixel, 8 of two, 4 of four. */
#define STORE_16  "st1 {%S[x].16b}, [%[to]], %[step]\n"
#define STORE_8   "st1 {%S[x].8b}, [%[to]], %[step]\n"
#define STORE_2X8 "st1 {%S[x].d}[0], [%[to]], %[step]\nst1 {%S[x].d}[1], [%[to]], %[step]\n"
#define STORE_4X4                                                                                            \
    "st1 {%S[x].s}[0], [%[to]], %[step]\nst1 {%S[x].s}[1], [%[to]], %[step]\n"                               \
    "st1 {%S[x].s}[2], [%[to]], %[step]\nst1 {%S[x].s}[3], [%[to]], %[step]\n"
#define FINISH(what, store)                                                                                  \
    __asm__ volatile(what store                                                                              \
                     : [x] "+w"(x), [to] "+r"(to)                                                            \
                     : [m] "w"(m), [s] "w"(s), [z] "w"(z), [step] "r"(step)                                  \
                     : "memory")

/* A register of sums is 16 channels of a pixel (of which 8 may count), 8 of two pixels or 4 of four. */
enum group { GROUP_16, GROUP_8, GROUP_2X8, GROUP_4X4 };

/* Returns where the next register goes. `finish` and `group` are constants where this is inlined. */
static inline __attribute__((always_inline)) int8_t *finish_store(int32x4x4_t x, int32x4x4_t m, int32x4x4_t s,
                                                                  int16x8_t z, const enum finish finish,
                                                                  const enum group group, int8_t *to,
                                                                  size_t step)
{
    if (finish == FINISH_CLAMP && group == GROUP_16)
        FINISH(CLAMP_16, STORE_16);
    else if (finish == FINISH_CLAMP && group == GROUP_8)
        FINISH(CLAMP_16, STORE_8);
    else if (finish == FINISH_CLAMP && group == GROUP_2X8)
        FINISH(CLAMP_16, STORE_2X8);
    else if (finish == FINISH_CLAMP)
        FINISH(CLAMP_16, STORE_4X4);
    else if (group == GROUP_16)
        FINISH(ROUND_16, STORE_16);
    else if (group == GROUP_8)
        FINISH(ROUND_16, STORE_8);
    else if (group == GROUP_2X8)
        FINISH(ROUND_16, STORE_2X8);
    else
        FINISH(ROUND_16, STORE_4X4);
    return to;
}

/* `pixels` pixels from the sums' memory, by any finish. */
void finish_any(const int32_t (*sum)[16], int pixels, enum group group, const struct head_i8 *head,
                const struct output_i8 *out, int8_t *to, size_t step);

/* Sums to int8, and the first `count` channels of each pixel to memory. GCC keeps arrays of four registers in
 * memory, so each has a name; there are `n` of them. n, group and finish are constants where this is inlined.
 */
#define SUMS int32x4x4_t sum0, int32x4x4_t sum1, int32x4x4_t sum2, int32x4x4_t sum3, int32x4x4_t sum4
static inline __attribute__((always_inline)) void finish_as(SUMS, const int n, const enum group group,
                                                            const enum finish finish,
                                                            const struct head_i8 *head, int32_t zero,
                                                            int8_t *to, size_t step)
{
    const int32x4x4_t m = vld1q_s32_x4(head->multiplier), s = vld1q_s32_x4(head->shift);
    /* FINISH_CLAMP: what turns 0 .. 255 into -128 .. 127 */
    const int16x8_t z = vdupq_n_s16((int16_t)(finish == FINISH_CLAMP ? 0x8080 : zero));
    to = finish_store(sum0, m, s, z, finish, group, to, step);
    if (n > 1)
        to = finish_store(sum1, m, s, z, finish, group, to, step);
    if (n > 2)
        to = finish_store(sum2, m, s, z, finish, group, to, step);
    if (n > 3)
        to = finish_store(sum3, m, s, z, finish, group, to, step);
    if (n > 4)
        finish_store(sum4, m, s, z, finish, group, to, step);
}

static inline __attribute__((always_inline)) void
finish_slowly(SUMS, const int n, int pixels, const enum group group, const struct head_i8 *head,
              const struct output_i8 *out, int8_t *to, size_t step)
{
    int32_t each[5][16];
    vst1q_s32_x4(each[0], sum0);
    if (n > 1)
        vst1q_s32_x4(each[1], sum1);
    if (n > 2)
        vst1q_s32_x4(each[2], sum2);
    if (n > 3)
        vst1q_s32_x4(each[3], sum3);
    if (n > 4)
        vst1q_s32_x4(each[4], sum4);
    finish_any(each, pixels, group, head, out, to, step);
}

static inline __attribute__((always_inline)) void
finish_sums(SUMS, const int n, const int pixels, const enum group group, const struct head_i8 *head,
            const struct output_i8 *out, int8_t *to, size_t step)
{
    const bool all = pixels == n * (group == GROUP_16 ? 1 : group == GROUP_2X8 ? 2 : 4);
    const enum finish finish = all ? out->finish : FINISH_ANY;
    if (finish == FINISH_CLAMP)
        finish_as(sum0, sum1, sum2, sum3, sum4, n, group, FINISH_CLAMP, head, out->zero, to, step);
    else if (finish == FINISH_ROUND)
        finish_as(sum0, sum1, sum2, sum3, sum4, n, group, FINISH_ROUND, head, out->zero, to, step);
    else if (finish == FINISH_CLAMP_8 && group == GROUP_16)
        finish_as(sum0, sum1, sum2, sum3, sum4, n, GROUP_8, FINISH_CLAMP, head, out->zero, to, step);
    else if (finish == FINISH_ROUND_8 && group == GROUP_16)
        finish_as(sum0, sum1, sum2, sum3, sum4, n, GROUP_8, FINISH_ROUND, head, out->zero, to, step);
    else
        finish_slowly(sum0, sum1, sum2, sum3, sum4, n, pixels, group, head, out, to, step);
}

/* int8 depthwise without dot product, which dotprod falls back on. */
size_t depthwise_packed_bytes_i8_neon(const struct depthwise *d);
void depthwise_pack_i8_neon(const struct depthwise *d, const struct conv_weights *weights, void *packed);
void depthwise_run_i8_neon(const struct depthwise *d, const struct depthwise_tile *tile);

#endif
