/* SPDX-License-Identifier: MIT */
/* Part of conv_i8.h: blocks of one tap. */
#include "engine/kernels/arm/conv_i8_blocks.h"

/* No `less` either. Pointers go on from block to block. `left`: words that the tap reads
 * and leaves its pointers in front of. */
#define START_2 "sub x2, %[at], %[jump]\nadd x3, x2, %[step]\nadd x4, x3, %[step]\nadd x5, x4, %[step]\n"
#define START_3 START_2 "add x6, x5, %[step]\nadd x7, x6, %[step]\nadd x8, x7, %[step]\nadd x9, x8, %[step]\n"
#define NEXT_2  "add x2, x2, %[jump]\nadd x3, x3, %[jump]\nadd x4, x4, %[jump]\nadd x5, x5, %[jump]\n"
#define NEXT_3  NEXT_2 "add x6, x6, %[jump]\nadd x7, x7, %[jump]\nadd x8, x8, %[jump]\nadd x9, x9, %[jump]\n"
#define POINTWISE(name, each, tap, left, finish, store)                                                      \
    static void name(const struct work *work, int first, int blocks)                                         \
    {                                                                                                        \
        const char *at = (const char *)work->in[0] + (size_t)first * work->in_step;                          \
        const size_t jump = (work->in_step << each) - (size_t)(work->words - (left)) * FILL;                 \
        int8_t *to = work->out + (size_t)first * work->out_step;                                             \
        __asm__ volatile(                                                                                    \
            START_##each "6:\n" BIAS_4 NEXT_##each "add x11, %[bias], #272\n" tap FINISH_4(                  \
                finish, store) "subs %w[blocks], %w[blocks], #1\nb.ne 6b\n"                                  \
            : [to] "+&r"(to), [blocks] "+&r"(blocks)                                                         \
            : TAPS_IN,                                                                                       \
              PLAIN_OUT, [at] "r"(at), [jump] "r"(jump), [largest] "r"(work->words / (LARGEST / FILL))       \
            : TAPS_SCRATCH);                                                                                 \
    }
POINTWISE(clamp_one_8x8, 3, TAP_8X8, 0, CLAMP, TO_2X8)
POINTWISE(round_one_8x8, 3, TAP_8X8, 0, ROUND, TO_2X8)
#define ONE_4X16(rest, tap)                                                                                  \
    POINTWISE(clamp_one_4x16_##rest, 2, tap, rest, CLAMP, TO_16)                                             \
    POINTWISE(round_one_4x16_##rest, 2, tap, rest, ROUND, TO_16)
ONE_TAP_4X16(ONE_4X16)
#define ONES_4X16(rest, tap) {clamp_one_4x16_##rest, round_one_4x16_##rest},
static plain_fn *const one_4x16[][2] = {ONE_TAP_4X16(ONES_4X16)}; /* by the rest, whether values are signed */
static plain_fn *const one_8x8[2] = {clamp_one_8x8, round_one_8x8};

static inline plain_fn *plain_of(const struct work *work, bool half, bool signed_)
{
    if (work->less || work->taps > 1)
        return plain[half][work->less ? FOR_LESS : FOR_TAPS][signed_];
    return half ? one_8x8[signed_] : one_4x16[work->rest][signed_];
}
