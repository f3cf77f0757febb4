/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_KERNELS_X86_ACTIVATE_H
#define PIPIT_ENGINE_KERNELS_X86_ACTIVATE_H

#include <immintrin.h>
#include <stdbool.h>

static inline __m256 activate8(__m256 x, __m256 min, __m256 max, bool hard_swish)
{
    if (!hard_swish)
        return _mm256_min_ps(_mm256_max_ps(x, min), max);
    const __m256 three = _mm256_set1_ps(3), six = _mm256_set1_ps(6);
    __m256 y = _mm256_min_ps(_mm256_max_ps(_mm256_add_ps(x, three), _mm256_setzero_ps()), six);
    return _mm256_mul_ps(x, _mm256_mul_ps(y, _mm256_set1_ps(1.0f / 6)));
}

#endif
