/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_KERNELS_X86_ACTIVATE16_H
#define PIPIT_ENGINE_KERNELS_X86_ACTIVATE16_H

#include <immintrin.h>
#include <stdbool.h>

enum { LANES = 16 };

struct activation16 {
    __m512 min, max;
    bool hard_swish;
};

static inline struct activation16 activation16(float min, float max, bool hard_swish)
{
    return (struct activation16){_mm512_set1_ps(min), _mm512_set1_ps(max), hard_swish};
}

static inline __attribute__((always_inline)) __m512 hard_swish16(__m512 x)
{
    const __m512 three = _mm512_set1_ps(3), six = _mm512_set1_ps(6);
    __m512 y = _mm512_min_ps(_mm512_max_ps(_mm512_add_ps(x, three), _mm512_setzero_ps()), six);
    return _mm512_mul_ps(x, _mm512_mul_ps(y, _mm512_set1_ps(1.0f / 6)));
}

/* VMAXPS and VMINPS give the second operand where one is no number, so that x passes through as in C. */
static inline __attribute__((always_inline)) __m512 clamp_f32x16(__m512 x, const struct activation16 *act)
{
    return _mm512_min_ps(act->max, _mm512_max_ps(act->min, x));
}

static inline __mmask16 first_lanes(int count)
{
    return (__mmask16)(count >= LANES ? 0xffff : (1 << count) - 1);
}

static inline __attribute__((always_inline)) void store_lanes(float *out, __m512 value, int count)
{
    if (count >= LANES)
        _mm512_storeu_ps(out, value);
    else if (count == LANES / 2)
        _mm256_storeu_ps(out, _mm512_castps512_ps256(value));
    else
        _mm512_mask_storeu_ps(out, first_lanes(count), value);
}

#endif
