/* SPDX-License-Identifier: MIT */
/* From the sums of 16 channels to their int8 outputs. */
#ifndef PIPIT_ENGINE_KERNELS_X86_OUTPUT_I8_H
#define PIPIT_ENGINE_KERNELS_X86_OUTPUT_I8_H

#include "engine/kernels/x86/requant.h"

enum { CHANNELS_I8 = 16 };

struct head_i8 { /* as lane_i8() orders them */
    int32_t bias[CHANNELS_I8], multiplier[CHANNELS_I8], left[CHANNELS_I8], right[CHANNELS_I8];
};

/* Channels 0-3, 8-11, 4-7, 12-15: VPUNPCK makes them so of two rows, and VPACKSSDW undoes it. */
static inline int lane_i8(int channel)
{
    return (channel & ~12) | (channel & 8) >> 1 | (channel & 4) << 1;
}

/* Channels that are not there shift to the right, as nearly all do. */
static inline void head_i8_clear(struct head_i8 *head)
{
    for (int i = 0; i < CHANNELS_I8; i++) {
        head->bias[i] = head->multiplier[i] = head->left[i] = 0;
        head->right[i] = 1;
    }
}

static inline void head_i8_set(struct head_i8 *head, int lane, int32_t bias, struct requant r)
{
    head->bias[lane] = bias;
    head->multiplier[lane] = r.multiplier;
    head->left[lane] = r.shift > 0 ? r.shift : 0;
    head->right[lane] = r.shift > 0 ? 0 : -r.shift;
}

struct output_i8 {
    struct requant8 any[2];
    enum { ANY, RIGHT, RECTIFIED } rounding;
    struct right8 right[2];
    __m256i zero, min, max; /* int16, int8, int8 */
};

static inline struct requant8 half_of_head(const struct head_i8 *head, int half)
{
    return requant8_load(head->multiplier + 8 * half, head->left + 8 * half, head->right + 8 * half);
}

static inline void output_i8_set(struct output_i8 *out, struct requant8 low, struct requant8 high,
                                 int32_t zero, int32_t min, int32_t max)
{
    out->any[0] = low;
    out->any[1] = high;
    out->right[0] = right8_of(low);
    out->right[1] = right8_of(high);
    out->rounding = !right8_fits(low) || !right8_fits(high) ? ANY : min >= zero ? RECTIFIED : RIGHT;
    out->zero = _mm256_set1_epi16((int16_t)zero);
    out->min = _mm256_set1_epi8((int8_t)min);
    out->max = _mm256_set1_epi8((int8_t)max);
}

/* Factors of which some shift to the left: clamped before they are narrowed, as sums with the zero point may
 * wrap. */
static inline __m256i requantise_any8(const struct output_i8 *out, __m256i value, int half)
{
    __m256i zero = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(out->zero));
    __m256i min = _mm256_cvtepi8_epi32(_mm256_castsi256_si128(out->min));
    __m256i max = _mm256_cvtepi8_epi32(_mm256_castsi256_si128(out->max));
    return _mm256_sub_epi32(clamp8(requantise8(value, out->any[half]), zero, min, max), zero);
}

/* Two pixels' words of 16 channels to bytes, the first one's in the lower half. */
static inline __attribute__((always_inline)) __m256i narrow_i8(const struct output_i8 *out, __m256i words0,
                                                               __m256i words1)
{
    __m256i bytes =
        _mm256_packs_epi16(_mm256_adds_epi16(words0, out->zero), _mm256_adds_epi16(words1, out->zero));
    bytes = _mm256_min_epi8(_mm256_max_epi8(bytes, out->min), out->max);
    return _mm256_permute4x64_epi64(bytes, 0xd8);
}

/* Sums of 16 channels to words, before the zero point. */
static inline __attribute__((always_inline)) __m256i words_i8(const struct output_i8 *out, __m256i low,
                                                              __m256i high)
{
    if (out->rounding == RECTIFIED)
        return _mm256_packs_epi32(requantise_rectified8(low, &out->right[0]),
                                  requantise_rectified8(high, &out->right[1]));
    if (out->rounding == RIGHT)
        return _mm256_packs_epi32(requantise_right8(low, &out->right[0]),
                                  requantise_right8(high, &out->right[1]));
    return _mm256_packs_epi32(requantise_any8(out, low, 0), requantise_any8(out, high, 1));
}

#endif
