/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_KERNELS_X86_REQUANT_H
#define PIPIT_ENGINE_KERNELS_X86_REQUANT_H

#include "engine/kernels/kernels.h"

#include <immintrin.h>

/* Factors of eight channels; shifts are split, since AVX2 has no shift whose sign gives the direction. */
struct requant8 {
    __m256i multiplier, left, right;
};

static inline struct requant8 requant8_load(const int32_t *multiplier, const int32_t *left,
                                            const int32_t *right)
{
    return (struct requant8){_mm256_loadu_si256((const __m256i *)multiplier),
                             _mm256_loadu_si256((const __m256i *)left),
                             _mm256_loadu_si256((const __m256i *)right)};
}

static inline struct requant8 requant8_set(struct requant r)
{
    return (struct requant8){_mm256_set1_epi32(r.multiplier), _mm256_set1_epi32(r.shift > 0 ? r.shift : 0),
                             _mm256_set1_epi32(r.shift > 0 ? 0 : -r.shift)};
}

/* requantise() of kernels.h for eight values. */
static inline __m256i requantise8(__m256i value, struct requant8 r)
{
    const __m256i half = _mm256_set1_epi64x(1 << 30);
    value = _mm256_sllv_epi32(value, r.left);
    __m256i even = _mm256_add_epi64(_mm256_mul_epi32(value, r.multiplier), half);
    __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(value, 32), _mm256_srli_epi64(r.multiplier, 32));
    odd = _mm256_add_epi64(odd, half);
    __m256i high = _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
    __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(_mm256_set1_epi32(1), r.right), _mm256_set1_epi32(1));
    __m256i rest = _mm256_and_si256(high, mask);
    __m256i limit = _mm256_sub_epi32(_mm256_srli_epi32(mask, 1), _mm256_srai_epi32(high, 31));
    __m256i up = _mm256_cmpgt_epi32(rest, limit);
    return _mm256_sub_epi32(_mm256_srav_epi32(high, r.right), up);
}

static inline __m256i clamp8(__m256i value, __m256i zero, __m256i min, __m256i max)
{
    return _mm256_min_epi32(_mm256_max_epi32(_mm256_add_epi32(value, zero), min), max);
}

#endif
