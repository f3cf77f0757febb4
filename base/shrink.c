/* SPDX-License-Identifier: MIT */
/*
 * First down the columns, whole rows of the input at a time, into 16 bits; then along the rows, of LINES rows
 * at a time, which are turned on their side for it: so both ways all sums are of vectors, which compilers
 * find in these loops.
 */
#include "base/shrink.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <libyuv.h>

enum { LINES = 16, GROUP = 4, BYTE = 256, ONE = 65536 };

/* Above this many to one, sums of 16 bits are too small for the weights. */
enum { NARROW_MAX = 64 };

#define INLINE static inline __attribute__((always_inline))

struct axis {
    bool wide;  /* sums of 32 bits */
    int taps;   /* weights of each output, those at the end 0: a multiple of GROUP */
    int *first; /* sample of each output */
    uint16_t *weight;
};

struct shrink {
    struct shrink_size size;
    struct axis across, down;
    int width;        /* samples of a row */
    uint32_t *wide;   /* width */
    uint16_t *sum;    /* LINES x width: summed down the columns, 255 times the weights at most */
    uint16_t *column; /* (width + taps) x LINES: the same on its side */
    uint16_t *result; /* channels x out width x LINES */
    uint8_t *byte;    /* the same, rounded */
};

/* ---- weights ---- */

/* A place along the input, in steps of which `to` are `from` units. */
static int64_t scaled(int64_t place, int64_t to, int64_t from)
{
    return (place * to + from / 2) / from;
}

/* Places are counted in samples times `out`, of which an output covers `in`. A weight is the difference of
 * two rounded places, so that those of an output always add up to what it covers. */
static int axis_init(struct axis *axis, int in, int out, int64_t to, int64_t from)
{
    axis->wide = in / out >= NARROW_MAX;
    axis->taps = ((in + out - 1) / out + 1 + GROUP - 1) / GROUP * GROUP;
    axis->first = malloc((size_t)out * sizeof(*axis->first));
    axis->weight = malloc((size_t)out * (size_t)axis->taps * sizeof(*axis->weight));
    if (!axis->first || !axis->weight)
        return -1;
    for (int i = 0; i < out; i++) {
        uint16_t *weight = axis->weight + (ptrdiff_t)i * axis->taps;
        int64_t at = (int64_t)i * in, end = at + in;
        int sample = (int)(at / out), taps = 0;
        for (axis->first[i] = sample; at < end; sample++) {
            int64_t next = (int64_t)(sample + 1) * out;
            next = next < end ? next : end;
            int64_t covered = scaled(next, to, from) - scaled(at, to, from);
            at = next;
            if (!covered && !taps) /* next to nothing of it */
                axis->first[i]++;
            else
                weight[taps++] = (uint16_t)(covered < UINT16_MAX ? covered : UINT16_MAX);
        }
        while (taps < axis->taps)
            weight[taps++] = 0;
    }
    return 0;
}

static void axis_finish(struct axis *axis)
{
    free(axis->first);
    free(axis->weight);
}

struct shrink *shrink_create(const struct shrink_size *size)
{
    struct shrink *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    const int *in = size->in, *out = size->out;
    bool wide = in[1] / out[1] >= NARROW_MAX;
    s->size = *size;
    s->width = in[0] * size->channels;
    int status = axis_init(&s->across, in[0], out[0], ONE, in[0]);
    /* a whole weight for a whole row, of which `in / out` fit into a byte */
    status |= axis_init(&s->down, in[1], out[1], wide ? ONE : (int64_t)BYTE * out[1] / in[1],
                        wide ? in[1] : out[1]);
    size_t width = (size_t)s->width, padding = (size_t)s->across.taps * (size_t)size->channels;
    s->wide = malloc(width * sizeof(*s->wide));
    s->sum = calloc(width * LINES, sizeof(*s->sum));
    s->column = calloc((width + padding) * LINES, sizeof(*s->column));
    s->result = malloc((size_t)size->channels * (size_t)out[0] * LINES * sizeof(*s->result));
    s->byte = malloc((size_t)size->channels * (size_t)out[0] * LINES);
    if (status || !s->wide || !s->sum || !s->column || !s->result || !s->byte) {
        shrink_destroy(s);
        return NULL;
    }
    return s;
}

void shrink_destroy(struct shrink *s)
{
    if (!s)
        return;
    axis_finish(&s->across);
    axis_finish(&s->down);
    free(s->wide);
    free(s->sum);
    free(s->column);
    free(s->result);
    free(s->byte);
    free(s);
}

const struct shrink_size *shrink_size(const struct shrink *s)
{
    return &s->size;
}

/* ---- sums ---- */

INLINE uint16_t high(uint16_t a, uint16_t b)
{
    return (uint16_t)((uint32_t)a * b >> 16);
}

/* ---- down the columns ---- */

INLINE uint16_t sample(const uint8_t *row, int x, enum shrink_places places)
{
    uint16_t pair;
    if (places == SHRINK_ALL)
        return row[x];
    memcpy(&pair, row + 2 * (ptrdiff_t)x, sizeof(pair));
    pair = le16toh(pair);
    return places == SHRINK_EVEN ? pair & 255 : pair >> 8;
}

/* The input's rows of one of the output; between the first and the last all have the same weight. */
struct rows {
    const uint8_t *first, *last, *between; /* the next of these */
    uint16_t first_weight, last_weight, weight;
    ptrdiff_t stride;
    enum shrink_places places;
};

/* Adds some of those between to the first and the last; more: to what has come of that. */
INLINE void add_rows(const struct rows *r, enum shrink_places places, int count, bool more, int width,
                     uint16_t *restrict sum)
{
    for (int x = 0; x < width; x++) {
        uint16_t ends = more ? sum[x]
                             : (uint16_t)(sample(r->first, x, places) * r->first_weight +
                                          sample(r->last, x, places) * r->last_weight);
        uint16_t between = 0;
#pragma GCC unroll 4
        for (int i = 0; i < count; i++)
            between += sample(r->between + i * r->stride, x, places);
        sum[x] = (uint16_t)(ends + between * r->weight);
    }
}

INLINE void add(struct rows *r, int count, bool more, int width, uint16_t *sum)
{
    if (r->places == SHRINK_ALL)
        add_rows(r, SHRINK_ALL, count, more, width, sum);
    else if (r->places == SHRINK_EVEN)
        add_rows(r, SHRINK_EVEN, count, more, width, sum);
    else
        add_rows(r, SHRINK_ODD, count, more, width, sum);
    r->between += count * r->stride;
}

INLINE void sum_wide(struct shrink *s, const struct shrink_in *in, int y, uint16_t *sum)
{
    const uint16_t *weight = s->down.weight + y * s->down.taps;
    const uint8_t *row = in->data + s->down.first[y] * in->stride;
    memset(s->wide, 0, (size_t)s->width * sizeof(*s->wide));
    for (int t = 0; t < s->down.taps && weight[t]; t++, row += in->stride)
        for (int x = 0; x < s->width; x++)
            s->wide[x] += (uint32_t)sample(row, x, in->places) * weight[t];
    for (int x = 0; x < s->width; x++)
        sum[x] = (uint16_t)(s->wide[x] >> 8);
}

/* As many as make the rest whole groups, then these. */
INLINE void sum_narrow(const struct shrink *s, const struct shrink_in *in, int y, uint16_t *sum)
{
    const uint16_t *weight = s->down.weight + (ptrdiff_t)y * s->down.taps;
    const uint8_t *first = in->data + s->down.first[y] * in->stride;
    int last = s->down.taps - 1, width = s->width;
    while (last && !weight[last])
        last--;
    int between = last > 1 ? last - 1 : 0;
    struct rows rows = {.first = first,
                        .last = first + last * in->stride,
                        .between = first + in->stride,
                        .first_weight = weight[0],
                        .last_weight = last ? weight[last] : 0,
                        .weight = between ? weight[1] : 0,
                        .stride = in->stride,
                        .places = in->places};
    if (between % GROUP == 0)
        add(&rows, 0, false, width, sum);
    else if (between % GROUP == 1)
        add(&rows, 1, false, width, sum);
    else if (between % GROUP == 2)
        add(&rows, 2, false, width, sum);
    else
        add(&rows, 3, false, width, sum);
    for (; between >= GROUP; between -= GROUP)
        add(&rows, GROUP, true, width, sum);
}

/* Returns how much is missing to weights that add up to 256, in 65536ths of the sum. */
INLINE uint16_t sum_rows(struct shrink *s, const struct shrink_in *in, int y, uint16_t *sum)
{
    const uint16_t *weight = s->down.weight + (ptrdiff_t)y * s->down.taps;
    int total = weight[0];
    if (s->down.wide) {
        sum_wide(s, in, y, sum);
        return 0;
    }
    sum_narrow(s, in, y, sum);
    for (int t = 1; t < s->down.taps; t++)
        total += weight[t];
    return (uint16_t)((BYTE - total) * ONE / total);
}

/* ---- along the rows ---- */

INLINE void to_columns(const uint16_t *sum, int width, uint16_t *restrict column)
{
    for (int x = 0; x < width; x++)
        for (int i = 0; i < LINES; i++)
            column[x * LINES + i] = sum[i * width + x];
}

INLINE void add_columns(const uint16_t *restrict column, ptrdiff_t step, const uint16_t *restrict weight,
                        bool more, uint16_t *restrict sum)
{
#pragma GCC unroll 1
    for (int i = 0; i < LINES; i++)
        sum[i] =
            (uint16_t)((more ? sum[i] : 0) + high(column[i], weight[0]) + high(column[step + i], weight[1]) +
                       high(column[2 * step + i], weight[2]) + high(column[3 * step + i], weight[3]));
}

INLINE void columns_wide(const uint16_t *column, ptrdiff_t step, const uint16_t *weight, int taps,
                         uint16_t *sum)
{
    uint32_t wide[LINES] = {0};
    for (int t = 0; t < taps; t++, column += step)
        for (int i = 0; i < LINES; i++)
            wide[i] += (uint32_t)column[i] * weight[t];
    for (int i = 0; i < LINES; i++)
        sum[i] = (uint16_t)(wide[i] >> 16);
}

INLINE void sum_columns(const struct shrink *s)
{
    const struct axis *axis = &s->across;
    int channels = s->size.channels;
    ptrdiff_t step = (ptrdiff_t)channels * LINES;
    for (int x = 0; x < s->size.out[0]; x++)
        for (int c = 0; c < channels; c++) {
            const uint16_t *column = s->column + axis->first[x] * step + c * LINES;
            const uint16_t *weight = axis->weight + (ptrdiff_t)x * axis->taps;
            uint16_t *sum = s->result + ((ptrdiff_t)c * s->size.out[0] + x) * LINES;
            if (axis->wide)
                columns_wide(column, step, weight, axis->taps, sum);
            for (int t = 0; t < axis->taps && weight[t] && !axis->wide; t += GROUP)
                add_columns(column + t * step, step, weight + t, t > 0, sum);
        }
}

/* Rounded, from what the weights of each line add up to. */
INLINE void to_bytes(const uint16_t *restrict sum, int count, const uint16_t *restrict more, uint16_t half,
                     uint8_t *restrict byte)
{
    for (int x = 0; x < count; x++, sum += LINES, byte += LINES)
        for (int i = 0; i < LINES; i++)
            byte[i] = (uint8_t)((uint16_t)(sum[i] + half + high(sum[i], more[i])) >> 8);
}

/* Lines on their side, upright again. */
static void to_rows(const uint8_t *byte, int width, int lines, uint8_t *out, ptrdiff_t stride)
{
    TransposePlane(byte, LINES, out, (int)stride, lines, width);
}

INLINE void make_rows(struct shrink *s, const struct shrink_in *in, int y, int rows, uint8_t *const out[],
                      ptrdiff_t stride)
{
    int width = s->size.out[0], channels = s->size.channels;
    /* half of the last place, and what high() cuts off on average */
    uint16_t half = (uint16_t)(BYTE / 2 + (s->across.wide ? 0 : s->size.in[0] / width / 2 + 1));
    for (int done = 0; done < rows; done += LINES) {
        int lines = rows - done < LINES ? rows - done : LINES;
        uint16_t more[LINES] = {0};
        for (int i = 0; i < lines; i++)
            more[i] = sum_rows(s, in, y + done + i, s->sum + (ptrdiff_t)i * s->width);
        to_columns(s->sum, s->width, s->column);
        sum_columns(s);
        to_bytes(s->result, width * channels, more, half, s->byte);
        for (int c = 0; c < channels; c++)
            if (out[c])
                to_rows(s->byte + (ptrdiff_t)c * width * LINES, width, lines, out[c] + done * stride, stride);
    }
}

/* ---- for the processor's vectors ---- */

typedef void make_fn(struct shrink *s, const struct shrink_in *in, int y, int rows, uint8_t *const out[],
                     ptrdiff_t stride);

#define COMPILED(name, target)                                                                               \
    target static void name(struct shrink *s, const struct shrink_in *in, int y, int rows,                   \
                            uint8_t *const out[], ptrdiff_t stride)                                          \
    {                                                                                                        \
        make_rows(s, in, y, rows, out, stride);                                                              \
    }

COMPILED(make_rows_any, )
#ifdef __x86_64__
COMPILED(make_rows_avx2, __attribute__((target("avx2"))))
COMPILED(make_rows_avx512, __attribute__((target("avx2,avx512bw,avx512vl"))))

static make_fn *compiled(void)
{
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return make_rows_avx512;
    return __builtin_cpu_supports("avx2") ? make_rows_avx2 : make_rows_any;
}
#else
static make_fn *compiled(void)
{
    return make_rows_any;
}
#endif

/* The same loops and results, compiled for each. */
void shrink_rows(struct shrink *s, const struct shrink_in *in, int y, int rows, uint8_t *const out[],
                 ptrdiff_t stride)
{
    compiled()(s, in, y, rows, out, stride);
}
