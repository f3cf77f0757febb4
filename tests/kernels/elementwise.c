/* SPDX-License-Identifier: MIT */
#include "tests/kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { LENGTH = 1000, GUARD = 32 };

struct bytes {
    int8_t a[LENGTH], b[LENGTH], x[LENGTH + GUARD], y[LENGTH + GUARD];
};

static void fill(struct context *context, struct bytes *bytes)
{
    for (int i = 0; i < LENGTH; i++) {
        bytes->a[i] = (int8_t)random_bits(context);
        bytes->b[i] = (int8_t)random_bits(context);
    }
    memset(bytes->x, 0x5a, sizeof(bytes->x));
    memset(bytes->y, 0x5a, sizeof(bytes->y));
}

static struct add_i8 random_add(struct context *context)
{
    struct add_i8 add = {.zero_a = random_between(context, -128, 127),
                         .zero_b = random_between(context, -128, 127),
                         .zero_out = random_between(context, -128, 127),
                         .min = -128,
                         .max = 127,
                         .left_shift = 20,
                         .a = random_requant(context),
                         .b = random_requant(context),
                         .out = random_requant(context),
                         .sign_b = random_between(context, 0, 1) ? 1 : -1};
    add.a.shift = random_between(context, -8, 0); /* of a scale over twice the larger one: never up */
    add.b.shift = random_between(context, -8, 0);
    if (random_between(context, 0, 1)) /* the larger scale: a half */
        add.a = (struct requant){1 << 30, 0};
    add.out.shift = random_between(context, -20, -8);
    if (random_between(context, 0, 1))
        add.min = add.zero_out;
    return add;
}

/* Scales of a network: the output's about that of the larger input. */
static struct add_i8 likely_add(struct context *context)
{
    double half = ldexp(1 + (double)(random_bits(context) & 0xffff) / 65536, -21);
    struct add_i8 add = random_add(context);
    add.a = (struct requant){1 << 30, 0};
    add.b = random_requant(context);
    add.b.shift = random_between(context, -4, 0);
    add.out = requant_from_double(2 * half);
    if (add.b.multiplier < 1 << 30)
        add.b = (struct requant){1 << 30, random_between(context, -1, 0)};
    if (random_between(context, 0, 1)) {
        struct requant a = add.a;
        add.a = add.b;
        add.b = a;
    }
    return add;
}

/* All pairs of inputs, since the products of add_products() could be wrong for one of them alone. */
static void check_all_pairs(struct context *context, const struct kernels *last, const struct kernels *next)
{
    int same = 0;
    for (int i = 0; i < 40; i++) {
        struct add_i8 add = likely_add(context);
        int8_t b[256], x[256], y[256];
        add.products = add_products(&add);
        same += add.products.same;
        for (int k = 0; k < 256; k++)
            b[k] = (int8_t)(k - 128);
        for (int k = 0; k < 256; k++) {
            last->add_i8(x, b + k, 0, b, 1, 256, &add);
            next->add_i8(y, b + k, 0, b, 1, 256, &add);
            if (!same_bytes(x, y, sizeof(x)))
                report(context, "add_i8 of products", "differs");
        }
    }
    if (same < 20)
        report(context, "add_products", "finds too few");
}

static void check_add(struct context *context, const struct kernels *last, const struct kernels *next)
{
    if (last->add_i8 == next->add_i8)
        return;
    context->compared++;
    for (int i = 0; i < 300; i++) {
        struct bytes bytes;
        struct add_i8 add = i % 2 ? likely_add(context) : random_add(context);
        int n = i < 100 ? i : random_between(context, 1, LENGTH), by_a = i % 3 != 1, by_b = i % 3 != 2;
        fill(context, &bytes);
        last->add_i8(bytes.x, bytes.a, by_a, bytes.b, by_b, n, &add);
        add.products = add_products(&add);
        next->add_i8(bytes.y, bytes.a, by_a, bytes.b, by_b, n, &add);
        if (!same_bytes(bytes.x, bytes.y, sizeof(bytes.x)))
            report(context, "add_i8", "differs");
    }
    check_all_pairs(context, last, next);
}

/* Half of the zero points are at an end, as those of ReLU and of sigmoids are. */
static struct mul_i8 random_mul(struct context *context)
{
    bool end = random_between(context, 0, 1), clamp = random_between(context, 0, 3) == 0;
    return (struct mul_i8){.zero_a = end ? -128 : random_between(context, -128, 127),
                           .zero_b = end ? -128 : random_between(context, -128, 127),
                           .zero_out = end ? -128 : random_between(context, -128, 127),
                           .min = clamp ? -20 : -128,
                           .max = clamp ? 20 : 127,
                           .out = random_requant(context)};
}

static void check_mul(struct context *context, const struct kernels *last, const struct kernels *next)
{
    if (last->mul_i8 == next->mul_i8)
        return;
    context->compared++;
    for (int i = 0; i < 300; i++) {
        struct bytes bytes;
        struct mul_i8 mul = random_mul(context);
        int n = i < 100 ? i : random_between(context, 1, LENGTH), by_a = i % 3 != 1, by_b = i % 3 != 2;
        fill(context, &bytes);
        last->mul_i8(bytes.x, bytes.a, by_a, bytes.b, by_b, n, &mul);
        next->mul_i8(bytes.y, bytes.a, by_a, bytes.b, by_b, n, &mul);
        if (!same_bytes(bytes.x, bytes.y, sizeof(bytes.x)))
            report(context, "mul_i8", "differs");
    }
}

/* Factors of 0 .. 1, up to one for each 16 channels, and an output of about the input's scale. */
static void as_sigmoids(struct context *context, struct mul_i8 *mul, int8_t *scale, int n)
{
    int most = 0;
    mul->out.shift = random_between(context, -8, -7);
    mul->zero_b = -128;
    for (int i = 0; i < n; i++) {
        most = i % 16 ? most : random_between(context, 0, 255);
        scale[i] = (int8_t)(random_between(context, 0, most) - 128);
    }
}

static void check_scale(struct context *context, const struct kernels *last, const struct kernels *next)
{
    if (last->scale_i8 == next->scale_i8 && last->scale_f32 == next->scale_f32)
        return;
    context->compared += 2;
    for (int i = 0; i < 300; i++) {
        struct bytes bytes;
        float in[LENGTH], x[LENGTH + GUARD] = {0}, y[LENGTH + GUARD] = {0};
        struct mul_i8 mul = random_mul(context);
        int n = i % 100, rows = i % 10, step = n + n % 3;
        fill(context, &bytes);
        if (i % 2)
            as_sigmoids(context, &mul, bytes.b, n);
        for (int k = 0; k < LENGTH; k++)
            in[k] = random_float(context);
        last->scale_i8(bytes.x, bytes.a, bytes.b, n, rows, (size_t)step, &mul);
        next->scale_i8(bytes.y, bytes.a, bytes.b, n, rows, (size_t)step, &mul);
        last->scale_f32(x, in, in + LENGTH / 2, n, rows, (size_t)step);
        next->scale_f32(y, in, in + LENGTH / 2, n, rows, (size_t)step);
        if (!same_bytes(bytes.x, bytes.y, sizeof(bytes.x)))
            report(context, "scale_i8", "differs");
        if (!same_bytes(x, y, sizeof(x)))
            report(context, "scale_f32", "differs");
    }
}

static void check_unary(struct context *context, const char *name, void (*last)(float *, const float *, int),
                        void (*next)(float *, const float *, int))
{
    if (last == next)
        return;
    context->compared++;
    for (int n = 0; n < 100; n++) {
        float in[100] = {0}, x[100 + GUARD] = {0}, y[100 + GUARD] = {0};
        for (int i = 0; i < n; i++)
            in[i] = 8 * random_float(context);
        last(x, in, n);
        next(y, in, n);
        if (!same_f32(x, y, 1, 100 + GUARD, 100 + GUARD, 1e-6f))
            report(context, name, "differs");
    }
}

static void check_clamp(struct context *context, const struct kernels *last, const struct kernels *next)
{
    if (last->clamp_f32 == next->clamp_f32)
        return;
    context->compared++;
    for (int n = 0; n < 100; n++) {
        float in[100] = {0}, x[100 + GUARD] = {0}, y[100 + GUARD] = {0};
        for (int i = 0; i < n; i++)
            in[i] = i % 9 ? 8 * random_float(context) : NAN;
        last->clamp_f32(x, in, n, -2, 6);
        next->clamp_f32(y, in, n, -2, 6);
        for (int i = 0; i < 100 + GUARD; i++)
            if (isnan(x[i]) ? !isnan(y[i]) : x[i] < y[i] || x[i] > y[i] || isnan(y[i]))
                report(context, "clamp_f32", "differs");
    }
}

static void check_lookup(struct context *context, const struct kernels *last, const struct kernels *next)
{
    if (last->lookup_i8 == next->lookup_i8)
        return;
    context->compared++;
    for (int n = 0; n < 300; n++) {
        struct bytes bytes;
        fill(context, &bytes);
        last->lookup_i8(bytes.x, bytes.a, n, bytes.b);
        next->lookup_i8(bytes.y, bytes.a, n, bytes.b);
        if (!same_bytes(bytes.x, bytes.y, sizeof(bytes.x)))
            report(context, "lookup_i8", "differs");
    }
}

/* Up to 700 rows of -128, which is more than 16 bits hold. */
static void check_accumulate(struct context *context, const struct kernels *last, const struct kernels *next)
{
    static const int rows[] = {0, 1, 3, 49, 700};
    if (last->accumulate_i8 == next->accumulate_i8)
        return;
    context->compared += 2;
    for (int i = 0; i < 100; i++) {
        struct bytes bytes;
        int32_t x[64] = {0}, y[64] = {0};
        float f[LENGTH], p[64] = {0}, q[64] = {0};
        int n = i % 50, count = rows[i / 2 % 5], step = count ? (LENGTH - n) / count : 0;
        fill(context, &bytes);
        if (i % 2)
            memset(bytes.a, -128, sizeof(bytes.a));
        for (int k = 0; k < LENGTH; k++)
            f[k] = random_float(context);
        last->accumulate_i8(x, bytes.a, n, count, (size_t)step);
        next->accumulate_i8(y, bytes.a, n, count, (size_t)step);
        last->accumulate_f32(p, f, n, count, (size_t)step);
        next->accumulate_f32(q, f, n, count, (size_t)step);
        if (!same_bytes(x, y, sizeof(x)))
            report(context, "accumulate_i8", "differs");
        if (!same_f32(p, q, 1, 64, 64, 1e-6f))
            report(context, "accumulate_f32", "differs");
    }
}

static void check_binary(struct context *context, const struct kernels *last, const struct kernels *next)
{
    for (int f = 0; f < BINARY_COUNT; f++) {
        if (last->binary_f32[f] == next->binary_f32[f])
            continue;
        context->compared++;
        for (int n = 0; n < 100; n++) {
            float a[100], b[100], x[100 + GUARD] = {0}, y[100 + GUARD] = {0};
            for (int i = 0; i < 100; i++) {
                a[i] = random_float(context);
                b[i] = random_float(context);
            }
            last->binary_f32[f](x, a, n % 3 != 1, b, n % 3 != 2, n, -0.5f, n % 2 ? 0.5f : 2);
            next->binary_f32[f](y, a, n % 3 != 1, b, n % 3 != 2, n, -0.5f, n % 2 ? 0.5f : 2);
            if (!same_f32(x, y, 1, 100 + GUARD, 100 + GUARD, 1e-6f))
                report(context, "binary_f32", "differs");
        }
    }
}

void check_elementwise(struct context *context, const struct kernels *last, const struct kernels *next)
{
    check_add(context, last, next);
    check_mul(context, last, next);
    check_scale(context, last, next);
    check_unary(context, "hard_swish_f32", last->hard_swish_f32, next->hard_swish_f32);
    check_unary(context, "hard_sigmoid_f32", last->hard_sigmoid_f32, next->hard_sigmoid_f32);
    check_clamp(context, last, next);
    check_lookup(context, last, next);
    check_accumulate(context, last, next);
    check_binary(context, last, next);
}
