/* SPDX-License-Identifier: MIT */
/*
 * int8 depthwise convolution with SDOT. Four input rows, 16 channels wide, are interleaved by ST4 into quads
 * in a small buffer, so that one instruction makes four taps of four channels. Weights are quads too, shifted
 * by as many rows as an output row lies below the first that the same quads serve.
 */
#include "engine/kernels/arm/finish_i8.h"
#include "engine/kernels/arm/strips.h"

#include <stdlib.h>

/* A column is `groups` quads of 16 channels each. */
enum { BLOCK = 16, QUADS = 4 * BLOCK, GROUPS_MAX = 2, CHUNK = 56, INPUTS_MAX = (CHUNK - 1) * 2 + 5 };

/* A block of 16 channels is a head, then weight[output row][set][column][group][16][4]. Weights less their
 * zero point that need 9 bits are the sum of two sets; head.own counts them. */
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
    return strips_fit(d) ? sizeof(struct packed) + blocks(d) * block_bytes(d, 2)
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

/* A weight in all the output rows' quads. */
static void pack_weight(const struct depthwise *d, int value, int ky, int kx, int at, int sets, int8_t *to)
{
    int first = value < -128 ? -128 : value > 127 ? 127 : value;
    for (int y = 0; y < rows_of(d); y++, to += (size_t)sets * set_bytes(d)) {
        int row = ky + y * d->stride[0];
        size_t place = ((size_t)kx * groups(d) + (size_t)row / 4) * QUADS + (size_t)(at * 4 + row % 4);
        to[place] = (int8_t)first;
        if (sets == 2)
            to[set_bytes(d) + place] = (int8_t)(value - first);
    }
}

static void pack_channel(const struct depthwise *d, const struct conv_weights *weights, int channel, int sets,
                         struct head_i8 *head)
{
    int64_t sum = 0, most = 0;
    for (int t = 0; t < depthwise_taps(d); t++) {
        int value = weights->i8[t * d->channels + channel] - d->weight_zero;
        pack_weight(d, value, t / d->size[1], t % d->size[1], channel % BLOCK, sets, (int8_t *)(head + 1));
        if (value != (int8_t)value)
            head->own = 2;
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
    to->sets = sets_of(d, weights->i8);
    memset(to + 1, 0, blocks(d) * block_bytes(d, to->sets));
    for (int c = 0; c < d->channels; c += BLOCK) {
        struct head_i8 *head = (void *)((char *)(to + 1) + (size_t)(c / BLOCK) * block_bytes(d, to->sets));
        head_clear(head);
        head->own = 1;
        for (int i = c; i < c + BLOCK && i < d->channels; i++)
            pack_channel(d, weights, i, to->sets, head);
    }
}

/* ---- running ---- */

/* `columns` columns of four rows. */
static inline void interleave(const char *const row[4], size_t pixel, int columns, int8_t *to, size_t to_step)
{
    const char *r0 = row[0], *r1 = row[1], *r2 = row[2], *r3 = row[3];
    __asm__ volatile(
        "1:\nld1 {v0.16b}, [%[r0]], %[pixel]\nld1 {v1.16b}, [%[r1]], %[pixel]\n"
        "ld1 {v2.16b}, [%[r2]], %[pixel]\nld1 {v3.16b}, [%[r3]], %[pixel]\n"
        "subs %w[n], %w[n], #1\nst4 {v0.16b-v3.16b}, [%[to]], %[step]\nb.ne 1b\n"
        : [r0] "+r"(r0), [r1] "+r"(r1), [r2] "+r"(r2), [r3] "+r"(r3), [to] "+r"(to), [n] "+r"(columns)
        : [pixel] "r"(pixel), [step] "r"(to_step)
        : "cc", "memory", "v0", "v1", "v2", "v3");
}

/* Outputs side by side: all columns of weights by all columns of quads under them. */
struct strip {
    const struct head_i8 *head;
    const int8_t *weights;
    int taps, sets; /* sets: of all blocks' weights */
    size_t step;    /* bytes of quads from one output to the next */
    size_t pixel;
    struct output_i8 out;
};

#define BIAS(sum) "ld1 {%S[" sum "].4s-%V[" sum "].4s}, [%[bias]]\n"
#define COLUMN(sum, v0, v1, v2, v3, step)                                                                    \
    "ld1 {" v0 ".16b-" v3 ".16b}, [%[a]], %[" step "]\nsdot %S[" sum "].4s, v0.16b, " v0 ".16b\n"            \
    "sdot %T[" sum "].4s, v1.16b, " v1 ".16b\nsdot %U[" sum "].4s, v2.16b, " v2 ".16b\n"                     \
    "sdot %V[" sum "].4s, v3.16b, " v3 ".16b\n"
#define EVEN(sum, step) COLUMN(sum, "v4", "v5", "v6", "v7", step)
#define ODD(sum, step)  COLUMN(sum, "v8", "v9", "v10", "v11", step)
#define OUT_1           [sum0] "=&w"(sum0)
#define OUT_3           OUT_1, [sum1] "=&w"(sum1), [sum2] "=&w"(sum2)
#define OUT_4           OUT_3, [sum3] "=&w"(sum3)
#define OUT_5           OUT_4, [sum4] "=&w"(sum4)
/* `sums`: names of five, of which the first n count; after the last column `back` goes to the next tap. */
#define STRIP_OF(n, biases, columns, operands, ...)                                                          \
    static void strip_##n(const struct strip *strip, const int8_t *quads, int8_t *to)                        \
    {                                                                                                        \
        int32x4x4_t sum0, __VA_ARGS__;                                                                       \
        const int8_t *w = strip->weights, *a;                                                                \
        const size_t step = strip->step, back = QUADS - ((n)-1) * step;                                      \
        int sets = strip->head->own, left;                                                                   \
        __asm__ volatile(                                                                                    \
            biases "0:\nmov %[a], %[quads]\nmov %w[left], %w[taps]\n"                                        \
                   "1:\nld1 {v0.16b-v3.16b}, [%[w]], #64\nsubs %w[left], %w[left], #1\n" columns             \
                   "b.ne 1b\nsubs %w[sets], %w[sets], #1\nb.ne 0b\n"                                         \
            : operands, [a] "=&r"(a), [w] "+r"(w), [left] "=&r"(left), [sets] "+r"(sets)                     \
            : [step] "r"(step), [back] "r"(back), [quads] "r"(quads), [taps] "r"(strip->taps),               \
              [bias] "r"(strip->head->bias)                                                                  \
            : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11");     \
        finish_sums(sum0, sum1, sum2, sum3, sum4, n, n, GROUP_16, strip->head, &strip->out, to,              \
                    strip->pixel);                                                                           \
    }
STRIP_OF(1, BIAS("sum0"), EVEN("sum0", "back"), OUT_1, sum1 = {0}, sum2 = {0}, sum3 = {0}, sum4 = {0})
STRIP_OF(3, BIAS("sum0") BIAS("sum1") BIAS("sum2"),
         EVEN("sum0", "step") ODD("sum1", "step") EVEN("sum2", "back"), OUT_3, sum1, sum2, sum3 = {0},
         sum4 = {0})
STRIP_OF(4, BIAS("sum0") BIAS("sum1") BIAS("sum2") BIAS("sum3"),
         EVEN("sum0", "step") ODD("sum1", "step") EVEN("sum2", "step") ODD("sum3", "back"), OUT_4, sum1, sum2,
         sum3, sum4 = {0})
STRIP_OF(5, BIAS("sum0") BIAS("sum1") BIAS("sum2") BIAS("sum3") BIAS("sum4"),
         EVEN("sum0", "step") ODD("sum1", "step") EVEN("sum2", "step") ODD("sum3", "step")
             EVEN("sum4", "back"),
         OUT_5, sum1, sum2, sum3, sum4)

/* n columns in strips of 4, and of 3 and 5 to come out even. */
static void strips(const struct strip *strip, const int8_t *quads, int n, int8_t *to)
{
    for (int each; n > 0; n -= each, quads += (size_t)each * strip->step, to += (size_t)each * strip->pixel) {
        each = n % 4 == 0 ? 4 : n % 4 == 3 || n == 6 ? 3 : n >= 5 ? 5 : 1;
        if (each == 4)
            strip_4(strip, quads, to);
        else if (each == 5)
            strip_5(strip, quads, to);
        else if (each == 3)
            strip_3(strip, quads, to);
        else
            strip_1(strip, quads, to);
    }
}

/* Output columns [x, x + n) of `rows` rows from row y on that the same quads serve, 16 channels. */
static void run_block(const struct depthwise *d, const struct depthwise_tile *tile, struct strip strip, int c,
                      int y, int rows, int x, int n)
{
    int8_t quads[GROUPS_MAX * QUADS * INPUTS_MAX];
    const int last = (y + rows - 1) * d->stride[0] + d->size[0] - 1; /* row of input that there is */
    const size_t left = (size_t)(x * d->stride[1]) * strip.pixel + (size_t)c;
    for (size_t group = 0; group < groups(d); group++) {
        const char *row[4];
        for (int i = 0; i < 4; i++) {
            int at = y * d->stride[0] + 4 * (int)group + i;
            row[i] = (const char *)tile->in[at < last ? at : last] + left;
        }
        interleave(row, strip.pixel, (n - 1) * d->stride[1] + d->size[1], quads + group * QUADS,
                   groups(d) * QUADS);
    }
    int8_t *to = (int8_t *)tile->out + (size_t)y * tile->out_row + (size_t)x * strip.pixel + (size_t)c;
    for (int i = 0; i < rows; i++, to += tile->out_row, strip.weights += (size_t)strip.sets * set_bytes(d))
        strips(&strip, quads, n, to);
}

static void run_blocks(const struct depthwise *d, const struct depthwise_tile *tile, int y, int rows, int x,
                       int n)
{
    const struct packed *packed = d->packed;
    const char *head = (const char *)(packed + 1);
    struct strip strip = {.taps = (int)groups(d) * d->size[1],
                          .step = (size_t)d->stride[1] * groups(d) * QUADS,
                          .pixel = (size_t)d->channels,
                          .sets = packed->sets};
    for (int c = 0; c < d->channels; c += BLOCK, head += block_bytes(d, packed->sets)) {
        strip.head = (const struct head_i8 *)(const void *)head;
        strip.weights = (const int8_t *)(strip.head + 1);
        strip.out = output_i8(strip.head, d->out_zero, d->min_i8, d->max_i8, BLOCK,
                              d->channels - c < BLOCK ? d->channels - c : BLOCK);
        run_block(d, tile, strip, c, y, rows, x, n);
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
            run_blocks(d, tile, y, tile->rows - y < rows_of(d) ? tile->rows - y : rows_of(d), x, end - x);
        }
}

void kernels_init_depthwise_dotprod(struct kernels *kernels)
{
    kernels->depthwise_i8 = (struct depthwise_kernel){"depthwise_i8_dotprod", 4, packed_bytes, pack, run};
}
