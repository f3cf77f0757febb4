/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/x86/avx2.h"
#include "engine/kernels/x86/output_i8.h"

#include <string.h>

/* Blocks of 16 channels. Two rows of inputs are interleaved, so that VPMADDWD adds up one below the other. A
 * block is a head, then weight[row pairs][columns][16][2] less their zero point, the channels as lane_i8()
 * orders them. The zero point of the input is in the bias. With a multiplier other than 1 the layout is the C
 * reference's. */
enum { BLOCK = CHANNELS_I8, TAP = 2 * BLOCK, STRIP = 4, ROWS = 2 }; /* STRIP: columns that share inputs */

static size_t block_bytes(const struct depthwise *d)
{
    size_t row_pairs = ((size_t)d->size[0] + 1) / 2;
    return sizeof(struct head_i8) + row_pairs * (size_t)d->size[1] * TAP * sizeof(int16_t);
}

static size_t packed_bytes(const struct depthwise *d)
{
    if (d->multiplier != 1)
        return depthwise_packed_bytes_i8_c(d);
    return ((size_t)d->channels + BLOCK - 1) / BLOCK * block_bytes(d);
}

static void pack_channel(const struct depthwise *d, const struct conv_weights *weights, size_t channel,
                         struct head_i8 *head)
{
    int at = lane_i8((int)(channel % BLOCK));
    int16_t *to = (int16_t *)(void *)(head + 1) + 2 * at;
    int64_t sum = 0, bias = weights->bias_i32 ? weights->bias_i32[channel] : 0;
    for (int t = 0; t < depthwise_taps(d); t++) {
        int value = weights->i8[(size_t)t * (size_t)d->channels + channel] - d->weight_zero;
        int ky = t / d->size[1], kx = t % d->size[1];
        to[(ky / 2 * d->size[1] + kx) * TAP + ky % 2] = (int16_t)value;
        sum += value;
    }
    head_i8_set(head, at, (int32_t)(bias - d->in_zero * sum), weights->requant[channel]);
}

static void pack(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    if (d->multiplier != 1) {
        depthwise_pack_i8_c(d, weights, packed);
        return;
    }
    memset(packed, 0, packed_bytes(d));
    for (size_t c = 0; c < (size_t)d->channels; c++) {
        struct head_i8 *head = (struct head_i8 *)(void *)((char *)packed + c / BLOCK * block_bytes(d));
        if (c % BLOCK == 0)
            head_i8_clear(head);
        pack_channel(d, weights, c, head);
    }
}

struct work { /* a row of 16 channels, or of the last ones */
    const struct depthwise *d;
    const void *const *in; /* rows */
    int8_t *out;
    int channel, columns;
    const struct head_i8 *head;
    struct output_i8 to;
};

static inline const int8_t *input(const struct work *work, int ky, int column)
{
    size_t pixel = (size_t)column * (size_t)work->d->stride[1];
    return (const int8_t *)work->in[ky * work->d->dilation[0]] + pixel * (size_t)work->d->channels +
           work->channel;
}

/* Under a last row without another the weights are 0. */
static inline const int8_t *input_below(const struct work *work, int ky, int column)
{
    return input(work, ky + 1 < work->d->size[0] ? ky + 1 : ky, column);
}

static inline void store(const struct work *work, int column, __m128i bytes)
{
    int left = work->d->channels - work->channel;
    int8_t all[BLOCK], *out = work->out + (size_t)column * (size_t)work->d->channels + work->channel;
    _mm_storeu_si128((__m128i *)(left < BLOCK ? all : out), bytes);
    if (left < BLOCK)
        memcpy(out, all, (size_t)left);
}

static inline __m256i widened(const int8_t *in)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)in));
}

static inline __m256i added(__m256i sum, __m256i inputs, const __m256i *weights)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(inputs, _mm256_loadu_si256(weights)));
}

/* Four columns, of kernels `width` wide. */
static inline __attribute__((always_inline)) void strip(const struct work *work, int x, const int width,
                                                        const int stride)
{
    const struct head_i8 *head = work->head;
    const __m256i *w = (const __m256i *)(const void *)(head + 1);
    __m256i low[STRIP], high[STRIP];
#pragma GCC unroll 4
    for (int i = 0; i < STRIP; i++) {
        low[i] = _mm256_loadu_si256((const __m256i *)head->bias);
        high[i] = _mm256_loadu_si256((const __m256i *)(head->bias + 8));
    }
    for (int ky = 0; ky < work->d->size[0]; ky += 2, w += 2 * width) {
        const int8_t *above = input(work, ky, x), *below = input_below(work, ky, x);
#pragma GCC unroll 11
        for (int k = 0; k < width + (STRIP - 1) * stride;
             k++, above += work->d->channels, below += work->d->channels) {
            __m256i a = widened(above), b = widened(below);
            __m256i ab_low = _mm256_unpacklo_epi16(a, b), ab_high = _mm256_unpackhi_epi16(a, b);
#pragma GCC unroll 4
            for (int i = 0; i < STRIP; i++)
                if (k >= i * stride && k < i * stride + width) {
                    low[i] = added(low[i], ab_low, w + 2 * (k - i * stride));
                    high[i] = added(high[i], ab_high, w + 2 * (k - i * stride) + 1);
                }
        }
    }
#pragma GCC unroll 2
    for (int i = 0; i < STRIP; i += 2) {
        __m256i bytes = narrow_i8(&work->to, words_i8(&work->to, low[i], high[i]),
                                  words_i8(&work->to, low[i + 1], high[i + 1]));
        store(work, x + i, _mm256_castsi256_si128(bytes));
        store(work, x + i + 1, _mm256_extracti128_si256(bytes, 1));
    }
}

#define STRIP_OF(width, stride)                                                                              \
    static void strip_##width##_##stride(const struct work *work, int x)                                     \
    {                                                                                                        \
        strip(work, x, width, stride);                                                                       \
    }
STRIP_OF(3, 1)
STRIP_OF(3, 2)
STRIP_OF(5, 1)
STRIP_OF(5, 2)

static void column(const struct work *work, int x)
{
    const struct depthwise *d = work->d;
    const struct head_i8 *head = work->head;
    const size_t across = (size_t)d->channels * (size_t)d->dilation[1];
    const __m256i *w = (const __m256i *)(const void *)(head + 1);
    __m256i low = _mm256_loadu_si256((const __m256i *)head->bias);
    __m256i high = _mm256_loadu_si256((const __m256i *)(head->bias + 8));
    for (int ky = 0; ky < d->size[0]; ky += 2) {
        const int8_t *above = input(work, ky, x), *below = input_below(work, ky, x);
        for (int kx = 0; kx < d->size[1]; kx++, above += across, below += across, w += 2) {
            __m256i a = widened(above), b = widened(below);
            low = added(low, _mm256_unpacklo_epi16(a, b), w);
            high = added(high, _mm256_unpackhi_epi16(a, b), w + 1);
        }
    }
    __m256i words = words_i8(&work->to, low, high);
    store(work, x, _mm256_castsi256_si128(narrow_i8(&work->to, words, words)));
}

/* A last strip of fewer columns than it takes starts earlier and makes some of them twice. */
static void strips(const struct work *work, void (*one)(const struct work *, int))
{
    for (int x = 0; x < work->columns; x += STRIP)
        one(work, x + STRIP <= work->columns ? x : work->columns - STRIP);
}

static void columns(const struct work *work)
{
    const struct depthwise *d = work->d;
    bool near = d->dilation[1] == 1 && work->columns >= STRIP;
    if (near && d->size[1] == 3 && d->stride[1] <= 2)
        strips(work, d->stride[1] == 1 ? strip_3_1 : strip_3_2);
    else if (near && d->size[1] == 5 && d->stride[1] <= 2)
        strips(work, d->stride[1] == 1 ? strip_5_1 : strip_5_2);
    else
        for (int x = 0; x < work->columns; x++)
            column(work, x);
}

static void run(const struct depthwise *d, const struct depthwise_tile *tile)
{
    struct work work = {.d = d, .columns = tile->columns};
    if (d->multiplier != 1) {
        depthwise_run_i8_c(d, tile);
        return;
    }
    for (int c = 0; c < d->channels; c += BLOCK) {
        const void *block = (const char *)d->packed + (size_t)c / BLOCK * block_bytes(d);
        work.head = block;
        output_i8_set(&work.to, half_of_head(work.head, 0), half_of_head(work.head, 1), d->out_zero,
                      d->min_i8, d->max_i8);
        work.channel = c;
        for (int y = 0; y < tile->rows; y++) {
            work.in = tile->in + y * d->stride[0];
            work.out = (int8_t *)tile->out + (size_t)y * tile->out_row;
            columns(&work);
        }
    }
}

void kernels_init_depthwise_i8_avx2(struct kernels *kernels)
{
    kernels->depthwise_i8 = (struct depthwise_kernel){"depthwise_i8_avx2", ROWS, packed_bytes, pack, run};
}
