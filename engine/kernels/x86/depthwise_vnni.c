/* SPDX-License-Identifier: MIT */
/* int8 depthwise convolution with VPDPBUSD: it adds up four taps that lie one below the other. */
#include "engine/kernels/x86/rounding16.h"
#include "engine/kernels/x86/vnni.h"

#include <stdlib.h>
#include <string.h>

/* Blocks of 16 channels. Of each column four input rows are interleaved, and moved by 128 as VPDPBUSD wants
 * them unsigned; one or two output rows, and all columns whose window it is in, read them. A block is a head,
 * then weight[output row][part][four input rows][columns][16][4] less their zero point; what does not fit 8
 * bits is the sum of two parts, and 255 of three; head.zero is the number of parts. With a multiplier other
 * than 1 the layout is the C reference's. */
enum { BLOCK = LANES, TAP = 4 * BLOCK, STRIP = 7, ROWS = 2 }; /* STRIP: columns that share inputs */

struct shape { /* of a block's weights */
    int rows;  /* output rows that share inputs */
    int fours; /* of input rows */
    int parts;
};

static struct shape shape_of(const struct depthwise *d)
{
    int rows = d->stride[0] == 1 && d->dilation[0] == 1 ? ROWS : 1;
    int parts = !d->weight_zero ? 1 : d->weight_zero > INT8_MIN ? 2 : 3;
    return (struct shape){rows, (d->size[0] + rows + 2) / 4, parts};
}

static size_t block_bytes(const struct depthwise *d)
{
    struct shape s = shape_of(d);
    return sizeof(struct head16) + (size_t)(s.rows * s.parts * s.fours) * (size_t)d->size[1] * TAP;
}

static size_t packed_bytes(const struct depthwise *d)
{
    if (d->multiplier != 1)
        return depthwise_packed_bytes_i8_c(d);
    return ((size_t)d->channels + BLOCK - 1) / BLOCK * block_bytes(d);
}

static bool rectified(const struct depthwise *d)
{
    return d->min_i8 >= d->out_zero;
}

/* ---- packing ---- */

struct lanes {
    int value[BLOCK];
};

static struct lanes weights_at(const struct depthwise *d, const struct conv_weights *weights, int tap,
                               int channel, int count)
{
    const int8_t *from = weights->i8 + (size_t)tap * (size_t)d->channels + channel;
    struct lanes lanes = {{0}};
    for (int i = 0; i < count; i++)
        lanes.value[i] = from[i] - d->weight_zero;
    return lanes;
}

/* One part of a tap's weights, for all output rows. Leaves what is too much for 8 bits; true: there is some.
 */
static bool pack_part(const struct depthwise *d, struct head16 *head, int tap, int part, struct lanes *rest)
{
    const struct shape s = shape_of(d);
    const int ky = tap / d->size[1], kx = tap % d->size[1];
    struct lanes now;
    int left = 0;
    for (int i = 0; i < BLOCK; i++) {
        int value = rest->value[i];
        now.value[i] = value < INT8_MIN ? INT8_MIN : value > INT8_MAX ? INT8_MAX : value;
        rest->value[i] = value - now.value[i];
        left |= rest->value[i];
    }
    for (int row = 0; row < s.rows; row++) {
        int four = (row * s.parts + part) * s.fours + (ky + row) / 4;
        int8_t *to = (int8_t *)(head + 1) + (size_t)(four * d->size[1] + kx) * TAP + (ky + row) % 4;
        for (int i = 0; i < BLOCK; i++)
            to[4 * i] = (int8_t)now.value[i];
    }
    return left;
}

static void pack_block(const struct depthwise *d, const struct conv_weights *weights, int channel,
                       struct head16 *head)
{
    const int count = d->channels - channel < BLOCK ? d->channels - channel : BLOCK;
    int64_t sum[BLOCK] = {0}, size[BLOCK] = {0};
    head16_clear(head);
    for (int t = 0; t < depthwise_taps(d); t++) {
        struct lanes lanes = weights_at(d, weights, t, channel, count);
        for (int i = 0; i < BLOCK; i++) {
            sum[i] += lanes.value[i];
            size[i] += abs(lanes.value[i]);
        }
        int parts = 1;
        while (pack_part(d, head, t, parts - 1, &lanes))
            parts++;
        head->zero = parts > head->zero ? parts : head->zero;
    }
    for (int i = 0; i < count; i++) {
        int64_t bias = weights->bias_i32 ? weights->bias_i32[channel + i] : 0;
        head16_set(head, i, bias - (d->in_zero + 128) * sum[i], 255 * size[i] + llabs(bias),
                   weights->requant[channel + i]);
    }
    if (may_be_line16(d->out_zero, d->min_i8, d->max_i8))
        head16_set_line(head);
}

static void pack(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    if (d->multiplier != 1) {
        depthwise_pack_i8_c(d, weights, packed);
        return;
    }
    memset(packed, 0, packed_bytes(d));
    for (int c = 0; c < d->channels; c += BLOCK)
        pack_block(d, weights, c, (void *)((char *)packed + (size_t)(c / BLOCK) * block_bytes(d)));
}

/* ---- sums ---- */

struct work { /* one or two rows of 16 channels, or of the last ones */
    const struct depthwise *d;
    struct shape shape;
    const void *const *in; /* rows */
    int8_t *out;
    size_t out_row;
    int rows, columns, channel, left;
    const struct head16 *head;
    struct rounding16 rounding;
    struct clamp64 clamp;
};

struct column { /* four input rows at one column */
    const int8_t *row[4];
};

/* Below the last row weights are 0. */
static inline struct column column_at(const struct work *work, int four, int x)
{
    struct column column;
    size_t at = (size_t)(x * work->d->stride[1]) * (size_t)work->d->channels + (size_t)work->channel;
    int last = work->d->size[0] + work->rows - 2;
    for (int i = 0; i < 4; i++) {
        int row = 4 * four + i < last ? 4 * four + i : last;
        column.row[i] = (const int8_t *)work->in[row * work->d->dilation[0]] + at;
    }
    return column;
}

static inline __attribute__((always_inline)) __m256i two_of(const int8_t *a, const int8_t *b)
{
    __m128i low = _mm_loadu_si128((const __m128i *)a), high = _mm_loadu_si128((const __m128i *)b);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

/* Each lane has a channel's four rows, unsigned. */
static inline __attribute__((always_inline)) __m512i interleaved(const struct column *column, size_t at,
                                                                 __m512i order)
{
    __m256i low = two_of(column->row[0] + at, column->row[1] + at);
    __m256i high = two_of(column->row[2] + at, column->row[3] + at);
    __m512i four = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    return _mm512_permutexvar_epi8(order, _mm512_xor_si512(four, _mm512_set1_epi8(-128)));
}

static inline __m512i interleaving(void)
{
    const __m512i first = _mm512_set1_epi32(0x30201000), step = _mm512_set1_epi32(0x01010101);
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return _mm512_add_epi8(first, _mm512_mullo_epi32(lane, step));
}

static __attribute__((noinline)) void finish_any(const struct work *work, int row, int column, __m512i sum)
{
    const struct depthwise *d = work->d;
    int32_t all[LANES];
    int8_t bytes[LANES],
        *out = work->out + (size_t)row * work->out_row + (size_t)column * (size_t)d->channels;
    _mm512_storeu_si512(all, sum);
    finish_scalar16(work->head, all, LANES, d->out_zero, d->min_i8, d->max_i8, bytes);
    store_bytes(out, _mm_loadu_si128((const __m128i *)bytes), work->left);
}

/* `columns` columns of each of `rows` rows, from x on. All is held here, as stores might change what lies in
 * memory. */
static inline __attribute__((always_inline)) void finish(const struct work *work, int x, const __m512i *sum,
                                                         const int rows, const int columns,
                                                         const enum rounding by)
{
    const struct factor16 f = work->rounding.factor;
    const struct line16 line = work->rounding.line;
    const struct clamp64 clamp = work->clamp;
    const size_t apart = (size_t)work->d->channels, out_row = work->out_row;
    const int count = rows * columns, left = work->left;
    int8_t *out = work->out + (size_t)x * apart;
#define TO(i) (out + (size_t)((i) / columns) * out_row + (size_t)((i) % columns) * apart)
#pragma GCC unroll 4
    for (int i = 0; i < count; i += 4) {
        __m512i value[4];
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++)
            value[k] = i + k < count ? round16(sum[i + k], &f, &line, by) : value[0];
        __m512i bytes = bytes64(value[0], value[1], value[2], value[3], &clamp, by);
        store_bytes(TO(i), _mm512_castsi512_si128(bytes), left);
        if (i + 1 < count)
            store_bytes(TO(i + 1), _mm512_extracti32x4_epi32(bytes, 1), left);
        if (i + 2 < count)
            store_bytes(TO(i + 2), _mm512_extracti32x4_epi32(bytes, 2), left);
        if (i + 3 < count)
            store_bytes(TO(i + 3), _mm512_extracti32x4_epi32(bytes, 3), left);
    }
#undef TO
}

static inline __attribute__((always_inline)) void
finish_all(const struct work *work, int x, const __m512i *sum, const int rows, const int columns)
{
    if (work->head->scalar)
#pragma GCC unroll 14
        for (int i = 0; i < rows * columns; i++)
            finish_any(work, i / columns, x + i % columns, sum[i]);
    else if (work->rounding.by == ROUND_LINE)
        finish(work, x, sum, rows, columns, ROUND_LINE);
    else if (work->rounding.by == ROUND_RECTIFIED)
        finish(work, x, sum, rows, columns, ROUND_RECTIFIED);
    else
        finish(work, x, sum, rows, columns, ROUND_ANY);
}

static inline const int8_t *weights_of(const struct work *work, int row)
{
    int four = row * work->shape.parts * work->shape.fours;
    return (const int8_t *)(work->head + 1) + (size_t)(four * work->d->size[1]) * TAP;
}

/* A strip of columns, of kernels `width` wide. */
static inline __attribute__((always_inline)) void strip(const struct work *work, int x, const int rows,
                                                        const int width, const int stride)
{
    const __m512i order = interleaving(), bias = _mm512_loadu_si512(work->head->bias);
    const size_t channels = (size_t)work->d->channels;
    __m512i sum[ROWS * STRIP];
#pragma GCC unroll 14
    for (int i = 0; i < rows * STRIP; i++)
        sum[i] = bias;
    const int8_t *w[2] = {weights_of(work, 0), weights_of(work, rows - 1)};
    for (int left = work->shape.fours * work->head->zero, group = 0; left > 0; left--) {
        const struct column column = column_at(work, group, x);
#pragma GCC unroll 17
        for (int k = 0; k < width + (STRIP - 1) * stride; k++) {
            const __m512i four = interleaved(&column, (size_t)k * channels, order);
#pragma GCC unroll 7
            for (int i = 0; i < STRIP; i++)
#pragma GCC unroll 2
                for (int row = 0; row < rows; row++)
                    if (k >= i * stride && k < i * stride + width)
                        sum[row * STRIP + i] = _mm512_dpbusd_epi32(
                            sum[row * STRIP + i], four, _mm512_loadu_si512(w[row] + (k - i * stride) * TAP));
        }
        w[0] += width * TAP;
        w[1] += width * TAP;
        group = group + 1 < work->shape.fours ? group + 1 : 0;
    }
    finish_all(work, x, sum, rows, STRIP);
}

#define STRIP_OF(rows, width, stride)                                                                        \
    static void strip_##rows##_##width##_##stride(const struct work *work, int x)                            \
    {                                                                                                        \
        strip(work, x, rows, width, stride);                                                                 \
    }
STRIP_OF(1, 3, 1)
STRIP_OF(1, 3, 2)
STRIP_OF(1, 5, 1)
STRIP_OF(1, 5, 2)
STRIP_OF(2, 3, 1)
STRIP_OF(2, 5, 1)

static void column(const struct work *work, int x)
{
    const struct depthwise *d = work->d;
    const size_t across = (size_t)d->channels * (size_t)d->dilation[1];
    const __m512i order = interleaving(), bias = _mm512_loadu_si512(work->head->bias);
    for (int row = 0; row < work->rows; row++) {
        __m512i sum = bias;
        const int8_t *w = weights_of(work, row);
        for (int at = 0; at < work->shape.fours * work->head->zero; at++) {
            const struct column column = column_at(work, at % work->shape.fours, x);
            for (int kx = 0; kx < d->size[1]; kx++, w += TAP) {
                __m512i four = interleaved(&column, (size_t)kx * across, order);
                sum = _mm512_dpbusd_epi32(sum, four, _mm512_loadu_si512(w));
            }
        }
        struct work one = *work;
        one.out += (size_t)row * work->out_row;
        finish_all(&one, x, &sum, 1, 1);
    }
}

/* ---- rows ---- */

/* A last strip of fewer columns than it takes starts earlier and makes some of them twice. */
static void strips(const struct work *work, void (*one)(const struct work *, int))
{
    for (int x = 0; x < work->columns; x += STRIP)
        one(work, x + STRIP <= work->columns ? x : work->columns - STRIP);
}

static void columns(const struct work *work)
{
    const struct depthwise *d = work->d;
    int width = d->size[1], stride = d->stride[1];
    bool near = d->dilation[1] == 1 && work->columns >= STRIP && stride <= 2;
    if (near && width == 3 && work->rows == 1)
        strips(work, stride == 1 ? strip_1_3_1 : strip_1_3_2);
    else if (near && width == 5 && work->rows == 1)
        strips(work, stride == 1 ? strip_1_5_1 : strip_1_5_2);
    else if (near && width == 3 && stride == 1)
        strips(work, strip_2_3_1);
    else if (near && width == 5 && stride == 1)
        strips(work, strip_2_5_1);
    else
        for (int x = 0; x < work->columns; x++)
            column(work, x);
}

static void run(const struct depthwise *d, const struct depthwise_tile *tile)
{
    struct work work = {.d = d,
                        .shape = shape_of(d),
                        .columns = tile->columns,
                        .out_row = tile->out_row,
                        .clamp = clamp64(d->min_i8, d->max_i8)};
    if (d->multiplier != 1) {
        depthwise_run_i8_c(d, tile);
        return;
    }
    work.rows = work.shape.rows < tile->rows ? work.shape.rows : tile->rows;
    for (int c = 0; c < d->channels; c += BLOCK) {
        work.head = (const void *)((const char *)d->packed + (size_t)c / BLOCK * block_bytes(d));
        set_rounding16(&work.rounding, work.head, d->out_zero, rectified(d));
        work.channel = c;
        work.left = d->channels - c;
        for (int y = 0; y < tile->rows; y += work.rows) {
            work.in = tile->in + y * d->stride[0];
            work.out = (int8_t *)tile->out + (size_t)y * tile->out_row + c;
            columns(&work);
        }
    }
}

void kernels_init_depthwise_vnni(struct kernels *kernels)
{
    kernels->depthwise_i8 = (struct depthwise_kernel){"depthwise_i8_vnni", ROWS, packed_bytes, pack, run};
}
