/* SPDX-License-Identifier: MIT */
/* Part of conv_i8.h: a pixel's taps of few channels, as those of a picture, side by side in one tap. */
#include "engine/kernels/kernels.h"

#include <arm_neon.h>

/* Bytes. All of a pixel's are 32 at most; 16 are written for each of its taps. */
enum { GATHER_MOST = 32, GATHER_STEP = GATHER_MOST + 16 };

static bool gathers(const struct conv *conv)
{
    const int fill = conv->depth + FILL - 1, all = conv->taps * conv->depth;
    return conv->taps > 1 && conv->depth <= 16 && all <= GATHER_MOST &&
           (all + FILL - 1) / FILL < conv->taps * (fill / FILL);
}

/* Weights stay in their order: [channels][taps][depth]. */
static struct conv in_one_tap(const struct conv *conv)
{
    struct conv one = *conv;
    if (gathers(conv)) {
        one.depth *= one.taps;
        one.taps = 1;
    }
    return one;
}

/* Each tap overwrites what was written behind the one before it. */
static void gather(const struct conv *conv, const struct conv_tile *tile, int8_t *pixels)
{
    for (int t = 0; t < conv->taps; t++, pixels += conv->depth) {
        const char *from = tile->in[t];
        int8_t *to = pixels;
        int fours = tile->pixels / 4;
        for (int i = fours * 4; i < tile->pixels; i++, from += tile->in_step, to += GATHER_STEP)
            vst1q_s8(to, vld1q_s8((const int8_t *)from));
        if (fours)
            __asm__ volatile("1:\nld1 {v0.16b}, [%[from]], %[step]\nld1 {v1.16b}, [%[from]], %[step]\n"
                             "ld1 {v2.16b}, [%[from]], %[step]\nld1 {v3.16b}, [%[from]], %[step]\n"
                             "str q0, [%[to]]\nstr q1, [%[to], %[gap]]\nstr q2, [%[to], %[gap2]]\n"
                             "str q3, [%[to], %[gap3]]\nadd %[to], %[to], %[gap4]\n"
                             "subs %w[fours], %w[fours], #1\nb.ne 1b\n"
                             : [from] "+&r"(from), [to] "+&r"(to), [fours] "+&r"(fours)
                             : [step] "r"(tile->in_step), [gap] "i"(GATHER_STEP), [gap2] "i"(2 * GATHER_STEP),
                               [gap3] "i"(3 * GATHER_STEP), [gap4] "i"(4 * GATHER_STEP)
                             : "cc", "memory", "v0", "v1", "v2", "v3");
    }
}
