/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/arm/fp16.h"
#include "engine/kernels/arm/strips.h"

/* Packed as blocks of 8 channels: bias[8], weight[taps][8]; with a multiplier other than 1 as the C reference
 * packs it. */
enum { BLOCK = 8, LINES = 2, COLUMNS = 4, SIZE = 5 };

static size_t block_elements(const struct depthwise *d)
{
    return BLOCK * ((size_t)depthwise_taps(d) + 1);
}

static size_t packed_bytes(const struct depthwise *d)
{
    size_t blocks = ((size_t)d->channels + BLOCK - 1) / BLOCK;
    return d->multiplier == 1 ? blocks * block_elements(d) * sizeof(float16_t)
                              : depthwise_packed_bytes_f16_c(d);
}

static void pack(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    const float factor = finish_factor(d->hard_swish);
    if (d->multiplier != 1) {
        depthwise_pack_f16_c(d, weights, packed);
        return;
    }
    memset(packed, 0, packed_bytes(d));
    for (int c = 0; c < d->channels; c++) {
        float16_t *to = (float16_t *)packed + (size_t)(c / BLOCK) * block_elements(d) + c % BLOCK;
        to[0] = (float16_t)(weights->bias_f32 ? weights->bias_f32[c] * factor : 0);
        for (int t = 0; t < depthwise_taps(d); t++)
            to[(t + 1) * BLOCK] =
                (float16_t)(weights->f32[(size_t)t * (size_t)d->channels + (size_t)c] * factor);
    }
}

static inline float16x8_t load(const float16_t *in, int count)
{
    float16_t all[BLOCK] = {0};
    if (count < BLOCK)
        in = memcpy(all, in, (size_t)count * sizeof(*all));
    return vld1q_f16(in);
}

/* Any window, one output. */
static void one(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x,
                const struct finisher *f)
{
    const float16_t *w = d->packed;
    int n = d->channels, step = d->dilation[1] * n;
    for (int c = 0; c < n; c += BLOCK) {
        int count = n - c < BLOCK ? n - c : BLOCK;
        float16x8_t sum = vld1q_f16(w);
        float16_t all[BLOCK];
        for (int ky = 0; ky < d->size[0]; ky++) {
            const float16_t *in = tile->in[y * d->stride[0] + ky * d->dilation[0]];
            in += (size_t)(x * d->stride[1]) * (size_t)n + (size_t)c;
            for (int kx = 0; kx < d->size[1]; kx++, in += step)
                sum = vfmaq_f16(sum, load(in, count), vld1q_f16(w += BLOCK));
        }
        vst1q_f16(all, finish_any(sum, f));
        memcpy((float16_t *)tile->out + (size_t)y * tile->out_row + (size_t)x * (size_t)n + (size_t)c, all,
               (size_t)count * sizeof(*all));
        w += BLOCK;
    }
}

/* In this order and place: GCC moves sums from register to register otherwise, a tenth of all instructions.
 */
static inline __attribute__((always_inline)) void accumulate(float16x8_t *sum, float16x8_t x, float16x8_t w)
{
    __asm__ volatile("fmla %0.8h, %1.8h, %2.8h" : "+w"(*sum) : "w"(x), "w"(w));
}

/* Tile of `lines` by `columns` outputs, all channels: each input is loaded once for all the windows that it
 * lies in, each weight once for all outputs. The sizes are constants where this is inlined. */
#define FINISH_ALL(kind)                                                                                     \
    _Pragma("GCC unroll 2") for (int l = 0; l < lines; l++)                                                  \
        _Pragma("GCC unroll 4") for (int i = 0; i < columns; i++)                                            \
            vst1q_f16((float16_t *)(void *)(out[l] + at[i]), finish8(sum[l][i], f, kind));                   \
    break;

static inline __attribute__((always_inline)) void strip(const struct depthwise *d,
                                                        const struct depthwise_tile *tile, int y, int x,
                                                        const struct finisher *f, const int lines,
                                                        const int columns, const int size, const int stride)
{
    const size_t pixel = (size_t)d->channels * sizeof(float16_t);
    const char *row[(LINES - 1) * 2 + SIZE];
    char *out[LINES];
    size_t at[2 * (COLUMNS - 1) + SIZE];
    const float16_t *w = d->packed;
#pragma GCC unroll 7
    for (int i = 0; i < (lines - 1) * stride + size; i++)
        row[i] = (const char *)tile->in[y * stride + i] + (size_t)(x * stride) * pixel;
#pragma GCC unroll 11
    for (int i = 0; i < (columns - 1) * stride + size; i++)
        at[i] = (size_t)i * pixel;
#pragma GCC unroll 2
    for (int l = 0; l < lines; l++)
        out[l] = (char *)((float16_t *)tile->out + (size_t)(y + l) * tile->out_row) + (size_t)x * pixel;
    for (int c = d->channels; c > 0; c -= BLOCK) {
        float16x8_t sum[LINES][COLUMNS], weight[SIZE][SIZE];
#pragma GCC unroll 2
        for (int l = 0; l < lines; l++)
#pragma GCC unroll 4
            for (int i = 0; i < columns; i++)
                sum[l][i] = vld1q_f16(w);
#pragma GCC unroll 7
        for (int r = 0; r < (lines - 1) * stride + size; r++) {
#pragma GCC unroll 5
            for (int kx = 0; kx < size; kx++)
                if (r < size)
                    weight[r][kx] = vld1q_f16(w + BLOCK * (1 + r * size + kx));
#pragma GCC unroll 11
            for (int column = 0; column < (columns - 1) * stride + size; column++) {
                float16x8_t v = vld1q_f16((const float16_t *)(const void *)(row[r] + at[column]));
#pragma GCC unroll 2
                for (int l = 0; l < lines; l++)
#pragma GCC unroll 4
                    for (int i = 0; i < columns; i++) {
                        int ky = r - l * stride, kx = column - i * stride;
                        if (ky >= 0 && ky < size && kx >= 0 && kx < size)
                            accumulate(&sum[l][i], v, weight[ky][kx]);
                    }
            }
            row[r] += BLOCK * sizeof(float16_t);
        }
        switch (f->kind) {
        case FINISH_HARD_SWISH:
            FINISH_ALL(FINISH_HARD_SWISH)
        case FINISH_CLAMP:
            FINISH_ALL(FINISH_CLAMP)
        case FINISH_RELU:
            FINISH_ALL(FINISH_RELU)
        default:
            FINISH_ALL(FINISH_NONE)
        }
        w += BLOCK * (size * size + 1);
#pragma GCC unroll 2
        for (int l = 0; l < lines; l++)
            out[l] += BLOCK * sizeof(float16_t);
    }
}

/* ---- which strips a tile is made of ---- */

typedef void block_fn(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x,
                      const struct finisher *f);

#define STRIP_FP16(lines, columns, size, stride)                                                             \
    static void strip_##lines##_##columns##_##size##_##stride(const struct depthwise *d,                     \
                                                              const struct depthwise_tile *tile, int y,      \
                                                              int x, const struct finisher *f)               \
    {                                                                                                        \
        strip(d, tile, y, x, f, lines, columns, size, stride);                                               \
    }
#define STRIPS_FP16(lines, size, stride) STRIP_FP16(lines, 3, size, stride) STRIP_FP16(lines, 4, size, stride)
STRIPS_FP16(1, 3, 1)
STRIPS_FP16(1, 3, 2)
STRIPS_FP16(1, 5, 1)
STRIPS_FP16(1, 5, 2)
STRIPS_FP16(2, 3, 1)
STRIPS_FP16(2, 3, 2)
STRIPS_FP16(2, 5, 1)
STRIPS_FP16(2, 5, 2)

/* By lines, size, stride, columns. */
#define PAIR(lines, size, stride)                                                                            \
    {                                                                                                        \
        strip_##lines##_3_##size##_##stride, strip_##lines##_4_##size##_##stride                             \
    }
static block_fn *const table[LINES][2][2][2] = {
    {{PAIR(1, 3, 1), PAIR(1, 3, 2)}, {PAIR(1, 5, 1), PAIR(1, 5, 2)}},
    {{PAIR(2, 3, 1), PAIR(2, 3, 2)}, {PAIR(2, 5, 1), PAIR(2, 5, 2)}},
};

/* As many threes as it takes to come out even, fours behind them. */
static void run_lines(const struct depthwise *d, const struct depthwise_tile *tile, int y, int lines,
                      const struct finisher *f)
{
    block_fn *const *strips = table[lines - 1][d->size[0] == 5][d->stride[0] - 1];
    int x = 0, n = tile->columns, threes = (4 - n % 4) % 4;
    for (; threes > 0 && n - x >= 3; threes--, x += 3)
        strips[0](d, tile, y, x, f);
    for (; n - x >= 4; x += 4)
        strips[1](d, tile, y, x, f);
    for (; x < n; x++)
        for (int l = 0; l < lines; l++)
            one(d, tile, y + l, x, f);
}

static void run(const struct depthwise *d, const struct depthwise_tile *tile)
{
    const struct finisher f = finisher_of(d->min_f32, d->max_f32, d->hard_swish);
    if (d->multiplier != 1) {
        depthwise_run_f16_c(d, tile);
    } else if (strips_fit(d) && d->channels % BLOCK == 0) {
        for (int y = 0; y < tile->rows; y += LINES)
            run_lines(d, tile, y, tile->rows - y < LINES ? 1 : LINES, &f);
    } else {
        for (int y = 0; y < tile->rows; y++)
            for (int x = 0; x < tile->columns; x++)
                one(d, tile, y, x, &f);
    }
}

void kernels_init_depthwise_fp16(struct kernels *kernels)
{
    kernels->depthwise_f16 = (struct depthwise_kernel){"depthwise_f16_fp16", LINES, packed_bytes, pack, run};
}
