/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/avx512.h"

#include <immintrin.h>
#include <string.h>

static inline __attribute__((always_inline)) __m512 multiply16(__m512 sum, __m512 a, __m512 b)
{
    return _mm512_fmadd_ps(a, b, sum);
}

static inline __attribute__((always_inline)) __m256 multiply8(__m256 sum, __m256 a, __m256 b)
{
    return _mm256_fmadd_ps(a, b, sum);
}

#include "engine/kernels/x86/conv_f32_panels.h"

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

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    struct conv_tile apart = *tile;
    const void *in;
    if (scratch(conv) && tile->in_step % SETS == 0 && tile->pixels > 4)
        spread(conv, &apart, &in);
    run_tiled(conv, &apart);
}

void kernels_init_conv_f32_avx512(struct kernels *kernels)
{
    kernels->conv_f32 =
        (struct conv_kernel){"conv_f32_avx512", TILE, PANEL, packed_bytes, pack, scratch, run, .even = true};
}
