/* SPDX-License-Identifier: MIT */
#include "tests/kernels/kernels.h"

#include "engine/float16.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LENGTH = 1000, SHORT = 100, GUARD = 32, POISON = 0x5a };

/* Equal, or nearly: by so many roundings of the number itself, or of 1. */
static bool near(uint16_t a, uint16_t b, float roundings)
{
    float x = float16_to_float(a), y = float16_to_float(b);
    return a == b || fabsf(x - y) <= roundings * 0x1p-11f * fmaxf(fabsf(x), 1);
}

static bool same_halves(const uint16_t *a, const uint16_t *b, int count, float roundings)
{
    for (int i = 0; i < count; i++)
        if (!near(a[i], b[i], roundings))
            return false;
    return true;
}

struct halves {
    uint16_t a[LENGTH], b[LENGTH], x[LENGTH + GUARD], y[LENGTH + GUARD];
};

static void fill(struct context *context, struct halves *h, float range)
{
    for (int i = 0; i < LENGTH; i++) {
        h->a[i] = float16_from_float(range * random_float(context));
        h->b[i] = float16_from_float(range * random_float(context));
    }
    memset(h->x, POISON, sizeof(h->x));
    memset(h->y, POISON, sizeof(h->y));
}

static void check_unary(struct context *context, const char *name,
                        void (*last)(uint16_t *, const uint16_t *, int),
                        void (*next)(uint16_t *, const uint16_t *, int))
{
    struct halves h;
    if (last == next)
        return;
    context->compared++;
    for (int n = 0; n < SHORT; n++) {
        fill(context, &h, 8);
        last(h.x, h.a, n);
        next(h.y, h.a, n);
        if (!same_halves(h.x, h.y, LENGTH + GUARD, 4))
            report(context, name, "differs");
    }
}

static void check_clamp(struct context *context, const struct kernels *last, const struct kernels *next)
{
    struct halves h;
    if (last->clamp_f16 == next->clamp_f16)
        return;
    context->compared++;
    for (int n = 0; n < SHORT; n++) {
        fill(context, &h, 8);
        last->clamp_f16(h.x, h.a, n, -2, n % 2 ? 6 : INFINITY);
        next->clamp_f16(h.y, h.a, n, -2, n % 2 ? 6 : INFINITY);
        if (!same_bytes(h.x, h.y, sizeof(h.x)))
            report(context, "clamp_f16", "differs");
    }
}

static void check_binary(struct context *context, const struct kernels *last, const struct kernels *next)
{
    struct halves h;
    for (int f = 0; f < BINARY_COUNT; f++) {
        if (last->binary_f16[f] == next->binary_f16[f])
            continue;
        context->compared++;
        for (int n = 0; n < SHORT; n++) {
            fill(context, &h, 1);
            last->binary_f16[f](h.x, h.a, n % 3 != 1, h.b, n % 3 != 2, n, -0.5f, n % 2 ? 0.5f : 2);
            next->binary_f16[f](h.y, h.a, n % 3 != 1, h.b, n % 3 != 2, n, -0.5f, n % 2 ? 0.5f : 2);
            if (!same_halves(h.x, h.y, LENGTH + GUARD, 1))
                report(context, "binary_f16", "differs");
        }
    }
}

static void check_scale(struct context *context, const struct kernels *last, const struct kernels *next)
{
    struct halves h;
    if (last->scale_f16 == next->scale_f16)
        return;
    context->compared++;
    for (int n = 0; n < SHORT; n++) {
        int rows = n % 10, step = n + n % 3;
        fill(context, &h, 4);
        last->scale_f16(h.x, h.a, h.b, n, rows, (size_t)step);
        next->scale_f16(h.y, h.a, h.b, n, rows, (size_t)step);
        if (!same_halves(h.x, h.y, LENGTH + GUARD, 1))
            report(context, "scale_f16", "differs");
    }
}

static void check_accumulate(struct context *context, const struct kernels *last, const struct kernels *next)
{
    static const int rows[] = {0, 1, 8, 9, 49};
    struct halves h;
    if (last->accumulate_f16 == next->accumulate_f16)
        return;
    context->compared++;
    for (int i = 0; i < SHORT; i++) {
        float p[SHORT + GUARD] = {0}, q[SHORT + GUARD] = {0};
        int n = i % 50, count = rows[i % 5], step = count ? (LENGTH - n) / count : 0;
        fill(context, &h, 1);
        last->accumulate_f16(p, h.a, n, count, (size_t)step);
        next->accumulate_f16(q, h.a, n, count, (size_t)step);
        for (int k = 0; k < SHORT + GUARD; k++)
            if (!(fabsf(p[k] - q[k]) <= 0x1p-10f * (float)count))
                report(context, "accumulate_f16", "differs");
    }
}

static void check_conversion(struct context *context, const struct kernels *last, const struct kernels *next)
{
    struct halves h;
    float in[LENGTH], p[SHORT + GUARD] = {0}, q[SHORT + GUARD] = {0};
    if (last->f16_from_f32 == next->f16_from_f32)
        return;
    context->compared += 2;
    for (int n = 0; n < SHORT; n++) {
        fill(context, &h, 1);
        for (int i = 0; i < LENGTH; i++) { /* any bits, but no NaN: there are many of them */
            uint32_t bits = random_bits(context);
            memcpy(&in[i], &bits, sizeof(bits));
            in[i] = isnan(in[i]) ? 65520
                    : i % 2      ? ldexpf(in[i], -ilogbf(in[i]) + random_between(context, -26, 16))
                                 : in[i];
        }
        last->f16_from_f32(h.x, in, n);
        next->f16_from_f32(h.y, in, n);
        last->f32_from_f16(p, h.x, n);
        next->f32_from_f16(q, h.x, n);
        if (!same_bytes(h.x, h.y, sizeof(h.x)))
            report(context, "f16_from_f32", "differs");
        if (!same_bytes(p, q, sizeof(p)))
            report(context, "f32_from_f16", "differs");
    }
}

void check_float16(struct context *context, const struct kernels *last, const struct kernels *next)
{
    check_unary(context, "hard_swish_f16", last->hard_swish_f16, next->hard_swish_f16);
    check_unary(context, "hard_sigmoid_f16", last->hard_sigmoid_f16, next->hard_sigmoid_f16);
    check_clamp(context, last, next);
    check_binary(context, last, next);
    check_scale(context, last, next);
    check_accumulate(context, last, next);
    check_conversion(context, last, next);
}
