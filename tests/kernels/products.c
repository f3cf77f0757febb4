/* SPDX-License-Identifier: MIT */
#include "tests/kernels/kernels.h"

#include "base/clock.h"
#include "engine/float16.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 23, GUARD = 64, POISON = 0x5a };
static const int channels[] = {1, 3, 8, 16, 24, 40, 72, 88, 96, 112, 120, 17, 33};
static const int depths[] = {1, 2, 3, 7, 8, 16, 24, 27, 40, 96, 113};
enum {
    CHANNELS = sizeof(channels) / sizeof(channels[0]),
    DEPTHS = sizeof(depths) / sizeof(depths[0]),
    STEPS = 200
};

struct requant random_requant(struct context *context)
{
    int kind = random_between(context, 0, 9);
    struct requant r = {(int32_t)(0x40000000u | (random_bits(context) & 0x3fffffff)),
                        random_between(context, -12, -4)};
    if (kind == 0)
        r.shift = random_between(context, 0, 8);
    else if (kind == 1)
        r.shift = random_between(context, -31, -20);
    else if (kind == 2)
        r.multiplier = 0;
    return r;
}

bool same_bytes(const void *a, const void *b, size_t size)
{
    return !memcmp(a, b, size);
}

bool same_f32(const float *a, const float *b, int rows, int n, int stride, float tolerance)
{
    float range = 1e-6f;
    for (int i = 0; i < rows * stride; i++)
        if (i % stride < n)
            range = fmaxf(range, fabsf(a[i]));
    for (int i = 0; i < rows * stride; i++) {
        if (i % stride >= n && memcmp(&a[i], &b[i], sizeof(float)))
            return false;
        if (i % stride < n && !(fabsf(a[i] - b[i]) <= tolerance * range))
            return false;
    }
    return true;
}

static void *poisoned(size_t bytes)
{
    size_t room = (bytes + 127) / 64 * 64;
    void *memory = aligned_alloc(64, room);
    if (!memory)
        abort();
    return memset(memory, POISON, room);
}

/* ---- weights and inputs ---- */

struct problem {
    int taps, depth, channels, rows, stride, step; /* step: elements from one pixel to the next */
    enum pipit_type type;
    float *f32, *bias_f32, *in_f32;
    int8_t *w8, *in_i8;
    uint16_t *in_f16;
    int32_t *bias_i32;
    struct requant *requant;
    const void **list;
};

static void fill_i8(struct context *context, int8_t *to, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int kind = random_between(context, 0, 15);
        to[i] = (int8_t)(kind == 0 ? -128 : kind == 1 ? 127 : random_between(context, -128, 127));
    }
}

static void fill_f32(struct context *context, float *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = random_float(context);
}

static struct problem problem_create(struct context *context, int taps, int depth, int n, int rows,
                                     enum pipit_type type)
{
    struct problem p = {.taps = taps,
                        .depth = depth,
                        .channels = n,
                        .rows = rows,
                        .type = type,
                        .stride = n + 5,
                        .step = depth + 2};
    size_t weights = (size_t)taps * (size_t)depth * (size_t)n,
           inputs = (size_t)taps * (size_t)rows * (size_t)(depth + 2);
    p.f32 = poisoned(weights * sizeof(float));
    p.w8 = poisoned(weights);
    p.bias_f32 = poisoned((size_t)n * sizeof(float));
    p.bias_i32 = poisoned((size_t)n * sizeof(int32_t));
    p.requant = poisoned((size_t)n * sizeof(*p.requant));
    p.in_f32 = poisoned(inputs * sizeof(float));
    p.in_i8 = poisoned(inputs);
    p.in_f16 = poisoned(inputs * sizeof(uint16_t));
    p.list = poisoned((size_t)taps * sizeof(void *));
    fill_f32(context, p.f32, weights);
    fill_i8(context, p.w8, weights);
    fill_f32(context, p.bias_f32, (size_t)n);
    fill_f32(context, p.in_f32, inputs);
    fill_i8(context, p.in_i8, inputs);
    for (size_t i = 0; i < inputs; i++)
        p.in_f16[i] = float16_from_float(p.in_f32[i]);
    bool tame =
        random_between(context, 0, 1); /* as in a network: what comes out has hardly more than 8 bits */
    for (int j = 0; j < n; j++) {
        p.bias_i32[j] = random_between(context, -100000, 100000);
        p.requant[j] = random_requant(context);
        if (tame)
            p.requant[j] = (struct requant){p.requant[j].multiplier, random_between(context, -14, -9)};
    }
    return p;
}

static void problem_destroy(struct problem *p)
{
    void *const owned[] = {p->f32,    p->w8,    p->bias_f32, p->bias_i32, p->requant,
                           p->in_f32, p->in_i8, p->in_f16,   p->list};
    for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
        free(owned[i]);
}

static struct conv_weights weights_of(const struct problem *p, int32_t in_zero)
{
    return (struct conv_weights){p->f32, p->w8, p->bias_f32, p->bias_i32, p->requant, in_zero};
}

static const void *inputs_of(const struct problem *p)
{
    return p->type == PIPIT_I8    ? (const void *)p->in_i8
           : p->type == PIPIT_F16 ? (const void *)p->in_f16
                                  : p->in_f32;
}

/* Tap t of all pixels lies in one piece, each pixel with two elements that are not its own, or none, or with
 * some that are the next one's too. */
static size_t input_step(const struct problem *p)
{
    return (size_t)p->step * pipit_type_size(p->type);
}

static void list_inputs(const struct problem *p, int first)
{
    for (int t = 0; t < p->taps; t++)
        p->list[t] =
            (const char *)inputs_of(p) + ((size_t)t * (size_t)p->rows + (size_t)first) * input_step(p);
}

/* n products of numbers up to 1 are summed in float16, in any order, against float32: a walk that goes as far
 * as sqrt(n), and rounds by 2^-11 of where it is n times. Of a million such sums the worst erred by n
 * 2^-11.7, and no problem's by more than n 2^-14.1 in the root mean square, which one product left out
 * exceeds. A sum of few products that is large is rounded by more than that. */
static bool same_f16_sums(const struct problem *p, const uint16_t *a, const uint16_t *b)
{
    float steps = (float)(8 + p->taps * p->depth), most = 0x1p-11f * steps, usual = 0x1p-14f * steps;
    double squares = 0, allowed = 0;
    for (int i = 0; i < p->rows * p->stride + GUARD; i++) {
        bool inside = i < p->rows * p->stride && i % p->stride < p->channels;
        float x = float16_to_float(a[i]), y = float16_to_float(b[i]);
        if (inside ? !(fabsf(x - y) <= most + 0x1p-9f * fabsf(x)) : a[i] != b[i])
            return false;
        squares += inside ? (double)((x - y) * (x - y)) : 0;
        allowed += inside ? (double)(usual * usual) + (double)(0x1p-20f * x * x) : 0;
    }
    return squares <= allowed;
}

static bool same(const struct problem *p, const void *a, const void *b)
{
    size_t count = (size_t)p->rows * (size_t)p->stride + GUARD;
    if (p->type == PIPIT_F16)
        return same_f16_sums(p, a, b);
    if (p->type == PIPIT_I8)
        return same_bytes(a, b, count);
    return same_f32(a, b, p->rows, p->channels, p->stride, 1e-5f) &&
           same_bytes((const float *)a + count - GUARD, (const float *)b + count - GUARD,
                      GUARD * sizeof(float));
}

static void *output(const struct problem *p)
{
    return poisoned(((size_t)p->rows * (size_t)p->stride + GUARD) * pipit_type_size(p->type));
}

/* ---- convolutions ---- */

static void *copy_of(const void *from, size_t bytes)
{
    return memcpy(poisoned(bytes), from, bytes);
}

/* The last channels, whose weights are gone when the others are packed. */
static void pack_cut(const struct conv_kernel *kernel, const struct conv *conv, const struct problem *p,
                     int32_t in_zero, void *packed)
{
    const int cut = conv_cut(kernel, conv->channels, conv->channels);
    const size_t each = (size_t)p->taps * (size_t)p->depth, kept = each * (size_t)cut,
                 gone = each * (size_t)conv->channels - kept;
    struct conv_weights weights = weights_of(p, in_zero);
    float *f32 = copy_of(p->f32, (kept + gone) * sizeof(float));
    int8_t *i8 = copy_of(p->w8, kept + gone);
    weights.f32 = f32;
    weights.i8 = i8;
    kernel->pack(conv, &weights, packed, cut, conv->channels);
    memset(f32 + kept, 0xff, gone * sizeof(float)); /* no numbers */
    memset(i8 + kept, 0x55, gone);
    if (cut)
        kernel->pack(conv, &weights, packed, 0, cut);
    free(f32);
    free(i8);
}

static void *run_conv(const struct conv_kernel *kernel, struct conv conv, const struct problem *p,
                      int32_t in_zero, double *ms)
{
    void *packed = poisoned(kernel->packed_bytes(&conv)), *out = output(p);
    void *scratch = poisoned(kernel->scratch ? kernel->scratch(&conv) : 64);
    size_t row = (size_t)p->stride * pipit_type_size(p->type);
    int half =
        conv.channels / 2 / kernel->panel * kernel->panel; /* in two parts, as workers share channels */
    pack_cut(kernel, &conv, p, in_zero, packed);
    conv.packed = packed;
    uint64_t start = clock_now_ns();
    for (int part = 0; part < 2; part++)
        for (int first = 0; first < p->rows; first += CONV_PIXELS) {
            int left = p->rows - first;
            list_inputs(p, first);
            struct conv_tile tile = {.in = p->list,
                                     .in_step = input_step(p),
                                     .pixels = left < CONV_PIXELS ? left : CONV_PIXELS,
                                     .from = part ? half : 0,
                                     .to = part ? conv.channels : half,
                                     .out = (char *)out + (size_t)first * row,
                                     .out_stride = (size_t)p->stride,
                                     .scratch = scratch};
            if (tile.from < tile.to)
                kernel->run(&conv, &tile);
        }
    *ms = clock_ms_since(start);
    free(packed);
    free(scratch);
    return out;
}

static struct conv random_conv(struct context *context, const struct problem *p)
{
    struct conv conv = {.taps = p->taps,
                        .depth = p->depth,
                        .channels = p->channels,
                        .min_f32 = -INFINITY,
                        .max_f32 = INFINITY,
                        .min_i8 = -128,
                        .max_i8 = 127};
    conv.out_zero = random_between(context, 0, 2) ? random_between(context, -128, 127) : -128;
    conv.weight_zero = random_between(context, 0, 2) ? 0 : random_between(context, -128, 127);
    if (random_between(context, 0, 9) == 0)
        conv.weight_zero = random_between(context, 0, 1) ? -128 : 127;
    if (random_between(context, 0, 1)) {
        conv.min_f32 = 0;
        conv.max_f32 = 6;
        conv.min_i8 = conv.out_zero;
    }
    conv.hard_swish = random_between(context, 0, 2) == 0;
    return conv;
}

static void conv_case(struct context *context, const struct conv_kernel *last, const struct conv_kernel *next,
                      enum pipit_type type, int taps, int depth, int n, int rows)
{
    struct problem p = problem_create(context, taps, depth, n, rows, type);
    struct conv conv = random_conv(context, &p);
    int32_t in_zero = random_between(context, -128, 127);
    double ms;
    p.step = random_between(context, 0, 1) ? depth + 2 : random_between(context, (depth + 1) / 2, depth);
    void *a = run_conv(last, conv, &p, in_zero, &ms), *b = run_conv(next, conv, &p, in_zero, &ms);
    if (!same(&p, a, b)) {
        char what[100];
        snprintf(what, sizeof(what), "%d taps, depth %d, %d channels, %d rows", taps, depth, n, rows);
        report(context, next->name, what);
    }
    free(a);
    free(b);
    problem_destroy(&p);
}

/* The least sum that is rounded to a step, or to more. */
static int32_t first_sum(struct requant r, int step)
{
    int32_t from = 0, to = 1 << 28;
    while (from < to) {
        int32_t middle = from + (to - from) / 2;
        if (requantise(middle, r) >= step)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

/* Sums on both sides of where the output makes a step. */
static void steps_case(struct context *context, const struct conv_kernel *last,
                       const struct conv_kernel *next)
{
    struct problem p = problem_create(context, 1, 4, 100, 8, PIPIT_I8);
    struct conv conv = random_conv(context, &p);
    double ms;
    conv.weight_zero = 0;
    conv.min_i8 = conv.out_zero = random_between(context, 0, 1) ? -128 : random_between(context, -128, 126);
    for (int j = 0; j < p.channels; j++) {
        for (int c = 0; c < p.depth; c++)
            p.w8[p.depth * j + c] = c == 0;
        p.requant[j].shift = random_between(context, -15, -1);
        p.requant[j].multiplier &= random_between(context, 0, 3) ? INT32_MAX : 0x7fff0000;
        p.bias_i32[j] = first_sum(p.requant[j], random_between(context, 1, conv.max_i8 - conv.out_zero));
    }
    for (int i = 0; i < p.rows; i++)
        p.in_i8[i * p.step] = (int8_t)(i - p.rows / 2);
    void *a = run_conv(last, conv, &p, 0, &ms), *b = run_conv(next, conv, &p, 0, &ms);
    if (!same(&p, a, b))
        report(context, next->name, "sums beside steps");
    free(a);
    free(b);
    problem_destroy(&p);
}

/* Factors as nearly all channels have them. */
static void tame(struct problem *p)
{
    for (int j = 0; j < p->channels; j++)
        p->requant[j] = (struct requant){0x40000000 + 1234567 * (j % 100), -9 - j % 6};
}

static void bench_conv(struct context *context, const struct conv_kernel *c, const struct conv_kernel *next,
                       enum pipit_type type)
{
    struct problem p = problem_create(context, 1, 96, 96, 196, type);
    struct conv conv = random_conv(context, &p);
    double best[2] = {1e9, 1e9};
    conv.weight_zero = 0;
    tame(&p);
    for (int round = 0; round < 20; round++)
        for (int k = 0; k < 2; k++) {
            double ms;
            free(run_conv(k ? next : c, conv, &p, 0, &ms));
            best[k] = ms < best[k] ? ms : best[k];
        }
    printf("%-22s %7.2f GMAC/s, %5.1f times C (96 x 96 x 196, pointwise)\n", next->name,
           96.0 * 96 * 196 / best[1] / 1e6, best[0] / best[1]);
    problem_destroy(&p);
}

static void check_one_conv(struct context *context, const struct conv_kernel *last,
                           const struct conv_kernel *next, const struct conv_kernel *c, enum pipit_type type)
{
    if (last->run == next->run)
        return;
    context->compared++;
    if (context->bench) {
        bench_conv(context, c, next, type);
        return;
    }
    for (int n = 0; n < CHANNELS; n++)
        for (int d = 0; d < DEPTHS; d++) {
            int taps = random_between(context, 0, 3) ? 1 : random_between(context, 2, 9);
            conv_case(context, last, next, type, taps, depths[d], channels[n],
                      random_between(context, 1, ROWS_MAX));
        }
    for (int i = 0; i < STEPS && type == PIPIT_I8; i++)
        steps_case(context, last, next);
}

void check_conv(struct context *context, const struct kernels *last, const struct kernels *next)
{
    check_one_conv(context, &last->conv_f32, &next->conv_f32, &context->c.conv_f32, PIPIT_F32);
    check_one_conv(context, &last->conv_bf16, &next->conv_bf16, &context->c.conv_bf16, PIPIT_F32);
    check_one_conv(context, &last->conv_i8, &next->conv_i8, &context->c.conv_i8, PIPIT_I8);
    check_one_conv(context, &last->conv_f16, &next->conv_f16, &context->c.conv_f16, PIPIT_F16);
}

/* ---- depthwise ---- */

struct windows { /* a depthwise problem's rows and columns of output */
    int rows, columns, in_rows, in_columns;
    int pad[2][2]; /* of the input, rows and columns that are padding: before and behind the image */
};

static struct windows windows_of(const struct depthwise *d, int rows, int columns)
{
    return (struct windows){rows,
                            columns,
                            (rows - 1) * d->stride[0] + (d->size[0] - 1) * d->dilation[0] + 1,
                            (columns - 1) * d->stride[1] + (d->size[1] - 1) * d->dilation[1] + 1,
                            {{0}}};
}

/* Takes nothing from the context's own sequence, so that problems are the same for all kernels. */
static void choose_padding(const struct context *context, const struct depthwise *d, enum pads pads,
                           struct windows *w)
{
    struct context own = *context;
    for (int i = pads == PADS_ALL ? 0 : 2; i < 4; i++)
        w->pad[i / 2][i % 2] =
            random_between(&own, 0, pads == PADS_ALL ? d->size[i / 2] / 2 : d->size[1] - 1);
    if (w->pad[1][0] + w->pad[1][1] > w->in_columns)
        w->pad[1][0] = w->pad[1][1] = 0;
}

static bool is_padding(const struct windows *w, int y, int x)
{
    return y < w->pad[0][0] || y >= w->in_rows - w->pad[0][1] || x < w->pad[1][0] ||
           x >= w->in_columns - w->pad[1][1];
}

static void fill_padding(const struct problem *p, const struct windows *w, int n, int byte)
{
    size_t pixel = (size_t)n * pipit_type_size(p->type);
    for (int i = 0; i < w->in_rows * w->in_columns; i++)
        if (is_padding(w, i / w->in_columns, i % w->in_columns))
            memset((char *)(size_t)inputs_of(p) + (size_t)i * pixel, byte, pixel);
}

static void *run_depthwise(const struct depthwise_kernel *kernel, struct depthwise d, const struct problem *p,
                           const struct windows *w, enum pads pads, double *ms)
{
    size_t element = pipit_type_size(p->type), in_row = (size_t)w->in_columns * (size_t)d.channels * element;
    struct conv_weights weights = weights_of(p, d.in_zero);
    void *packed = poisoned(kernel->packed_bytes(&d)), *out = output(p);
    const void *row[64];
    const size_t first = pads ? (size_t)w->pad[1][0] * (size_t)d.channels * element : 0;
    kernel->pack(&d, &weights, packed);
    d.packed = packed;
    uint64_t start = clock_now_ns();
    for (int y = 0; y < w->rows; y += kernel->rows) {
        int rows = w->rows - y < kernel->rows ? w->rows - y : kernel->rows;
        for (int k = 0, at = y * d.stride[0]; k < windows_of(&d, rows, w->columns).in_rows; k++, at++) {
            bool outside = pads == PADS_ALL && (at < w->pad[0][0] || at >= w->in_rows - w->pad[0][1]);
            row[k] = outside ? NULL : (const char *)inputs_of(p) + (size_t)at * in_row + first;
        }
        struct depthwise_tile tile = {.in = row,
                                      .rows = rows,
                                      .columns = w->columns,
                                      .out = (char *)out + (size_t)y * (size_t)p->stride * element,
                                      .out_row = (size_t)p->stride,
                                      .before = pads ? w->pad[1][0] : 0,
                                      .after = pads ? w->pad[1][1] : 0};
        kernel->run(&d, &tile);
    }
    *ms = clock_ms_since(start);
    free(packed);
    return out;
}

/* Room for the inputs of all windows as `depth`, and rows of outputs as `channels`. */
static struct problem depthwise_problem(struct context *context, const struct depthwise *d,
                                        const struct windows *w, enum pipit_type type)
{
    int taps = depthwise_taps(d), n = d->channels * d->multiplier, wide = w->columns * n;
    int inputs = (w->in_rows * w->in_columns * d->channels + taps * w->rows - 1) / (taps * w->rows);
    return problem_create(context, taps, inputs, wide, w->rows, type);
}

static void depthwise_case(struct context *context, const struct depthwise_kernel *last,
                           const struct depthwise_kernel *next, enum pipit_type type, struct depthwise d)
{
    int columns =
        random_between(context, 0, 15) ? random_between(context, 1, 14) : random_between(context, 57, 64);
    struct windows w = windows_of(&d, random_between(context, 1, 5), columns);
    struct problem p = depthwise_problem(context, &d, &w, type);
    struct conv conv = random_conv(context, &p);
    d.min_f32 = conv.min_f32;
    d.max_f32 = conv.max_f32;
    d.hard_swish = conv.hard_swish;
    d.in_zero = random_between(context, -128, 127);
    d.weight_zero = conv.weight_zero;
    d.out_zero = conv.out_zero;
    d.min_i8 = conv.min_i8;
    d.max_i8 = conv.max_i8;
    enum pads pads = next->pads ? next->pads(&d) : PADS_NOTHING;
    double ms;
    if (pads) {
        choose_padding(context, &d, pads, &w);
        fill_padding(&p, &w, d.channels, type == PIPIT_I8 ? d.in_zero : 0);
    }
    void *a = run_depthwise(last, d, &p, &w, PADS_NOTHING, &ms);
    if (pads) /* not a number, or another one, where nothing may be read */
        fill_padding(&p, &w, d.channels, type == PIPIT_I8 ? ~d.in_zero : 0xff);
    void *b = run_depthwise(next, d, &p, &w, pads, &ms);
    if (!same(&p, a, b)) {
        char what[120];
        snprintf(what, sizeof(what),
                 "%d x %d, stride %d, dilation %d, %d channels, multiplier %d, %d x %d windows", d.size[0],
                 d.size[1], d.stride[1], d.dilation[1], d.channels, d.multiplier, w.rows, w.columns);
        report(context, next->name, what);
    }
    free(a);
    free(b);
    problem_destroy(&p);
}

static void bench_depthwise(struct context *context, const struct depthwise_kernel *c,
                            const struct depthwise_kernel *next, enum pipit_type type)
{
    struct depthwise d = {.size = {3, 3},
                          .stride = {1, 1},
                          .dilation = {1, 1},
                          .channels = 96,
                          .multiplier = 1,
                          .max_f32 = 6,
                          .min_i8 = -128,
                          .max_i8 = 127};
    struct windows w = windows_of(&d, 14, 14);
    struct problem p = depthwise_problem(context, &d, &w, type);
    tame(&p);
    double best[2] = {1e9, 1e9};
    for (int round = 0; round < 20; round++)
        for (int k = 0; k < 2; k++) {
            double ms;
            free(run_depthwise(k ? next : c, d, &p, &w, PADS_NOTHING, &ms));
            best[k] = ms < best[k] ? ms : best[k];
        }
    printf("%-22s %7.2f GMAC/s, %5.1f times C (96 channels, 3 x 3, 14 x 14 pixels)\n", next->name,
           96.0 * 9 * 196 / best[1] / 1e6, best[0] / best[1]);
    problem_destroy(&p);
}

static void check_one_depthwise(struct context *context, const struct depthwise_kernel *last,
                                const struct depthwise_kernel *next, const struct depthwise_kernel *c,
                                enum pipit_type type)
{
    static const int sizes[][2] = {{3, 3}, {5, 5}, {1, 1}, {2, 3}, {3, 1}, {7, 7}, {8, 8}};
    enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
    if (last->run == next->run)
        return;
    context->compared++;
    if (context->bench) {
        bench_depthwise(context, c, next, type);
        return;
    }
    for (int n = 0; n < CHANNELS; n++)
        for (int i = 0; i < 5; i++) {
            const int *size = sizes[i < 4 ? i / 2 : random_between(context, 2, SIZES - 1)];
            struct depthwise d = {.size = {size[0], size[1]}, .channels = channels[n], .multiplier = 1};
            d.stride[0] = d.stride[1] = 1 + i % 2;
            d.dilation[0] = d.dilation[1] = random_between(context, 0, 6) ? 1 : 2;
            if (random_between(context, 0, 5) == 0)
                d.multiplier = 2;
            depthwise_case(context, last, next, type, d);
        }
}

void check_depthwise(struct context *context, const struct kernels *last, const struct kernels *next)
{
    check_one_depthwise(context, &last->depthwise_f32, &next->depthwise_f32, &context->c.depthwise_f32,
                        PIPIT_F32);
    check_one_depthwise(context, &last->depthwise_i8, &next->depthwise_i8, &context->c.depthwise_i8,
                        PIPIT_I8);
    check_one_depthwise(context, &last->depthwise_f16, &next->depthwise_f16, &context->c.depthwise_f16,
                        PIPIT_F16);
}
