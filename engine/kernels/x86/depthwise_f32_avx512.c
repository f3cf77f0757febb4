/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/activate16.h"
#include "engine/kernels/x86/avx512.h"
#include "engine/kernels/x86/depthwise_f32.h"

#include <string.h>

/* A block of 16 channels is bias[16], then weight[taps][16]. With a multiplier other than 1 the layout is the
 * C reference's. STRIP: columns that share inputs, in one or two rows; CHUNK: columns whose inputs stay in
 * the cache while all blocks are made. */
enum { BLOCK = LANES, ROWS = 2, STRIP = 7, CHUNK = 2 * STRIP };

static size_t block_floats(const struct depthwise *d)
{
    return depthwise_block_floats(d, BLOCK);
}

static size_t packed_bytes(const struct depthwise *d)
{
    return depthwise_blocks_bytes(d, BLOCK);
}

static void pack(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    depthwise_pack_blocks(d, weights, packed, BLOCK);
}

struct work { /* one or two rows of 16 channels, or of the last ones */
    const struct depthwise *d;
    const void *const *in; /* rows */
    float *out;
    size_t out_row;
    const float *block;
    int rows, channel, left;
    __mmask16 inside;
    struct activation16 act;
};

static inline __attribute__((always_inline)) const float *input(const struct work *work, int ky, int column)
{
    size_t at =
        (size_t)column * (size_t)work->d->stride[1] * (size_t)work->d->channels + (size_t)work->channel;
    return (const float *)work->in[ky * work->d->dilation[0]] + at;
}

/* Where `columns` sums of each of some rows go. All is held here, as stores might change what lies in memory.
 */
static inline __attribute__((always_inline)) void store(const struct work *work, int x, const __m512 *sum,
                                                        const int rows, const int columns)
{
    const struct activation16 act = work->act;
    const size_t apart = (size_t)work->d->channels, out_row = work->out_row;
    const int left = work->left;
    float *out = work->out + (size_t)x * apart + (size_t)work->channel;
#pragma GCC unroll 2
    for (int row = 0; row < rows; row++)
#pragma GCC unroll 7
        for (int i = 0; i < columns; i++) {
            __m512 value = sum[row * columns + i];
            store_lanes(out + (size_t)row * out_row + (size_t)i * apart,
                        act.hard_swish ? hard_swish16(value) : clamp_f32x16(value, &act), left);
        }
}

/* A strip of columns; two rows are of stride 1. */
static inline __attribute__((always_inline)) void strip(const struct work *work, int x, const int rows,
                                                        const int size, const int stride)
{
    const size_t n = (size_t)work->d->channels;
    const __m512 bias = _mm512_loadu_ps(work->block);
    __m512 sum[ROWS * STRIP];
#pragma GCC unroll 2
    for (int row = 0; row < rows; row++)
#pragma GCC unroll 7
        for (int i = 0; i < STRIP; i++)
            sum[row * STRIP + i] = bias;
#pragma GCC unroll 6
    for (int ky = 0; ky < size + rows - 1; ky++) {
        const float *in = input(work, ky, x);
#pragma GCC unroll 17
        for (int k = 0; k < size + (STRIP - 1) * stride; k++) {
            const __m512 a = _mm512_maskz_loadu_ps(work->inside, in + (size_t)k * n);
#pragma GCC unroll 2
            for (int row = 0; row < rows; row++)
#pragma GCC unroll 7
                for (int i = 0; i < STRIP; i++)
                    if (ky >= row && ky < row + size && k >= i * stride && k < i * stride + size)
                        sum[row * STRIP + i] = _mm512_fmadd_ps(
                            a,
                            _mm512_loadu_ps(work->block + BLOCK * (1 + (ky - row) * size + k - i * stride)),
                            sum[row * STRIP + i]);
        }
    }
    store(work, x, sum, rows, STRIP);
}

#define STRIP_OF(rows, size, stride)                                                                         \
    static void strip_##rows##_##size##_##stride(const struct work *work, int x)                             \
    {                                                                                                        \
        strip(work, x, rows, size, stride);                                                                  \
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
    for (int row = 0; row < work->rows; row++) {
        const float *w = work->block + BLOCK;
        struct work one = *work;
        one.out += (size_t)row * work->out_row;
        __m512 sum = _mm512_loadu_ps(work->block);
        for (int ky = 0; ky < d->size[0]; ky++) {
            const float *in = input(work, row + ky, x); /* two rows: of no dilation */
            for (int kx = 0; kx < d->size[1]; kx++, in += across, w += BLOCK)
                sum = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(work->inside, in), _mm512_loadu_ps(w), sum);
        }
        store(&one, x, &sum, 1, 1);
    }
}

/* For `rows` rows of outputs; NULL: column by column. */
static void (*strip_for(const struct depthwise *d, int rows))(const struct work *, int)
{
    int size = d->size[0] == d->size[1] ? d->size[0] : 0, stride = d->stride[1];
    if (d->dilation[0] != 1 || d->dilation[1] != 1 || stride > 2)
        return NULL;
    if (size == 3)
        return stride == 2 ? (rows == 1 ? strip_1_3_2 : NULL) : rows == 1 ? strip_1_3_1 : strip_2_3_1;
    if (size == 5)
        return stride == 2 ? (rows == 1 ? strip_1_5_2 : NULL) : rows == 1 ? strip_1_5_1 : strip_2_5_1;
    return NULL;
}

/* Columns from `from` on. A last strip of fewer columns than it takes starts earlier and makes some of them
 * twice. */
static void columns(const struct work *work, int from, int count, int all)
{
    void (*one)(const struct work *, int) = strip_for(work->d, work->rows);
    if (!one || all < STRIP) {
        for (int x = from; x < from + count; x++)
            column(work, x);
        return;
    }
    for (int x = from; x < from + count; x += STRIP)
        one(work, x + STRIP <= all ? x : all - STRIP);
}

static void run_rows(const struct depthwise *d, const struct depthwise_tile *tile, struct work *work)
{
    for (int x = 0; x < tile->columns; x += CHUNK) {
        int count = tile->columns - x < CHUNK ? tile->columns - x : CHUNK;
        work->block = d->packed;
        for (int c = 0; c < d->channels; c += BLOCK, work->block += block_floats(d)) {
            work->channel = c;
            work->left = d->channels - c;
            work->inside = first_lanes(work->left);
            columns(work, x, count, tile->columns);
        }
    }
}

static void run(const struct depthwise *d, const struct depthwise_tile *tile)
{
    if (d->multiplier != 1) {
        depthwise_run_f32_c(d, tile);
        return;
    }
    struct work work = {
        .d = d, .out_row = tile->out_row, .act = activation16(d->min_f32, d->max_f32, d->hard_swish)};
    work.rows = d->stride[0] == 1 && d->dilation[0] == 1 ? tile->rows : 1;
    for (int y = 0; y < tile->rows; y += work.rows) {
        work.in = tile->in + y * d->stride[0];
        work.out = (float *)tile->out + (size_t)y * tile->out_row;
        run_rows(d, tile, &work);
    }
}

void kernels_init_depthwise_f32_avx512(struct kernels *kernels)
{
    kernels->depthwise_f32 = (struct depthwise_kernel){"depthwise_f32_avx512", ROWS, packed_bytes, pack, run};
}
