/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_KERNELS_X86_ACTIVATE_H
#define PIPIT_ENGINE_KERNELS_X86_ACTIVATE_H

#include <immintrin.h>
#include <stdbool.h>

struct activation8 {
    __m256 min, max;
    bool hard_swish;
};

static inline struct activation8 activation8(float min, float max, bool hard_swish)
{
    return (struct activation8){_mm256_set1_ps(min), _mm256_set1_ps(max), hard_swish};
}

static inline __m256 hard_sigmoid8(__m256 x)
{
    const __m256 three = _mm256_set1_ps(3), six = _mm256_set1_ps(6);
    __m256 y = _mm256_min_ps(_mm256_max_ps(_mm256_add_ps(x, three), _mm256_setzero_ps()), six);
    return _mm256_mul_ps(y, _mm256_set1_ps(1.0f / 6));
}

static inline __m256 hard_swish8(__m256 x)
{
    return _mm256_mul_ps(x, hard_sigmoid8(x));
}

/* VMAXPS and VMINPS give the second operand where one is no number, so that x passes through as in C. */
static inline __m256 clamp_f32x8(__m256 x, __m256 min, __m256 max)
{
    return _mm256_min_ps(max, _mm256_max_ps(min, x));
}

static inline __m256 activate8(__m256 x, const struct activation8 *act)
{
    return act->hard_swish ? hard_swish8(x) : clamp_f32x8(x, act->min, act->max);
}

#endif
