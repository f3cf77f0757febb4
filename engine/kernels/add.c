/* SPDX-License-Identifier: MIT */
/*
 * ADD of int8 as two products and a sum, where that is the same function. The reference rounds each input,
 * the high half of the last product and what it is shifted to; the factors of one linear function of 32 bits
 * can be chosen so that it agrees for all 65536 pairs of inputs. Pairs that it leaves away from a boundary
 * between two answers need no look, the others are compared with the reference.
 */
#include "engine/kernels/c.h"

#include <math.h>
#include <stdlib.h>

enum { NEAR_MOST = 256, TRIES = 3 * 3 * 9 };

struct pair {
    int8_t a, b;
};

/* In units of the answer. */
static double factor_of(struct requant r)
{
    return ldexp(r.multiplier, r.shift - 31);
}

/* Factors' lowest bytes are factors of int8 by themselves, the rest are factors of 16 bits. */
static bool splits(int32_t by)
{
    int32_t high = (by + 128) >> 8;
    return high == (int16_t)high && by - high * 256 != -128;
}

static bool fits(const struct add_products *p)
{
    int64_t most = 128 * ((int64_t)abs(p->by_a) + abs(p->by_b)) + llabs((int64_t)p->plus);
    return most <= INT32_MAX && splits(p->by_a) && splits(p->by_b);
}

static int32_t answer(const struct add_products *p, const struct add_i8 *add, struct pair at)
{
    return clamp_i32((at.a * p->by_a + at.b * p->by_b + p->plus) >> ADD_BITS, add->min, add->max);
}

/* Pairs less than `slack` from a boundary; more than NEAR_MOST: too many. */
static int near_boundaries(const struct add_products *p, int32_t slack, struct pair *near)
{
    const uint32_t mask = (1u << ADD_BITS) - 1, wide = 2 * (uint32_t)slack;
    int count = 0;
    for (int a = -128; a < 128; a++) {
        uint32_t value =
            (uint32_t)a * (uint32_t)p->by_a - 128u * (uint32_t)p->by_b + (uint32_t)p->plus + (uint32_t)slack;
        for (int b = -128; b < 128; b++, value += (uint32_t)p->by_b)
            if ((value & mask) <= wide) {
                if (count == NEAR_MOST)
                    return NEAR_MOST + 1;
                near[count++] = (struct pair){(int8_t)a, (int8_t)b};
            }
    }
    return count;
}

static bool agrees(const struct add_products *p, const struct add_i8 *add, const struct pair *near,
                   const int8_t *expected, int count)
{
    int i = 0;
    while (i < count && answer(p, add, near[i]) == expected[i])
        i++;
    return i == count;
}

/* The i-th of the factors around *p. */
static struct add_products other(const struct add_products *p, int i)
{
    static const int8_t by[3] = {0, 1, -1}, plus[9] = {0, 8, -8, 16, -16, 32, -32, 64, -64};
    return (struct add_products){true, p->by_a + by[i % 3], p->by_b + by[i / 3 % 3], p->plus + plus[i / 9]};
}

/* More than either the factors around them or the reference differ from exact sums: factors by 1.5 times 128
 * each, the reference by one of each rounded input and one of the last product. */
static int32_t slack_of(const struct add_i8 *add, double out)
{
    return 2 * 128 * 3 / 2 + 64 + 2 +
           (int32_t)ceil(ldexp(2 * out, ADD_BITS) + ldexp(1, ADD_BITS + add->out.shift));
}

struct add_products add_products(const struct add_i8 *add)
{
    const struct add_products none = {0};
    const double out = factor_of(add->out), one = 1 << ADD_BITS,
                 a = ldexp(factor_of(add->a) * out, add->left_shift),
                 b = ldexp(factor_of(add->b) * out, add->left_shift) * add->sign_b,
                 plus = add->zero_out + 0.5 - add->zero_a * a - add->zero_b * b;
    struct pair near[NEAR_MOST];
    int8_t expected[NEAR_MOST];
    if (add->a.shift > 0 || add->b.shift > 0 || add->left_shift != 20 || add->out.shift > -12 || a >= 2 ||
        fabs(b) >= 2 || fabs(plus) >= 500)
        return none;
    const struct add_products p = {false, (int32_t)lround(a * one), (int32_t)lround(b * one),
                                   (int32_t)lround(plus * one)};
    const int32_t slack = slack_of(add, out);
    const int count = near_boundaries(&p, slack, near);
    if (count > NEAR_MOST)
        return none;
    for (int i = 0; i < count; i++)
        add_i8_c(expected + i, &near[i].a, 1, &near[i].b, 1, 1, add);
    for (int i = 0; i < TRIES; i++) {
        const struct add_products next = other(&p, i);
        if (fits(&next) && agrees(&next, add, near, expected, count))
            return next;
    }
    return none;
}
