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
    struct finisher finisher;
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

/* ---- what blocks are made of ---- */

#define MLA(sum, w, a, lane) "fmla " sum ".8h, " w ".8h, " a ".h[" lane "]\n"
/* Four pixels of 8 channels. */
#define MLA_4X8(sum, a0, a1, a2, a3, lane, w)                                                                \
    MLA("%S[" sum "]", w, a0, lane)                                                                          \
    MLA("%T[" sum "]", w, a1, lane) MLA("%U[" sum "]", w, a2, lane) MLA("%V[" sum "]", w, a3, lane)

#define STEP_8X16(lane, w0, w1) TILE_STEP_8(MLA, lane, w0, w1)
#define STEP_4X16(lane, w0, w1)                                                                              \
    TILE_MLA_2X8(MLA, "sum0", "v0", "v1", lane, w0, w1) TILE_MLA_2X8(MLA, "sum1", "v2", "v3", lane, w0, w1)
#define STEP_8X8(lane, w)                                                                                    \
    MLA_4X8("sum0", "v0", "v1", "v2", "v3", lane, w) MLA_4X8("sum1", "v4", "v5", "v6", "v7", lane, w)
#define STEP_4X8(lane, w) MLA_4X8("sum0", "v0", "v1", "v2", "v3", lane, w)
/* One pixel: sums of every fourth step of depth, so that they need not wait for each other. */
#define STEP_1X16(lane0, lane1, sum, w0, w1, w2, w3)                                                         \
    MLA("%S[" sum "]", w0, "v0", lane0)                                                                      \
    MLA("%T[" sum "]", w1, "v0", lane0)                                                                      \
    MLA("%U[" sum "]", w2, "v0", lane1) MLA("%V[" sum "]", w3, "v0", lane1)
#define STEP_1X8(lane0, lane1, lane2, lane3, sum, w0, w1, w2, w3)                                            \
    MLA("%S[" sum "]", w0, "v0", lane0)                                                                      \
    MLA("%T[" sum "]", w1, "v0", lane1)                                                                      \
    MLA("%U[" sum "]", w2, "v0", lane2) MLA("%V[" sum "]", w3, "v0", lane3)

#define WEIGHTS_LOW      "ld1 {v8.8h-v11.8h}, [%[w]], #64\n"
#define WEIGHTS_HIGH     "ld1 {v12.8h-v15.8h}, [%[w]], #64\n"
#define LOOP(load, body) "1:\n" load WEIGHTS_LOW WEIGHTS_HIGH "subs %w[n], %w[n], #1\n" body "b.ne 1b\n"
#define LOOP_16(load, step)                                                                                  \
    LOOP(load, step("0", "v8", "v9") step("1", "v10", "v11") WEIGHTS_LOW step("2", "v12", "v13")             \
                   step("3", "v14", "v15") WEIGHTS_HIGH step("4", "v8", "v9") step("5", "v10", "v11")        \
                       step("6", "v12", "v13") step("7", "v14", "v15"))
#define LOOP_8(load, step)                                                                                   \
    LOOP(load, step("0", "v8") step("1", "v9") step("2", "v10") step("3", "v11") step("4", "v12")            \
                   step("5", "v13") step("6", "v14") step("7", "v15"))
#define REST_16(load, step) load "ld1 {v8.8h, v9.8h}, [%[w]], #32\n" step("0", "v8", "v9")
#define REST_8(load, step)  load "ldr q8, [%[w]], #16\n" step("0", "v8")

#define LOAD_1(what, bytes) "ldr " what "0, [%[a0]], #" bytes "\n"
#define LOOP_1X16                                                                                            \
    LOOP(LOAD_1("q", "16"), STEP_1X16("0", "1", "sum0", "v8", "v9", "v10", "v11")                            \
                                WEIGHTS_LOW STEP_1X16("2", "3", "sum1", "v12", "v13", "v14", "v15")          \
                                    WEIGHTS_HIGH STEP_1X16("4", "5", "sum0", "v8", "v9", "v10", "v11")       \
                                        STEP_1X16("6", "7", "sum1", "v12", "v13", "v14", "v15"))
#define LOOP_1X8                                                                                             \
    LOOP(LOAD_1("q", "16"), STEP_1X8("0", "1", "2", "3", "sum0", "v8", "v9", "v10", "v11")                   \
                                STEP_1X8("4", "5", "6", "7", "sum1", "v12", "v13", "v14", "v15"))
#define REST_1X16                                                                                            \
    LOAD_1("h", "2")                                                                                         \
    "ld1 {v8.8h, v9.8h}, [%[w]], #32\n" MLA("%S[sum0]", "v8", "v0", "0") MLA("%T[sum0]", "v9", "v0", "0")
#define REST_1X8 LOAD_1("h", "2") "ldr q8, [%[w]], #16\n" MLA("%S[sum0]", "v8", "v0", "0")

#define SUMS_1   [sum0] "+w"(sum0)
#define SUMS_2   SUMS_1, [sum1] "+w"(sum1)
#define ROWS_1   [a0] "+r"(a[0])

/* All taps of a block: `sums` and `rows` are operands, `loop` makes 8 steps of depth and `rest` one. */
#define MULTIPLY(pixels, sums, rows, loop, rest)                                                             \
    for (int t = 0; t < conv->taps; t++) {                                                                   \
        const char *a[pixels];                                                                               \
        unsigned n = (unsigned)conv->depth / DEPTH;                                                          \
        a[0] = (const char *)p->tile->in[t] + (size_t)first * p->tile->in_step;                              \
        for (int i = 1; i < (pixels); i++)                                                                   \
            a[i] = a[i - 1] + p->tile->in_step;                                                              \
        if (n)                                                                                               \
            __asm__ volatile(loop : sums, rows, [w] "+r"(w), [n] "+r"(n) : : TILE_SCRATCH);                  \
        for (n = (unsigned)conv->depth % DEPTH; n > 0; n--)                                                  \
            __asm__ volatile(rest : sums, rows, [w] "+r"(w) : : TILE_SCRATCH);                               \
    }

static inline float16x8x4_t bias_of(const struct panel *p)
{
    return vld1q_f16_x4(again(p->packed));
}

static inline float16_t *output(const struct panel *p, int pixel)
{
    return p->out + (size_t)pixel * p->tile->out_stride;
}

/* Two pixels of 16 channels, the first `columns` of them; returns the place of the next pixel. */
static inline __attribute__((always_inline)) float16_t *store_2x16(const struct panel *p, float16_t *out,
                                                                   float16x8x4_t x)
{
    const size_t apart = p->tile->out_stride * sizeof(*out), bytes = (size_t)p->columns * sizeof(*out);
    float16_t all[2 * PANEL];
    x = finish32(x, &p->finisher);
    if (p->columns == PANEL) {
        __asm__ volatile("st1 {%S[x].8h, %T[x].8h}, [%[out]], %[apart]\n"
                         "st1 {%U[x].8h, %V[x].8h}, [%[out]], %[apart]\n"
                         : [out] "+r"(out)
                         : [x] "w"(x), [apart] "r"(apart)
                         : "memory");
        return out;
    }
    vst1q_f16_x4(all, x);
    memcpy(out, all, bytes);
    memcpy(out + p->tile->out_stride, all + PANEL, bytes);
    return out + 2 * p->tile->out_stride;
}

/* Four pixels of 8 channels. */
static inline __attribute__((always_inline)) float16_t *store_4x8(const struct panel *p, float16_t *out,
                                                                  float16x8x4_t x)
{
    const size_t apart = p->tile->out_stride * sizeof(*out), bytes = (size_t)p->columns * sizeof(*out);
    float16_t all[4 * HALF];
    x = finish32(x, &p->finisher);
    if (p->columns == HALF) {
        __asm__ volatile("st1 {%S[x].8h}, [%[out]], %[apart]\nst1 {%T[x].8h}, [%[out]], %[apart]\n"
                         "st1 {%U[x].8h}, [%[out]], %[apart]\nst1 {%V[x].8h}, [%[out]], %[apart]\n"
                         : [out] "+r"(out)
                         : [x] "w"(x), [apart] "r"(apart)
                         : "memory");
        return out;
    }
    vst1q_f16_x4(all, x);
    for (int i = 0; i < 4; i++, out += p->tile->out_stride)
        memcpy(out, all + (size_t)i * HALF, bytes);
    return out;
}

static inline void store_1(const struct panel *p, int pixel, float16x8_t low, float16x8_t high)
{
    float16x8x4_t x = finish32((float16x8x4_t){{low, high, low, high}}, &p->finisher);
    float16_t all[PANEL];
    vst1q_f16(all, x.val[0]);
    vst1q_f16(all + HALF, x.val[1]);
    memcpy(output(p, pixel), all, (size_t)p->columns * sizeof(*all));
}

/* ---- blocks ---- */

static inline __attribute__((always_inline)) void block_8x16(const struct panel *p, int first)
{
    const struct conv *conv = p->conv;
    const float16_t *w = p->packed + BIAS;
    float16x8x4_t sum0 = bias_of(p), sum1 = bias_of(p), sum2 = bias_of(p), sum3 = bias_of(p);
    MULTIPLY(8, TILE_SUMS, TILE_ROWS_8, LOOP_16(TILE_LOAD_8("q", "16"), STEP_8X16),
             REST_16(TILE_LOAD_8("h", "2"), STEP_8X16))
    store_2x16(p, store_2x16(p, store_2x16(p, store_2x16(p, output(p, first), sum0), sum1), sum2), sum3);
}

static inline __attribute__((always_inline)) void block_4x16(const struct panel *p, int first)
{
    const struct conv *conv = p->conv;
    const float16_t *w = p->packed + BIAS;
    float16x8x4_t sum0 = bias_of(p), sum1 = bias_of(p);
    MULTIPLY(4, SUMS_2, TILE_ROWS_4, LOOP_16(TILE_LOAD_4("q", "16"), STEP_4X16),
             REST_16(TILE_LOAD_4("h", "2"), STEP_4X16))
    store_2x16(p, store_2x16(p, output(p, first), sum0), sum1);
}

static inline __attribute__((always_inline)) void block_8x8(const struct panel *p, int first)
{
    const struct conv *conv = p->conv;
    const float16_t *w = p->packed + BIAS;
    float16x8x4_t sum0 = bias_of(p), sum1 = bias_of(p);
    MULTIPLY(8, SUMS_2, TILE_ROWS_8, LOOP_8(TILE_LOAD_8("q", "16"), STEP_8X8),
             REST_8(TILE_LOAD_8("h", "2"), STEP_8X8))
    store_4x8(p, store_4x8(p, output(p, first), sum0), sum1);
}

static inline __attribute__((always_inline)) void block_4x8(const struct panel *p, int first)
{
    const struct conv *conv = p->conv;
    const float16_t *w = p->packed + BIAS;
    float16x8x4_t sum0 = bias_of(p);
    MULTIPLY(4, SUMS_1, TILE_ROWS_4, LOOP_8(TILE_LOAD_4("q", "16"), STEP_4X8),
             REST_8(TILE_LOAD_4("h", "2"), STEP_4X8))
    store_4x8(p, output(p, first), sum0);
}

static inline float16x8x4_t only_first(float16x8x4_t x, bool second_too)
{
    const float16x8_t none = vdupq_n_f16(0);
    return (float16x8x4_t){{x.val[0], second_too ? x.val[1] : none, none, none}};
}

static inline void block_1x16(const struct panel *p, int first)
{
    const struct conv *conv = p->conv;
    const float16_t *w = p->packed + BIAS;
    float16x8x4_t sum0 = only_first(bias_of(p), true), sum1 = {{vdupq_n_f16(0)}};
    sum1 = only_first(sum1, false);
    MULTIPLY(1, SUMS_2, ROWS_1, LOOP_1X16, REST_1X16)
    store_1(p, first, vaddq_f16(vaddq_f16(sum0.val[0], sum1.val[0]), vaddq_f16(sum0.val[2], sum1.val[2])),
            vaddq_f16(vaddq_f16(sum0.val[1], sum1.val[1]), vaddq_f16(sum0.val[3], sum1.val[3])));
}

static inline void block_1x8(const struct panel *p, int first)
{
    const struct conv *conv = p->conv;
    const float16_t *w = p->packed + BIAS;
    float16x8x4_t sum0 = only_first(bias_of(p), false), sum1 = {{vdupq_n_f16(0)}};
    sum1 = only_first(sum1, false);
    MULTIPLY(1, SUMS_2, ROWS_1, LOOP_1X8, REST_1X8)
    float16x8_t x = vaddq_f16(vaddq_f16(sum0.val[0], sum1.val[0]), vaddq_f16(sum0.val[1], sum1.val[1]));
    float16x8_t y = vaddq_f16(vaddq_f16(sum0.val[2], sum1.val[2]), vaddq_f16(sum0.val[3], sum1.val[3]));
    store_1(p, first, vaddq_f16(x, y), x);
}

/* Blocks of 8, of 4 and of 1; a block at the end may start earlier and make some pixels twice. */
#define BLOCKS(name, eight, four, one)                                                                       \
    static void name(const struct panel *p)                                                                  \
    {                                                                                                        \
        int i = 0, n = p->tile->pixels;                                                                      \
        for (; n - i >= 8; i += 8)                                                                           \
            eight(p, i);                                                                                     \
        if (n - i >= 6 && n > 8) {                                                                           \
            eight(p, n - 8);                                                                                 \
            return;                                                                                          \
        }                                                                                                    \
        if (n - i >= 2 && n >= 4) {                                                                          \
            i = n - i < 4 ? n - 4 : i;                                                                       \
            four(p, i);                                                                                      \
            i += 4;                                                                                          \
        }                                                                                                    \
        for (; i < n; i++)                                                                                   \
            one(p, i);                                                                                       \
    }
BLOCKS(panel_16, block_8x16, block_4x16, block_1x16)
BLOCKS(panel_8, block_8x8, block_4x8, block_1x8)

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    struct panel p = {
        .conv = conv, .tile = tile, .finisher = finisher_of(conv->min_f32, conv->max_f32, conv->hard_swish)};
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
