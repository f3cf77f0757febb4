/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/arm/neon.h"
#include "engine/kernels/arm/tile.h"

/* 4 pixels by 16 channels: 16 accumulators, 4 registers of weights and 8 of input out of 32. What is left of
 * the channels, if no more than 8, is a panel of 8 that is made for 8 pixels at a time. */
enum { TILE = 8, PANEL = 16, HALF = 8 };

/* A panel is bias[16], then weight[taps * depth][width]; a panel of 8 has its bias twice. */
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
    return (PANEL + steps(conv) * (size_t)width) * sizeof(float);
}

static size_t packed_bytes(const struct conv *conv)
{
    int last = (conv->channels - 1) / PANEL * PANEL;
    return (size_t)(last / PANEL) * panel_bytes(conv, PANEL) + panel_bytes(conv, width(conv, last));
}

static void pack_panel(const struct conv *conv, const struct conv_weights *weights, int first, float *to)
{
    int n = width(conv, first);
    for (int j = 0; j < n && first + j < conv->channels; j++) {
        const float *from = weights->f32 + (size_t)(first + j) * steps(conv);
        to[j] = weights->bias_f32 ? weights->bias_f32[first + j] : 0;
        if (n == HALF)
            to[HALF + j] = to[j];
        for (size_t k = 0; k < steps(conv); k++)
            to[PANEL + k * (size_t)n + (size_t)j] = from[k];
    }
}

static void pack(const struct conv *conv, const struct conv_weights *weights, void *packed)
{
    memset(packed, 0, packed_bytes(conv));
    for (int j = 0; j < conv->channels; j += PANEL)
        pack_panel(conv, weights, j,
                   (void *)((char *)packed + (size_t)(j / PANEL) * panel_bytes(conv, PANEL)));
}

static inline const float *input(const struct conv_tile *tile, int tap, int pixel)
{
    return (const void *)((const char *)tile->in[tap] + (size_t)pixel * tile->in_step);
}

/* The activation of four registers. */
#define CLAMP(v) "fmax " v ".4s, " v ".4s, %[min].4s\nfmin " v ".4s, " v ".4s, %[max].4s\n"
#define HARD_SWISH(v)                                                                                        \
    "mov v0.16b, %[half].16b\nfmla v0.4s, " v ".4s, %[sixth].4s\nfmax v0.4s, v0.4s, %[zero].4s\n"            \
    "fmin v0.4s, v0.4s, %[one].4s\nfmul " v ".4s, " v ".4s, v0.4s\n"

static inline __attribute__((always_inline)) float32x4x4_t activate_16(const struct conv *conv,
                                                                       float32x4x4_t x)
{
    if (conv->hard_swish)
        __asm__(HARD_SWISH("%S[x]") HARD_SWISH("%T[x]") HARD_SWISH("%U[x]") HARD_SWISH("%V[x]")
                : [x] "+w"(x)
                : [half] "w"(vdupq_n_f32(0.5f)), [sixth] "w"(vdupq_n_f32(1.0f / 6)),
                  [zero] "w"(vdupq_n_f32(0)), [one] "w"(vdupq_n_f32(1))
                : "v0");
    else
        __asm__(CLAMP("%S[x]") CLAMP("%T[x]") CLAMP("%U[x]") CLAMP("%V[x]")
                : [x] "+w"(x)
                : [min] "w"(vdupq_n_f32(conv->min_f32)), [max] "w"(vdupq_n_f32(conv->max_f32)));
    return x;
}

/* The first `columns` of the channels of a pixel. */
static inline void store_16(float *out, float32x4x4_t x, int columns)
{
    float all[PANEL];
    vst1q_f32_x4(columns == PANEL ? out : all, x);
    if (columns < PANEL)
        memcpy(out, all, (size_t)columns * sizeof(float));
}

/* Of two pixels. */
static inline void store_2x8(const struct conv_tile *tile, float *out, float32x4x4_t x, int columns)
{
    float all[PANEL];
    if (columns == HALF) {
        vst1q_f32(out, x.val[0]);
        vst1q_f32(out + 4, x.val[1]);
        vst1q_f32(out + tile->out_stride, x.val[2]);
        vst1q_f32(out + tile->out_stride + 4, x.val[3]);
        return;
    }
    vst1q_f32_x4(all, x);
    memcpy(out, all, (size_t)columns * sizeof(float));
    memcpy(out + tile->out_stride, all + HALF, (size_t)columns * sizeof(float));
}

#define MLA(sum, w, a, lane) "fmla " sum ".4s, " w ".4s, " a ".s[" lane "]\n"
#define STEPS_16(a0, a1, a2, a3)                                                                             \
    TILE_STEP_16(MLA, "0", a0, a1, a2, a3, "v8", "v9", "v10", "v11")                                         \
    TILE_STEP_16(MLA, "1", a0, a1, a2, a3, "v12", "v13", "v14", "v15")                                       \
    TILE_STEP_16(MLA, "2", a0, a1, a2, a3, "v8", "v9", "v10", "v11")                                         \
    TILE_STEP_16(MLA, "3", a0, a1, a2, a3, "v12", "v13", "v14", "v15")
#define ACTIVATE_4                                                                                           \
    sum0 = activate_16(conv, sum0);                                                                          \
    sum1 = activate_16(conv, sum1);                                                                          \
    sum2 = activate_16(conv, sum2);                                                                          \
    sum3 = activate_16(conv, sum3);

static inline __attribute__((always_inline)) void block_4x16(const struct conv *conv,
                                                             const struct conv_tile *tile, int first,
                                                             const float *w, float *out, int columns)
{
    float32x4x4_t sum0 = vld1q_f32_x4(again(w)), sum1 = vld1q_f32_x4(again(w)), sum2 = vld1q_f32_x4(again(w)),
                  sum3 = vld1q_f32_x4(again(w));
    w += PANEL;
    for (int t = 0; t < conv->taps; t++) {
        const float *a[4];
        unsigned n = (unsigned)conv->depth / 8, rest = (unsigned)conv->depth % 8;
        for (int i = 0; i < 4; i++)
            a[i] = input(tile, t, first + i);
        if (n)
            __asm__ volatile("1:\n"
                             "ld1 {v0.4s, v1.4s}, [%[a0]], #32\nld1 {v2.4s, v3.4s}, [%[a1]], #32\n"
                             "ld1 {v4.4s, v5.4s}, [%[a2]], #32\nld1 {v6.4s, v7.4s}, [%[a3]], #32\n"
                             "subs %w[n], %w[n], #1\n" STEPS_16("v0", "v2", "v4", "v6")
                                 STEPS_16("v1", "v3", "v5", "v7") "b.ne 1b\n"
                             : TILE_SUMS, TILE_ROWS_4, [w] "+r"(w), [n] "+r"(n)
                             :
                             : TILE_SCRATCH);
        if (rest & 4)
            __asm__ volatile(TILE_LOAD_4("q", "16") STEPS_16("v0", "v1", "v2", "v3")
                             : TILE_SUMS, TILE_ROWS_4, [w] "+r"(w)
                             :
                             : TILE_SCRATCH);
        for (rest %= 4; rest > 0; rest--)
            __asm__ volatile(TILE_LOAD_4("s", "4")
                                 TILE_STEP_16(MLA, "0", "v0", "v1", "v2", "v3", "v8", "v9", "v10", "v11")
                             : TILE_SUMS, TILE_ROWS_4, [w] "+r"(w)
                             :
                             : TILE_SCRATCH);
    }
    ACTIVATE_4
    store_16(out, sum0, columns);
    store_16(out + tile->out_stride, sum1, columns);
    store_16(out + 2 * tile->out_stride, sum2, columns);
    store_16(out + 3 * tile->out_stride, sum3, columns);
}

/* Two pixels an operand of four registers; a panel starts with its bias twice. */
static inline __attribute__((always_inline)) void block_8x8(const struct conv *conv,
                                                            const struct conv_tile *tile, int first,
                                                            const float *w, float *out, int columns)
{
    float32x4x4_t sum0 = vld1q_f32_x4(again(w)), sum1 = vld1q_f32_x4(again(w)), sum2 = vld1q_f32_x4(again(w)),
                  sum3 = vld1q_f32_x4(again(w));
    w += PANEL;
    for (int t = 0; t < conv->taps; t++) {
        const float *a[8];
        unsigned n = (unsigned)conv->depth / 4;
        for (int i = 0; i < 8; i++)
            a[i] = input(tile, t, first + i);
        if (n)
            __asm__ volatile(TILE_LOOP_8(MLA)
                             : TILE_SUMS, TILE_ROWS_8, [w] "+r"(w), [n] "+r"(n)
                             :
                             : TILE_SCRATCH);
        for (n = (unsigned)conv->depth % 4; n > 0; n--)
            __asm__ volatile(TILE_REST_8(MLA) : TILE_SUMS, TILE_ROWS_8, [w] "+r"(w) : : TILE_SCRATCH);
    }
    ACTIVATE_4
    store_2x8(tile, out, sum0, columns);
    store_2x8(tile, out + 2 * tile->out_stride, sum1, columns);
    store_2x8(tile, out + 4 * tile->out_stride, sum2, columns);
    store_2x8(tile, out + 6 * tile->out_stride, sum3, columns);
}

static void block_1x16(const struct conv *conv, const struct conv_tile *tile, int first, const float *w,
                       float *out, int columns)
{
    float32x4x4_t sum = vld1q_f32_x4(w);
    w += PANEL;
    for (int t = 0; t < conv->taps; t++) {
        const float *a = input(tile, t, first);
        unsigned n = (unsigned)conv->depth / 4;
        if (n)
            __asm__ volatile(TILE_LOOP_1(MLA)
                             : [sum] "+w"(sum), [a] "+r"(a), [w] "+r"(w), [n] "+r"(n)
                             :
                             : TILE_SCRATCH);
        for (n = (unsigned)conv->depth % 4; n > 0; n--)
            __asm__ volatile(TILE_REST_1(MLA) : [sum] "+w"(sum), [a] "+r"(a), [w] "+r"(w) : : TILE_SCRATCH);
    }
    store_16(out, activate_16(conv, sum), columns);
}

static void block_1x8(const struct conv *conv, const struct conv_tile *tile, int first, const float *w,
                      float *out, int columns)
{
    float32x4_t low = vld1q_f32(w), high = vld1q_f32(w + 4);
    float all[HALF];
    w += 2 * HALF;
    for (int t = 0; t < conv->taps; t++) {
        const float *a = input(tile, t, first);
        for (int c = 0; c < conv->depth; c++, w += HALF) {
            low = vfmaq_n_f32(low, vld1q_f32(w), a[c]);
            high = vfmaq_n_f32(high, vld1q_f32(w + 4), a[c]);
        }
    }
    vst1q_f32(all, activate4(low, conv->min_f32, conv->max_f32, conv->hard_swish));
    vst1q_f32(all + 4, activate4(high, conv->min_f32, conv->max_f32, conv->hard_swish));
    memcpy(out, all, (size_t)columns * sizeof(float));
}

/* A last block of fewer pixels than it takes starts earlier and makes some of them twice, unless it is one
 * pixel. */
#define BLOCKS(name, each, block, one)                                                                       \
    static void name(const struct conv *conv, const struct conv_tile *tile, const float *w, float *out,      \
                     int columns)                                                                            \
    {                                                                                                        \
        int i = 0, n = tile->pixels;                                                                         \
        for (; i + (each) <= n || (i + 1 < n && n >= (each)); i += (each)) {                                 \
            int first = i + (each) <= n ? i : n - (each);                                                    \
            block(conv, tile, first, w, out + (size_t)first * tile->out_stride, columns);                    \
        }                                                                                                    \
        for (; i < n; i++)                                                                                   \
            one(conv, tile, i, w, out + (size_t)i * tile->out_stride, columns);                              \
    }
BLOCKS(panel_16, 4, block_4x16, block_1x16)
BLOCKS(panel_8, 8, block_8x8, block_1x8)

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    for (int j = tile->from; j < tile->to; j += PANEL) {
        const float *w =
            (const void *)((const char *)conv->packed + (size_t)(j / PANEL) * panel_bytes(conv, PANEL));
        int left = conv->channels - j;
        if (left <= HALF)
            panel_8(conv, tile, w, (float *)tile->out + j, left);
        else
            panel_16(conv, tile, w, (float *)tile->out + j, left < PANEL ? left : PANEL);
    }
}

void kernels_init_conv_f32_neon(struct kernels *kernels)
{
    kernels->conv_f32 = (struct conv_kernel){"conv_f32_neon", TILE, PANEL, packed_bytes, pack, NULL, run};
}
