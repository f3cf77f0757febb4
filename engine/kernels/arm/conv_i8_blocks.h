/* SPDX-License-Identifier: MIT */
/* Part of conv_i8.h: blocks of pixels by a panel. */
#include "engine/kernels/arm/narrow_i8.h"

struct work {
    const struct head_i8 *head;
    const void *const *in;
    size_t in_step, out_step;
    unsigned taps, words, rest; /* rest: what the largest pieces leave of the words */
    int8_t *out;                /* the panel's first channel of the first pixel */
    const int32_t *less;        /* of each pixel: the sum of its inputs times head.zero; NULL: that is 0 */
    int32_t narrow;             /* the zero point of the output, or what turns 0 .. 255 into -128 .. 127 */
};

/* ---- sums ---- */

#define BIAS_1 "ld1 {v16.4s-v19.4s}, [%[bias]]\n"
#define BIAS_4                                                                                               \
    BIAS_1 "ld1 {v20.4s-v23.4s}, [%[bias]]\nld1 {v24.4s-v27.4s}, [%[bias]]\nld1 {v28.4s-v31.4s}, "           \
           "[%[bias]]\n"
#define PIXELS_1 "ldr x2, [x10], #8\nadd x2, x2, %[at]\n"
#define PIXELS_4 PIXELS_1 "add x3, x2, %[step]\nadd x4, x3, %[step]\nadd x5, x4, %[step]\n"
#define PIXELS_8                                                                                             \
    PIXELS_4 "add x6, x5, %[step]\nadd x7, x6, %[step]\nadd x8, x7, %[step]\nadd x9, x8, %[step]\n"
#define TAPS(pixels, tap)                                                                                    \
    "mov x10, %[in]\nadd x11, %[bias], #272\nmov w12, %w[taps]\n0:\n" pixels tap                             \
    "subs w12, w12, #1\nb.ne 0b\n"
#define TAPS_IN                                                                                              \
    [bias] "r"(work->head->bias), [in] "r"(work->in), [taps] "r"(work->taps), [words] "r"(work->words),      \
        [rest] "r"(work->rest), [step] "r"(work->in_step)
#define TAPS_SCRATCH                                                                                         \
    "cc", "memory", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "v0", "v1",  \
        "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16",     \
        "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30",    \
        "v31"
_Static_assert(sizeof(struct head_i8) == 272, "TAPS");

/* Sums of the pixels from `first` on, one behind the other. */
typedef void sums_fn(const struct work *work, int first, int32_t *to);
#define SUMS(name, bias, pixels, tap, store)                                                                 \
    static void name(const struct work *work, int first, int32_t *to)                                        \
    {                                                                                                        \
        __asm__ volatile(bias TAPS(pixels, tap) store                                                        \
                         : [to] "+&r"(to)                                                                    \
                         : TAPS_IN, [at] "r"((size_t)first * work->in_step)                                  \
                         : TAPS_SCRATCH);                                                                    \
    }
#define STORE_1 "st1 {v16.4s-v19.4s}, [%[to]], #64\n"
#define STORE_4                                                                                              \
    STORE_1 "st1 {v20.4s-v23.4s}, [%[to]], #64\nst1 {v24.4s-v27.4s}, [%[to]], #64\nst1 {v28.4s-v31.4s}, "    \
            "[%[to]]\n"
#define STORE_HALF "st1 {v16.4s, v17.4s}, [%[to]]\n"
SUMS(sums_4x16, BIAS_4, PIXELS_4, TAP_4X16, STORE_4)
SUMS(sums_8x8, BIAS_4, PIXELS_8, TAP_8X8, STORE_4)
SUMS(sums_1x16, BIAS_1, PIXELS_1, TAP_1X16, STORE_1)
SUMS(sums_1x8, BIAS_1, PIXELS_1, TAP_1X8, STORE_HALF)
SUMS(careful_4x16, BIAS_4, PIXELS_4, CAREFUL_4X16, STORE_4)
SUMS(careful_8x8, BIAS_4, PIXELS_8, CAREFUL_8X8, STORE_4)
SUMS(careful_1x16, BIAS_1, PIXELS_1, CAREFUL_1X16, STORE_1)
SUMS(careful_1x8, BIAS_1, PIXELS_1, CAREFUL_1X8, STORE_HALF)
static sums_fn *const sums[2][2][2] = {
    /* by head.own, width, whether it is one pixel */
    {{sums_4x16, sums_1x16}, {sums_8x8, sums_1x8}},
    {{careful_4x16, careful_1x16}, {careful_8x8, careful_1x8}},
};

/* ---- blocks with the finish in the assembly: all channels count, and narrowing is the only clamp ---- */

#define LESS_1(x, a, b, c, d)                                                                                \
    "sub " a ".4s, " a ".4s, " x ".4s\nsub " b ".4s, " b ".4s, " x ".4s\n"                                   \
    "sub " c ".4s, " c ".4s, " x ".4s\nsub " d ".4s, " d ".4s, " x ".4s\n"
#define LESS_4X16                                                                                            \
    "ld4r {v0.4s-v3.4s}, [%[less]], #16\n" LESS_1("v0", "v16", "v17", "v18", "v19")                          \
        LESS_1("v1", "v20", "v21", "v22", "v23") LESS_1("v2", "v24", "v25", "v26", "v27")                    \
            LESS_1("v3", "v28", "v29", "v30", "v31")
#define LESS_2(x, a, b) "sub " a ".4s, " a ".4s, " x ".4s\nsub " b ".4s, " b ".4s, " x ".4s\n"
#define LESS_8X8                                                                                             \
    "ld4r {v0.4s-v3.4s}, [%[less]], #16\nld4r {v4.4s-v7.4s}, [%[less]], #16\n" LESS_2("v0", "v16", "v17")    \
        LESS_2("v1", "v18", "v19") LESS_2("v2", "v20", "v21") LESS_2("v3", "v22", "v23")                     \
            LESS_2("v4", "v24", "v25") LESS_2("v5", "v26", "v27") LESS_2("v6", "v28", "v29")                 \
                LESS_2("v7", "v30", "v31")

#define TO_16(a)  "st1 {" a ".16b}, [%[to]], %[out_step]\n"
#define TO_2X8(a) "st1 {" a ".d}[0], [%[to]], %[out_step]\nst1 {" a ".d}[1], [%[to]], %[out_step]\n"
#define FINISH_4(finish, to)                                                                                 \
    finish##_LOAD finish("v16", "v17", "v18", "v19") to("v16") finish("v20", "v21", "v22", "v23") to("v20")  \
        finish("v24", "v25", "v26", "v27") to("v24") finish("v28", "v29", "v30", "v31") to("v28")

/* `blocks` of them, of `each` pixels, from `first` on. */
typedef void plain_fn(const struct work *work, int first, int blocks);
#define PLAIN_OUT                                                                                            \
    [out_step] "r"(work->out_step), [narrow] "r"(work->narrow), [multiplier] "r"(work->head->multiplier),    \
        [shift] "r"(work->head->shift), [lift] "r"(work->head->lift)
#define PLAIN(name, each, pixels, tap, less_, finish, store)                                                 \
    static void name(const struct work *work, int first, int blocks)                                         \
    {                                                                                                        \
        size_t at = (size_t)first * work->in_step;                                                           \
        int8_t *to = work->out + (size_t)first * work->out_step;                                             \
        const int32_t *less = work->less ? work->less + first : NULL;                                        \
        __asm__ volatile("6:\n" BIAS_4 TAPS(pixels, tap)                                                     \
                             less_ FINISH_4(finish, store) "add %[at], %[at], %[step], lsl #" each           \
                                                           "\nsubs %w[blocks], %w[blocks], #1\nb.ne 6b\n"    \
                         : [to] "+&r"(to), [at] "+&r"(at), [blocks] "+&r"(blocks), [less] "+&r"(less)        \
                         : TAPS_IN, PLAIN_OUT                                                                \
                         : TAPS_SCRATCH);                                                                    \
    }
#define PLAINS(each, pixels, tap, size, less, store)                                                         \
    PLAIN(clamp_##size, #each, pixels, tap, "", CLAMP, store)                                                \
    PLAIN(round_##size, #each, pixels, tap, "", ROUND, store)                                                \
    PLAIN(clamp_less_##size, #each, pixels, tap, less, CLAMP, store)                                         \
    PLAIN(round_less_##size, #each, pixels, tap, less, ROUND, store)
PLAINS(2, PIXELS_4, TAP_4X16, 4x16, LESS_4X16, TO_16)
PLAINS(3, PIXELS_8, TAP_8X8, 8x8, LESS_8X8, TO_2X8)
enum { FOR_TAPS, FOR_LESS };
static plain_fn *const plain[2][2][2] = {
    /* by width, which of these, whether values are signed */
    {{clamp_4x16, round_4x16}, {clamp_less_4x16, round_less_4x16}},
    {{clamp_8x8, round_8x8}, {clamp_less_8x8, round_less_8x8}},
};
