/* SPDX-License-Identifier: MIT */
/* int8 depthwise convolution with SDOT: four rows of a column of inputs are interleaved into quads, so that
 * one instruction makes four taps of four channels. */
#include "engine/kernels/arm/requant.h"
#include "engine/kernels/arm/strips.h"

#include <stdlib.h>

/* A block of 16 channels is a head, then weight[set][group of 4 rows][column][16][4]. Weights less their zero
 * point that need 9 bits are the sum of two sets. */
enum { BLOCK = 16, GROUP = 4 * BLOCK, COLUMNS_MAX = 4 };

struct packed {
    int sets;
    char unused[60];
};

static size_t set_bytes(const struct depthwise *d)
{
    return (size_t)((d->size[0] + 3) / 4) * (size_t)d->size[1] * GROUP;
}

static size_t block_bytes(const struct depthwise *d, int sets)
{
    return sizeof(struct head_i8) + (size_t)sets * set_bytes(d);
}

static size_t packed_bytes(const struct depthwise *d)
{
    size_t blocks = ((size_t)d->channels + BLOCK - 1) / BLOCK;
    return strips_fit(d) ? sizeof(struct packed) + blocks * block_bytes(d, 2)
                         : depthwise_packed_bytes_i8_neon(d);
}

static int sets_of(const struct depthwise *d, const int8_t *weight)
{
    int count = depthwise_taps(d) * d->channels;
    for (int i = 0; i < count; i++)
        if (weight[i] - d->weight_zero != (int8_t)(weight[i] - d->weight_zero))
            return 2;
    return 1;
}

static void pack_channel(const struct depthwise *d, const struct conv_weights *weights, int channel, int sets,
                         struct head_i8 *head)
{
    int64_t sum = 0, most = 0;
    for (int t = 0; t < depthwise_taps(d); t++) {
        int ky = t / d->size[1], kx = t % d->size[1];
        int value = weights->i8[t * d->channels + channel] - d->weight_zero;
        int first = value < -128 ? -128 : value > 127 ? 127 : value;
        int8_t *to = (int8_t *)(head + 1) + (ky / 4 * d->size[1] + kx) * GROUP + channel % BLOCK * 4 + ky % 4;
        to[0] = (int8_t)first;
        if (sets == 2)
            to[set_bytes(d)] = (int8_t)(value - first);
        sum += value;
        most += 128 * abs(value);
    }
    head_set(head, channel % BLOCK, (weights->bias_i32 ? weights->bias_i32[channel] : 0) - d->in_zero * sum,
             most, weights->requant[channel]);
}

static void pack(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    struct packed *to = packed;
    if (!strips_fit(d)) {
        depthwise_pack_i8_neon(d, weights, packed);
        return;
    }
    memset(packed, 0, packed_bytes(d));
    to->sets = sets_of(d, weights->i8);
    for (int c = 0; c < d->channels; c += BLOCK) {
        struct head_i8 *head = (void *)((char *)(to + 1) + (size_t)(c / BLOCK) * block_bytes(d, to->sets));
        for (int i = 0; i < BLOCK; i++)
            head->shift[i] = -1;
        for (int i = c; i < c + BLOCK && i < d->channels; i++)
            pack_channel(d, weights, i, to->sets, head);
    }
}

/* `columns` outputs side by side of 16 channels. The sizes are constants where this is inlined. */
static inline __attribute__((always_inline)) void
strip_block(const struct depthwise *d, const struct head_i8 *head, const char *const *row, size_t pixel,
            int sets, int8_t *out, int count, const int columns, const int size, const int stride)
{
    const int8_t *w = (const int8_t *)(head + 1);
    int32x4_t sum[COLUMNS_MAX][4];
#pragma GCC unroll 4
    for (int i = 0; i < columns; i++)
#pragma GCC unroll 4
        for (int q = 0; q < 4; q++)
            sum[i][q] = vld1q_s32(head->bias + 4 * q);
    for (; sets > 0; sets--) {
#pragma GCC unroll 2
        for (int group = 0; group < size; group += 4, w += size * GROUP) {
#pragma GCC unroll 11
            for (int column = 0; column < (columns - 1) * stride + size; column++) {
                const size_t at = (size_t)column * pixel;
                const int8x16_t none = vdupq_n_s8(0);
                int8x16_t a = vld1q_s8((const int8_t *)row[group] + at), b = none, c = none, e = none;
                if (group + 2 < size) {
                    b = vld1q_s8((const int8_t *)row[group + 1] + at);
                    c = vld1q_s8((const int8_t *)row[group + 2] + at);
                }
                if (group + 3 < size)
                    e = vld1q_s8((const int8_t *)row[group + 3] + at);
                int16x8_t ab = vreinterpretq_s16_s8(vzip1q_s8(a, b)),
                          ab2 = vreinterpretq_s16_s8(vzip2q_s8(a, b));
                int16x8_t ce = vreinterpretq_s16_s8(vzip1q_s8(c, e)),
                          ce2 = vreinterpretq_s16_s8(vzip2q_s8(c, e));
                int8x16_t v[4] = {
                    vreinterpretq_s8_s16(vzip1q_s16(ab, ce)), vreinterpretq_s8_s16(vzip2q_s16(ab, ce)),
                    vreinterpretq_s8_s16(vzip1q_s16(ab2, ce2)), vreinterpretq_s8_s16(vzip2q_s16(ab2, ce2))};
#pragma GCC unroll 4
                for (int i = 0; i < columns; i++) {
                    const int kx = column - i * stride;
                    if (kx < 0 || kx >= size)
                        continue;
                    int8x16x4_t weight = vld1q_s8_x4(w + kx * GROUP);
#pragma GCC unroll 4
                    for (int q = 0; q < 4; q++)
                        sum[i][q] = vdotq_s32(sum[i][q], v[q], weight.val[q]);
                }
                in_order();
            }
        }
    }
    finish_columns(sum, columns, head, output_i8(head, d->out_zero, d->min_i8, d->max_i8, 16, 16), out, pixel,
                   count);
}

static inline __attribute__((always_inline)) void strip(const struct depthwise *d,
                                                        const struct depthwise_tile *tile, int y, int x,
                                                        const int columns, const int size, const int stride)
{
    const struct packed *packed = d->packed;
    const size_t pixel = (size_t)d->channels, block = block_bytes(d, packed->sets);
    const char *row[5], *head = (const char *)(packed + 1);
    int8_t *out = (int8_t *)tile->out + (size_t)y * tile->out_row + (size_t)x * pixel;
    for (int ky = 0; ky < size; ky++)
        row[ky] = (const char *)tile->in[y * stride + ky] + (size_t)(x * stride) * pixel;
    for (int c = 0; c < d->channels; c += BLOCK, head += block) {
        strip_block(d, (const struct head_i8 *)(const void *)head, row, pixel, packed->sets, out + c,
                    d->channels - c < BLOCK ? d->channels - c : BLOCK, columns, size, stride);
        for (int ky = 0; ky < size; ky++)
            row[ky] = again(row[ky] + BLOCK);
    }
}

static void one(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x)
{
    if (d->size[0] == 3)
        strip(d, tile, y, x, 1, 3, 1 + (d->stride[0] > 1));
    else
        strip(d, tile, y, x, 1, 5, 1 + (d->stride[0] > 1));
}

STRIPS(strip, one)

static void run(const struct depthwise *d, const struct depthwise_tile *tile)
{
    if (strips_fit(d))
        strips_run(strips, true, d, tile);
    else
        depthwise_run_i8_neon(d, tile);
}

void kernels_init_depthwise_dotprod(struct kernels *kernels)
{
    kernels->depthwise_i8 = (struct depthwise_kernel){"depthwise_i8_dotprod", 1, packed_bytes, pack, run};
}
