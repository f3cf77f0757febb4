/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/x86/avx2.h"
#include "engine/kernels/x86/activate.h"
#include "engine/kernels/x86/requant.h"

#include <string.h>

/* 6 pixels by 16 channels: 12 accumulators, 2 registers of weights and one of input fill AVX2's 16. */
enum { TILE = 6, PANEL = 16 };

static size_t panels(const struct conv *conv)
{
    return ((size_t)conv->channels + PANEL - 1) / PANEL;
}

static int columns(const struct conv *conv, size_t panel)
{
    int left = conv->channels - (int)panel * PANEL;
    return left < PANEL ? left : PANEL;
}

/* ---- float32: a panel is bias[16], then weight[taps * depth][16] ---- */

static size_t panel_f32(const struct conv *conv)
{
    return PANEL * ((size_t)conv->taps * (size_t)conv->depth + 1);
}

static size_t packed_bytes_f32(const struct conv *conv)
{
    return panels(conv) * panel_f32(conv) * sizeof(float);
}

static void pack_f32(const struct conv *conv, const struct conv_weights *weights, void *packed)
{
    size_t each = (size_t)conv->taps * (size_t)conv->depth;
    for (size_t p = 0; p < panels(conv); p++) {
        float *to = (float *)packed + p * panel_f32(conv);
        memset(to, 0, panel_f32(conv) * sizeof(float));
        for (int j = 0; j < columns(conv, p); j++) {
            size_t channel = p * PANEL + (size_t)j;
            to[j] = weights->bias_f32 ? weights->bias_f32[channel] : 0;
            for (size_t k = 0; k < each; k++)
                to[PANEL * (k + 1) + (size_t)j] = weights->f32[channel * each + k];
        }
    }
}

static inline void store_f32(float *out, __m256 low, __m256 high, int columns)
{
    if (columns == PANEL) {
        _mm256_storeu_ps(out, low);
        _mm256_storeu_ps(out + 8, high);
        return;
    }
    float all[PANEL];
    _mm256_storeu_ps(all, low);
    _mm256_storeu_ps(all + 8, high);
    memcpy(out, all, (size_t)columns * sizeof(float));
}

#define FOR_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5)

static void tile_f32(const struct conv *conv, const struct conv_tile *tile, int first, const float *w,
                     float *out, int columns)
{
    const __m256 min = _mm256_set1_ps(conv->min_f32), max = _mm256_set1_ps(conv->max_f32);
    const int rows = tile->pixels - first < TILE ? tile->pixels - first : TILE;
#define START(i) __m256 low##i = _mm256_loadu_ps(w), high##i = _mm256_loadu_ps(w + 8);
    FOR_ROWS(START)
#undef START
    w += PANEL;
    for (int t = 0; t < conv->taps; t++) { /* rows beyond the last repeat it */
        const char *in = (const char *)tile->in[t] + (size_t)first * tile->in_step;
#define ROW(i) const float *a##i = (const void *)(in + (size_t)((i) < rows ? (i) : rows - 1) * tile->in_step);
        FOR_ROWS(ROW)
#undef ROW
        for (int c = 0; c < conv->depth; c++, w += PANEL) {
            __m256 w_low = _mm256_loadu_ps(w), w_high = _mm256_loadu_ps(w + 8), a;
#define MULTIPLY(i)                                                                                          \
    a = _mm256_broadcast_ss(a##i + c);                                                                       \
    low##i = _mm256_fmadd_ps(a, w_low, low##i);                                                              \
    high##i = _mm256_fmadd_ps(a, w_high, high##i);
            FOR_ROWS(MULTIPLY)
#undef MULTIPLY
        }
    }
#define FINISH(i)                                                                                            \
    if ((i) < rows)                                                                                          \
        store_f32(out + (i)*tile->out_stride, activate8(low##i, min, max, conv->hard_swish),                 \
                  activate8(high##i, min, max, conv->hard_swish), columns);
    FOR_ROWS(FINISH)
#undef FINISH
}

static void run_f32(const struct conv *conv, const struct conv_tile *tile)
{
    for (int j = tile->from; j < tile->to; j += PANEL) {
        size_t p = (size_t)j / PANEL;
        const float *panel = (const float *)conv->packed + p * panel_f32(conv);
        for (int i = 0; i < tile->pixels; i += TILE)
            tile_f32(conv, tile, i, panel, (float *)tile->out + (size_t)i * tile->out_stride + j,
                     columns(conv, p));
    }
}

/* ---- int8: weights less their zero point as int16, in pairs of inputs, for VPMADDWD. A panel is bias,
 * multiplier, left and right shift[16], then weight[pairs][16][2]; each tap's depth is filled up to an even
 * number. ---- */

static size_t pairs(const struct conv *conv)
{
    return (size_t)conv->taps * (((size_t)conv->depth + 1) / 2);
}

static size_t panel_i8(const struct conv *conv)
{
    return PANEL * (4 * sizeof(int32_t) + pairs(conv) * 2 * sizeof(int16_t));
}

static size_t packed_bytes_i8(const struct conv *conv)
{
    return panels(conv) * panel_i8(conv);
}

static size_t scratch_i8(const struct conv *conv)
{
    return align64(TILE * pairs(conv) * 2 * sizeof(int16_t));
}

static void pack_channel_i8(const struct conv *conv, const struct conv_weights *weights, size_t channel,
                            int32_t *head, int16_t *to)
{
    size_t taps = (size_t)conv->taps, depth = (size_t)conv->depth, even = (depth + 1) / 2 * 2;
    const int8_t *from = weights->i8 + channel * taps * depth;
    int64_t sum = 0;
    for (size_t t = 0; t < taps; t++)
        for (size_t c = 0; c < depth; c++) {
            int value = from[t * depth + c] - conv->weight_zero;
            size_t k = t * even + c;
            to[k / 2 * 2 * PANEL + k % 2] = (int16_t)value;
            sum += value;
        }
    struct requant r = weights->requant[channel];
    head[0] = (int32_t)((weights->bias_i32 ? weights->bias_i32[channel] : 0) - weights->in_zero * sum);
    head[PANEL] = r.multiplier;
    head[2 * PANEL] = r.shift > 0 ? r.shift : 0;
    head[3 * PANEL] = r.shift > 0 ? 0 : -r.shift;
}

static void pack_i8(const struct conv *conv, const struct conv_weights *weights, void *packed)
{
    memset(packed, 0, packed_bytes_i8(conv));
    for (size_t p = 0; p < panels(conv); p++) {
        int32_t *head = (int32_t *)(void *)((char *)packed + p * panel_i8(conv));
        int16_t *body = (int16_t *)(void *)(head + 4 * PANEL);
        for (int j = 0; j < columns(conv, p); j++)
            pack_channel_i8(conv, weights, p * PANEL + (size_t)j, head + j, body + 2 * j);
    }
}

/* Each pixel's inputs as int16, one behind the other. */
static void widen_tile(const struct conv *conv, const struct conv_tile *tile, int first)
{
    int depth = conv->depth, even = (depth + 1) / 2 * 2;
    for (int i = 0; i < TILE; i++) {
        int16_t *to = (int16_t *)tile->scratch + (size_t)i * pairs(conv) * 2;
        int row = first + i < tile->pixels ? first + i : tile->pixels - 1;
        for (int t = 0; t < conv->taps; t++, to += even) {
            const int8_t *in = (const int8_t *)tile->in[t] + (size_t)row * tile->in_step;
            int c = 0;
            for (; c + 16 <= depth; c += 16)
                _mm256_storeu_si256((__m256i *)(to + c),
                                    _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(in + c))));
            for (; c < depth; c++)
                to[c] = in[c];
            if (c < even)
                to[c] = 0;
        }
    }
}

static inline void store_i8(int8_t *out, __m256i low, __m256i high, int columns)
{
    __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
    __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    if (columns == PANEL) {
        _mm_storeu_si128((__m128i *)out, bytes);
        return;
    }
    int8_t all[PANEL];
    _mm_storeu_si128((__m128i *)all, bytes);
    memcpy(out, all, (size_t)columns);
}

static inline __m256i pair_at(const int16_t *a, size_t k)
{
    int32_t pair;
    memcpy(&pair, a + 2 * k, sizeof(pair));
    return _mm256_set1_epi32(pair);
}

static void tile_i8(const struct conv *conv, const struct conv_tile *tile, int rows, const int32_t *head,
                    int8_t *out, int columns)
{
    const __m256i zero = _mm256_set1_epi32(conv->out_zero), min = _mm256_set1_epi32(conv->min_i8);
    const __m256i max = _mm256_set1_epi32(conv->max_i8);
    const size_t count = pairs(conv);
    const __m256i *w = (const __m256i *)(const void *)(head + 4 * PANEL);
#define START(i)                                                                                             \
    const int16_t *a##i = (const int16_t *)tile->scratch + (i)*2 * count;                                    \
    __m256i low##i = _mm256_loadu_si256((const __m256i *)head);                                              \
    __m256i high##i = _mm256_loadu_si256((const __m256i *)(head + 8));
    FOR_ROWS(START)
#undef START
    for (size_t k = 0; k < count; k++, w += 2) {
        __m256i w_low = _mm256_loadu_si256(w), w_high = _mm256_loadu_si256(w + 1), a;
#define MULTIPLY(i)                                                                                          \
    a = pair_at(a##i, k);                                                                                    \
    low##i = _mm256_add_epi32(low##i, _mm256_madd_epi16(a, w_low));                                          \
    high##i = _mm256_add_epi32(high##i, _mm256_madd_epi16(a, w_high));
        FOR_ROWS(MULTIPLY)
#undef MULTIPLY
    }
    const struct requant8 r_low = requant8_load(head + PANEL, head + 2 * PANEL, head + 3 * PANEL);
    const struct requant8 r_high =
        requant8_load(head + PANEL + 8, head + 2 * PANEL + 8, head + 3 * PANEL + 8);
#define FINISH(i)                                                                                            \
    if ((i) < rows)                                                                                          \
        store_i8(out + (i)*tile->out_stride, clamp8(requantise8(low##i, r_low), zero, min, max),             \
                 clamp8(requantise8(high##i, r_high), zero, min, max), columns);
    FOR_ROWS(FINISH)
#undef FINISH
}

static void run_i8(const struct conv *conv, const struct conv_tile *tile)
{
    for (int i = 0; i < tile->pixels; i += TILE) {
        int rows = tile->pixels - i < TILE ? tile->pixels - i : TILE;
        widen_tile(conv, tile, i);
        for (int j = tile->from; j < tile->to; j += PANEL) {
            size_t p = (size_t)j / PANEL;
            const char *panel = (const char *)conv->packed + p * panel_i8(conv);
            tile_i8(conv, tile, rows, (const int32_t *)(const void *)panel,
                    (int8_t *)tile->out + (size_t)i * tile->out_stride + j, columns(conv, p));
        }
    }
}

void kernels_init_conv_avx2(struct kernels *kernels)
{
    kernels->conv_f32 =
        (struct conv_kernel){"conv_f32_avx2", TILE, PANEL, packed_bytes_f32, pack_f32, NULL, run_f32};
    kernels->conv_i8 =
        (struct conv_kernel){"conv_i8_avx2", TILE, PANEL, packed_bytes_i8, pack_i8, scratch_i8, run_i8};
}
