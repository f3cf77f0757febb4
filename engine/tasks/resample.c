/* SPDX-License-Identifier: MIT */
#include "engine/tasks/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 22, CHANNELS = 3 };

struct filter { /* along one dimension */
    int taps;   /* coefficients kept for each output */
    int *first, *count;
    int32_t *coefficient;
};

struct resampler {
    struct resample_size size;
    struct filter filter[2];
    int top, rows;   /* of the input, that the output needs */
    uint8_t *middle; /* rows * out[0] * 3: resized along rows only */
};

static double triangle(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

static void fill(struct filter *filter, int index, int at, int in, double scale)
{
    double support = scale > 1 ? scale : 1, centre = (at + 0.5) * scale, sum = 0;
    int low = (int)(centre - support + 0.5), high = (int)(centre + support + 0.5);
    low = low < 0 ? 0 : low;
    high = high > in ? in : high;
    int32_t *out = filter->coefficient + (size_t)index * (size_t)filter->taps;
    for (int x = low; x < high; x++)
        sum += triangle((x - centre + 0.5) / support);
    for (int x = low; x < high; x++)
        out[x - low] = (int32_t)(0.5 + triangle((x - centre + 0.5) / support) / sum * (1 << BITS));
    filter->first[index] = low;
    filter->count[index] = high - low;
}

static int filter_init(struct filter *filter, int in, int whole, int from, int out)
{
    double scale = (double)in / whole;
    filter->taps = (int)ceil(scale > 1 ? scale : 1) * 2 + 1;
    filter->first = calloc((size_t)out, sizeof(int));
    filter->count = calloc((size_t)out, sizeof(int));
    filter->coefficient = calloc((size_t)out * (size_t)filter->taps, sizeof(int32_t));
    if (!filter->first || !filter->count || !filter->coefficient)
        return -1;
    for (int i = 0; i < out; i++)
        fill(filter, i, from + i, in, scale);
    return 0;
}

struct resampler *resampler_create(const struct resample_size *size)
{
    struct resampler *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->size = *size;
    for (int d = 0; d < 2; d++)
        if (filter_init(&r->filter[d], size->in[d], size->whole[d], size->from[d], size->out[d])) {
            resampler_destroy(r);
            return NULL;
        }
    int last = size->out[1] - 1;
    r->top = r->filter[1].first[0];
    r->rows = r->filter[1].first[last] + r->filter[1].count[last] - r->top;
    r->middle = malloc((size_t)r->rows * (size_t)size->out[0] * CHANNELS);
    if (!r->middle) {
        resampler_destroy(r);
        return NULL;
    }
    return r;
}

void resampler_destroy(struct resampler *r)
{
    if (!r)
        return;
    for (int d = 0; d < 2; d++) {
        free(r->filter[d].first);
        free(r->filter[d].count);
        free(r->filter[d].coefficient);
    }
    free(r->middle);
    free(r);
}

const struct resample_size *resampler_size(const struct resampler *r)
{
    return &r->size;
}

static uint8_t rounded(int32_t sum)
{
    sum = (sum + (1 << (BITS - 1))) >> BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static void along_row(const struct filter *filter, const uint8_t *in, uint8_t *out, int width)
{
    for (int x = 0; x < width; x++, out += CHANNELS) {
        const int32_t *k = filter->coefficient + (size_t)x * (size_t)filter->taps;
        const uint8_t *pixel = in + (size_t)filter->first[x] * CHANNELS;
        int32_t sum[CHANNELS] = {0};
        for (int i = 0; i < filter->count[x]; i++, pixel += CHANNELS)
            for (int c = 0; c < CHANNELS; c++)
                sum[c] += pixel[c] * k[i];
        for (int c = 0; c < CHANNELS; c++)
            out[c] = rounded(sum[c]);
    }
}

static void along_columns(const struct resampler *r, int y, uint8_t *out)
{
    enum { CHUNK = 192 };
    const struct filter *filter = &r->filter[1];
    const int32_t *k = filter->coefficient + (size_t)y * (size_t)filter->taps;
    size_t row = (size_t)r->size.out[0] * CHANNELS;
    const uint8_t *in = r->middle + (size_t)(filter->first[y] - r->top) * row;
    for (size_t at = 0; at < row; at += CHUNK) {
        int32_t sum[CHUNK] = {0};
        size_t n = row - at < CHUNK ? row - at : CHUNK;
        for (int i = 0; i < filter->count[y]; i++)
            for (size_t x = 0; x < n; x++)
                sum[x] += in[(size_t)i * row + at + x] * k[i];
        for (size_t x = 0; x < n; x++)
            out[at + x] = rounded(sum[x]);
    }
}

void resampler_run(struct resampler *r, const uint8_t *in, ptrdiff_t stride, uint8_t *out)
{
    size_t row = (size_t)r->size.out[0] * CHANNELS;
    for (int y = 0; y < r->rows; y++)
        along_row(&r->filter[0], in + (r->top + y) * stride, r->middle + (size_t)y * row, r->size.out[0]);
    for (int y = 0; y < r->size.out[1]; y++)
        along_columns(r, y, out + (size_t)y * row);
}
