/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/x86/avx2.h"
#include "engine/kernels/x86/requant.h"

#include <string.h>

enum { TAPS_MAX = 49 }; /* larger windows are for the C reference */

static bool fits(const struct depthwise *d)
{
    return d->multiplier == 1 && depthwise_taps(d) <= TAPS_MAX;
}

static void list_taps(const struct depthwise *d, const struct depthwise_tile *tile, int x, size_t element,
                      const void **tap)
{
    for (int t = 0; t < depthwise_taps(d); t++)
        tap[t] = depthwise_input(d, tile, 0, x, t, element);
}

/* ---- int8: blocks of 16 channels, two taps at a time for VPMADDWD. A block is bias, multiplier, left and
 * right shift[16], then weight[tap pairs][16][2], the channels in the order in which VPUNPCKWD leaves them.
 * The zero point of the input is in the bias. With a multiplier other than 1 the block's layout is the C
 * reference's. ---- */

enum { BLOCK = 16 };
static const int order[BLOCK] = {0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15};

static size_t tap_pairs(const struct depthwise *d)
{
    return ((size_t)depthwise_taps(d) + 1) / 2;
}

static size_t block_bytes(const struct depthwise *d)
{
    return BLOCK * (4 * sizeof(int32_t) + tap_pairs(d) * 2 * sizeof(int16_t));
}

static size_t blocks(const struct depthwise *d)
{
    return ((size_t)d->channels + BLOCK - 1) / BLOCK;
}

static size_t packed_bytes_i8(const struct depthwise *d)
{
    return fits(d) ? blocks(d) * block_bytes(d) : depthwise_packed_bytes_i8_c(d);
}

static void pack_channel(const struct depthwise *d, const struct conv_weights *weights, size_t channel,
                         int32_t *head, int16_t *to)
{
    int64_t sum = 0;
    for (int t = 0; t < depthwise_taps(d); t++) {
        int value = weights->i8[(size_t)t * (size_t)d->channels + channel] - d->weight_zero;
        to[t / 2 * 2 * BLOCK + t % 2] = (int16_t)value;
        sum += value;
    }
    struct requant r = weights->requant[channel];
    head[0] = (int32_t)((weights->bias_i32 ? weights->bias_i32[channel] : 0) - d->in_zero * sum);
    head[BLOCK] = r.multiplier;
    head[2 * BLOCK] = r.shift > 0 ? r.shift : 0;
    head[3 * BLOCK] = r.shift > 0 ? 0 : -r.shift;
}

static void pack_i8(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    if (!fits(d)) {
        depthwise_pack_i8_c(d, weights, packed);
        return;
    }
    memset(packed, 0, packed_bytes_i8(d));
    for (size_t b = 0; b < blocks(d); b++) {
        int32_t *head = (int32_t *)(void *)((char *)packed + b * block_bytes(d));
        int16_t *body = (int16_t *)(void *)(head + 4 * BLOCK);
        for (int j = 0; j < BLOCK; j++) {
            size_t channel = b * BLOCK + (size_t)order[j];
            if (channel < (size_t)d->channels)
                pack_channel(d, weights, channel, head + j, body + 2 * j);
        }
    }
}

static inline __m256i widened(const void *in, int c, int count)
{
    int8_t tail[BLOCK] = {0};
    const int8_t *from = (const int8_t *)in + c;
    if (count < BLOCK)
        from = memcpy(tail, from, (size_t)count);
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)from));
}

static __m128i block_i8(const struct depthwise *d, const void *const *in, const int32_t *head, int c,
                        int count)
{
    const __m256i zero = _mm256_set1_epi32(d->out_zero), min = _mm256_set1_epi32(d->min_i8);
    const __m256i max = _mm256_set1_epi32(d->max_i8);
    const __m256i *w = (const __m256i *)(const void *)(head + 4 * BLOCK);
    __m256i low = _mm256_loadu_si256((const __m256i *)head),
            high = _mm256_loadu_si256((const __m256i *)(head + 8));
    for (int t = 0, taps = depthwise_taps(d); t < taps; t += 2, w += 2) {
        __m256i a = widened(in[t], c, count);
        __m256i b = t + 1 < taps ? widened(in[t + 1], c, count) : _mm256_setzero_si256();
        low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), _mm256_loadu_si256(w)));
        high =
            _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), _mm256_loadu_si256(w + 1)));
    }
    low = requantise8(low, requant8_load(head + BLOCK, head + 2 * BLOCK, head + 3 * BLOCK));
    high = requantise8(high, requant8_load(head + BLOCK + 8, head + 2 * BLOCK + 8, head + 3 * BLOCK + 8));
    __m256i words = _mm256_packs_epi32(clamp8(low, zero, min, max), clamp8(high, zero, min, max));
    return _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

static void run_i8(const struct depthwise *d, const struct depthwise_tile *tile)
{
    const void *tap[TAPS_MAX];
    if (!fits(d)) {
        depthwise_run_i8_c(d, tile);
        return;
    }
    for (int x = 0; x < tile->columns; x++) {
        int8_t *out = (int8_t *)tile->out + (size_t)x * (size_t)d->channels;
        list_taps(d, tile, x, 1, tap);
        for (int c = 0; c < d->channels; c += BLOCK) {
            const char *block = (const char *)d->packed + (size_t)c / BLOCK * block_bytes(d);
            int count = d->channels - c < BLOCK ? d->channels - c : BLOCK;
            int8_t bytes[BLOCK];
            __m128i all = block_i8(d, tap, (const int32_t *)(const void *)block, c, count);
            _mm_storeu_si128((__m128i *)(count < BLOCK ? bytes : out + c), all);
            if (count < BLOCK)
                memcpy(out + c, bytes, (size_t)count);
        }
    }
}

void kernels_init_depthwise_i8_avx2(struct kernels *kernels)
{
    kernels->depthwise_i8 =
        (struct depthwise_kernel){"depthwise_i8_avx2", 1, packed_bytes_i8, pack_i8, run_i8};
}
