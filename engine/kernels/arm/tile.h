/* SPDX-License-Identifier: MIT */
/*
 * Pieces of the inner loops of SDOT convolutions. They are assembly: GCC copies registers that
 * are loaded four at a time, and keeps accumulators in memory where there are many; that is a fifth more
 * instructions. Inputs are in v0 to v7, weights in v4 or v8 to v15; sum0 to sum3 are operands of four
 * registers each, written with the letters S, T, U and V. mla(sum, w, a, lane) is one multiplication.
 */
#ifndef PIPIT_ENGINE_KERNELS_ARM_TILE_H
#define PIPIT_ENGINE_KERNELS_ARM_TILE_H

#define TILE_SUMS   [sum0] "+w"(sum0), [sum1] "+w"(sum1), [sum2] "+w"(sum2), [sum3] "+w"(sum3)
#define TILE_ROWS_4 [a0] "+r"(a[0]), [a1] "+r"(a[1]), [a2] "+r"(a[2]), [a3] "+r"(a[3])
#define TILE_ROWS_8 TILE_ROWS_4, [a4] "+r"(a[4]), [a5] "+r"(a[5]), [a6] "+r"(a[6]), [a7] "+r"(a[7])
#define TILE_SCRATCH                                                                                         \
    "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",  \
        "v14", "v15"

/* The next bytes of 4 pixels, of 8: `what` is q, d or s. */
#define TILE_LOAD_4(what, bytes)                                                                             \
    "ldr " what "0, [%[a0]], #" bytes "\nldr " what "1, [%[a1]], #" bytes "\n"                               \
    "ldr " what "2, [%[a2]], #" bytes "\nldr " what "3, [%[a3]], #" bytes "\n"
#define TILE_LOAD_8(what, bytes)                                                                             \
    TILE_LOAD_4(what, bytes)                                                                                 \
    "ldr " what "4, [%[a4]], #" bytes "\nldr " what "5, [%[a5]], #" bytes "\n"                               \
    "ldr " what "6, [%[a6]], #" bytes "\nldr " what "7, [%[a7]], #" bytes "\n"

/* A lane of a pixel's input times 16 channels' weights. */
#define TILE_MLA_16(mla, sum, a, lane, w0, w1, w2, w3)                                                       \
    mla("%S[" sum "]", w0, a, lane) mla("%T[" sum "]", w1, a, lane) mla("%U[" sum "]", w2, a, lane)          \
        mla("%V[" sum "]", w3, a, lane)
/* 4 pixels. */
#define TILE_STEP_16(mla, lane, a0, a1, a2, a3, w0, w1, w2, w3)                                              \
    "ld1 {" w0 ".4s-" w3 ".4s}, [%[w]], #64\n" TILE_MLA_16(mla, "sum0", a0, lane, w0, w1, w2, w3)            \
        TILE_MLA_16(mla, "sum1", a1, lane, w0, w1, w2, w3)                                                   \
            TILE_MLA_16(mla, "sum2", a2, lane, w0, w1, w2, w3)                                               \
                TILE_MLA_16(mla, "sum3", a3, lane, w0, w1, w2, w3)
/* 8 pixels, of which two have their 8 channels in one operand. */
#define TILE_MLA_2X8(mla, sum, a0, a1, lane, w0, w1)                                                         \
    mla("%S[" sum "]", w0, a0, lane) mla("%T[" sum "]", w1, a0, lane) mla("%U[" sum "]", w0, a1, lane)       \
        mla("%V[" sum "]", w1, a1, lane)
#define TILE_STEP_8(mla, lane, w0, w1)                                                                       \
    TILE_MLA_2X8(mla, "sum0", "v0", "v1", lane, w0, w1)                                                      \
    TILE_MLA_2X8(mla, "sum1", "v2", "v3", lane, w0, w1)                                                      \
    TILE_MLA_2X8(mla, "sum2", "v4", "v5", lane, w0, w1)                                                      \
    TILE_MLA_2X8(mla, "sum3", "v6", "v7", lane, w0, w1)
/* Four lanes. */
#define TILE_LOOP_8(mla)                                                                                     \
    "1:\n" TILE_LOAD_8("q", "16") "ld1 {v8.4s-v11.4s}, [%[w]], #64\nld1 {v12.4s-v15.4s}, [%[w]], #64\n"      \
                                  "subs %w[n], %w[n], #1\n" TILE_STEP_8(mla, "0", "v8", "v9")                \
                                      TILE_STEP_8(mla, "1", "v10", "v11")                                    \
                                          TILE_STEP_8(mla, "2", "v12", "v13")                                \
                                              TILE_STEP_8(mla, "3", "v14", "v15") "b.ne 1b\n"
#define TILE_REST_8(mla)                                                                                     \
    TILE_LOAD_8("s", "4") "ld1 {v8.4s, v9.4s}, [%[w]], #32\n" TILE_STEP_8(mla, "0", "v8", "v9")
/* Sums of 4 pixels by 16 channels, and of 8 by 8: biases, then all taps' products. Each tap's depth is
 * `words` of 4 bytes: the largest piece of it over and over, the rest by the bits of its length. */
#define TILE_BIAS                                                                                            \
    "ld1 {%S[sum0].4s-%V[sum0].4s}, [%[bias]]\nld1 {%S[sum1].4s-%V[sum1].4s}, [%[bias]]\n"                   \
    "ld1 {%S[sum2].4s-%V[sum2].4s}, [%[bias]]\nld1 {%S[sum3].4s-%V[sum3].4s}, [%[bias]]\n"
#define TILE_PIXELS_4                                                                                        \
    "ldr %[a0], [%[in]], #8\nadd %[a0], %[a0], %[at]\nadd %[a1], %[a0], %[step]\n"                           \
    "add %[a2], %[a1], %[step]\nadd %[a3], %[a2], %[step]\n"
#define TILE_PIXELS_8                                                                                        \
    TILE_PIXELS_4                                                                                            \
    "add %[a4], %[a3], %[step]\nadd %[a5], %[a4], %[step]\nadd %[a6], %[a5], %[step]\n"                      \
    "add %[a7], %[a6], %[step]\n"
#define TILE_STEPS_16(mla, a0, a1, a2, a3)                                                                   \
    TILE_STEP_16(mla, "0", a0, a1, a2, a3, "v8", "v9", "v10", "v11")                                         \
    TILE_STEP_16(mla, "1", a0, a1, a2, a3, "v12", "v13", "v14", "v15")                                       \
    TILE_STEP_16(mla, "2", a0, a1, a2, a3, "v8", "v9", "v10", "v11")                                         \
    TILE_STEP_16(mla, "3", a0, a1, a2, a3, "v12", "v13", "v14", "v15")
#define TILE_4X16(mla)                                                                                       \
    TILE_BIAS "0:\nlsr %w[n], %w[words], #3\n" TILE_PIXELS_4 "cbz %w[n], 2f\n1:\n"                           \
              "ld1 {v0.4s, v1.4s}, [%[a0]], #32\nld1 {v2.4s, v3.4s}, [%[a1]], #32\n"                         \
              "ld1 {v4.4s, v5.4s}, [%[a2]], #32\nld1 {v6.4s, v7.4s}, [%[a3]], #32\n"                         \
              "subs %w[n], %w[n], #1\n" TILE_STEPS_16(mla, "v0", "v2", "v4", "v6") TILE_STEPS_16(            \
                  mla, "v1", "v3", "v5",                                                                     \
                  "v7") "b.ne 1b\n2:\n"                                                                      \
                        "tbz %w[words], #2, 3f\n" TILE_LOAD_4("q", "16") TILE_STEPS_16(                      \
                            mla, "v0", "v1", "v2", "v3") "3:\ntbz %w[words], #1, 4f\n" TILE_LOAD_4("d", "8") \
                            TILE_STEP_16(mla, "0", "v0", "v1", "v2", "v3", "v8", "v9", "v10", "v11")         \
                                TILE_STEP_16(mla, "1", "v0", "v1", "v2", "v3", "v12", "v13", "v14",          \
                                             "v15") "4:\ntbz %w[words], #0, 5f\n" TILE_LOAD_4("s", "4")      \
                                    TILE_STEP_16(mla, "0", "v0", "v1", "v2", "v3", "v8", "v9", "v10",        \
                                                 "v11") "5:\nsubs %w[taps], %w[taps], #1\nb.ne 0b\n"
#define TILE_8X8(mla)                                                                                        \
    TILE_BIAS "0:\nlsr %w[n], %w[words], #2\n" TILE_PIXELS_8                                                 \
              "cbz %w[n], 2f\n" TILE_LOOP_8(mla) "2:\ntbz %w[words], #1, 3f\n" TILE_LOAD_8(                  \
                  "d", "8") "ld1 {v8.4s-v11.4s}, [%[w]], #64\n" TILE_STEP_8(mla, "0", "v8", "v9")            \
                  TILE_STEP_8(mla, "1", "v10", "v11") "3:\ntbz %w[words], #0, 4f\n" TILE_REST_8(             \
                      mla) "4:\nsubs %w[taps], %w[taps], #1\nb.ne 0b\n"
#define TILE_OUT                                                                                             \
    [sum0] "=&w"(sum0), [sum1] "=&w"(sum1), [sum2] "=&w"(sum2), [sum3] "=&w"(sum3), [a0] "=&r"(a[0]),        \
        [a1] "=&r"(a[1]), [a2] "=&r"(a[2]), [a3] "=&r"(a[3]), [in] "+r"(in), [w] "+r"(w), [taps] "+r"(taps), \
        [n] "=&r"(n)
#define TILE_OUT_8 TILE_OUT, [a4] "=&r"(a[4]), [a5] "=&r"(a[5]), [a6] "=&r"(a[6]), [a7] "=&r"(a[7])
#define TILE_IN    [bias] "r"(bias), [words] "r"(words), [at] "r"(at), [step] "r"(step)

/* One pixel. */
#define TILE_STEP_1(mla, lane, w0, w1, w2, w3)                                                               \
    "ld1 {" w0 ".4s-" w3 ".4s}, [%[w]], #64\n" TILE_MLA_16(mla, "sum", "v0", lane, w0, w1, w2, w3)
#define TILE_LOOP_1(mla)                                                                                     \
    "1:\nldr q0, [%[a]], #16\nsubs %w[n], %w[n], #1\n" TILE_STEP_1(mla, "0", "v8", "v9", "v10", "v11")       \
        TILE_STEP_1(mla, "1", "v12", "v13", "v14", "v15") TILE_STEP_1(mla, "2", "v8", "v9", "v10", "v11")    \
            TILE_STEP_1(mla, "3", "v12", "v13", "v14", "v15") "b.ne 1b\n"
#define TILE_REST_1(mla) "ldr s0, [%[a]], #4\n" TILE_STEP_1(mla, "0", "v8", "v9", "v10", "v11")

#endif
