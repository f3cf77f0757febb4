/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/activate.h"
#include "engine/kernels/x86/avx2.h"
#include "engine/kernels/x86/depthwise_f32.h"

#include <string.h>

/* A block of 8 channels is bias[8], then weight[taps][8]. With a multiplier other than 1 the layout is the C
 * reference's. */
enum { BLOCK = 8, CHUNK = 16 }; /* CHUNK: columns whose inputs stay in the cache while all blocks are made */

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

struct work { /* columns [from, to) of a row, 8 channels */
    const struct depthwise *d;
    const struct depthwise_tile *tile;
    const float *block;
    int channel, from, to;
    struct activation8 act;
};

static inline const float *input(const struct work *work, int ky, int column)
{
    size_t at =
        (size_t)column * (size_t)work->d->stride[1] * (size_t)work->d->channels + (size_t)work->channel;
    return (const float *)work->tile->in[ky * work->d->dilation[0]] + at;
}

static inline float *output(const struct work *work, int column)
{
    return (float *)work->tile->out + (size_t)column * (size_t)work->d->channels + work->channel;
}

/* 3 x 3: the weights stay in registers. */
static void columns_3x3(const struct work *work)
{
    const size_t n = (size_t)work->d->channels, apart = n * (size_t)work->d->stride[1];
    const float *in0 = input(work, 0, work->from), *in1 = input(work, 1, work->from),
                *in2 = input(work, 2, work->from);
    const struct activation8 act = work->act;
    float *out = output(work, work->from);
    __m256 w[9];
#pragma GCC unroll 9
    for (int t = 0; t < 9; t++)
        w[t] = _mm256_loadu_ps(work->block + BLOCK * (t + 1));
    for (int x = work->from; x < work->to; x++, in0 += apart, in1 += apart, in2 += apart, out += n) {
        __m256 sum = _mm256_loadu_ps(work->block);
#pragma GCC unroll 3
        for (int kx = 0; kx < 3; kx++) {
            sum = _mm256_fmadd_ps(w[kx], _mm256_loadu_ps(in0 + (size_t)kx * n), sum);
            sum = _mm256_fmadd_ps(w[3 + kx], _mm256_loadu_ps(in1 + (size_t)kx * n), sum);
            sum = _mm256_fmadd_ps(w[6 + kx], _mm256_loadu_ps(in2 + (size_t)kx * n), sum);
        }
        _mm256_storeu_ps(out, activate8(sum, &act));
    }
}

/* 5 x 5: four columns share the inputs under them. */
static inline __attribute__((always_inline)) void strip_5x5(const struct work *work, int x, const int stride)
{
    const size_t n = (size_t)work->d->channels;
    const float *w = work->block + BLOCK;
    __m256 sum[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        sum[i] = _mm256_loadu_ps(work->block);
    for (int ky = 0; ky < 5; ky++, w += 5 * BLOCK) {
        const float *in = input(work, ky, x);
#pragma GCC unroll 11
        for (int k = 0; k < 5 + 3 * stride; k++, in += n) {
            __m256 a = _mm256_loadu_ps(in);
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++)
                if (k >= i * stride && k < i * stride + 5)
                    sum[i] = _mm256_fmadd_ps(a, _mm256_loadu_ps(w + (k - i * stride) * BLOCK), sum[i]);
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        _mm256_storeu_ps(output(work, x + i), activate8(sum[i], &work->act));
}

static void column(const struct work *work, int x)
{
    const size_t across = (size_t)work->d->channels * (size_t)work->d->dilation[1];
    const float *w = work->block + BLOCK;
    __m256 sum = _mm256_loadu_ps(work->block);
    for (int ky = 0; ky < work->d->size[0]; ky++) {
        const float *in = input(work, ky, x);
        for (int kx = 0; kx < work->d->size[1]; kx++, in += across, w += BLOCK)
            sum = _mm256_fmadd_ps(_mm256_loadu_ps(in), _mm256_loadu_ps(w), sum);
    }
    _mm256_storeu_ps(output(work, x), activate8(sum, &work->act));
}

static void columns(const struct work *work)
{
    const struct depthwise *d = work->d;
    int x = work->from;
    if (d->dilation[1] == 1 && d->size[0] == 3 && d->size[1] == 3) {
        columns_3x3(work);
        return;
    }
    if (d->dilation[1] == 1 && d->size[1] == 5 && d->size[0] == 5 && d->stride[1] == 1)
        for (; x + 4 <= work->to; x += 4)
            strip_5x5(work, x, 1);
    else if (d->dilation[1] == 1 && d->size[1] == 5 && d->size[0] == 5 && d->stride[1] == 2)
        for (; x + 4 <= work->to; x += 4)
            strip_5x5(work, x, 2);
    for (; x < work->to; x++)
        column(work, x);
}

/* The last channels, fewer than 8. */
static void rest(const struct work *work)
{
    const struct depthwise *d = work->d;
    for (int x = work->from; x < work->to; x++)
        for (int c = 0; c < d->channels - work->channel; c++) {
            float sum = work->block[c];
            for (int t = 0; t < depthwise_taps(d); t++)
                sum += input(work, t / d->size[1], x)[t % d->size[1] * d->dilation[1] * d->channels + c] *
                       work->block[BLOCK * (t + 1) + c];
            output(work, x)[c] = activate_f32(sum, d->min_f32, d->max_f32, d->hard_swish);
        }
}

static void run(const struct depthwise *d, const struct depthwise_tile *tile)
{
    if (d->multiplier != 1) {
        depthwise_run_f32_c(d, tile);
        return;
    }
    struct work work = {.d = d, .tile = tile, .act = activation8(d->min_f32, d->max_f32, d->hard_swish)};
    for (int x = 0; x < tile->columns; x += CHUNK) {
        work.from = x;
        work.to = x + CHUNK < tile->columns ? x + CHUNK : tile->columns;
        work.block = d->packed;
        for (int c = 0; c < d->channels; c += BLOCK, work.block += block_floats(d)) {
            work.channel = c;
            if (c + BLOCK <= d->channels)
                columns(&work);
            else
                rest(&work);
        }
    }
}

void kernels_init_depthwise_f32_avx2(struct kernels *kernels)
{
    kernels->depthwise_f32 = (struct depthwise_kernel){"depthwise_f32_avx2", 1, packed_bytes, pack, run};
}
