/* SPDX-License-Identifier: MIT */
/* requant.h's arithmetic on the registers that assembly has made, and from there to memory. */
#ifndef PIPIT_ENGINE_KERNELS_ARM_FINISH_I8_H
#define PIPIT_ENGINE_KERNELS_ARM_FINISH_I8_H

#include "engine/kernels/arm/requant.h"

/* GCC moves each of four registers to a place of its own when one of them is named alone, and back for the
 * next assembly. What 16 sums become is in S. */
#define FINISH_EACH(each)                                                                                    \
    each("%S[x].4s", "%S[m].4s", "%S[s].4s") each("%T[x].4s", "%T[m].4s", "%T[s].4s")                        \
        each("%U[x].4s", "%U[m].4s", "%U[s].4s") each("%V[x].4s", "%V[m].4s", "%V[s].4s")
#define CLAMP_4(x, m, s) "sqrdmulh " x ", " x ", " m "\nsrshl " x ", " x ", " s "\n"
#define ROUND_4(x, m, s) "sqrdmulh " x ", " x ", " m "\nssra " x ", " x ", #31\nsrshl " x ", " x ", " s "\n"
#define HALVE            "uzp1 %S[x].8h, %S[x].8h, %T[x].8h\nuzp1 %U[x].8h, %U[x].8h, %V[x].8h\n"
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

/* Of blocks that finish in the assembly that makes their sums, where all channels count and no more than
 * narrowing is to be done: what a panel's have in common. They get it by value: what lies in memory the
 * compiler would load once more behind each piece of assembly. */
struct plain {
    const struct head_i8 *head;
    const void *const *in;
    size_t in_step, out_step;
    unsigned taps, words; /* words: of a tap's depth, as the kernel reads it */
    int8_t *out;
    int32_t zero;
};

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

#endif
