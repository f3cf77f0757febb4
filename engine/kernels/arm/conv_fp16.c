/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/arm/fp16.h"
#include "engine/kernels/arm/tile.h"

/* 8 pixels by 16 channels: 16 accumulators, 8 registers of input and 8 of weights, two steps of depth in each
 * four of them. What is left of the channels, if no more than 8, is a panel of 8. */
enum { TILE = 8, PANEL = 16, HALF = 8, BIAS = 32, DEPTH = 8 };

/* A panel is its bias, as often as fills 32 elements, then weight[taps * depth][width]. */
struct panel {
    const struct conv *conv;
    const struct conv_tile *tile;
    const struct finisher *finisher;
    const float16_t *packed;
    float16_t *out; /* of the first pixel */
    int columns;    /* that are there, of the panel's width */
};

static size_t steps(const struct conv *conv)
{
    return (size_t)conv->taps * (size_t)conv->depth;
}

static int width(const struct conv *conv, int first)
{
    return conv->channels - first <= HALF ? HALF : PANEL;
}

static size_t panel_bytes(const struct conv *conv, int width)
{
    return (BIAS + steps(conv) * (size_t)width) * sizeof(float16_t);
}

static size_t packed_bytes(const struct conv *conv)
{
    int last = (conv->channels - 1) / PANEL * PANEL;
    return (size_t)(last / PANEL) * panel_bytes(conv, PANEL) + panel_bytes(conv, width(conv, last));
}

static void pack_panel(const struct conv *conv, const struct conv_weights *weights, int first, float16_t *to)
{
    const float factor = finish_factor(conv->hard_swish);
    int n = width(conv, first);
    for (int j = 0; j < n && first + j < conv->channels; j++) {
        const float *from = weights->f32 + (size_t)(first + j) * steps(conv);
        for (int copy = j; copy < BIAS; copy += n)
            to[copy] = (float16_t)(weights->bias_f32 ? weights->bias_f32[first + j] * factor : 0);
        for (size_t k = 0; k < steps(conv); k++)
            to[BIAS + k * (size_t)n + (size_t)j] = (float16_t)(from[k] * factor);
    }
}

static void pack(const struct conv *conv, const struct conv_weights *weights, void *packed)
{
    memset(packed, 0, packed_bytes(conv));
    for (int j = 0; j < conv->channels; j += PANEL)
        pack_panel(conv, weights, j,
                   (void *)((char *)packed + (size_t)(j / PANEL) * panel_bytes(conv, PANEL)));
}

/* ---- what blocks are made of: assembly, as the compiler moves and stores sums between its pieces ---- */

#define MLA(sum, w, a, lane)              "fmla " sum ".8h, " w ".8h, " a ".h[" lane "]\n"
#define PIXEL_16(s0, s1, a, lane, w0, w1) MLA(s0, w0, a, lane) MLA(s1, w1, a, lane)
/* A step of depth. Inputs are in v0 to v7, weights in v8 to v15, sums in v16 to v31, a pixel's 16 channels in
 * two registers side by side. */
#define STEP_4X16(lane, w0, w1)                                                                              \
    PIXEL_16("v16", "v17", "v0", lane, w0, w1)                                                               \
    PIXEL_16("v18", "v19", "v1", lane, w0, w1)                                                               \
    PIXEL_16("v20", "v21", "v2", lane, w0, w1) PIXEL_16("v22", "v23", "v3", lane, w0, w1)
#define STEP_8X16(lane, w0, w1)                                                                              \
    STEP_4X16(lane, w0, w1)                                                                                  \
    PIXEL_16("v24", "v25", "v4", lane, w0, w1)                                                               \
    PIXEL_16("v26", "v27", "v5", lane, w0, w1)                                                               \
    PIXEL_16("v28", "v29", "v6", lane, w0, w1) PIXEL_16("v30", "v31", "v7", lane, w0, w1)
#define STEP_4X8(lane, w)                                                                                    \
    MLA("v16", w, "v0", lane) MLA("v17", w, "v1", lane) MLA("v18", w, "v2", lane) MLA("v19", w, "v3", lane)
#define STEP_8X8(lane, w)                                                                                    \
    STEP_4X8(lane, w)                                                                                        \
    MLA("v20", w, "v4", lane) MLA("v21", w, "v5", lane) MLA("v22", w, "v6", lane) MLA("v23", w, "v7", lane)

#define WEIGHTS_LOW  "ld1 {v8.8h-v11.8h}, [%[w]], #64\n"
#define WEIGHTS_HIGH "ld1 {v12.8h-v15.8h}, [%[w]], #64\n"
/* 8 steps; one. */
#define LOOP(load, body) load WEIGHTS_LOW WEIGHTS_HIGH "subs %w[n], %w[n], #1\n" body
#define LOOP_16(load, step)                                                                                  \
    LOOP(load, step("0", "v8", "v9") step("1", "v10", "v11") WEIGHTS_LOW step("2", "v12", "v13")             \
                   step("3", "v14", "v15") WEIGHTS_HIGH step("4", "v8", "v9") step("5", "v10", "v11")        \
                       step("6", "v12", "v13") step("7", "v14", "v15"))
#define LOOP_8(load, step)                                                                                   \
    LOOP(load, step("0", "v8") step("1", "v9") step("2", "v10") step("3", "v11") step("4", "v12")            \
                   step("5", "v13") step("6", "v14") step("7", "v15"))
#define REST_16(load, step) load "ld1 {v8.8h, v9.8h}, [%[w]], #32\n" step("0", "v8", "v9")
#define REST_8(load, step)  load "ldr q8, [%[w]], #16\n" step("0", "v8")

/* One pixel: eight sums of every fourth step, or of every one, so that they need not wait for each other. */
#define LOAD_1(what, bytes) "ldr " what "0, [%[a0]], #" bytes "\n"
#define PAIR_1X16(lane0, lane1, s0, s1, s2, s3, w0, w1, w2, w3)                                              \
    PIXEL_16(s0, s1, "v0", lane0, w0, w1) PIXEL_16(s2, s3, "v0", lane1, w2, w3)
#define LOOP_1X16                                                                                            \
    LOOP(LOAD_1("q", "16"),                                                                                  \
         PAIR_1X16("0", "1", "v16", "v17", "v18", "v19", "v8", "v9", "v10", "v11")                           \
             WEIGHTS_LOW PAIR_1X16("2", "3", "v20", "v21", "v22", "v23", "v12", "v13", "v14", "v15")         \
                 WEIGHTS_HIGH PAIR_1X16("4", "5", "v16", "v17", "v18", "v19", "v8", "v9", "v10", "v11")      \
                     PAIR_1X16("6", "7", "v20", "v21", "v22", "v23", "v12", "v13", "v14", "v15"))
#define LOOP_1X8                                                                                             \
    LOOP(LOAD_1("q", "16"),                                                                                  \
         MLA("v16", "v8", "v0", "0") MLA("v17", "v9", "v0", "1") MLA("v18", "v10", "v0", "2")                \
             MLA("v19", "v11", "v0", "3") MLA("v20", "v12", "v0", "4") MLA("v21", "v13", "v0", "5")          \
                 MLA("v22", "v14", "v0", "6") MLA("v23", "v15", "v0", "7"))
#define REST_1X16                                                                                            \
    LOAD_1("h", "2") "ld1 {v8.8h, v9.8h}, [%[w]], #32\n" PIXEL_16("v16", "v17", "v0", "0", "v8", "v9")
#define REST_1X8      LOAD_1("h", "2") "ldr q8, [%[w]], #16\n" MLA("v16", "v8", "v0", "0")
#define ADD(to, from) "fadd " to ".8h, " to ".8h, " from ".8h\n"
#define ADD_1X16                                                                                             \
    ADD("v16", "v18")                                                                                        \
    ADD("v17", "v19") ADD("v20", "v22") ADD("v21", "v23") ADD("v16", "v20") ADD("v17", "v21")
#define ADD_1X8                                                                                              \
    ADD("v16", "v17")                                                                                        \
    ADD("v18", "v19")                                                                                        \
    ADD("v20", "v21") ADD("v22", "v23") ADD("v16", "v18") ADD("v20", "v22") ADD("v16", "v20")

/* Sums begin with the bias. */
#define ZERO(reg)       "movi " reg ".2d, #0\n"
#define BIAS_4          "ld1 {v16.8h-v19.8h}, [%[w]]\n"
#define BIAS_8          BIAS_4 "ld1 {v20.8h-v23.8h}, [%[w]]\n"
#define BIAS_16         BIAS_8 "ld1 {v24.8h-v27.8h}, [%[w]]\nld1 {v28.8h-v31.8h}, [%[w]]\n"
#define BIAS_1X16       BIAS_4 ZERO("v18") ZERO("v19") ZERO("v20") ZERO("v21") ZERO("v22") ZERO("v23")
#define BIAS_1X8        BIAS_1X16 ZERO("v17")

#define NEXT(row, last) "add %[" row "], %[" last "], %[step]\n"
#define NEXT_4          NEXT("a1", "a0") NEXT("a2", "a1") NEXT("a3", "a2")
#define NEXT_8          NEXT_4 NEXT("a4", "a3") NEXT("a5", "a4") NEXT("a6", "a5") NEXT("a7", "a6")

/* The activation of registers, by its kind; and its temporary registers. */
#define EACH_1(of) of("v16", "v4")
#define EACH_2(of) EACH_1(of) of("v17", "v5")
#define EACH_4(of) EACH_2(of) of("v18", "v6") of("v19", "v7")
#define EACH_8(of) EACH_4(of) of("v20", "v4") of("v21", "v5") of("v22", "v6") of("v23", "v7")
#define EACH_16(of)                                                                                          \
    EACH_8(of)                                                                                               \
    of("v24", "v4") of("v25", "v5") of("v26", "v6") of("v27", "v7") of("v28", "v4") of("v29", "v5")          \
        of("v30", "v6") of("v31", "v7")
#define MAX(v, t) "fmax " v ".8h, " v ".8h, v0.8h\n"
#define MIN(v, t) "fmin " v ".8h, " v ".8h, v1.8h\n"
#define SWISH(v, t)                                                                                          \
    "frsqrts " t ".8h, " v ".8h, v2.8h\nfmax " t ".8h, " t ".8h, v0.8h\nfmin " t ".8h, " t ".8h, v1.8h\n"    \
    "fmul " v ".8h, " v ".8h, " t ".8h\n"
#define FINISH(each)                                                                                         \
    "cbz %w[kind], 9f\nldp q0, q1, [%[limits]]\ncmp %w[kind], #2\nb.eq 7f\nb.hi 8f\n" each(                  \
        MAX) "b 9f\n7:\n" each(MAX) each(MIN) "b 9f\n8:\nldr q2, [%[limits], #32]\n" each(SWISH) "9:\n"

#define STORE_2(s0, s1) "st1 {" s0 ".8h, " s1 ".8h}, [%[out]], %[apart]\n"
#define STORE_4X16      STORE_2("v16", "v17") STORE_2("v18", "v19") STORE_2("v20", "v21") STORE_2("v22", "v23")
#define STORE_8X16                                                                                           \
    STORE_4X16 STORE_2("v24", "v25") STORE_2("v26", "v27") STORE_2("v28", "v29") STORE_2("v30", "v31")
#define STORE_1(s0) "st1 {" s0 ".8h}, [%[out]], %[apart]\n"
#define STORE_4X8   STORE_1("v16") STORE_1("v17") STORE_1("v18") STORE_1("v19")
#define STORE_8X8   STORE_4X8 STORE_1("v20") STORE_1("v21") STORE_1("v22") STORE_1("v23")

/* The block that begins at pixel `first`. `bias` begins, `next` sets a tap's rows behind the first, `loop`
 * makes 8 steps of depth and `rest` one, `finish` and `store` end. Goes to a buffer first where the panel is
 * not full. */
#define BLOCK(name, pixels, width, bias, next, loop, rest, finish, store)                                    \
    static inline __attribute__((always_inline)) void name(const struct panel *p, int first)                 \
    {                                                                                                        \
        const void *const *in = p->tile->in;                                                                 \
        const float16_t *w = p->packed;                                                                      \
        const char *a0, *a1, *a2, *a3, *a4, *a5, *a6, *a7;                                                   \
        float16_t all[(pixels) * (width)], *out = p->out + (size_t)first * p->tile->out_stride, *to = out;   \
        size_t apart = p->tile->out_stride * sizeof(*out);                                                   \
        int taps = p->conv->taps, n;                                                                         \
        if (p->columns < (width)) {                                                                          \
            to = all;                                                                                        \
            apart = (width) * sizeof(*all);                                                                  \
        }                                                                                                    \
        __asm__ volatile(                                                                                    \
            bias "add %[w], %[w], #64\n"                                                                     \
                 "1:\nldr %[a0], [%[in]], #8\nadd %[a0], %[a0], %[first]\n" next                             \
                 "lsr %w[n], %w[depth], #3\ncbz %w[n], 3f\n2:\n" loop "b.ne 2b\n3:\n"                        \
                 "ands %w[n], %w[depth], #7\nb.eq 5f\n4:\n" rest                                             \
                 "subs %w[n], %w[n], #1\nb.ne 4b\n5:\nsubs %w[taps], %w[taps], #1\nb.ne 1b\n" finish store   \
            : [a0] "=&r"(a0), [a1] "=&r"(a1), [a2] "=&r"(a2), [a3] "=&r"(a3), [a4] "=&r"(a4),                \
              [a5] "=&r"(a5), [a6] "=&r"(a6), [a7] "=&r"(a7), [in] "+r"(in), [w] "+r"(w), [taps] "+r"(taps), \
              [n] "=&r"(n), [out] "+r"(to)                                                                   \
            : [first] "r"((size_t)first * p->tile->in_step), [step] "r"(p->tile->in_step),                   \
              [depth] "r"(p->conv->depth), [limits] "r"(&p->finisher->low), [kind] "r"(p->finisher->kind),   \
              [apart] "r"(apart)                                                                             \
            : TILE_SCRATCH, "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26",     \
              "v27", "v28", "v29", "v30", "v31");                                                            \
        if (p->columns < (width))                                                                            \
            copy_columns(p, out, all, pixels, width);                                                        \
    }

static void copy_columns(const struct panel *p, float16_t *out, const float16_t *from, int pixels, int width)
{
    for (int i = 0; i < pixels; i++, out += p->tile->out_stride, from += width)
        memcpy(out, from, (size_t)p->columns * sizeof(*out));
}

BLOCK(block_8x16, 8, PANEL, BIAS_16, NEXT_8, LOOP_16(TILE_LOAD_8("q", "16"), STEP_8X16),
      REST_16(TILE_LOAD_8("h", "2"), STEP_8X16), FINISH(EACH_16), STORE_8X16)
BLOCK(block_4x16, 4, PANEL, BIAS_8, NEXT_4, LOOP_16(TILE_LOAD_4("q", "16"), STEP_4X16),
      REST_16(TILE_LOAD_4("h", "2"), STEP_4X16), FINISH(EACH_8), STORE_4X16)
BLOCK(block_8x8, 8, HALF, BIAS_8, NEXT_8, LOOP_8(TILE_LOAD_8("q", "16"), STEP_8X8),
      REST_8(TILE_LOAD_8("h", "2"), STEP_8X8), FINISH(EACH_8), STORE_8X8)
BLOCK(block_4x8, 4, HALF, BIAS_4, NEXT_4, LOOP_8(TILE_LOAD_4("q", "16"), STEP_4X8),
      REST_8(TILE_LOAD_4("h", "2"), STEP_4X8), FINISH(EACH_4), STORE_4X8)
BLOCK(block_1x16, 1, PANEL, BIAS_1X16, "", LOOP_1X16, REST_1X16, ADD_1X16 FINISH(EACH_2),
      STORE_2("v16", "v17"))
BLOCK(block_1x8, 1, HALF, BIAS_1X8, "", LOOP_1X8, REST_1X8, ADD_1X8 FINISH(EACH_1), STORE_1("v16"))

/* Blocks of 8, of 4 and of 1; a block at the end may start earlier and make some pixels twice. */
#define BLOCKS(name, eight, four, one)                                                                       \
    static void name(const struct panel *panel)                                                              \
    {                                                                                                        \
        const struct panel p = *panel;                                                                       \
        int i = 0, n = p.tile->pixels;                                                                       \
        for (; n - i >= 6 && n >= 8; i += 8) {                                                               \
            i = n - i < 8 ? n - 8 : i;                                                                       \
            eight(&p, i);                                                                                    \
        }                                                                                                    \
        if (n - i >= 2 && n >= 4) {                                                                          \
            i = n - i < 4 ? n - 4 : i;                                                                       \
            four(&p, i);                                                                                     \
            i += 4;                                                                                          \
        }                                                                                                    \
        for (; i < n; i++)                                                                                   \
            one(&p, i);                                                                                      \
    }
BLOCKS(panel_16, block_8x16, block_4x16, block_1x16)
BLOCKS(panel_8, block_8x8, block_4x8, block_1x8)

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    const struct finisher finisher = finisher_of(conv->min_f32, conv->max_f32, conv->hard_swish);
    struct panel p = {.conv = conv, .tile = tile, .finisher = &finisher};
    for (int j = tile->from; j < tile->to; j += PANEL) {
        int left = conv->channels - j;
        p.packed =
            (const void *)((const char *)conv->packed + (size_t)(j / PANEL) * panel_bytes(conv, PANEL));
        p.out = (float16_t *)tile->out + j;
        p.columns = left < PANEL ? left : PANEL;
        if (left <= HALF)
            panel_8(&p);
        else
            panel_16(&p);
    }
}

void kernels_init_conv_fp16(struct kernels *kernels)
{
    kernels->conv_f16 = (struct conv_kernel){"conv_f16_fp16", TILE, PANEL, packed_bytes, pack, NULL, run};
}
