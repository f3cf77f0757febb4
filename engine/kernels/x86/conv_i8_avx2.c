/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/avx2.h"
#include "engine/kernels/x86/output_i8.h"

#include <string.h>

/* 6 pixels by 16 channels, or by 8 where no more are left. Inputs are widened to int16 once for all channels,
 * and VPMADDWD multiplies two of them by two weights, which are widened as they are loaded. A panel is a
 * head, then weight[pairs][width][2]; each tap's depth is filled up to an even number with weights of 0. */
enum { TILE = 6, PANEL = 16, HALF = 8 };

static int width(const struct conv *conv, int channel)
{
    return conv->channels - channel <= HALF ? HALF : PANEL;
}

static int lane(int channel, int width)
{
    return width == HALF ? channel : lane_i8(channel);
}

static size_t even_depth(const struct conv *conv)
{
    return ((size_t)conv->depth + 1) / 2 * 2;
}

static size_t pairs(const struct conv *conv)
{
    return (size_t)conv->taps * even_depth(conv) / 2;
}

static size_t panel_bytes(const struct conv *conv)
{
    return sizeof(struct head_i8) + pairs(conv) * 2 * PANEL;
}

static size_t packed_bytes(const struct conv *conv)
{
    return ((size_t)conv->channels + PANEL - 1) / PANEL * panel_bytes(conv);
}

static struct head_i8 *head_of(const void *packed, const struct conv *conv, int channel)
{
    return (struct head_i8 *)(void *)((char *)(uintptr_t)packed +
                                      (size_t)channel / PANEL * panel_bytes(conv));
}

/* Widened pixels, then what each one's accumulators have less for the weights' zero point. */
static size_t widened_bytes(const struct conv *conv)
{
    return align64((CONV_PIXELS * 2 * pairs(conv) + 16) * sizeof(int16_t));
}

static size_t scratch(const struct conv *conv)
{
    return widened_bytes(conv) + align64(CONV_PIXELS * sizeof(int32_t));
}

static void pack_channel(const struct conv *conv, const struct conv_weights *weights, int channel,
                         struct head_i8 *head)
{
    size_t taps = (size_t)conv->taps, depth = (size_t)conv->depth;
    int wide = width(conv, channel / PANEL * PANEL), at = lane(channel % PANEL, wide);
    const int8_t *from = weights->i8 + (size_t)channel * taps * depth;
    int8_t *to = (int8_t *)(head + 1) + 2 * at;
    int64_t sum = 0;
    for (size_t t = 0; t < taps; t++)
        for (size_t c = 0; c < depth; c++) {
            size_t k = t * even_depth(conv) + c;
            to[k / 2 * 2 * (size_t)wide + k % 2] = from[t * depth + c];
            sum += from[t * depth + c] - conv->weight_zero;
        }
    int64_t bias = weights->bias_i32 ? weights->bias_i32[channel] : 0;
    head_i8_set(head, at, (int32_t)(bias - weights->in_zero * sum), weights->requant[channel]);
}

static void pack(const struct conv *conv, const struct conv_weights *weights, void *packed, int from, int to)
{
    for (int j = from; j < to; j++) {
        struct head_i8 *head = head_of(packed, conv, j);
        if (j % PANEL == 0) {
            memset(head, 0, panel_bytes(conv));
            head_i8_clear(head);
        }
        pack_channel(conv, weights, j, head);
    }
}

/* ---- inputs ---- */

static void widen(const struct conv *conv, const struct conv_tile *tile, int pixel, int16_t *to)
{
    for (int t = 0; t < conv->taps; t++, to += even_depth(conv)) {
        const int8_t *in = (const int8_t *)tile->in[t] + (size_t)pixel * tile->in_step;
        for (int c = 0; c < conv->depth;
             c += 16) /* what is too much meets weights of 0, or is written over */
            _mm256_storeu_si256((__m256i *)(to + c),
                                _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(in + c))));
    }
}

static int32_t sum_of_inputs(const struct conv *conv, const struct conv_tile *tile, int pixel)
{
    int32_t each[8], total = 0;
    __m256i sum = _mm256_setzero_si256();
    for (int t = 0; t < conv->taps; t++) {
        const int8_t *in = (const int8_t *)tile->in[t] + (size_t)pixel * tile->in_step;
        int c = 0;
        for (; c + 16 <= conv->depth; c += 16) {
            __m256i words = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(in + c)));
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(words, _mm256_set1_epi16(1)));
        }
        for (; c < conv->depth; c++)
            total += in[c];
    }
    _mm256_storeu_si256((__m256i *)each, sum);
    for (int i = 0; i < 8; i++)
        total += each[i];
    return total;
}

/* ---- tiles ---- */

struct work {          /* some widened pixels and a panel of channels */
    const int16_t *in; /* the first pixel's */
    const int32_t *less;
    size_t pairs;
    int8_t *out; /* the panel's first channel of the first pixel */
    size_t out_stride;
    int columns;
    const struct head_i8 *head;
    struct output_i8 to;
};

static inline void store_row(const struct work *work, int pixel, __m128i bytes)
{
    int8_t all[PANEL], *out = work->out + (size_t)pixel * work->out_stride;
    if (work->columns == PANEL) {
        _mm_storeu_si128((__m128i *)out, bytes);
    } else if (work->columns == HALF) {
        _mm_storel_epi64((__m128i *)out, bytes);
    } else {
        _mm_storeu_si128((__m128i *)all, bytes);
        memcpy(out, all, (size_t)work->columns);
    }
}

static inline __attribute__((always_inline)) void
store(const struct work *work, int first, const __m256i sum[TILE][2], const int rows, const int halves)
{
#pragma GCC unroll 3
    for (int i = 0; i < rows; i += 2) {
        const int next = i + 1 < rows ? i + 1 : i;
        __m256i words0 = _mm256_packs_epi32(sum[i][0], sum[i][halves - 1]);
        __m256i words1 = _mm256_packs_epi32(sum[next][0], sum[next][halves - 1]);
        if (halves == 1) { /* 0-3, 0-3, 4-7, 4-7 */
            words0 = _mm256_permute4x64_epi64(words0, 0xd8);
            words1 = _mm256_permute4x64_epi64(words1, 0xd8);
        }
        __m256i bytes = narrow_i8(&work->to, words0, words1);
        store_row(work, first + i, _mm256_castsi256_si128(bytes));
        if (i + 1 < rows)
            store_row(work, first + next, _mm256_extracti128_si256(bytes, 1));
    }
}

static __attribute__((noinline)) void finish_any(const struct work *work, int first, __m256i (*sum)[2],
                                                 int rows, int halves)
{
    for (int i = 0; i < rows; i++)
        for (int h = 0; h < halves; h++)
            sum[i][h] = requantise_any8(&work->to, sum[i][h], h);
    store(work, first, sum, rows, halves);
}

static inline __attribute__((always_inline)) void
finish(const struct work *work, int first, __m256i sum[TILE][2], const int rows, const int halves)
{
    if (work->to.rounding == RECTIFIED) {
#pragma GCC unroll 12
        for (int k = 0; k < rows * halves; k++)
            sum[k / halves][k % halves] =
                requantise_rectified8(sum[k / halves][k % halves], &work->to.right[k % halves]);
    } else {
#pragma GCC unroll 12
        for (int k = 0; k < rows * halves; k++)
            sum[k / halves][k % halves] =
                requantise_right8(sum[k / halves][k % halves], &work->to.right[k % halves]);
    }
    store(work, first, sum, rows, halves);
}

static inline __attribute__((always_inline)) __m256i widened_weights(const int8_t *w)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)w));
}

static inline __attribute__((always_inline)) __m256i pair_at(const int16_t *in)
{
    int32_t pair;
    memcpy(&pair, in, sizeof(pair));
    return _mm256_set1_epi32(pair);
}

static inline __attribute__((always_inline)) void tile_of(const struct work *work, int first, const int rows,
                                                          const int halves)
{
    __m256i sum[TILE][2];
    const int8_t *w = (const int8_t *)(work->head + 1);
    const size_t step = 2 * work->pairs;
    const int16_t *in = work->in + (size_t)first * step;
#pragma GCC unroll 12
    for (int k = 0; k < rows * halves; k++)
        sum[k / halves][k % halves] =
            _mm256_sub_epi32(_mm256_loadu_si256((const __m256i *)(work->head->bias + HALF * (k % halves))),
                             _mm256_set1_epi32(work->less[first + k / halves]));
    for (const int16_t *end = in + step; in < end; in += 2, w += 16 * halves) {
        __m256i low = widened_weights(w), high = halves == 2 ? widened_weights(w + 16) : low;
#pragma GCC unroll 6
        for (int i = 0; i < rows; i++) {
            __m256i pair = pair_at(in + (size_t)i * step);
            sum[i][0] = _mm256_add_epi32(sum[i][0], _mm256_madd_epi16(pair, low));
            if (halves == 2)
                sum[i][1] = _mm256_add_epi32(sum[i][1], _mm256_madd_epi16(pair, high));
        }
    }
    if (work->to.rounding == ANY) {
        __m256i copy[TILE][2]; /* `sum` stays in registers, as nothing has its address */
#pragma GCC unroll 12
        for (int k = 0; k < rows * halves; k++)
            copy[k / halves][k % halves] = sum[k / halves][k % halves];
        finish_any(work, first, copy, rows, halves);
    } else {
        finish(work, first, sum, rows, halves);
    }
}

static void run_tile(const struct work *work, int first, int rows, int halves)
{
#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        tile_of(work, first, n, 2);                                                                          \
        break;                                                                                               \
    case TILE + (n):                                                                                         \
        tile_of(work, first, n, 1);                                                                          \
        break;
    switch (halves == 2 ? rows : TILE + rows) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
    }
#undef CASE
}

/* ---- all pixels, all channels ---- */

static void run_panels(const struct conv *conv, const struct conv_tile *tile, struct work *work)
{
    int pixels = tile->pixels, tiles = (pixels + TILE - 1) / TILE;
    for (int j = tile->from; j < tile->to; j += PANEL) {
        work->head = head_of(conv->packed, conv, j);
        output_i8_set(&work->to, half_of_head(work->head, 0), half_of_head(work->head, 1), conv->out_zero,
                      conv->min_i8, conv->max_i8);
        work->out = (int8_t *)tile->out + j;
        work->columns = conv->channels - j < PANEL ? conv->channels - j : PANEL;
        for (int i = 0; i < tiles; i++) /* of equal height or one pixel less */
            run_tile(work, pixels * i / tiles, pixels * (i + 1) / tiles - pixels * i / tiles,
                     width(conv, j) / HALF);
    }
}

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    int16_t *in = tile->scratch;
    int32_t *less = (int32_t *)(void *)((char *)tile->scratch + widened_bytes(conv));
    struct work work = {
        .in = in,
        .less = less,
        .pairs = pairs(conv),
        .out_stride = tile->out_stride,
    };
    for (int i = 0; i < tile->pixels; i++) {
        widen(conv, tile, i, in + 2 * work.pairs * (size_t)i);
        less[i] = conv->weight_zero
                      ? (int32_t)((uint32_t)conv->weight_zero * (uint32_t)sum_of_inputs(conv, tile, i))
                      : 0;
    }
    run_panels(conv, tile, &work);
}

void kernels_init_conv_i8_avx2(struct kernels *kernels)
{
    kernels->conv_i8 = (struct conv_kernel){"conv_i8_avx2", TILE, PANEL, packed_bytes, pack, scratch, run};
}
