/* SPDX-License-Identifier: MIT */
/* From 32-bit sums of 16 channels to their int8 outputs, with AVX-512. */
#ifndef PIPIT_ENGINE_KERNELS_X86_FACTOR16_H
#define PIPIT_ENGINE_KERNELS_X86_FACTOR16_H

#include "engine/kernels/c.h"

#include <immintrin.h>

enum { LANES = 16 };

/* What 16 packed channels start with. */
struct head16 {
    int32_t bias[LANES];
    union {
        struct {
            int32_t multiplier[LANES], shift[LANES];
        };
        struct {
            float slope[LANES], rest[LANES], offset[LANES];
        };
    };
    int32_t zero;   /* to be subtracted from the weights that follow */
    int32_t scalar; /* a channel's shift, or the size of its sums, is nothing for vectors */
    int32_t line;   /* there is a slope, and no multiplier */
    int32_t unused[13];
};

enum { SHIFT_MOST = 23, SUM_MOST = 1 << 29 }; /* with both, factor16()'s sums are below 2^63 */

/* Channels that are not there shift to the right by 1 bit. */
static inline void head16_clear(struct head16 *head)
{
    *head = (struct head16){0};
    for (int i = 0; i < LANES; i++)
        head->shift[i] = -1;
}

/* most: no sum of the channel is larger, or smaller than its negative. A channel whose sums are all rounded
 * to 0, as dead ones have them, gets a factor of 0. */
static inline void head16_set(struct head16 *head, int lane, int64_t bias, int64_t most, struct requant r)
{
    if (r.multiplier == 0 || (r.shift < -SHIFT_MOST && most < 1ll << (-r.shift - 1)))
        r = (struct requant){0, -1};
    head->bias[lane] = (int32_t)bias;
    head->multiplier[lane] = r.multiplier;
    head->shift[lane] = r.shift;
    if (r.shift > -1 || r.shift < -SHIFT_MOST || most > SUM_MOST)
        head->scalar = 1;
}

/* Both roundings of requantise() and the zero point as one addition and one shift. For a sum v that is not
 * negative, and s bits to the right, they are
 *     (v * multiplier + 2^30 + 2^(30 + s) + zero * 2^(31 + s)) >> (31 + s).
 * Where v is below 0 the reference has 2^31 less in the brackets; a clamp at the zero point or above hides
 * that (rectified). Else all is doubled, so that this 2^31 becomes 1 in the upper half of a product. */
struct factor16 {
    __m512i multiplier, odd; /* odd: of the odd lanes, in even places */
    __m512i add[2];          /* to the products of even and odd lanes */
    __m512i shift;           /* of upper halves of products */
};

static inline struct factor16 factor16(__m512i multiplier, __m512i shift, int32_t zero, bool rectified)
{
    const __m512i one = _mm512_set1_epi64(1), low = _mm512_set1_epi64(0xffffffff);
    const __m512i right = _mm512_sub_epi32(_mm512_setzero_si512(), shift);
    const __m512i by[2] = {_mm512_and_si512(right, low), _mm512_srli_epi64(right, 32)};
    struct factor16 f = {.multiplier = multiplier, .odd = _mm512_srli_epi64(multiplier, 32)};
    f.shift = rectified ? _mm512_sub_epi32(right, _mm512_set1_epi32(1)) : right;
    for (int i = 0; i < 2; i++) {
        __m512i half = _mm512_sllv_epi64(_mm512_set1_epi64(2 * zero + 1), by[i]);
        f.add[i] = _mm512_slli_epi64(_mm512_add_epi64(half, one), rectified ? 30 : 31);
    }
    return f;
}

static inline __attribute__((always_inline)) __m512i upper_halves(__m512i v, const struct factor16 *f)
{
    __m512i even = _mm512_add_epi64(_mm512_mul_epi32(v, f->multiplier), f->add[0]);
    __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(v, 32), f->odd), f->add[1]);
    return _mm512_mask_shuffle_epi32(odd, 0x5555, even, (_MM_PERM_ENUM)0xf5);
}

/* With the zero point, not clamped. */
static inline __attribute__((always_inline)) __m512i requantise16(__m512i v, const struct factor16 *f,
                                                                  const bool rectified)
{
    if (rectified)
        return _mm512_srav_epi32(upper_halves(v, f), f->shift);
    __m512i upper = upper_halves(_mm512_add_epi32(v, v), f);
    return _mm512_srav_epi32(_mm512_add_epi32(upper, _mm512_srai_epi32(v, 31)), f->shift);
}

struct clamp64 {
    __m512i min, max; /* int8 */
};

static inline struct clamp64 clamp64(int32_t min, int32_t max)
{
    return (struct clamp64){_mm512_set1_epi8((char)min), _mm512_set1_epi8((char)max)};
}

/* Four times 16 lanes to as many bytes, saturated, but not in their order. */
static inline __attribute__((always_inline)) __m512i pack64(__m512i a, __m512i b, __m512i c, __m512i d)
{
    return _mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
}

static inline __attribute__((always_inline)) __m512i order64(__m512i packed)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, packed);
}

/* In their order, and clamped. */
static inline __attribute__((always_inline)) __m512i narrow64(__m512i a, __m512i b, __m512i c, __m512i d,
                                                              const struct clamp64 *to)
{
    return order64(_mm512_min_epi8(_mm512_max_epi8(pack64(a, b, c, d), to->min), to->max));
}

static inline __mmask16 first16(int count)
{
    return (__mmask16)(count >= LANES ? 0xffff : (1 << count) - 1);
}

/* The first `count` bytes. */
static inline __attribute__((always_inline)) void store_bytes(int8_t *out, __m128i bytes, int count)
{
    if (count >= LANES)
        _mm_storeu_si128((__m128i *)out, bytes);
    else if (count == LANES / 2)
        _mm_storel_epi64((__m128i *)out, bytes);
    else
        _mm_mask_storeu_epi8(out, first16(count), bytes);
}

/* The reference for heads with `scalar`. */
static inline void finish_scalar16(const struct head16 *head, const int32_t *sum, int count, int32_t zero,
                                   int32_t min, int32_t max, int8_t *out)
{
    for (int i = 0; i < count; i++) {
        struct requant r = {head->multiplier[i], head->shift[i]};
        out[i] = (int8_t)clamp_i32(requantise_to((uint32_t)sum[i], r, zero), min, max);
    }
}

#endif
