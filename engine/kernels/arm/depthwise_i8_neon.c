/* SPDX-License-Identifier: MIT */
#include "engine/kernels/arm/depthwise_smull.h"
#include "engine/kernels/arm/requant.h"
#include "engine/kernels/arm/strips.h"

#include <stdlib.h>

/* Windows that strips_fit() are packed for depthwise_smull.h: blocks of 16 channels, each a head and then
 * weight[set][tap][16]. The last block of 16 and more channels that are not a multiple of 16 starts earlier.
 * Weights less their zero point that are not within 127 are the sum of two sets or three; head.own counts
 * them. Other windows: a head, then weights less their zero point as int16[tap][16]. With a multiplier other
 * than 1 the layout is the C reference's. */
enum { BLOCK = 16, SETS_MAX = 3, MOST = 127, ROWS_TOGETHER = 4 };

static size_t block_bytes(const struct depthwise *d)
{
    size_t each = strips_fit(d) ? SETS_MAX : sizeof(int16_t);
    return sizeof(struct head_i8) + BLOCK * (size_t)depthwise_taps(d) * each;
}

size_t depthwise_packed_bytes_i8_neon(const struct depthwise *d)
{
    size_t blocks = ((size_t)d->channels + BLOCK - 1) / BLOCK;
    return d->multiplier == 1 ? blocks * block_bytes(d) : depthwise_packed_bytes_i8_c(d);
}

/* The first channel of the block behind c channels. */
static int first_of(const struct depthwise *d, int c)
{
    return strips_fit(d) && c + BLOCK > d->channels && d->channels >= BLOCK ? d->channels - BLOCK : c;
}

static void pack_sets(const struct depthwise *d, int value, int tap, int at, struct head_i8 *head)
{
    int8_t *to = (int8_t *)(head + 1) + tap * BLOCK + at;
    for (int set = 0; set < SETS_MAX; set++, to += depthwise_taps(d) * BLOCK) {
        int part = value < -MOST ? -MOST : value > MOST ? MOST : value;
        *to = (int8_t)part;
        value -= part;
        if (part && head->own <= set)
            head->own = set + 1;
    }
}

static void pack_channel(const struct depthwise *d, const struct conv_weights *weights, int channel, int at,
                         struct head_i8 *head)
{
    int16_t *body = (int16_t *)(void *)(head + 1);
    int64_t sum = 0, most = 0;
    for (int t = 0; t < depthwise_taps(d); t++) {
        int value = weights->i8[(size_t)t * (size_t)d->channels + (size_t)channel] - d->weight_zero;
        if (strips_fit(d))
            pack_sets(d, value, t, at, head);
        else
            body[t * BLOCK + at] = (int16_t)value;
        sum += value;
        most += 128 * abs(value);
    }
    head_set(head, at, (weights->bias_i32 ? weights->bias_i32[channel] : 0) - d->in_zero * sum, most,
             weights->requant[channel], d->out_zero);
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
        head_clear(head);
        head->own = 1;
        for (int i = 0, first = first_of(d, c); i < BLOCK && first + i < d->channels; i++)
            pack_channel(d, weights, first + i, i, head);
    }
}

/* ---- windows of 3 x 3 and 5 x 5 ---- */

struct job { /* a block of channels */
    const struct head_i8 *head;
    const void *const *rows; /* of input */
    size_t at;               /* bytes from there to the block's first channel */
    int8_t *to;
    size_t pixel, to_row;
    int columns, lines, narrow; /* lines: rows of output */
};

#define BIAS_1     "ld1 {v16.4s-v19.4s}, [%[bias]]\n"
#define BIAS_3     BIAS_1 "ld1 {v20.4s-v23.4s}, [%[bias]]\nld1 {v24.4s-v27.4s}, [%[bias]]\n"
#define BIAS_4     BIAS_3 "ld1 {v28.4s-v31.4s}, [%[bias]]\n"
#define SETS(what) "add x4, %[bias], #272\nmov w6, %w[sets]\n2:\n" what "subs w6, w6, #1\nb.ne 2b\n"
#define TO(a)      "st1 {" a ".16b}, [%[to]], %[pixel]\n"
#define FINISH_3(finish)                                                                                     \
    NARROW_LOAD finish("v16", "v17", "v18", "v19") TO("v16") finish("v20", "v21", "v22", "v23") TO("v20")    \
        finish("v24", "v25", "v26", "v27") TO("v24")
#define FINISH_4(finish) FINISH_3(finish) finish("v28", "v29", "v30", "v31") TO("v28")
#define IN               [rows] "r"(rows), [sets] "r"(job->head->own), [bias] "r"(job->head->bias), [pixel] "r"(job->pixel)
#define SCRATCH                                                                                              \
    "cc", "memory", "x2", "x3", "x4", "x5", "x6", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8",      \
        "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22",     \
        "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31"
_Static_assert(sizeof(struct head_i8) == 272, "SETS");

/* `strips` strips of n outputs side by side. */
#define SOME(size, stride, n, finish)                                                                        \
    if (strips > 0)                                                                                          \
    __asm__ volatile("1:\n" BIAS_##n SETS(WINDOW_##size(stride, n)) FINISH_##n(                              \
                         finish) "add %[at], %[at], %[step]\nsubs %w[strips], %w[strips], #1\nb.ne 1b\n"     \
                     : [at] "+&r"(at), [to] "+&r"(to), [strips] "+&r"(strips)                                \
                     : IN, [step] "r"(n * stride * job->pixel), [multiplier] "r"(job->head->multiplier),     \
                       [shift] "r"(job->head->shift), [narrow] "r"(job->narrow)                              \
                     : SCRATCH)

/* In fours, and in threes to come out even; 5 columns as 4 and 3, of which 2 are made twice. */
#define LINES(name, size, stride, finish)                                                                    \
    static void name(const struct job *job)                                                                  \
    {                                                                                                        \
        const void *const *rows = job->rows;                                                                 \
        const int n = job->columns, threes = n == 5 ? 1 : (4 - n % 4) % 4;                                   \
        const size_t twice = n == 5 ? 2 * job->pixel : 0;                                                    \
        for (int y = 0; y < job->lines; y++, rows += stride) {                                               \
            int8_t *to = job->to + (size_t)y * job->to_row;                                                  \
            size_t at = job->at;                                                                             \
            int strips = n == 5 ? 1 : (n - 3 * threes) / 4;                                                  \
            SOME(size, stride, 4, finish);                                                                   \
            at -= twice * stride;                                                                            \
            to -= twice;                                                                                     \
            strips = threes;                                                                                 \
            SOME(size, stride, 3, finish);                                                                   \
        }                                                                                                    \
    }
LINES(clamp_3_1, 3, 1, CLAMP)
LINES(clamp_3_2, 3, 2, CLAMP)
LINES(clamp_5_1, 5, 1, CLAMP)
LINES(clamp_5_2, 5, 2, CLAMP)
LINES(round_3_1, 3, 1, ROUND)
LINES(round_3_2, 3, 2, ROUND)
LINES(round_5_1, 5, 1, ROUND)
LINES(round_5_2, 5, 2, ROUND)
static void (*const lines_of_16[2][2][2])(const struct job *job) = {
    /* by whether values are signed, size and stride */
    {{clamp_3_1, clamp_3_2}, {clamp_5_1, clamp_5_2}},
    {{round_3_1, round_3_2}, {round_5_1, round_5_2}},
};

/* The sums of one output. */
#define OUTPUT(name, size)                                                                                   \
    static void name(const struct job *job, const void *const *rows, size_t at, int32_t *sums)               \
    {                                                                                                        \
        __asm__ volatile(BIAS_1 SETS(WINDOW_##size(1, 1)) "st1 {v16.4s-v19.4s}, [%[sums]]\n"                 \
                         :                                                                                   \
                         : IN, [at] "r"(at), [sums] "r"(sums)                                                \
                         : SCRATCH);                                                                         \
    }
OUTPUT(output_3, 3)
OUTPUT(output_5, 5)

/* One output after the other: fewer channels than 16, fewer columns than 3, or more to be done than to
 * narrow. */
static void any_lines(const struct depthwise *d, const struct job *job)
{
    const int count = d->channels < BLOCK ? d->channels : BLOCK;
    const struct output_i8 out = output_i8(job->head, d->out_zero, d->min_i8, d->max_i8, BLOCK, count);
    for (int y = 0; y < job->lines; y++)
        for (int x = 0; x < job->columns; x++) {
            int32_t sums[BLOCK];
            (d->size[0] == 5 ? output_5 : output_3)(job, job->rows + y * d->stride[0],
                                                    job->at + (size_t)(x * d->stride[1]) * job->pixel, sums);
            store16(job->to + (size_t)y * job->to_row + (size_t)x * job->pixel,
                    finish16(vld1q_s32_x4(sums), job->head, &out), count);
        }
}

static void run_fit(const struct depthwise *d, const struct depthwise_tile *tile)
{
    struct job job = {.head = d->packed,
                      .rows = tile->in,
                      .pixel = (size_t)d->channels,
                      .to_row = tile->out_row,
                      .columns = tile->columns,
                      .lines = tile->rows,
                      .narrow = narrow_by(d->out_zero)};
    const size_t bytes = block_bytes(d);
    void (*const lines)(const struct job *) =
        lines_of_16[d->out_zero > -128][d->size[0] == 5][d->stride[0] - 1];
    const bool narrows = tile->columns > 2 && d->channels >= BLOCK && d->min_i8 == -128 && d->max_i8 == 127;
    for (int c = 0; c < d->channels; c += BLOCK) {
        job.at = (size_t)first_of(d, c);
        job.to = (int8_t *)tile->out + job.at;
        if (narrows && !job.head->wide)
            lines(&job);
        else
            any_lines(d, &job);
        job.head = (const void *)((const char *)job.head + bytes);
    }
}

/* ---- any window ---- */

static void one(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x)
{
    const char *head = d->packed;
    int8_t *out = (int8_t *)tile->out + (size_t)y * tile->out_row + (size_t)x * (size_t)d->channels;
    for (int c = 0; c < d->channels; c += BLOCK, head += block_bytes(d)) {
        const struct head_i8 *block = (const void *)head;
        const int16_t *w = (const int16_t *)(const void *)(block + 1);
        const int count = d->channels - c < BLOCK ? d->channels - c : BLOCK;
        const struct output_i8 to = output_i8(block, d->out_zero, d->min_i8, d->max_i8, BLOCK, BLOCK);
        int32x4x4_t sum = vld1q_s32_x4(block->bias);
        for (int t = 0; t < depthwise_taps(d); t++, w += BLOCK) {
            int8x16_t v = vld1q_s8((const int8_t *)depthwise_input(d, tile, y, x, t, 1) + c);
            int16x8_t low = vmovl_s8(vget_low_s8(v)), high = vmovl_high_s8(v), w0 = vld1q_s16(w),
                      w1 = vld1q_s16(w + 8);
            sum.val[0] = vmlal_s16(sum.val[0], vget_low_s16(low), vget_low_s16(w0));
            sum.val[1] = vmlal_high_s16(sum.val[1], low, w0);
            sum.val[2] = vmlal_s16(sum.val[2], vget_low_s16(high), vget_low_s16(w1));
            sum.val[3] = vmlal_high_s16(sum.val[3], high, w1);
        }
        store16(out + c, finish16(sum, block, &to), count);
    }
}

void depthwise_run_i8_neon(const struct depthwise *d, const struct depthwise_tile *tile)
{
    if (d->multiplier != 1) {
        depthwise_run_i8_c(d, tile);
        return;
    }
    if (strips_fit(d)) {
        run_fit(d, tile);
        return;
    }
    for (int y = 0; y < tile->rows; y++)
        for (int x = 0; x < tile->columns; x++)
            one(d, tile, y, x);
}

void kernels_init_depthwise_i8_neon(struct kernels *kernels)
{
    kernels->depthwise_i8 = (struct depthwise_kernel){
        "depthwise_i8_neon",    ROWS_TOGETHER,         depthwise_packed_bytes_i8_neon,
        depthwise_pack_i8_neon, depthwise_run_i8_neon, NULL};
}
