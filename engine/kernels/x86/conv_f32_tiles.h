/* SPDX-License-Identifier: MIT */
/* Tiles of a convolution for AVX-512, on weights packed as conv_f32.h has them. Whoever includes this says
 * before what multiply16(sum, a, b) and multiply8() are: of float32, or of anything else in 32 bits of which
 * they add products to a float32. 13 pixels by two panels of 16 channels: 26 sums, 2 registers of weights and
 * one of inputs out of 32. Where 8 channels or fewer are left, 13 pixels by 8 in halves of registers. */
#ifndef PIPIT_ENGINE_KERNELS_X86_CONV_F32_TILES_H
#define PIPIT_ENGINE_KERNELS_X86_CONV_F32_TILES_H

#include "engine/kernels/x86/activate16.h"
#include "engine/kernels/x86/conv_f32.h"

enum { TILE = 13 };

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
static inline __attribute__((always_inline)) void to_next(const float **in, const int rows)
{
#pragma GCC unroll 5
    for (int i = 0; i < (rows + 2) / 3; i++) {
        in[i]++;
        __asm__("" : "+r"(in[i]));
    }
}

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
                    sum[p][i] = multiply16(sum[p][i], a, weights[p]);
            }
            to_next(in, rows);
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
                sum[i] = multiply8(sum[i], _mm256_set1_ps(in[i / 3][(size_t)(i % 3) * step]), weights);
            to_next(in, rows);
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

#endif
