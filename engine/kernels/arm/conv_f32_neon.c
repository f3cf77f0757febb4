/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/arm/neon.h"
#include "engine/kernels/arm/tile.h"

#include <math.h>

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
    const float scale = conv->hard_swish ? 1 / ROOT_6 : 1;
    int n = width(conv, first);
    for (int j = 0; j < n && first + j < conv->channels; j++) {
        const float *from = weights->f32 + (size_t)(first + j) * steps(conv);
        to[j] = weights->bias_f32 ? scale * weights->bias_f32[first + j] : 0;
        if (n == HALF)
            to[HALF + j] = to[j];
        for (size_t k = 0; k < steps(conv); k++)
            to[PANEL + k * (size_t)n + (size_t)j] = scale * from[k];
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

#define MLA(sum, w, a, lane) "fmla " sum ".4s, " w ".4s, " a ".s[" lane "]\n"

/* The activations of sums in S to V, and where they go: 16 channels of a pixel, 8 of two. */
#define EACH(each) each("%S[x].4s") each("%T[x].4s") each("%U[x].4s") each("%V[x].4s")
#define LINEAR(x)  ""
#define CLAMP(x)   "fmax " x ", " x ", %[low].4s\nfmin " x ", " x ", %[high].4s\n"
#define HARD_SWISH(x)                                                                                        \
    "fadd v0.4s, " x ", %[half].4s\nfmax v0.4s, v0.4s, %[low].4s\nfmin v0.4s, v0.4s, %[high].4s\n"           \
    "fmul " x ", " x ", v0.4s\n"
#define STORE_16  "st1 {%S[x].4s-%V[x].4s}, [%[to]], %[step]\n"
#define STORE_2X8 "st1 {%S[x].4s, %T[x].4s}, [%[to]], %[step]\nst1 {%U[x].4s, %V[x].4s}, [%[to]], %[step]\n"
#define FINISH(activate, store, sum)                                                                         \
    __asm__ volatile(EACH(activate) store                                                                    \
                     : [x] "+w"(sum), [to] "+r"(to)                                                          \
                     : [low] "w"(low), [high] "w"(high), [half] "w"(half), [step] "r"(step)                  \
                     : "memory", "v0")
#define FINISH_4(activate, store)                                                                            \
    do {                                                                                                     \
        FINISH(activate, store, sum0);                                                                       \
        FINISH(activate, store, sum1);                                                                       \
        FINISH(activate, store, sum2);                                                                       \
        FINISH(activate, store, sum3);                                                                       \
    } while (0)

/* Activated sums of 4 pixels, or of 8 in pairs; `step` is in bytes. */
static inline __attribute__((always_inline)) void finish_to(const struct conv *conv, float *to, size_t step,
                                                            float32x4x4_t sum0, float32x4x4_t sum1,
                                                            float32x4x4_t sum2, float32x4x4_t sum3,
                                                            const bool pairs)
{
    const float32x4_t low = vdupq_n_f32(conv->hard_swish ? 0 : conv->min_f32),
                      high = vdupq_n_f32(conv->hard_swish ? ROOT_6 : conv->max_f32),
                      half = vdupq_n_f32(ROOT_6 / 2);
    if (conv->hard_swish && pairs)
        FINISH_4(HARD_SWISH, STORE_2X8);
    else if (conv->hard_swish)
        FINISH_4(HARD_SWISH, STORE_16);
    else if (conv->min_f32 == -INFINITY && conv->max_f32 == INFINITY && pairs)
        FINISH_4(LINEAR, STORE_2X8);
    else if (conv->min_f32 == -INFINITY && conv->max_f32 == INFINITY)
        FINISH_4(LINEAR, STORE_16);
    else if (pairs)
        FINISH_4(CLAMP, STORE_2X8);
    else
        FINISH_4(CLAMP, STORE_16);
}

/* The first `columns` channels of each pixel go to `out`. */
static inline __attribute__((always_inline)) void
finish(const struct conv *conv, const struct conv_tile *tile, float *out, int columns, float32x4x4_t sum0,
       float32x4x4_t sum1, float32x4x4_t sum2, float32x4x4_t sum3, const bool pairs)
{
    const int wide = pairs ? HALF : PANEL, pixels = pairs ? 8 : 4;
    float all[4 * PANEL];
    if (columns == wide) {
        finish_to(conv, out, tile->out_stride * sizeof(float), sum0, sum1, sum2, sum3, pairs);
        return;
    }
    finish_to(conv, all, (size_t)wide * sizeof(float), sum0, sum1, sum2, sum3, pairs);
    for (int i = 0; i < pixels; i++)
        memcpy(out + (size_t)i * tile->out_stride, all + i * wide, (size_t)columns * sizeof(float));
}

static inline __attribute__((always_inline)) void block_4x16(const struct conv *conv,
                                                             const struct conv_tile *tile, int first,
                                                             const float *bias, float *out, int columns)
{
    float32x4x4_t sum0, sum1, sum2, sum3;
    const void *const *in = tile->in;
    const void *w = bias + PANEL, *a[4];
    const size_t step = tile->in_step, at = (size_t)first * step;
    const unsigned words = (unsigned)conv->depth;
    unsigned taps = (unsigned)conv->taps, n;
    __asm__ volatile(TILE_4X16(MLA) : TILE_OUT:TILE_IN : TILE_SCRATCH);
    finish(conv, tile, out, columns, sum0, sum1, sum2, sum3, false);
}

/* Two pixels an operand of four registers; a panel starts with its bias twice. */
static inline __attribute__((always_inline)) void block_8x8(const struct conv *conv,
                                                            const struct conv_tile *tile, int first,
                                                            const float *bias, float *out, int columns)
{
    float32x4x4_t sum0, sum1, sum2, sum3;
    const void *const *in = tile->in;
    const void *w = bias + PANEL, *a[8];
    const size_t step = tile->in_step, at = (size_t)first * step;
    const unsigned words = (unsigned)conv->depth;
    unsigned taps = (unsigned)conv->taps, n;
    __asm__ volatile(TILE_8X8(MLA) : TILE_OUT_8:TILE_IN : TILE_SCRATCH);
    finish(conv, tile, out, columns, sum0, sum1, sum2, sum3, true);
}

static inline float32x4_t activate(const struct conv *conv, float32x4_t x)
{
    return conv->hard_swish ? hard_swish4_scaled(x)
                            : vminq_f32(vmaxq_f32(x, vdupq_n_f32(conv->min_f32)), vdupq_n_f32(conv->max_f32));
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
    float all[PANEL];
    vst1q_f32_x4(all, (float32x4x4_t){{activate(conv, sum.val[0]), activate(conv, sum.val[1]),
                                       activate(conv, sum.val[2]), activate(conv, sum.val[3])}});
    memcpy(out, all, (size_t)columns * sizeof(float));
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
    vst1q_f32(all, activate(conv, low));
    vst1q_f32(all + 4, activate(conv, high));
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
