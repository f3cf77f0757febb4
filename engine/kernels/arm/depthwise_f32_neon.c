/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/arm/neon.h"
#include "engine/kernels/arm/strips.h"

/* Packed as blocks of 4 channels: bias[4], weight[taps][4]; with a multiplier other than 1 as the C reference
 * packs it. */
enum { BLOCK = 4, TAPS_MAX = 5, COLUMNS_MAX = 4 };

static size_t block_floats(const struct depthwise *d)
{
    return BLOCK * ((size_t)depthwise_taps(d) + 1);
}

static size_t packed_bytes(const struct depthwise *d)
{
    size_t blocks = ((size_t)d->channels + BLOCK - 1) / BLOCK;
    return d->multiplier == 1 ? blocks * block_floats(d) * sizeof(float) : depthwise_packed_bytes_f32_c(d);
}

static void pack(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    if (d->multiplier != 1) {
        depthwise_pack_f32_c(d, weights, packed);
        return;
    }
    memset(packed, 0, packed_bytes(d));
    for (int c = 0; c < d->channels; c++) {
        float *to = (float *)packed + (size_t)(c / BLOCK) * block_floats(d) + c % BLOCK;
        to[0] = weights->bias_f32 ? weights->bias_f32[c] : 0;
        for (int t = 0; t < depthwise_taps(d); t++)
            to[(t + 1) * BLOCK] = weights->f32[(size_t)t * (size_t)d->channels + (size_t)c];
    }
}

static inline float32x4_t load(const float *in, int count)
{
    float all[BLOCK] = {0};
    if (count < BLOCK)
        in = memcpy(all, in, (size_t)count * sizeof(float));
    return vld1q_f32(in);
}

static inline void store(float *out, float32x4_t x, int count)
{
    float all[BLOCK];
    if (count == BLOCK) {
        vst1q_f32(out, x);
        return;
    }
    vst1q_f32(all, x);
    memcpy(out, all, (size_t)count * sizeof(float));
}

/* Any window, one output. */
static void one(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x, const float *w,
                int c)
{
    int n = d->channels, count = n - c < BLOCK ? n - c : BLOCK, step = d->dilation[1] * n;
    float32x4_t sum = vld1q_f32(w);
    for (int ky = 0; ky < d->size[0]; ky++) {
        const float *in = tile->in[y * d->stride[0] + ky * d->dilation[0]];
        in += (size_t)(x * d->stride[1]) * (size_t)n + (size_t)c;
        for (int kx = 0; kx < d->size[1]; kx++, in += step)
            sum = vfmaq_f32(sum, load(in, count), vld1q_f32(w += BLOCK));
    }
    float *out = (float *)tile->out + (size_t)y * tile->out_row + (size_t)x * (size_t)n + (size_t)c;
    store(out, activate4(sum, d->min_f32, d->max_f32, d->hard_swish), count);
}

/* `columns` outputs side by side, all channels: each input is loaded once for all the windows that it lies
 * in. The sizes are constants where this is inlined. */
static inline __attribute__((always_inline)) void strip(const struct depthwise *d,
                                                        const struct depthwise_tile *tile, int y, int x,
                                                        const int columns, const int size, const int stride)
{
    const size_t pixel = (size_t)d->channels * sizeof(float);
    const char *row[TAPS_MAX];
    size_t at[2 * (COLUMNS_MAX - 1) + TAPS_MAX];
    const float *w = d->packed;
    float *out = (float *)tile->out + (size_t)y * tile->out_row + (size_t)x * (size_t)d->channels;
    const float32x4_t min = vdupq_n_f32(d->min_f32), max = vdupq_n_f32(d->max_f32);
    const bool hard_swish = d->hard_swish;
    const int channels = d->channels;
#pragma GCC unroll 5
    for (int ky = 0; ky < size; ky++)
        row[ky] = (const char *)tile->in[y * stride + ky] + (size_t)(x * stride) * pixel;
#pragma GCC unroll 11
    for (int i = 0; i < (columns - 1) * stride + size; i++)
        at[i] = (size_t)i * pixel;
    for (int c = 0; c < channels; c += BLOCK, w += BLOCK * (size * size + 1), out += BLOCK) {
        float32x4_t sum[COLUMNS_MAX], weight[TAPS_MAX];
#pragma GCC unroll 4
        for (int i = 0; i < columns; i++)
            sum[i] = vld1q_f32(w);
#pragma GCC unroll 5
        for (int ky = 0; ky < size; ky++) {
#pragma GCC unroll 5
            for (int kx = 0; kx < size; kx++)
                weight[kx] = vld1q_f32(w + BLOCK * (1 + ky * size + kx));
#pragma GCC unroll 11
            for (int column = 0; column < (columns - 1) * stride + size; column++) {
                float32x4_t v = vld1q_f32((const float *)(const void *)(row[ky] + at[column]));
#pragma GCC unroll 4
                for (int i = 0; i < columns; i++)
                    if (column - i * stride >= 0 && column - i * stride < size)
                        sum[i] = vfmaq_f32(sum[i], v, weight[column - i * stride]);
            }
            row[ky] += BLOCK * sizeof(float);
        }
#pragma GCC unroll 4
        for (int i = 0; i < columns; i++)
            vst1q_f32((float *)(void *)((char *)out + at[i]),
                      hard_swish ? hard_swish4(sum[i]) : vminq_f32(vmaxq_f32(sum[i], min), max));
    }
}

static void ones(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x)
{
    const float *w = d->packed;
    for (int c = 0; c < d->channels; c += BLOCK, w += block_floats(d))
        one(d, tile, y, x, w, c);
}

STRIPS(strip, ones)

static void run(const struct depthwise *d, const struct depthwise_tile *tile)
{
    if (d->multiplier == 1)
        strips_run(strips, strips_fit(d) && d->channels % BLOCK == 0, d, tile);
    else
        depthwise_run_f32_c(d, tile);
}

void kernels_init_depthwise_f32_neon(struct kernels *kernels)
{
    kernels->depthwise_f32 = (struct depthwise_kernel){"depthwise_f32_neon", 1, packed_bytes, pack, run};
}
