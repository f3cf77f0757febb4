/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/x86/avx2.h"
#include "engine/kernels/x86/requant.h"

static inline __m256i load8(const int8_t *in, int i, int step)
{
    if (step == 0)
        return _mm256_set1_epi32(in[0]);
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(in + i)));
}

static inline void store8(int8_t *out, __m256i value)
{
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
    _mm_storel_epi64((__m128i *)out, _mm_packs_epi16(words, words));
}

static void add_i8(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct add_i8 *add)
{
    const __m256i zero_a = _mm256_set1_epi32(add->zero_a), zero_b = _mm256_set1_epi32(add->zero_b);
    const __m256i zero = _mm256_set1_epi32(add->zero_out), min = _mm256_set1_epi32(add->min);
    const __m256i max = _mm256_set1_epi32(add->max), sign = _mm256_set1_epi32(add->sign_b);
    const __m128i up = _mm_cvtsi32_si128(add->left_shift);
    const struct requant8 to_a = requant8_set(add->a), to_b = requant8_set(add->b),
                          to_out = requant8_set(add->out);
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256i x = _mm256_sll_epi32(_mm256_sub_epi32(load8(a, i, step_a), zero_a), up);
        __m256i y = _mm256_sll_epi32(_mm256_sub_epi32(load8(b, i, step_b), zero_b), up);
        y = _mm256_sign_epi32(requantise8(y, to_b), sign);
        __m256i sum = _mm256_add_epi32(requantise8(x, to_a), y);
        store8(out + i, clamp8(requantise8(sum, to_out), zero, min, max));
    }
    add_i8_c(out + i, a + i * step_a, step_a, b + i * step_b, step_b, n - i, add);
}

static void mul_i8(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct mul_i8 *mul)
{
    const __m256i zero_a = _mm256_set1_epi32(mul->zero_a), zero_b = _mm256_set1_epi32(mul->zero_b);
    const __m256i zero = _mm256_set1_epi32(mul->zero_out), min = _mm256_set1_epi32(mul->min);
    const __m256i max = _mm256_set1_epi32(mul->max);
    const struct requant8 to_out = requant8_set(mul->out);
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256i x = _mm256_sub_epi32(load8(a, i, step_a), zero_a),
                y = _mm256_sub_epi32(load8(b, i, step_b), zero_b);
        store8(out + i, clamp8(requantise8(_mm256_mullo_epi32(x, y), to_out), zero, min, max));
    }
    mul_i8_c(out + i, a + i * step_a, step_a, b + i * step_b, step_b, n - i, mul);
}

static inline __m256 relu6_of_3_more(__m256 x)
{
    __m256 y = _mm256_max_ps(_mm256_add_ps(x, _mm256_set1_ps(3)), _mm256_setzero_ps());
    return _mm256_mul_ps(_mm256_min_ps(y, _mm256_set1_ps(6)), _mm256_set1_ps(1.0f / 6));
}

static void hard_swish_f32(float *out, const float *in, int n)
{
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256 x = _mm256_loadu_ps(in + i);
        _mm256_storeu_ps(out + i, _mm256_mul_ps(x, relu6_of_3_more(x)));
    }
    hard_swish_f32_c(out + i, in + i, n - i);
}

void kernels_init_elementwise_avx2(struct kernels *kernels)
{
    kernels->add_i8 = add_i8;
    kernels->mul_i8 = mul_i8;
    kernels->hard_swish_f32 = hard_swish_f32;
}
