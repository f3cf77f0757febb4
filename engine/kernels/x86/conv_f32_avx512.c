/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/activate16.h"
#include "engine/kernels/x86/avx512.h"
#include "engine/kernels/x86/conv_f32.h"

#include <string.h>

/* 13 pixels by two panels of 16 channels: 26 sums, 2 registers of weights and one of inputs out of 32. Where
 * 8 channels or fewer are left, 13 pixels by 8 in halves of registers. A panel is bias[width], then
 * weight[taps * depth][width]. */
enum { TILE = 13 };

/* ---- pixels that would meet in one set of the cache ---- */

enum { SETS = 2048, APART = 16 }; /* bytes, floats */

static size_t scratch(const struct conv *conv)
{
    size_t bytes = (size_t)conv->depth * sizeof(float);
    return conv->taps == 1 && bytes % SETS == 0 ? CONV_PIXELS * (bytes + APART * sizeof(float)) : 0;
}

/* Copies the pixels of a pointwise convolution to where they lie apart. */
static void spread(const struct conv *conv, struct conv_tile *tile, const void **in)
{
    size_t bytes = (size_t)conv->depth * sizeof(float), step = bytes + APART * sizeof(float);
    for (int i = 0; i < tile->pixels; i++)
        memcpy((char *)tile->scratch + (size_t)i * step,
               (const char *)tile->in[0] + (size_t)i * tile->in_step, bytes);
    *in = tile->scratch;
    tile->in = in;
    tile->in_step = step;
}

/* ---- tiles ---- */

struct work { /* some pixels, and one to four panels of channels */
    const struct conv *conv;
    const struct conv_tile *tile;
    const float *panel;
    size_t panel_step; /* floats */
    float *out;        /* the first panel's first channel of the first pixel */
    int columns;       /* all panels' */
    struct activation16 act;
};

static inline __attribute__((always_inline)) const float *input(const struct work *work, int tap, int pixel)
{
    return (const void *)((const char *)work->tile->in[tap] + (size_t)pixel * work->tile->in_step);
}

/* The panels behind two, which come from far. */
static inline __attribute__((always_inline)) void fetch_next(const float *w, size_t panel_step)
{
    _mm_prefetch((const char *)(w + 2 * panel_step), _MM_HINT_T1);
    _mm_prefetch((const char *)(w + 3 * panel_step), _MM_HINT_T1);
}

/* Every third row has a pointer, so that no row needs more than one addition; the compiler must not make them
 * offsets to each other. */
static inline __attribute__((always_inline)) void tile_of(const struct work *work, int first, const int rows,
                                                          const int panels)
{
    __m512 sum[4][TILE];
    const size_t step = work->tile->in_step / sizeof(float);
    const float *in[(TILE + 2) / 3], *w = work->panel + PANEL;
#pragma GCC unroll 4
    for (int p = 0; p < panels; p++)
#pragma GCC unroll 13
        for (int i = 0; i < rows; i++)
            sum[p][i] = _mm512_loadu_ps(work->panel + (size_t)p * work->panel_step);
    for (int t = 0; t < work->conv->taps; t++) {
#pragma GCC unroll 5
        for (int i = 0; i < (rows + 2) / 3; i++)
            in[i] = input(work, t, first + 3 * i);
        for (const float *end = w + (size_t)PANEL * (size_t)work->conv->depth; w < end; w += PANEL) {
            __m512 weights[4];
#pragma GCC unroll 4
            for (int p = 0; p < panels; p++)
                weights[p] = _mm512_loadu_ps(w + (size_t)p * work->panel_step);
            if (panels == 2)
                fetch_next(w, work->panel_step);
#pragma GCC unroll 13
            for (int i = 0; i < rows; i++) {
                __m512 a = _mm512_set1_ps(in[i / 3][(size_t)(i % 3) * step]);
#pragma GCC unroll 4
                for (int p = 0; p < panels; p++)
                    sum[p][i] = _mm512_fmadd_ps(a, weights[p], sum[p][i]);
            }
#pragma GCC unroll 5
            for (int i = 0; i < (rows + 2) / 3; i++) {
                in[i]++;
                __asm__("" : "+r"(in[i]));
            }
        }
    }
    const size_t apart = work->tile->out_stride; /* stores might change what lies in memory */
    const int columns = work->columns;
    float *out = work->out + (size_t)first * apart;
    const struct activation16 act = work->act;
#pragma GCC unroll 13
    for (int i = 0; i < rows; i++, out += apart)
#pragma GCC unroll 4
        for (int p = 0; p < panels; p++)
            store_lanes(out + p * PANEL,
                        act.hard_swish ? hard_swish16(sum[p][i]) : clamp_f32x16(sum[p][i], &act),
                        columns - p * PANEL);
}

/* A last panel of 8 channels or fewer. */
static inline __attribute__((always_inline)) void tile_of_half(const struct work *work, int first,
                                                               const int rows)
{
    __m256 sum[TILE];
    const size_t step = work->tile->in_step / sizeof(float);
    const float *in[(TILE + 2) / 3], *w = work->panel + HALF;
#pragma GCC unroll 13
    for (int i = 0; i < rows; i++)
        sum[i] = _mm256_loadu_ps(work->panel);
    for (int t = 0; t < work->conv->taps; t++) {
#pragma GCC unroll 5
        for (int i = 0; i < (rows + 2) / 3; i++)
            in[i] = input(work, t, first + 3 * i);
        for (const float *end = w + (size_t)HALF * (size_t)work->conv->depth; w < end; w += HALF) {
            __m256 weights = _mm256_loadu_ps(w);
#pragma GCC unroll 13
            for (int i = 0; i < rows; i++)
                sum[i] = _mm256_fmadd_ps(_mm256_set1_ps(in[i / 3][(size_t)(i % 3) * step]), weights, sum[i]);
#pragma GCC unroll 5
            for (int i = 0; i < (rows + 2) / 3; i++) {
                in[i]++;
                __asm__("" : "+r"(in[i]));
            }
        }
    }
    const size_t apart = work->tile->out_stride; /* stores might change what lies in memory */
    const int columns = work->columns;
    float *out = work->out + (size_t)first * apart;
    const struct activation16 act = work->act;
#pragma GCC unroll 13
    for (int i = 0; i < rows; i++, out += apart) {
        __m512 wide = _mm512_castps256_ps512(sum[i]);
        store_lanes(out, act.hard_swish ? hard_swish16(wide) : clamp_f32x16(wide, &act), columns);
    }
}

#define CASES_3(X)  X(1) X(2) X(3)
#define CASES_8(X)  CASES_3(X) X(4) X(5) X(6) X(7) X(8)
#define CASES_13(X) CASES_8(X) X(9) X(10) X(11) X(12) X(13)
#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        TILE_OF(n);                                                                                          \
        break;
#define ROWS_OF(name, cases)                                                                                 \
    static void name(const struct work *work, int first, int rows)                                           \
    {                                                                                                        \
        switch (rows) {                                                                                      \
            cases(CASE)                                                                                      \
        }                                                                                                    \
    }
#define TILE_OF(n) tile_of(work, first, n, 1)
ROWS_OF(rows_by_1, CASES_13)
#undef TILE_OF
#define TILE_OF(n) tile_of(work, first, n, 2)
ROWS_OF(rows_by_2, CASES_13)
#undef TILE_OF
#define TILE_OF(n) tile_of(work, first, n, 3)
ROWS_OF(rows_by_3, CASES_8)
#undef TILE_OF
#define TILE_OF(n) tile_of(work, first, n, 4)
ROWS_OF(rows_by_4, CASES_3)
#undef TILE_OF
#define TILE_OF(n) tile_of_half(work, first, n)
ROWS_OF(rows_of_half, CASES_13)
#undef TILE_OF

/* ---- all pixels, all channels ---- */

/* Tiles of equal height or one pixel less, so that none is a mere rest. */
static void run_tiles(const struct work *work, int most, void (*run)(const struct work *, int, int))
{
    int pixels = work->tile->pixels, tiles = (pixels + most - 1) / most;
    for (int i = 0; i < tiles; i++) {
        int first = pixels * i / tiles;
        run(work, first, pixels * (i + 1) / tiles - first);
    }
}

/* Returns how many panels it made, of `panels` whole ones that are left. */
static int run_panels(const struct work *work, int panels)
{
    bool few = work->tile->pixels <= 3;
    if (panels == 0)
        run_tiles(work, TILE, rows_of_half);
    else if (panels >= 4 && few)
        run_tiles(work, 3, rows_by_4);
    else if (panels == 3)
        run_tiles(work, 8, rows_by_3);
    else if (panels >= 2)
        run_tiles(work, TILE, rows_by_2);
    else
        run_tiles(work, TILE, rows_by_1);
    return panels == 0 ? 1 : panels >= 4 && few ? 4 : panels > 3 ? 2 : panels;
}

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    struct conv_tile apart = *tile;
    const void *in;
    if (scratch(conv) && tile->in_step % SETS == 0 && tile->pixels > 4)
        spread(conv, &apart, &in);
    struct work work = {.conv = conv,
                        .tile = &apart,
                        .panel_step = PANEL * (inputs(conv) + 1),
                        .act = activation16(conv->min_f32, conv->max_f32, conv->hard_swish)};
    bool half = width(conv, conv->channels - 1) == HALF && tile->to == conv->channels;
    for (int j = tile->from; j < tile->to;) {
        int panels = (tile->to - j + PANEL - 1) / PANEL - (half ? 1 : 0);
        work.panel = panel_of(conv, j);
        work.out = (float *)tile->out + j;
        work.columns = tile->to - j;
        j += PANEL * run_panels(&work, panels);
    }
}

void kernels_init_conv_f32_avx512(struct kernels *kernels)
{
    kernels->conv_f32 =
        (struct conv_kernel){"conv_f32_avx512", TILE, PANEL, packed_bytes, pack, scratch, run, .even = true};
}
