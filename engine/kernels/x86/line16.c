/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/rounding16.h"

/* Units are 1 / 2^(31 + s), s being a lane's bits to the right: a sum one greater is worth `multiplier` units
 * more. ERROR: more than what is lost by the offset as a float (64 at most) and by its sum with the product
 * of `rest` (128); the last addition loses nothing, as it is rounded down like the result. SHIFT_LINE: where
 * a sum is no float, it is clamped. */
enum { ERROR = 512, SHIFT_LINE = 15 };

/* Of the least sum that is rounded to an output, what it has too much. The sum before it lacks the rest of
 * `multiplier`. */
struct gaps {
    uint32_t multiplier[LANES], gap[LANES], step[LANES]; /* step: to the next output's, modulo multiplier */
    uint32_t least[LANES], most[LANES];
};

/* A dead channel's sums are all worth the same. */
static bool set_gaps(struct gaps *gaps, const struct head16 *head)
{
    for (int i = 0; i < LANES; i++) {
        const uint32_t m = head->multiplier[i] ? (uint32_t)head->multiplier[i] : 1u << 30;
        const uint32_t half = (uint32_t)((1ull << (30 - head->shift[i])) % m), whole = 2 * half % m;
        if (head->shift[i] < -SHIFT_LINE)
            return false;
        gaps->multiplier[i] = m;
        gaps->gap[i] = ((1u << 30) + m - half) % m; /* of the zero point's next */
        gaps->step[i] = (m - whole) % m;
    }
    return true;
}

static void walk(struct gaps *gaps)
{
    const __m512i step = _mm512_loadu_si512(gaps->step), m = _mm512_loadu_si512(gaps->multiplier);
    const __m512i less = _mm512_sub_epi32(step, m);
    __m512i gap = _mm512_loadu_si512(gaps->gap), least = m, most = _mm512_setzero_si512();
    for (int output = INT8_MIN + 1; output <= INT8_MAX; output++) {
        least = _mm512_min_epu32(least, gap);
        most = _mm512_max_epu32(most, gap);
        gap = _mm512_min_epu32(_mm512_add_epi32(gap, step), _mm512_add_epi32(gap, less));
    }
    _mm512_storeu_si512(gaps->least, least);
    _mm512_storeu_si512(gaps->most, most);
}

static bool fits(const struct gaps *gaps)
{
    int tight = 0;
    for (int i = 0; i < LANES; i++)
        tight += gaps->least[i] + (gaps->multiplier[i] - gaps->most[i]) < 2 * ERROR;
    return !tight;
}

/* The line goes through the middle between what is too much and what lacks. Sums are made smaller, so that
 * the offset is hardly more than one of them is worth. */
static void set_lines(struct head16 *head, const struct head16 *from, const struct gaps *gaps)
{
    for (int i = 0; i < LANES; i++) {
        const int64_t m = from->multiplier[i], one = 1ll << (31 - from->shift[i]),
                      add = (1ll << 30) + one / 2 + INT8_MIN * one,
                      sum = m ? (int64_t)((double)add / (double)m) : 0,
                      lacks = gaps->multiplier[i] - gaps->most[i], middle = (lacks - gaps->least[i]) / 2;
        const double unit = 1.0 / (double)one, slope = (double)m * unit;
        head->bias[i] = (int32_t)((uint32_t)from->bias[i] + (uint32_t)sum);
        head->slope[i] = (float)slope;
        head->rest[i] = (float)(slope - (float)slope);
        head->offset[i] = (float)((double)(add - sum * m + middle) * unit);
    }
}

void head16_set_line(struct head16 *head)
{
    const struct head16 from = *head;
    struct gaps gaps;
    if (from.scalar || !set_gaps(&gaps, &from))
        return;
    walk(&gaps);
    if (!fits(&gaps))
        return;
    set_lines(head, &from, &gaps);
    head->line = 1;
}
