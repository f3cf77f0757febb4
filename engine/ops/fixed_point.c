/* SPDX-License-Identifier: MIT */
#include "engine/ops/fixed_point.h"

int32_t fixed_high_mul(int32_t a, int32_t b)
{
    if (a == INT32_MIN && b == INT32_MIN)
        return INT32_MAX;
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

int32_t fixed_shift_right(int32_t value, int shift)
{
    int32_t mask = (int32_t)((UINT32_C(1) << shift) - 1), rest = value & mask;
    return (value >> shift) + (rest > (mask >> 1) + (value < 0));
}

int32_t fixed_shift_left(int32_t value, int shift)
{
    int64_t shifted = (int64_t)value * (INT64_C(1) << shift);
    return (int32_t)(shifted > INT32_MAX ? INT32_MAX : shifted < INT32_MIN ? INT32_MIN : shifted);
}

/* e^x for -1/4 <= x < 0, 31 fraction bits: Taylor's series around -1/8. */
static int32_t exp_quarter(int32_t x)
{
    const int32_t exp_of_minus_eighth = 1895147668, third = 715827883;
    int32_t y = x + (1 << 28);
    int32_t y2 = fixed_high_mul(y, y), y3 = fixed_high_mul(y2, y), y4 = fixed_high_mul(y2, y2);
    int32_t cubic = fixed_high_mul(fixed_shift_right(y4, 2) + y3, third);
    int32_t tail = fixed_shift_right(cubic + y2, 1);
    return exp_of_minus_eighth + fixed_high_mul(exp_of_minus_eighth, y + tail);
}

int32_t fixed_exp_q26(int32_t x)
{
    /* e^-(2^i) for i = -2 .. 4, 31 fraction bits */
    static const int32_t factor[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t quarter = 1 << 24;
    if (x == 0)
        return INT32_MAX;
    int32_t rest = (x & (quarter - 1)) - quarter;
    int32_t result = exp_quarter(fixed_shift_left(rest, 5)), whole = rest - x;
    for (int i = 0; i < 7; i++)
        if (whole & (1 << (24 + i)))
            result = fixed_high_mul(result, factor[i]);
    return result;
}

int32_t fixed_reciprocal_of_1_plus(int32_t x)
{
    const int32_t a = 1515870810, b = -1010580540,
                  one_q29 = 1 << 29; /* 48/17 and -32/17 with 29 fraction bits */
    int64_t sum = (int64_t)x + INT32_MAX;
    int32_t half = (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
    int32_t y = a + fixed_high_mul(half, b);
    for (int i = 0; i < 3; i++) { /* Newton and Raphson */
        int32_t error = one_q29 - fixed_high_mul(half, y);
        y += fixed_shift_left(fixed_high_mul(y, error), 2);
    }
    return fixed_shift_left(y, 1);
}

int32_t fixed_inverse_sqrt(int32_t x, int *shift)
{
    const int32_t half_three = (1 << 28) + (1 << 27), half_sqrt_2 = 1518500250; /* 28 and 31 fraction bits */
    *shift = 0;
    if (x <= 1)
        return INT32_MAX;
    *shift = 11;
    for (; x >= 1 << 29; x /= 4)
        ++*shift;
    int pairs = (__builtin_clz((uint32_t)x) - 1) / 2 - 1;
    *shift -= pairs;
    int32_t input = (x << 2 * pairs) >> 1, half = fixed_shift_right(input, 1), y = 1 << 28;
    for (int i = 0; i < 5; i++) { /* Newton and Raphson, 28 fraction bits */
        int32_t cube = fixed_shift_left(fixed_high_mul(fixed_high_mul(y, y), y), 6);
        y = fixed_shift_left(fixed_high_mul(half_three, y) - fixed_high_mul(half, cube), 3);
    }
    y = fixed_high_mul(y, half_sqrt_2);
    if (*shift < 0) {
        y = (int32_t)((uint32_t)y << -*shift);
        *shift = 0;
    }
    return y;
}
