/* SPDX-License-Identifier: MIT */
#include "engine/kernels/arm/requant.h"
#include "engine/kernels/arm/strips.h"

#include <stdlib.h>

/* Blocks of 16 channels: a head, then weights less their zero point as int16[taps][16]. With a multiplier
 * other than 1 the layout is the C reference's. */
enum { BLOCK = 16, COLUMNS_MAX = 4 };

static size_t block_bytes(const struct depthwise *d)
{
    return sizeof(struct head_i8) + BLOCK * (size_t)depthwise_taps(d) * sizeof(int16_t);
}

size_t depthwise_packed_bytes_i8_neon(const struct depthwise *d)
{
    size_t blocks = ((size_t)d->channels + BLOCK - 1) / BLOCK;
    return d->multiplier == 1 ? blocks * block_bytes(d) : depthwise_packed_bytes_i8_c(d);
}

static void pack_channel(const struct depthwise *d, const struct conv_weights *weights, int channel,
                         struct head_i8 *head)
{
    int16_t *body = (int16_t *)(void *)(head + 1);
    int64_t sum = 0, most = 0;
    for (int t = 0; t < depthwise_taps(d); t++) {
        int value = weights->i8[(size_t)t * (size_t)d->channels + (size_t)channel] - d->weight_zero;
        body[t * BLOCK + channel % BLOCK] = (int16_t)value;
        sum += value;
        most += 128 * abs(value);
    }
    head_set(head, channel % BLOCK, (weights->bias_i32 ? weights->bias_i32[channel] : 0) - d->in_zero * sum,
             most, weights->requant[channel]);
}

void depthwise_pack_i8_neon(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    if (d->multiplier != 1) {
        depthwise_pack_i8_c(d, weights, packed);
        return;
    }
    memset(packed, 0, depthwise_packed_bytes_i8_neon(d));
    for (int c = 0; c < d->channels; c += BLOCK) {
        struct head_i8 *head = (void *)((char *)packed + (size_t)(c / BLOCK) * block_bytes(d));
        for (int i = 0; i < BLOCK; i++)
            head->shift[i] = -1;
        for (int i = c; i < c + BLOCK && i < d->channels; i++)
            pack_channel(d, weights, i, head);
    }
}

/* Four products of 16 channels. */
static inline __attribute__((always_inline)) void multiply(int32x4_t *sum, int16x8_t low, int16x8_t high,
                                                           int16x8_t w0, int16x8_t w1)
{
    sum[0] = vmlal_s16(sum[0], vget_low_s16(low), vget_low_s16(w0));
    sum[1] = vmlal_high_s16(sum[1], low, w0);
    sum[2] = vmlal_s16(sum[2], vget_low_s16(high), vget_low_s16(w1));
    sum[3] = vmlal_high_s16(sum[3], high, w1);
}

/* FINISH_CLAMP or FINISH_ROUND of all 16 channels, where that is all that there is to do. */
static inline enum finish finish_of_16(const struct head_i8 *head, int32_t zero, int32_t min, int32_t max)
{
    if (head->wide || min != -128 || max != 127)
        return FINISH_ANY;
    return min < zero ? FINISH_ROUND : FINISH_CLAMP;
}

/* right4() of two registers, in one of 16 bits. */
static inline __attribute__((always_inline)) int16x8_t right8(int32x4_t a, int32x4_t b, const int32x4_t *m,
                                                              const int32x4_t *s, const bool signed_)
{
    a = right4(a, m[0], s[0], signed_);
    b = right4(b, m[1], s[1], signed_);
    return vuzp1q_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b));
}

/* Pixels side by side; `columns` and `signed_` (FINISH_ROUND) are constants where this is inlined. */
static inline __attribute__((always_inline)) void finish_columns(int32x4_t (*sum)[4], const int columns,
                                                                 const struct head_i8 *head, int32_t zero,
                                                                 int8_t *to, size_t pixel, const bool signed_)
{
    int32x4_t m[4], s[4];
    const int16x8_t z = vdupq_n_s16((int16_t)zero);
#pragma GCC unroll 4
    for (int q = 0; q < 4; q++) {
        m[q] = vld1q_s32(head->multiplier + 4 * q);
        s[q] = vld1q_s32(head->shift + 4 * q);
    }
#pragma GCC unroll 4
    for (int i = 0; i < columns; i++, to += pixel) {
        int16x8_t low = right8(sum[i][0], sum[i][1], m, s, signed_),
                  high = right8(sum[i][2], sum[i][3], m + 2, s + 2, signed_);
        if (signed_)
            vst1q_s8(to, vqmovn_high_s16(vqmovn_s16(vaddq_s16(low, z)), vaddq_s16(high, z)));
        else
            vst1q_u8((uint8_t *)to, veorq_u8(vqmovun_high_s16(vqmovun_s16(low), high), vdupq_n_u8(0x80)));
    }
}

/* The first `count` channels of each, however they are to be finished. */
static inline __attribute__((always_inline)) void finish_columns_any(int32x4_t (*sum)[4], const int columns,
                                                                     const struct head_i8 *head,
                                                                     const struct output_i8 out, int8_t *to,
                                                                     size_t pixel, int count)
{
#pragma GCC unroll 4
    for (int i = 0; i < columns; i++, to += pixel)
        store16(to, finish16((int32x4x4_t){{sum[i][0], sum[i][1], sum[i][2], sum[i][3]}}, head, &out), count);
}

/* `columns` outputs side by side of 16 channels. The sizes are constants where this is inlined. */
static inline __attribute__((always_inline)) void
strip_block(const struct depthwise *d, const struct head_i8 *head, const char *const *row, size_t pixel,
            int8_t *out, int count, const int columns, const int size, const int stride)
{
    const int16_t *w = (const int16_t *)(const void *)(head + 1);
    int32x4_t sum[COLUMNS_MAX][4];
#pragma GCC unroll 4
    for (int i = 0; i < columns; i++)
#pragma GCC unroll 4
        for (int q = 0; q < 4; q++)
            sum[i][q] = vld1q_s32(head->bias + 4 * q);
#pragma GCC unroll 5
    for (int ky = 0; ky < size; ky++, w += size * BLOCK) {
        int16x8_t weight[5][2];
#pragma GCC unroll 5
        for (int kx = 0; kx < size; kx++) {
            weight[kx][0] = vld1q_s16(w + kx * BLOCK);
            weight[kx][1] = vld1q_s16(w + kx * BLOCK + 8);
        }
#pragma GCC unroll 11
        for (int column = 0; column < (columns - 1) * stride + size; column++) {
            int8x16_t v = vld1q_s8((const int8_t *)row[ky] + (size_t)column * pixel);
            int16x8_t low = vmovl_s8(vget_low_s8(v)), high = vmovl_high_s8(v);
#pragma GCC unroll 4
            for (int i = 0; i < columns; i++) {
                const int kx = column - i * stride;
                if (kx >= 0 && kx < size)
                    multiply(sum[i], low, high, weight[kx][0], weight[kx][1]);
            }
            if (size == 3)
                in_order();
        }
    }
    const enum finish finish =
        count == BLOCK ? finish_of_16(head, d->out_zero, d->min_i8, d->max_i8) : FINISH_ANY;
    if (finish == FINISH_CLAMP)
        finish_columns(sum, columns, head, d->out_zero, out, pixel, false);
    else if (finish == FINISH_ROUND)
        finish_columns(sum, columns, head, d->out_zero, out, pixel, true);
    else
        finish_columns_any(sum, columns, head,
                           output_i8(head, d->out_zero, d->min_i8, d->max_i8, BLOCK, BLOCK), out, pixel,
                           count);
}

static inline __attribute__((always_inline)) void strip(const struct depthwise *d,
                                                        const struct depthwise_tile *tile, int y, int x,
                                                        const int columns, const int size, const int stride)
{
    const size_t pixel = (size_t)d->channels;
    const char *row[5], *head = d->packed;
    int8_t *out = (int8_t *)tile->out + (size_t)y * tile->out_row + (size_t)x * pixel;
    for (int ky = 0; ky < size; ky++)
        row[ky] = (const char *)tile->in[y * stride + ky] + (size_t)(x * stride) * pixel;
    for (int c = 0; c < d->channels; c += BLOCK, head += block_bytes(d)) {
        strip_block(d, (const struct head_i8 *)(const void *)head, row, pixel, out + c,
                    d->channels - c < BLOCK ? d->channels - c : BLOCK, columns, size, stride);
        for (int ky = 0; ky < size; ky++)
            row[ky] = again(row[ky] + BLOCK);
    }
}

/* Any window, one output. */
static void one(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x)
{
    const char *head = d->packed;
    int8_t *out = (int8_t *)tile->out + (size_t)y * tile->out_row + (size_t)x * (size_t)d->channels;
    for (int c = 0; c < d->channels; c += BLOCK, head += block_bytes(d)) {
        const int16_t *w = (const int16_t *)(const void *)(head + sizeof(struct head_i8));
        int32x4_t sum[1][4];
        for (int q = 0; q < 4; q++)
            sum[0][q] = vld1q_s32((const int32_t *)(const void *)head + 4 * q);
        for (int t = 0; t < depthwise_taps(d); t++, w += BLOCK) {
            int8x16_t v = vld1q_s8((const int8_t *)depthwise_input(d, tile, y, x, t, 1) + c);
            multiply(sum[0], vmovl_s8(vget_low_s8(v)), vmovl_high_s8(v), vld1q_s16(w), vld1q_s16(w + 8));
        }
        const struct head_i8 *block = (const void *)head;
        finish_columns_any(sum, 1, block, output_i8(block, d->out_zero, d->min_i8, d->max_i8, BLOCK, BLOCK),
                           out + c, 0, d->channels - c < BLOCK ? d->channels - c : BLOCK);
    }
}

STRIPS(strip, one)

void depthwise_run_i8_neon(const struct depthwise *d, const struct depthwise_tile *tile)
{
    if (d->multiplier == 1)
        strips_run(strips, strips_fit(d), d, tile);
    else
        depthwise_run_i8_c(d, tile);
}

void kernels_init_depthwise_i8_neon(struct kernels *kernels)
{
    kernels->depthwise_i8 = (struct depthwise_kernel){"depthwise_i8_neon", 1, depthwise_packed_bytes_i8_neon,
                                                      depthwise_pack_i8_neon, depthwise_run_i8_neon};
}
