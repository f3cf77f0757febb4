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

/* The rounded high half of twice the product. */
static inline __m256i high_half8(__m256i value, __m256i multiplier, __m256i odd_multiplier)
{
    const __m256i half = _mm256_set1_epi64x(1 << 30);
    __m256i even = _mm256_add_epi64(_mm256_mul_epi32(value, multiplier), half);
    __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(value, 32), odd_multiplier), half);
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
}

/* requantise() of kernels.h for eight values. */
static inline __m256i requantise8(__m256i value, struct requant8 r)
{
    value = _mm256_sllv_epi32(value, r.left);
    __m256i high = high_half8(value, r.multiplier, _mm256_srli_epi64(r.multiplier, 32));
    __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(_mm256_set1_epi32(1), r.right), _mm256_set1_epi32(1));
    __m256i rest = _mm256_and_si256(high, mask);
    __m256i limit = _mm256_sub_epi32(_mm256_srli_epi32(mask, 1), _mm256_srai_epi32(high, 31));
    __m256i up = _mm256_cmpgt_epi32(rest, limit);
    return _mm256_sub_epi32(_mm256_srav_epi32(high, r.right), up);
}

/* Factors that all shift to the right, as nearly all do. */
struct right8 {
    __m256i multiplier, odd, round, shift; /* round: half a step */
    __m256i add[2], shift64[2];            /* rectified: both roundings, and both shifts, of even and odd */
};

static inline bool right8_fits(struct requant8 r)
{
    return _mm256_movemask_epi8(_mm256_cmpgt_epi32(r.right, _mm256_setzero_si256())) == -1;
}

static inline struct right8 right8_of(struct requant8 r)
{
    const __m256i one = _mm256_set1_epi32(1), low = _mm256_set1_epi64x(0xffffffff),
                  one64 = _mm256_set1_epi64x(1 << 30);
    __m256i even = _mm256_and_si256(r.right, low), odd = _mm256_srli_epi64(r.right, 32);
    return (struct right8){
        .multiplier = r.multiplier,
        .odd = _mm256_srli_epi64(r.multiplier, 32),
        .round = _mm256_sllv_epi32(one, _mm256_sub_epi32(r.right, one)),
        .shift = r.right,
        .add = {_mm256_add_epi64(one64, _mm256_sllv_epi64(one64, even)),
                _mm256_add_epi64(one64, _mm256_sllv_epi64(one64, odd))},
        .shift64 = {_mm256_add_epi64(even, _mm256_set1_epi64x(31)),
                    _mm256_sub_epi64(odd, _mm256_set1_epi64x(1))},
    };
}

static inline __m256i requantise_right8(__m256i value, const struct right8 *r)
{
    __m256i high = high_half8(value, r->multiplier, r->odd);
    __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(high, r->round), _mm256_srai_epi32(high, 31));
    return _mm256_srav_epi32(rounded, r->shift);
}

/* The same where what is below 0 is cut off afterwards: of a product that is not negative both roundings are
 * one addition and one shift. The odd ones are shifted 32 bits less, so that their answer lies in the upper
 * half. */
static inline __m256i requantise_rectified8(__m256i value, const struct right8 *r)
{
    value = _mm256_max_epi32(value, _mm256_setzero_si256());
    __m256i even = _mm256_add_epi64(_mm256_mul_epu32(value, r->multiplier), r->add[0]);
    __m256i odd = _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(value, 32), r->odd), r->add[1]);
    return _mm256_blend_epi32(_mm256_srlv_epi64(even, r->shift64[0]), _mm256_srlv_epi64(odd, r->shift64[1]),
                              0xaa);
}

static inline __m256i clamp8(__m256i value, __m256i zero, __m256i min, __m256i max)
{
    return _mm256_min_epi32(_mm256_max_epi32(_mm256_add_epi32(value, zero), min), max);
}

#endif
