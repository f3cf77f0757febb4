/* SPDX-License-Identifier: MIT */
/*
 * int8 depthwise convolution with SDOT. Four input rows, 16 channels wide, are interleaved by ST4 into quads
 * in a small buffer, so that one instruction makes four taps of four channels. Weights are quads too, shifted
 * by as many rows as an output row lies below the first that the same quads serve.
 */
#include "engine/kernels/arm/depthwise_sdot.h"
#include "engine/kernels/arm/strips.h"

#include <stdlib.h>

/* A column is `groups` quads of 16 channels each. */
enum { BLOCK = 16, GROUPS_MAX = 2, CHUNK = 56, INPUTS_MAX = (CHUNK - 1) * 2 + 5, SETS_MAX = 3 };

/* A block of 16 channels is a head, then weight[output row][set][group][column][16][4]. The last block of 16
 * and more channels that are not a multiple of 16 starts earlier. Weights less their zero point that need 9
 * bits are the sum of two sets, and 255 of three; head.own counts them. */
struct packed {
    int sets; /* of the block that has most */
    char unused[60];
};

static size_t groups(const struct depthwise *d)
{
    return ((size_t)d->size[0] + 3) / 4;
}

/* Output rows that the same quads serve. */
static int rows_of(const struct depthwise *d)
{
    return (4 * (int)groups(d) - d->size[0]) / d->stride[0] + 1;
}

static size_t set_bytes(const struct depthwise *d)
{
    return groups(d) * (size_t)d->size[1] * QUADS;
}

static size_t block_bytes(const struct depthwise *d, int sets)
{
    return sizeof(struct head_i8) + (size_t)(rows_of(d) * sets) * set_bytes(d);
}

static size_t blocks(const struct depthwise *d)
{
    return ((size_t)d->channels + BLOCK - 1) / BLOCK;
}

static size_t packed_bytes(const struct depthwise *d)
{
    return strips_fit(d) ? sizeof(struct packed) + blocks(d) * block_bytes(d, SETS_MAX)
                         : depthwise_packed_bytes_i8_neon(d);
}

/* How many int8 a weight is the sum of. */
static int parts(int value)
{
    return value == (int8_t)value ? 1 : value < 255 ? 2 : SETS_MAX;
}

static int sets_of(const struct depthwise *d, const int8_t *weight)
{
    int count = depthwise_taps(d) * d->channels, sets = 1;
    for (int i = 0; i < count; i++)
        if (parts(weight[i] - d->weight_zero) > sets)
            sets = parts(weight[i] - d->weight_zero);
    return sets;
}

/* A weight in all the output rows' quads. */
static void pack_weight(const struct depthwise *d, int value, int ky, int kx, int at, int sets, int8_t *to)
{
    for (int y = 0; y < rows_of(d); y++) {
        int row = ky + y * d->stride[0];
        size_t place =
            ((size_t)row / 4 * (size_t)d->size[1] + (size_t)kx) * QUADS + (size_t)(at * 4 + row % 4);
        int left = value;
        for (int i = 0; i < sets; i++, to += set_bytes(d)) {
            int part = left < -128 ? -128 : left > 127 ? 127 : left;
            to[place] = (int8_t)part;
            left -= part;
        }
    }
}

/* The first channel of the block behind c channels. */
static int first_of(const struct depthwise *d, int c)
{
    return c + BLOCK > d->channels && d->channels >= BLOCK ? d->channels - BLOCK : c;
}

static void pack_channel(const struct depthwise *d, const struct conv_weights *weights, int channel, int at,
                         int sets, struct head_i8 *head)
{
    int64_t sum = 0, most = 0;
    for (int t = 0; t < depthwise_taps(d); t++) {
        int value = weights->i8[t * d->channels + channel] - d->weight_zero;
        pack_weight(d, value, t / d->size[1], t % d->size[1], at, sets, (int8_t *)(head + 1));
        if (parts(value) > head->own)
            head->own = parts(value);
        sum += value;
        most += 128 * abs(value);
    }
    head_set(head, at, (weights->bias_i32 ? weights->bias_i32[channel] : 0) - d->in_zero * sum, most,
             weights->requant[channel], d->out_zero);
}

static void pack(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    struct packed *to = packed;
    if (!strips_fit(d)) {
        depthwise_pack_i8_neon(d, weights, packed);
        return;
    }
    to->sets = sets_of(d, weights->i8);
    memset(to + 1, 0, blocks(d) * block_bytes(d, to->sets));
    for (int c = 0; c < d->channels; c += BLOCK) {
        struct head_i8 *head = (void *)((char *)(to + 1) + (size_t)(c / BLOCK) * block_bytes(d, to->sets));
        head_clear(head);
        head->own = 1;
        for (int i = 0, first = first_of(d, c); i < BLOCK && first + i < d->channels; i++)
            pack_channel(d, weights, first + i, i, to->sets, head);
    }
}

/* ---- quads ---- */

/* Columns of image. */
static int8_t *interleave(const char *const row[4], size_t pixel, int columns, int8_t *to)
{
    const char *r0 = row[0], *r1 = row[1], *r2 = row[2], *r3 = row[3];
    int fours = columns / 4;
#define ONE_COLUMN                                                                                           \
    "ld1 {v0.16b}, [%[r0]], %[pixel]\nld1 {v1.16b}, [%[r1]], %[pixel]\n"                                     \
    "ld1 {v2.16b}, [%[r2]], %[pixel]\nld1 {v3.16b}, [%[r3]], %[pixel]\n"                                     \
    "st4 {v0.16b-v3.16b}, [%[to]], #64\n"
    __asm__ volatile(
        "tbz %w[n], #0, 1f\n" ONE_COLUMN "1:\ntbz %w[n], #1, 2f\n" ONE_COLUMN ONE_COLUMN
        "2:\ncbz %w[fours], 4f\n3:\nsubs %w[fours], %w[fours], #1\n" ONE_COLUMN ONE_COLUMN ONE_COLUMN
            ONE_COLUMN "b.ne 3b\n4:\n"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [to] "+&r"(to), [fours] "+&r"(fours)
        : [pixel] "r"(pixel), [n] "r"(columns)
        : "cc", "memory", "v0", "v1", "v2", "v3");
    return to;
}

/* What a tile's blocks have in common: output columns [x, x + n) of rows from y on that the same quads serve.
 */
struct part {
    const struct depthwise *d;
    const struct depthwise_tile *tile;
    int y, rows, x, n;
    int left, inside, right; /* columns of quads: padding, of the image, padding */
    size_t begin;            /* the first of the image, in bytes */
};

static struct part part_of(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x, int n)
{
    const int width = depthwise_columns(d, tile);
    const int first = x * d->stride[1] - tile->before, end = first + (n - 1) * d->stride[1] + d->size[1];
    const int begin = first > 0 ? first : 0, stop = end < width ? end : width;
    struct part part = {d, tile, y, rows_of(d), x, n};
    if (tile->rows - y < part.rows)
        part.rows = tile->rows - y;
    part.inside = stop > begin ? stop - begin : 0;
    part.left = begin - first < end - first ? begin - first : end - first;
    part.right = end - first - part.left - part.inside;
    part.begin = (size_t)begin * (size_t)d->channels;
    return part;
}

/* One or two, for which memset() is a detour. */
static int8_t *pad_columns(int8_t *to, int columns, int zero)
{
    const int8x16_t value = vdupq_n_s8((int8_t)zero);
    for (; columns > 0; columns--, to += QUADS)
        for (int i = 0; i < QUADS; i += 16)
            vst1q_s8(to + i, value);
    return to;
}

static void make_quads(const struct part *part, int c, size_t group_bytes, int8_t *quads)
{
    const struct depthwise *d = part->d;
    const int last =
        (part->y + part->rows - 1) * d->stride[0] + d->size[0] - 1; /* row of input that there is */
    for (int group = 0, at = part->y * d->stride[0]; group < (int)groups(d); group++, quads += group_bytes) {
        const char *row[4];
        for (int i = 0; i < 4; i++, at++)
            row[i] = (const char *)part->tile->in[at < last ? at : last] + part->begin + (size_t)c;
        int8_t *to = pad_columns(quads, part->left, d->in_zero);
        to = interleave(row, (size_t)d->channels, part->inside, to);
        pad_columns(to, part->right, d->in_zero);
    }
}

/* ---- running ---- */

/* `strips` strips of n outputs side by side. */
#define SOME(size, stride, n, finish)                                                                        \
    if (strips > 0)                                                                                          \
    __asm__ volatile(                                                                                        \
        "mov x2, %[quads]\n1:\n" BIAS_##n SETS(WINDOW_##size(stride, n)) FINISH_##n(finish)                  \
            NEXT_##size(stride, n) "subs %w[strips], %w[strips], #1\n"                                       \
                                   "b.ne 1b\nmov %[quads], x2\n" MORE_SETS(BACK_##size(stride, n))           \
        : [quads] "+&r"(quads), [to] "+&r"(to), [strips] "+&r"(strips)                                       \
        : IN, [multiplier] "r"(job->head->multiplier), [shift] "r"(job->head->shift),                        \
          [narrow] "r"(job->narrow), [lift] "r"(job->head->lift)                                             \
        : SCRATCH)

/* In fours, and in threes to come out even; 5 columns as 4 and 3, of which 2 are made twice. */
#define ROWS(name, size, stride, finish)                                                                     \
    static void name(const struct job *job)                                                                  \
    {                                                                                                        \
        const int8_t *weights = job->weights;                                                                \
        int8_t *row = job->to;                                                                               \
        const int n = job->columns, threes = n == 5 ? 1 : (4 - n % 4) % 4;                                   \
        const size_t again = n == 5 ? 2 : 0;                                                                 \
        for (int left = job->rows; left > 0; left--, weights += job->weights_row, row += job->to_row) {      \
            const int8_t *quads = job->quads;                                                                \
            int8_t *to = row;                                                                                \
            int strips = n == 5 ? 1 : (n - 3 * threes) / 4;                                                  \
            SOME(size, stride, 4, finish);                                                                   \
            quads -= again * stride * QUADS;                                                                 \
            to -= again * job->pixel;                                                                        \
            strips = threes;                                                                                 \
            SOME(size, stride, 3, finish);                                                                   \
        }                                                                                                    \
    }
ROWS(clamp_3_1, 3, 1, CLAMP)
ROWS(clamp_3_2, 3, 2, CLAMP)
ROWS(clamp_5_1, 5, 1, CLAMP)
ROWS(clamp_5_2, 5, 2, CLAMP)
ROWS(round_3_1, 3, 1, ROUND)
ROWS(round_3_2, 3, 2, ROUND)
ROWS(round_5_1, 5, 1, ROUND)
ROWS(round_5_2, 5, 2, ROUND)

/* The sums of one output. */
#define ONE(name, size)                                                                                      \
    static void name(const struct job *job, const int8_t *weights, const int8_t *quads, int32_t *sums)       \
    {                                                                                                        \
        __asm__ volatile("mov x2, %[quads]\n" BIAS_1 SETS(WINDOW_##size(                                     \
            1, 1)) "st1 {v16.4s-v19.4s}, [%[sums]]\n" MORE_SETS(BACK_##size(1, 1))                           \
                         :                                                                                   \
                         : IN, [quads] "r"(quads), [sums] "r"(sums)                                          \
                         : SCRATCH);                                                                         \
    }
ONE(one_3, 3)
ONE(one_5, 5)

/* By whether values are signed, size and stride. */
static void (*const rows_of_16[2][2][2])(const struct job *job) = {
    {{clamp_3_1, clamp_3_2}, {clamp_5_1, clamp_5_2}},
    {{round_3_1, round_3_2}, {round_5_1, round_5_2}},
};

/* One output after the other: fewer channels than 16, fewer columns than 3, or more to be done than to
 * narrow. */
static void any_rows(const struct depthwise *d, const struct job *job)
{
    const int count = d->channels < BLOCK ? d->channels : BLOCK;
    const struct output_i8 out = output_i8(job->head, d->out_zero, d->min_i8, d->max_i8, BLOCK, count);
    for (int y = 0; y < job->rows; y++)
        for (int x = 0; x < job->columns; x++) {
            const int8_t *weights = job->weights + (size_t)y * job->weights_row,
                         *quads = job->quads + x * d->stride[1] * QUADS;
            int32_t sums[BLOCK];
            (d->size[0] == 5 ? one_5 : one_3)(job, weights, quads, sums);
            store16(job->to + (size_t)y * job->to_row + (size_t)x * job->pixel,
                    finish16(vld1q_s32_x4(sums), job->head, &out), count);
        }
}

static void run_part(const struct part *part)
{
    const struct depthwise *d = part->d;
    const struct packed *packed = d->packed;
    int8_t quads[GROUPS_MAX * QUADS * INPUTS_MAX];
    const size_t pixel = (size_t)d->channels, bytes = block_bytes(d, packed->sets);
    struct job job = {.head = (const void *)(packed + 1),
                      .quads = quads,
                      .group = (size_t)(part->left + part->inside + part->right) * QUADS,
                      .set = set_bytes(d),
                      .weights_row = (size_t)packed->sets * set_bytes(d),
                      .pixel = pixel,
                      .to_row = part->tile->out_row,
                      .rows = part->rows,
                      .columns = part->n,
                      .narrow = narrow_by(d->out_zero)};
    int8_t *to = (int8_t *)part->tile->out + (size_t)part->y * job.to_row + (size_t)part->x * pixel;
    void (*const rows)(const struct job *) =
        rows_of_16[d->out_zero > -128][d->size[0] == 5][d->stride[0] - 1];
    const bool narrows = part->n > 2 && d->channels >= BLOCK && d->min_i8 == -128 && d->max_i8 == 127;
    for (int c = 0; c < d->channels; c += BLOCK) {
        const int first = first_of(d, c);
        make_quads(part, first, job.group, quads);
        job.weights = (const int8_t *)(job.head + 1);
        job.to = to + first;
        if (narrows && !job.head->wide)
            rows(&job);
        else
            any_rows(d, &job);
        job.head = (const void *)((const char *)job.head + bytes);
    }
}

static void run(const struct depthwise *d, const struct depthwise_tile *tile)
{
    if (!strips_fit(d)) {
        depthwise_run_i8_neon(d, tile);
        return;
    }
    int chunks = (tile->columns + CHUNK - 1) / CHUNK;
    for (int y = 0; y < tile->rows; y += rows_of(d))
        for (int i = 0; i < chunks; i++) {
            int x = tile->columns * i / chunks, end = tile->columns * (i + 1) / chunks;
            const struct part part = part_of(d, tile, y, x, end - x);
            run_part(&part);
        }
}

static enum pads pads(const struct depthwise *d)
{
    return strips_fit(d) ? PADS_COLUMNS : PADS_NOTHING;
}

void kernels_init_depthwise_dotprod(struct kernels *kernels)
{
    kernels->depthwise_i8 =
        (struct depthwise_kernel){"depthwise_i8_dotprod", 4, packed_bytes, pack, run, pads};
}
