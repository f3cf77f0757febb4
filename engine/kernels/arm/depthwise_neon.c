/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/arm/neon.h"

/* ---- float32, packed as the C reference packs it ---- */

static float one_f32(const struct depthwise *d, const void *const *in, const float *bias, const float *weight,
                     int c)
{
    float sum = bias[c];
    for (int t = 0; t < d->taps; t++)
        sum = __builtin_fmaf(((const float *)in[t])[c], weight[(size_t)t * (size_t)d->channels + (size_t)c],
                             sum);
    return sum < d->min_f32 ? d->min_f32 : sum > d->max_f32 ? d->max_f32 : sum;
}

static void run_f32(const struct depthwise *d, const void *const *in, int rows, void *out, size_t out_stride)
{
    const float *bias = d->packed, *weight = bias + d->channels;
    const float32x4_t min = vdupq_n_f32(d->min_f32), max = vdupq_n_f32(d->max_f32);
    if (d->multiplier != 1) {
        depthwise_run_f32_c(d, in, rows, out, out_stride);
        return;
    }
    for (int i = 0; i < rows; i++, in += d->taps) {
        float *row = (float *)out + (size_t)i * out_stride;
        int c = 0;
        for (; c + 4 <= d->channels; c += 4) {
            float32x4_t sum = vld1q_f32(bias + c);
            for (int t = 0; t < d->taps; t++)
                sum = vfmaq_f32(sum, vld1q_f32((const float *)in[t] + c),
                                vld1q_f32(weight + (size_t)t * (size_t)d->channels + (size_t)c));
            vst1q_f32(row + c, vminq_f32(vmaxq_f32(sum, min), max));
        }
        for (; c < d->channels; c++)
            row[c] = one_f32(d, in, bias, weight, c);
    }
}

/* ---- int8: blocks of 16 channels: bias, multiplier, shift[16], then weights less their zero point as
 * int16[taps][16]. With a multiplier other than 1 the layout is the C reference's. ---- */

enum { BLOCK = 16 };

static size_t block_bytes(const struct depthwise *d)
{
    return BLOCK * (3 * sizeof(int32_t) + (size_t)d->taps * sizeof(int16_t));
}

static size_t blocks(const struct depthwise *d)
{
    return ((size_t)d->channels + BLOCK - 1) / BLOCK;
}

static size_t packed_bytes_i8(const struct depthwise *d)
{
    return d->multiplier == 1 ? blocks(d) * block_bytes(d) : depthwise_packed_bytes_i8_c(d);
}

static void pack_i8(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    if (d->multiplier != 1) {
        depthwise_pack_i8_c(d, weights, packed);
        return;
    }
    memset(packed, 0, packed_bytes_i8(d));
    for (int c = 0; c < d->channels; c++) {
        int32_t *head =
            (int32_t *)(void *)((char *)packed + (size_t)(c / BLOCK) * block_bytes(d)) + c % BLOCK;
        int16_t *body =
            (int16_t *)(void *)((char *)packed + (size_t)(c / BLOCK) * block_bytes(d) + 12 * BLOCK);
        int64_t sum = 0;
        for (int t = 0; t < d->taps; t++) {
            int value = weights->i8[(size_t)t * (size_t)d->channels + (size_t)c] - d->weight_zero;
            body[t * BLOCK + c % BLOCK] = (int16_t)value;
            sum += value;
        }
        head[0] = (int32_t)((weights->bias_i32 ? weights->bias_i32[c] : 0) - d->in_zero * sum);
        head[BLOCK] = weights->requant[c].multiplier;
        head[2 * BLOCK] = weights->requant[c].shift;
    }
}

static inline int8x16_t load16(const void *in, int c, int count)
{
    int8_t tail[BLOCK] = {0};
    const int8_t *from = (const int8_t *)in + c;
    if (count < BLOCK)
        from = memcpy(tail, from, (size_t)count);
    return vld1q_s8(from);
}

static int8x16_t block_i8(const struct depthwise *d, const void *const *in, const int32_t *head, int c,
                          int count)
{
    const int32x4_t zero = vdupq_n_s32(d->out_zero), min = vdupq_n_s32(d->min_i8),
                    max = vdupq_n_s32(d->max_i8);
    const int16_t *w = (const int16_t *)(const void *)(head + 3 * BLOCK);
    int32x4_t sum[4];
    for (int q = 0; q < 4; q++)
        sum[q] = vld1q_s32(head + 4 * q);
    for (int t = 0; t < d->taps; t++, w += BLOCK) {
        int8x16_t a = load16(in[t], c, count);
        int16x8_t low = vmovl_s8(vget_low_s8(a)), high = vmovl_high_s8(a), w0 = vld1q_s16(w),
                  w1 = vld1q_s16(w + 8);
        sum[0] = vmlal_s16(sum[0], vget_low_s16(low), vget_low_s16(w0));
        sum[1] = vmlal_high_s16(sum[1], low, w0);
        sum[2] = vmlal_s16(sum[2], vget_low_s16(high), vget_low_s16(w1));
        sum[3] = vmlal_high_s16(sum[3], high, w1);
    }
    for (int q = 0; q < 4; q++)
        sum[q] = clamp4(requantise4(sum[q], requant4_load(head + BLOCK + 4 * q, head + 2 * BLOCK + 4 * q)),
                        zero, min, max);
    return narrow16(sum[0], sum[1], sum[2], sum[3]);
}

static void run_i8(const struct depthwise *d, const void *const *in, int rows, void *out, size_t out_stride)
{
    if (d->multiplier != 1) {
        depthwise_run_i8_c(d, in, rows, out, out_stride);
        return;
    }
    for (int i = 0; i < rows; i++, in += d->taps)
        for (int c = 0; c < d->channels; c += BLOCK) {
            const char *block = (const char *)d->packed + (size_t)(c / BLOCK) * block_bytes(d);
            int count = d->channels - c < BLOCK ? d->channels - c : BLOCK;
            store16((int8_t *)out + (size_t)i * out_stride + c,
                    block_i8(d, in, (const int32_t *)(const void *)block, c, count), count);
        }
}

void kernels_init_depthwise_neon(struct kernels *kernels)
{
    kernels->depthwise_f32.name = "depthwise_f32_neon";
    kernels->depthwise_f32.run = run_f32;
    kernels->depthwise_i8 = (struct depthwise_kernel){"depthwise_i8_neon", packed_bytes_i8, pack_i8, run_i8};
}
