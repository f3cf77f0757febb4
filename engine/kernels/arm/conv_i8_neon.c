/* SPDX-License-Identifier: MIT */
/*
 * int8 convolution without dot product. LD4R repeats two inputs over a register, four times two, and stands
 * for as many channels' weights for these two: SMULL and SMLAL make two products a lane in 16 bits, SADALP
 * adds pairs of lanes to a channel's sum of 32 bits: 16 products in three instructions, and nothing to be
 * added up at the end. Two products of -128 and -128 would not fit, so where a weight is -128 each product is
 * added by itself.
 */
#include "engine/kernels/arm/neon.h"

enum { TILE = 8, FILL = 8, LARGEST = 8, TOGETHER = 2 };

/* weight[eights][2][n / 4][2][4][2]: a register is 4 channels by two pairs of inputs. */
static size_t place(size_t k, size_t at, size_t n)
{
    return k / 8 * 8 * n + (k % 8 / 4 * (n / 4) + at / 4) * 16 + k % 4 / 2 * 8 + at % 4 * 2 + k % 2;
}

static bool careful(int least)
{
    return least == -128;
}

static inline int32x4_t sum_16(int32x4_t sum, int8x16_t a)
{
    return vpadalq_s16(sum, vpaddlq_s8(a));
}

/* Products of two pairs of inputs, a and b, with four registers of weights. */
#define PAIRS(s0, s1, s2, s3, w0, w1, w2, w3, a0, a1, b0, b1)                                                \
    "smull v4.8h, " w0 ".8b, " a0 ".8b\nsmull v5.8h, " w1 ".8b, " a0 ".8b\n"                                 \
    "smull v6.8h, " w2 ".8b, " a1 ".8b\nsmull v7.8h, " w3 ".8b, " a1 ".8b\n"                                 \
    "smlal2 v4.8h, " w0 ".16b, " b0 ".16b\nsmlal2 v5.8h, " w1 ".16b, " b0 ".16b\n"                           \
    "smlal2 v6.8h, " w2 ".16b, " b1 ".16b\nsmlal2 v7.8h, " w3 ".16b, " b1 ".16b\n" ADD(s0, s1, s2, s3)
#define SPLIT(s0, s1, s2, s3, w0, w1, w2, w3, a0, a1, b0, b1)                                                \
    "smull v4.8h, " w0 ".8b, " a0 ".8b\nsmull v5.8h, " w1 ".8b, " a0 ".8b\n"                                 \
    "smull v6.8h, " w2 ".8b, " a1 ".8b\nsmull v7.8h, " w3 ".8b, " a1                                         \
    ".8b\n" ADD(s0, s1, s2, s3) "smull2 v4.8h, " w0 ".16b, " b0 ".16b\nsmull2 v5.8h, " w1 ".16b, " b0        \
                                ".16b\n"                                                                     \
                                "smull2 v6.8h, " w2 ".16b, " b1 ".16b\nsmull2 v7.8h, " w3 ".16b, " b1        \
                                ".16b\n" ADD(s0, s1, s2, s3)
#define ADD(s0, s1, s2, s3)                                                                                  \
    "sadalp " s0 ".4s, v4.8h\nsadalp " s1 ".4s, v5.8h\nsadalp " s2 ".4s, v6.8h\nsadalp " s3 ".4s, v7.8h\n"

/* Eight bytes' depth of a pixel, by 16 channels and by 8. */
#define LOAD_A(a) "ld4r {v0.8h-v3.8h}, [" a "], #8\n"
#define BY_16(pairs, a, s0, s1, s2, s3)                                                                      \
    LOAD_A(a)                                                                                                \
    pairs(s0, s1, s2, s3, "v8", "v9", "v10", "v11", "v0", "v0", "v1", "v1")                                  \
        pairs(s0, s1, s2, s3, "v12", "v13", "v14", "v15", "v2", "v2", "v3", "v3")
#define BY_8(pairs, a, s0, s1)                                                                               \
    LOAD_A(a) pairs(s0, s1, s0, s1, "v8", "v9", "v10", "v11", "v0", "v2", "v1", "v3")
#define LOAD_W_16     "ld1 {v8.16b-v11.16b}, [x11], #64\nld1 {v12.16b-v15.16b}, [x11], #64\n"
#define LOAD_W_8      "ld1 {v8.16b-v11.16b}, [x11], #64\n"
#define EIGHTS(...)   "mov w13, %w[words]\n1:\nsubs w13, w13, #1\n" __VA_ARGS__ "b.ne 1b\n"
#define ONE_16(pairs) EIGHTS(LOAD_W_16 BY_16(pairs, "x2", "v16", "v17", "v18", "v19"))
#define FOUR_16(pairs)                                                                                       \
    EIGHTS(LOAD_W_16 BY_16(pairs, "x2", "v16", "v17", "v18", "v19")                                          \
               BY_16(pairs, "x3", "v20", "v21", "v22", "v23") BY_16(pairs, "x4", "v24", "v25", "v26", "v27") \
                   BY_16(pairs, "x5", "v28", "v29", "v30", "v31"))
#define ONE_8(pairs) EIGHTS(LOAD_W_8 BY_8(pairs, "x2", "v16", "v17"))
#define EIGHT_8(pairs)                                                                                       \
    EIGHTS(LOAD_W_8 BY_8(pairs, "x2", "v16", "v17") BY_8(pairs, "x3", "v18", "v19")                          \
               BY_8(pairs, "x4", "v20", "v21") BY_8(pairs, "x5", "v22", "v23")                               \
                   BY_8(pairs, "x6", "v24", "v25") BY_8(pairs, "x7", "v26", "v27")                           \
                       BY_8(pairs, "x8", "v28", "v29") BY_8(pairs, "x9", "v30", "v31"))

#define TAP_4X16           FOUR_16(PAIRS)
#define TAP_8X8            EIGHT_8(PAIRS)
#define TAP_1X16           ONE_16(PAIRS)
#define TAP_1X8            ONE_8(PAIRS)
#define CAREFUL_4X16       FOUR_16(SPLIT)
#define CAREFUL_8X8        EIGHT_8(SPLIT)
#define CAREFUL_1X16       ONE_16(SPLIT)
#define CAREFUL_1X8        ONE_8(SPLIT)
#define ONE_TAP_4X16(each) each(0, TAP_4X16)
#include "engine/kernels/arm/conv_i8.h"

void kernels_init_conv_i8_neon(struct kernels *kernels)
{
    kernels->conv_i8 =
        (struct conv_kernel){"conv_i8_neon", TILE, PANEL, packed_bytes, pack, NULL, run, PIXELS};
}
