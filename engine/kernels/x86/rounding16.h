/* SPDX-License-Identifier: MIT */
/* The ways from 16 sums to outputs with their zero point. */
#ifndef PIPIT_ENGINE_KERNELS_X86_ROUNDING16_H
#define PIPIT_ENGINE_KERNELS_X86_ROUNDING16_H

#include "engine/kernels/x86/factor16.h"

enum rounding { ROUND_ANY, ROUND_RECTIFIED, ROUND_LINE };

/* Where the zero point is the least of int8, and nothing is clamped but to int8: gives the head a line in
 * float, which has the reference's answer for every sum, if there is one. Then multipliers and shifts are
 * gone, and the bias is the line's. */
static inline bool may_be_line16(int32_t zero, int32_t min, int32_t max)
{
    return zero == INT8_MIN && min == INT8_MIN && max == INT8_MAX;
}
void head16_set_line(struct head16 *head);

/* floor(slope * sum + rest * sum + offset). Rounded down, the last addition crosses no whole number that the
 * exact one does not. */
struct line16 {
    __m512 slope, rest, offset;
};

struct rounding16 {
    enum rounding by;
    struct factor16 factor;
    struct line16 line; /* in its place: ROUND_LINE */
};

static inline __attribute__((always_inline)) void
set_rounding16(struct rounding16 *r, const struct head16 *head, int32_t zero, bool rectified)
{
    r->by = head->line ? ROUND_LINE : rectified ? ROUND_RECTIFIED : ROUND_ANY;
    if (head->line)
        r->line = (struct line16){_mm512_loadu_ps(head->slope), _mm512_loadu_ps(head->rest),
                                  _mm512_loadu_ps(head->offset)};
    else
        r->factor =
            factor16(_mm512_loadu_si512(head->multiplier), _mm512_loadu_si512(head->shift), zero, rectified);
}

static inline __attribute__((always_inline)) __m512i line16(__m512i sum, const struct line16 *line)
{
    enum { DOWN = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC };
    const __m512 v = _mm512_cvtepi32_ps(sum);
    const __m512 rest = _mm512_fmadd_ps(v, line->rest, line->offset);
    return _mm512_cvt_roundps_epi32(_mm512_fmadd_round_ps(v, line->slope, rest, DOWN), DOWN);
}

static inline __attribute__((always_inline)) __m512i
round16(__m512i sum, const struct factor16 *factor, const struct line16 *line, const enum rounding by)
{
    return by == ROUND_LINE ? line16(sum, line) : requantise16(sum, factor, by == ROUND_RECTIFIED);
}

/* Of four times 16 values, clamped. */
static inline __attribute__((always_inline)) __m512i
bytes64(__m512i a, __m512i b, __m512i c, __m512i d, const struct clamp64 *clamp, const enum rounding by)
{
    return by == ROUND_LINE ? order64(pack64(a, b, c, d)) : narrow64(a, b, c, d, clamp);
}

#endif
