/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/activate.h"
#include "engine/kernels/x86/avx2.h"
#include "engine/kernels/x86/conv_f32.h"

#include <string.h>

/* 6 pixels by 16 channels: 12 accumulators, 2 registers of weights and one of input out of AVX2's 16. Where 8
 * channels or fewer are left, 12 pixels by 8. A panel is bias[width], then weight[taps * depth][width]. */
enum { TILE = 6 };

struct work { /* some pixels and a panel of channels */
    const struct conv *conv;
    const struct conv_tile *tile;
    const float *panel;
    float *out; /* the panel's first channel of the tile's first pixel */
    int columns;
};

static inline __attribute__((always_inline)) const float *input(const struct work *work, int tap, int pixel)
{
    return (const void *)((const char *)work->tile->in[tap] + (size_t)pixel * work->tile->in_step);
}

#define ROWS_6(X)  X(0) X(1) X(2) X(3) X(4) X(5)
#define ROWS_12(X) ROWS_6(X) X(6) X(7) X(8) X(9) X(10) X(11)

/* Where a panel has fewer channels than its width, pixels are stored through a buffer. */
static void store_part(const struct work *work, int pixel, const float *all)
{
    memcpy(work->out + (size_t)pixel * work->tile->out_stride, all, (size_t)work->columns * sizeof(float));
}

static inline __attribute__((always_inline)) void tile_16(const struct work *work, int first, const int rows)
{
    const float *w = work->panel + PANEL;
#define START(i) __m256 low##i = _mm256_loadu_ps(work->panel), high##i = _mm256_loadu_ps(work->panel + HALF);
    ROWS_6(START)
#undef START
    for (int t = 0; t < work->conv->taps; t++) {
        const float *in = input(work, t, first);
        const size_t step = work->tile->in_step / sizeof(float);
#pragma GCC unroll 4
        for (const float *end = in + work->conv->depth; in < end; in++, w += PANEL) {
            __m256 w_low = _mm256_loadu_ps(w), w_high = _mm256_loadu_ps(w + HALF);
#define MULTIPLY(i)                                                                                          \
    if ((i) < rows) {                                                                                        \
        __m256 a = _mm256_broadcast_ss(in + (i)*step);                                                       \
        low##i = _mm256_fmadd_ps(a, w_low, low##i);                                                          \
        high##i = _mm256_fmadd_ps(a, w_high, high##i);                                                       \
    }
            ROWS_6(MULTIPLY)
#undef MULTIPLY
        }
    }
    const __m256 min = _mm256_set1_ps(work->conv->min_f32), max = _mm256_set1_ps(work->conv->max_f32);
#define SWISH(i) low##i = hard_swish8(low##i), high##i = hard_swish8(high##i);
#define CLAMP(i) low##i = clamp_f32x8(low##i, min, max), high##i = clamp_f32x8(high##i, min, max);
    if (work->conv->hard_swish) {
        ROWS_6(SWISH)
    } else {
        ROWS_6(CLAMP)
    }
#undef SWISH
#undef CLAMP
    float part[TILE][PANEL],
        *out = work->columns == PANEL ? work->out + (size_t)first * work->tile->out_stride : part[0];
    size_t apart = work->columns == PANEL ? work->tile->out_stride : PANEL;
#define STORE(i)                                                                                             \
    if ((i) < rows) {                                                                                        \
        _mm256_storeu_ps(out + (i)*apart, low##i);                                                           \
        _mm256_storeu_ps(out + (i)*apart + HALF, high##i);                                                   \
    }
    ROWS_6(STORE)
#undef STORE
    for (int i = 0; i < rows && work->columns < PANEL; i++)
        store_part(work, first + i, part[i]);
}

static inline __attribute__((always_inline)) void tile_8(const struct work *work, int first, const int rows)
{
    const float *w = work->panel + HALF;
#define START(i) __m256 sum##i = _mm256_loadu_ps(work->panel);
    ROWS_12(START)
#undef START
    for (int t = 0; t < work->conv->taps; t++) {
        const float *in = input(work, t, first);
        const size_t step = work->tile->in_step / sizeof(float);
#pragma GCC unroll 2
        for (const float *end = in + work->conv->depth; in < end; in++, w += HALF) {
            __m256 weight = _mm256_loadu_ps(w);
#define MULTIPLY(i)                                                                                          \
    if ((i) < rows)                                                                                          \
        sum##i = _mm256_fmadd_ps(_mm256_broadcast_ss(in + (i)*step), weight, sum##i);
            ROWS_12(MULTIPLY)
#undef MULTIPLY
        }
    }
    const __m256 min = _mm256_set1_ps(work->conv->min_f32), max = _mm256_set1_ps(work->conv->max_f32);
#define SWISH(i) sum##i = hard_swish8(sum##i);
#define CLAMP(i) sum##i = clamp_f32x8(sum##i, min, max);
    if (work->conv->hard_swish) {
        ROWS_12(SWISH)
    } else {
        ROWS_12(CLAMP)
    }
#undef SWISH
#undef CLAMP
    float part[2 * TILE][HALF],
        *out = work->columns == HALF ? work->out + (size_t)first * work->tile->out_stride : part[0];
    size_t apart = work->columns == HALF ? work->tile->out_stride : HALF;
#define STORE(i)                                                                                             \
    if ((i) < rows)                                                                                          \
        _mm256_storeu_ps(out + (i)*apart, sum##i);
    ROWS_12(STORE)
#undef STORE
    for (int i = 0; i < rows && work->columns < HALF; i++)
        store_part(work, first + i, part[i]);
}

/* One pixel, as in fully connected layers: four inputs at a time, so that sums need not wait for each other.
 */
static void row_16(const struct work *work, int pixel)
{
    const float *w = work->panel + PANEL;
    __m256 low[4] = {_mm256_loadu_ps(work->panel)}, high[4] = {_mm256_loadu_ps(work->panel + HALF)};
    for (int t = 0; t < work->conv->taps; t++) {
        const float *in = input(work, t, pixel);
        int c = 0, depth = work->conv->depth;
        for (; c + 4 <= depth; c += 4)
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++, w += PANEL) {
                __m256 a = _mm256_broadcast_ss(in + c + i);
                low[i] = _mm256_fmadd_ps(a, _mm256_loadu_ps(w), low[i]);
                high[i] = _mm256_fmadd_ps(a, _mm256_loadu_ps(w + HALF), high[i]);
            }
        for (; c < depth; c++, w += PANEL) {
            __m256 a = _mm256_broadcast_ss(in + c);
            low[0] = _mm256_fmadd_ps(a, _mm256_loadu_ps(w), low[0]);
            high[0] = _mm256_fmadd_ps(a, _mm256_loadu_ps(w + HALF), high[0]);
        }
    }
    __m256 all[2] = {_mm256_add_ps(_mm256_add_ps(low[0], low[1]), _mm256_add_ps(low[2], low[3])),
                     _mm256_add_ps(_mm256_add_ps(high[0], high[1]), _mm256_add_ps(high[2], high[3]))};
    const struct activation8 act =
        activation8(work->conv->min_f32, work->conv->max_f32, work->conv->hard_swish);
    float part[PANEL];
    _mm256_storeu_ps(part, activate8(all[0], &act));
    _mm256_storeu_ps(part + HALF, activate8(all[1], &act));
    store_part(work, pixel, part);
}

#define CASE(i)                                                                                              \
    case (i) + 1:                                                                                            \
        TILE_OF((i) + 1);                                                                                    \
        break;

static void rows_16(const struct work *work, int first, int rows)
{
#define TILE_OF(n) (n) == 1 ? row_16(work, first) : tile_16(work, first, n)
    switch (rows) {
        ROWS_6(CASE)
    }
#undef TILE_OF
}

static void rows_8(const struct work *work, int first, int rows)
{
#define TILE_OF(n) tile_8(work, first, n)
    switch (rows) {
        ROWS_12(CASE)
    }
#undef TILE_OF
}

/* Tiles of equal height or one pixel less, so that none is a mere rest. */
static void run_panel(const struct work *work, int most, void (*rows)(const struct work *, int, int))
{
    int pixels = work->tile->pixels, tiles = (pixels + most - 1) / most;
    for (int i = 0; i < tiles; i++) {
        int first = pixels * i / tiles;
        rows(work, first, pixels * (i + 1) / tiles - first);
    }
}

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    struct work work = {.conv = conv, .tile = tile};
    for (int j = tile->from; j < tile->to; j += PANEL) {
        work.panel = panel_of(conv, j);
        work.out = (float *)tile->out + j;
        work.columns = conv->channels - j < PANEL ? conv->channels - j : PANEL;
        if (width(conv, j) == HALF)
            run_panel(&work, 2 * TILE, rows_8);
        else
            run_panel(&work, TILE, rows_16);
    }
}

void kernels_init_conv_f32_avx2(struct kernels *kernels)
{
    kernels->conv_f32 = (struct conv_kernel){"conv_f32_avx2", TILE, PANEL, packed_bytes, pack, NULL, run};
}
