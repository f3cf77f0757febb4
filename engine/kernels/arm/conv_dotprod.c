/* SPDX-License-Identifier: MIT */
/* int8 convolution with SDOT (FEAT_DotProd): four products a lane and instruction. The tiles are those of
 * conv_f32_neon.c. */
#include "engine/kernels/arm/neon.h"

enum { TILE = 8, FILL = 4, LARGEST = 32, TOGETHER = 4 };

/* weight[quads][n][4] */
static size_t place(size_t k, size_t at, size_t n)
{
    return k / 4 * 4 * n + at * 4 + k % 4;
}

static bool careful(int least)
{
    (void)least;
    return false;
}

static inline int32x4_t sum_16(int32x4_t sum, int8x16_t a)
{
    return vdotq_s32(sum, a, vdupq_n_s8(1));
}

#define DOT(sum, w, a, lane) "sdot " sum ".4s, " w ".16b, " a ".4b[" lane "]\n"
#define DOT_16(a, lane, s0, s1, s2, s3, w0, w1, w2, w3)                                                      \
    DOT(s0, w0, a, lane) DOT(s1, w1, a, lane) DOT(s2, w2, a, lane) DOT(s3, w3, a, lane)

/* Four bytes' depth of 4 pixels by 16 channels. */
#define STEP_4X16(lane, a0, a1, a2, a3, w0, w1, w2, w3)                                                      \
    "ld1 {" w0 ".4s-" w3 ".4s}, [x11], #64\n" DOT_16(a0, lane, "v16", "v17", "v18", "v19", w0, w1, w2, w3)   \
        DOT_16(a1, lane, "v20", "v21", "v22", "v23", w0, w1, w2, w3)                                         \
            DOT_16(a2, lane, "v24", "v25", "v26", "v27", w0, w1, w2, w3)                                     \
                DOT_16(a3, lane, "v28", "v29", "v30", "v31", w0, w1, w2, w3)
#define EVEN_4X16(lane, a0, a1, a2, a3) STEP_4X16(lane, a0, a1, a2, a3, "v8", "v9", "v10", "v11")
#define ODD_4X16(lane, a0, a1, a2, a3)  STEP_4X16(lane, a0, a1, a2, a3, "v12", "v13", "v14", "v15")
#define STEPS_4X16(a0, a1, a2, a3)                                                                           \
    EVEN_4X16("0", a0, a1, a2, a3)                                                                           \
    ODD_4X16("1", a0, a1, a2, a3) EVEN_4X16("2", a0, a1, a2, a3) ODD_4X16("3", a0, a1, a2, a3)
#define LOAD_4(what, bytes)                                                                                  \
    "ldr " what "0, [x2], #" bytes "\nldr " what "1, [x3], #" bytes "\n"                                     \
    "ldr " what "2, [x4], #" bytes "\nldr " what "3, [x5], #" bytes "\n"
/* 32 bytes' depth. */
#define LOAD_32                                                                                              \
    "ld1 {v0.4s, v1.4s}, [x2], #32\nld1 {v2.4s, v3.4s}, [x3], #32\n"                                         \
    "ld1 {v4.4s, v5.4s}, [x4], #32\nld1 {v6.4s, v7.4s}, [x5], #32\n"
#define STEPS_32 STEPS_4X16("v0", "v2", "v4", "v6") STEPS_4X16("v1", "v3", "v5", "v7")
#define LOOP_32  "cbz w13, 2f\n1:\n" LOAD_32 "subs w13, w13, #1\n" STEPS_32 "b.ne 1b\n2:\n"
/* The largest piece of it over and over, the rest by the bits of its length. */
#define EVEN_16(lane) EVEN_4X16(lane, "v0", "v1", "v2", "v3")
#define ODD_16(lane)  ODD_4X16(lane, "v0", "v1", "v2", "v3")
#define TAP_4X16                                                                                             \
    "lsr w13, %w[words], #3\n" LOOP_32 "cbz %w[rest], 5f\ntbz %w[words], #2, 3f\n" LOAD_4("q", "16")         \
        STEPS_4X16("v0", "v1", "v2", "v3") "3:\ntbz %w[words], #1, 4f\n" LOAD_4("d", "8") EVEN_16("0")       \
            ODD_16("1") "4:\ntbz %w[words], #0, 5f\n" LOAD_4("s", "4") EVEN_16("0") "5:\n"
/* The rest at once: more is read than is there. */
#define REST_16 "ldr q0, [x2]\nldr q1, [x3]\nldr q2, [x4]\nldr q3, [x5]\n" EVEN_16("0")
#define REST_32                                                                                              \
    "ld1 {v0.4s, v1.4s}, [x2]\nld1 {v2.4s, v3.4s}, [x3]\n"                                                   \
    "ld1 {v4.4s, v5.4s}, [x4]\nld1 {v6.4s, v7.4s}, [x5]\n" STEPS_4X16("v0", "v2", "v4", "v6")                \
        EVEN_4X16("0", "v1", "v3", "v5", "v7")
#define ODD_32(lane)  ODD_4X16(lane, "v1", "v3", "v5", "v7")
#define EVEN_32(lane) EVEN_4X16(lane, "v1", "v3", "v5", "v7")
#define ALL_32        "mov w13, %w[largest]\n" LOOP_32
#define ONE_TAP_4X16(each)                                                                                   \
    each(0, ALL_32) each(1, ALL_32 REST_16) each(2, ALL_32 REST_16 ODD_16("1"))                              \
        each(3, ALL_32 REST_16 ODD_16("1") EVEN_16("2"))                                                     \
            each(4, ALL_32 REST_16 ODD_16("1") EVEN_16("2") ODD_16("3")) each(5, ALL_32 REST_32)             \
                each(6, ALL_32 REST_32 ODD_32("1")) each(7, ALL_32 REST_32 ODD_32("1") EVEN_32("2"))

#define LOAD_8(what, bytes)                                                                                  \
    LOAD_4(what, bytes)                                                                                      \
    "ldr " what "4, [x6], #" bytes "\nldr " what "5, [x7], #" bytes "\n"                                     \
    "ldr " what "6, [x8], #" bytes "\nldr " what "7, [x9], #" bytes "\n"
#define DOT_2X8(lane, a0, a1, s0, s1, s2, s3, w0, w1)                                                        \
    DOT(s0, w0, a0, lane) DOT(s1, w1, a0, lane) DOT(s2, w0, a1, lane) DOT(s3, w1, a1, lane)
#define STEP_8X8(lane, w0, w1)                                                                               \
    DOT_2X8(lane, "v0", "v1", "v16", "v17", "v18", "v19", w0, w1)                                            \
    DOT_2X8(lane, "v2", "v3", "v20", "v21", "v22", "v23", w0, w1)                                            \
    DOT_2X8(lane, "v4", "v5", "v24", "v25", "v26", "v27", w0, w1)                                            \
    DOT_2X8(lane, "v6", "v7", "v28", "v29", "v30", "v31", w0, w1)
#define TAP_8X8                                                                                              \
    "lsr w13, %w[words], #2\ncbz w13, 2f\n1:\n" LOAD_8(                                                      \
        "q",                                                                                                 \
        "16") "ld1 {v8.4s-v11.4s}, [x11], #64\nld1 {v12.4s-v15.4s}, [x11], #64\nsubs w13, w13, "             \
              "#1\n" STEP_8X8("0", "v8", "v9") STEP_8X8("1", "v10", "v11") STEP_8X8("2", "v12", "v13")       \
                  STEP_8X8("3", "v14",                                                                       \
                           "v15") "b.ne 1b\n"                                                                \
                                  "2:\ntbz %w[words], #1, 3f\n" LOAD_8(                                      \
                                      "d", "8") "ld1 {v8.4s-v11.4s}, [x11], #64\n" STEP_8X8("0", "v8", "v9") \
                                      STEP_8X8("1", "v10", "v11") "3:\ntbz %w[words], #0, 4f\n" LOAD_8(      \
                                          "s", "4") "ld1 {v8.4s, v9.4s}, [x11], #32\n" STEP_8X8("0", "v8",   \
                                                                                                "v9") "4:\n"

#define STEP_1X16(lane, w0, w1, w2, w3)                                                                      \
    "ld1 {" w0 ".4s-" w3 ".4s}, [x11], #64\n" DOT_16("v0", lane, "v16", "v17", "v18", "v19", w0, w1, w2, w3)
#define TAP_1X16                                                                                             \
    "lsr w13, %w[words], #2\ncbz w13, 2f\n1:\nldr q0, [x2], #16\nsubs w13, w13, #1\n" STEP_1X16(             \
        "0", "v8", "v9", "v10", "v11") STEP_1X16("1", "v12", "v13", "v14", "v15")                            \
        STEP_1X16("2", "v8", "v9", "v10", "v11")                                                             \
            STEP_1X16("3", "v12", "v13", "v14",                                                              \
                      "v15") "b.ne 1b\n"                                                                     \
                             "2:\nands w13, %w[words], #3\nb.eq 4f\n3:\nldr s0, [x2], #4\nsubs w13, w13, "   \
                             "#1\n" STEP_1X16("0", "v8", "v9", "v10", "v11") "b.ne 3b\n4:\n"

#define STEP_1X8(lane, w0, w1) DOT("v16", w0, "v0", lane) DOT("v17", w1, "v0", lane)
#define TAP_1X8                                                                                              \
    "lsr w13, %w[words], #2\ncbz w13, 2f\n1:\nldr q0, [x2], #16\n"                                           \
    "ld1 {v8.4s-v11.4s}, [x11], #64\nld1 {v12.4s-v15.4s}, [x11], #64\nsubs w13, w13, #1\n" STEP_1X8(         \
        "0", "v8", "v9") STEP_1X8("1", "v10", "v11") STEP_1X8("2", "v12", "v13")                             \
        STEP_1X8("3", "v14", "v15") "b.ne 1b\n"                                                              \
                                    "2:\nands w13, %w[words], #3\nb.eq 4f\n3:\nldr s0, [x2], #4\nld1 "       \
                                    "{v8.4s, v9.4s}, [x11], #32\n"                                           \
                                    "subs w13, w13, #1\n" STEP_1X8("0", "v8", "v9") "b.ne 3b\n4:\n"

#define CAREFUL_4X16 TAP_4X16
#define CAREFUL_8X8  TAP_8X8
#define CAREFUL_1X16 TAP_1X16
#define CAREFUL_1X8  TAP_1X8
#include "engine/kernels/arm/conv_i8.h"

void kernels_init_dotprod(struct kernels *kernels)
{
    kernels->conv_i8 =
        (struct conv_kernel){"conv_i8_dotprod", TILE, PANEL, packed_bytes, pack, NULL, run, PIXELS};
    kernels_init_depthwise_dotprod(kernels);
    kernels_init_probe_dotprod(kernels);
}
