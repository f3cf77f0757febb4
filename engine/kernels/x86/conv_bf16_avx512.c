/* SPDX-License-Identifier: MIT */
/* Convolution in bfloat16 with VDPBF16PS: two products a lane, summed in float32. It takes inputs and results
 * below 2^-126 for 0, and rounds each of the two additions to the nearest. A pixel's inputs of all taps are
 * converted once for all channels, side by side in the scratch, and so are each channel's weights: what is
 * left is the float32 convolution of one tap, in which an element is a pair of 32 bits. */
#include "engine/kernels/x86/bf16.h"

#include "engine/kernels/c.h"

#include <immintrin.h>

static inline __attribute__((always_inline)) __m512 multiply16(__m512 sum, __m512 a, __m512 b)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}

static inline __attribute__((always_inline)) __m256 multiply8(__m256 sum, __m256 a, __m256 b)
{
    return _mm256_dpbf16_ps(sum, (__m256bh)a, (__m256bh)b);
}

#include "engine/kernels/x86/conv_f32_panels.h"

static struct conv in_pairs(const struct conv *conv)
{
    struct conv pairs = *conv;
    pairs.depth = (int)((inputs(conv) + 1) / 2);
    pairs.taps = 1;
    return pairs;
}

/* To `count` elements filled up to whole registers with zeros. */
static inline __attribute__((always_inline)) void convert(const float *from, size_t count, uint16_t *to)
{
    for (; count > LANES; count -= LANES, from += LANES, to += LANES)
        _mm256_storeu_si256((__m256i_u *)to, (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(from)));
    __m512 rest = _mm512_maskz_loadu_ps(first_lanes((int)count), from);
    _mm256_storeu_si256((__m256i_u *)to, (__m256i)_mm512_cvtneps_pbh(rest));
}

/* ---- weights ---- */

static size_t packed_bytes_bf16(const struct conv *conv)
{
    const struct conv pairs = in_pairs(conv);
    return packed_bytes(&pairs);
}

static void pack_panel(const float *from, size_t each, size_t rows, float *to, size_t n)
{
    enum { BLOCK = 64 }; /* pairs */
    uint16_t block[PANEL][2 * BLOCK];
    for (size_t at = 0; at < each; at += sizeof(block[0]) / sizeof(block[0][0]), to += BLOCK * n) {
        const size_t count = each - at < 2 * BLOCK ? each - at : 2 * BLOCK;
        for (size_t i = 0; i < rows; i++)
            convert(from + i * each + at, count, block[i]);
        turn(block, BLOCK, rows, (count + 1) / 2, to, n);
    }
}

static void pack_bf16(const struct conv *conv, const struct conv_weights *weights, void *packed, int from,
                      int to)
{
    const struct conv pairs = in_pairs(conv);
    const size_t each = inputs(conv), end = (size_t)to;
    for (size_t j = (size_t)from; j < end; j += PANEL) {
        size_t n = (size_t)width(conv, (int)j), rows = end - j < n ? end - j : n;
        float *panel = (float *)packed + j * (inputs(&pairs) + 1);
        if (rows < n)
            memset(panel, 0, n * (inputs(&pairs) + 1) * sizeof(float));
        for (size_t i = 0; i < rows; i++)
            panel[i] = weights->bias_f32 ? weights->bias_f32[j + i] : 0;
        pack_panel(weights->f32 + j * each, each, rows, panel + n, n);
    }
}

/* ---- inputs ---- */

/* From one pixel to the next in the scratch: an odd number of cache lines, so that pixels lie in different
 * ones. */
static size_t pixel_bytes(const struct conv *conv)
{
    const size_t depth = (size_t)conv->depth;
    return align64((inputs(conv) - depth + (depth + LANES - 1) / LANES * LANES) * sizeof(uint16_t)) | 64;
}

static size_t scratch(const struct conv *conv)
{
    return CONV_PIXELS * pixel_bytes(conv);
}

/* What is written too much is written over, or a zero that fills the last pair. */
static void convert_pixel(const struct conv *conv, const struct conv_tile *tile, int pixel, uint16_t *to)
{
    const size_t depth = (size_t)conv->depth;
    for (int t = 0; t < conv->taps; t++, to += depth)
        convert((const void *)((const char *)tile->in[t] + (size_t)pixel * tile->in_step), depth, to);
}

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    const struct conv pairs = in_pairs(conv);
    const void *in = tile->scratch;
    struct conv_tile converted = *tile;
    converted.in = &in;
    converted.in_step = pixel_bytes(conv);
    for (int i = 0; i < tile->pixels; i++)
        convert_pixel(conv, tile, i, (void *)((char *)tile->scratch + (size_t)i * converted.in_step));
    run_tiled(&pairs, &converted);
}

void kernels_init_bf16(struct kernels *kernels)
{
    kernels->conv_bf16 = (struct conv_kernel){"conv_bf16_avx512", TILE,    PANEL, packed_bytes_bf16,
                                              pack_bf16,          scratch, run,   .even = true};
    kernels_init_probe_bf16(kernels);
}
