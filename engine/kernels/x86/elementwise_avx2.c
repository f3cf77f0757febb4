/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/x86/activate.h"
#include "engine/kernels/x86/avx2.h"
#include "engine/kernels/x86/output_i8.h"

#include <math.h>
#include <string.h>

/* ---- int8 ---- */

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

static inline __m256i load16(const int8_t *in, int i, int step)
{
    if (step == 0)
        return _mm256_set1_epi16(in[0]);
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(in + i)));
}

static void mul_i8(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct mul_i8 *mul)
{
    const __m256i zero_a = _mm256_set1_epi16((int16_t)mul->zero_a),
                  zero_b = _mm256_set1_epi16((int16_t)mul->zero_b);
    struct output_i8 to;
    output_i8_set(&to, requant8_set(mul->out), requant8_set(mul->out), mul->zero_out, mul->min, mul->max);
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        __m256i x = _mm256_sub_epi16(load16(a, i, step_a), zero_a),
                y = _mm256_sub_epi16(load16(b, i, step_b), zero_b);
        __m256i low = _mm256_mullo_epi16(x, y), high = _mm256_mulhi_epi16(x, y);
        __m256i words = words_i8(&to, _mm256_unpacklo_epi16(low, high), _mm256_unpackhi_epi16(low, high));
        _mm_storeu_si128((__m128i *)(out + i), _mm256_castsi256_si128(narrow_i8(&to, words, words)));
    }
    mul_i8_c(out + i, a + i * step_a, step_a, b + i * step_b, step_b, n - i, mul);
}

static void scale_i8(int8_t *out, const int8_t *in, const int8_t *scale, int n, int rows, size_t step,
                     const struct mul_i8 *mul)
{
    for (int row = 0; row < rows; row++, in += step, out += step)
        mul_i8(out, in, 1, scale, 1, n, mul);
}

/* Half a table of 16 rows, for indices 0 to 127. VPSHUFB gives 0 for indices below 0, so that what row r
 * differs from the row above it is added (XOR) to all indices from 16 r on. */
static inline __attribute__((always_inline)) void look_up(const __m256i row[8], __m256i index[2],
                                                          __m256i value[2])
{
    const __m256i sixteen = _mm256_set1_epi8(16);
#pragma GCC unroll 8
    for (int r = 0; r < 8; r++)
#pragma GCC unroll 2
        for (int i = 0; i < 2; i++) {
            value[i] = _mm256_xor_si256(value[i], _mm256_shuffle_epi8(row[r], index[i]));
            index[i] = _mm256_subs_epi8(index[i], sixteen);
        }
}

static void lookup_i8(int8_t *out, const int8_t *in, int n, const int8_t table[256])
{
    const __m256i top = _mm256_set1_epi8(-128);
    __m256i row[16];
    int i = 0;
    for (int r = 0; r < 16; r++) {
        __m128i own = _mm_loadu_si128((const __m128i *)(table + 16 * r));
        __m128i above =
            r % 8 ? _mm_loadu_si128((const __m128i *)(table + 16 * (r - 1))) : _mm_setzero_si128();
        row[r] = _mm256_broadcastsi128_si256(_mm_xor_si128(own, above));
    }
    for (; i + 64 <= n; i += 64) {
        __m256i low[2] = {_mm256_loadu_si256((const __m256i *)(in + i)),
                          _mm256_loadu_si256((const __m256i *)(in + i + 32))};
        __m256i high[2] = {_mm256_xor_si256(low[0], top), _mm256_xor_si256(low[1], top)};
        __m256i value[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
        look_up(row, low, value);
        look_up(row + 8, high, value);
        _mm256_storeu_si256((__m256i *)(out + i), value[0]);
        _mm256_storeu_si256((__m256i *)(out + i + 32), value[1]);
    }
    for (; i < n; i++)
        out[i] = table[(uint8_t)in[i]];
}

/* Sums of up to 256 rows fit 16 bits. */
static void accumulate_i8(int32_t *sum, const int8_t *in, int n, int rows, size_t step)
{
    int i = 0;
    for (; i + 16 <= n; i += 16)
        for (int row = 0; row < rows;) {
            __m256i words = _mm256_setzero_si256(), *to = (__m256i *)(void *)(sum + i);
            for (int end = row + 256 < rows ? row + 256 : rows; row < end; row++)
                words = _mm256_add_epi16(words, load16(in + (size_t)row * step, i, 1));
            __m256i low = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(words));
            __m256i high = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(words, 1));
            _mm256_storeu_si256(to, _mm256_add_epi32(_mm256_loadu_si256(to), low));
            _mm256_storeu_si256(to + 1, _mm256_add_epi32(_mm256_loadu_si256(to + 1), high));
        }
    accumulate_i8_c(sum + i, in + i, n - i, rows, step);
}

/* ---- float ---- */

static inline __m256 load_f32(const float *in, int i, int step, int left)
{
    float rest[8] = {0};
    if (step == 0)
        return _mm256_broadcast_ss(in);
    if (left >= 8)
        return _mm256_loadu_ps(in + i);
    return _mm256_loadu_ps(memcpy(rest, in + i, (size_t)left * sizeof(float)));
}

static inline void store_f32(float *out, __m256 value, int left)
{
    float rest[8];
    _mm256_storeu_ps(left >= 8 ? out : rest, value);
    if (left < 8)
        memcpy(out, rest, (size_t)left * sizeof(float));
}

#define BINARY_F32(name)                                                                                     \
    static void name##_f32(float *out, const float *a, int step_a, const float *b, int step_b, int n,        \
                           float min, float max)                                                             \
    {                                                                                                        \
        const __m256 low = _mm256_set1_ps(min), high = _mm256_set1_ps(max);                                  \
        int i = 0;                                                                                           \
        for (; step_a && step_b && i + 8 <= n; i += 8) {                                                     \
            __m256 x = _mm256_loadu_ps(a + i), y = _mm256_loadu_ps(b + i);                                   \
            _mm256_storeu_ps(out + i, clamp_f32x8(_mm256_##name##_ps(x, y), low, high));                     \
        }                                                                                                    \
        for (; i < n; i += 8) {                                                                              \
            __m256 x = load_f32(a, i, step_a, n - i), y = load_f32(b, i, step_b, n - i);                     \
            store_f32(out + i, clamp_f32x8(_mm256_##name##_ps(x, y), low, high), n - i);                     \
        }                                                                                                    \
    }
BINARY_F32(add)
BINARY_F32(sub)
BINARY_F32(mul)
BINARY_F32(div)
BINARY_F32(max)
BINARY_F32(min)

static void scale_f32(float *out, const float *in, const float *scale, int n, int rows, size_t step)
{
    for (int row = 0; row < rows; row++, in += step, out += step)
        mul_f32(out, in, 1, scale, 1, n, -INFINITY, INFINITY);
}

static void clamp_f32(float *out, const float *in, int n, float min, float max)
{
    const __m256 low = _mm256_set1_ps(min), high = _mm256_set1_ps(max);
    for (int i = 0; i < n; i += 8)
        store_f32(out + i, clamp_f32x8(load_f32(in, i, 1, n - i), low, high), n - i);
}

static void hard_swish_f32(float *out, const float *in, int n)
{
    for (int i = 0; i < n; i += 8)
        store_f32(out + i, hard_swish8(load_f32(in, i, 1, n - i)), n - i);
}

static void hard_sigmoid_f32(float *out, const float *in, int n)
{
    for (int i = 0; i < n; i += 8)
        store_f32(out + i, hard_sigmoid8(load_f32(in, i, 1, n - i)), n - i);
}

static void accumulate_f32(float *sum, const float *in, int n, int rows, size_t step)
{
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        __m256 low = _mm256_loadu_ps(sum + i), high = _mm256_loadu_ps(sum + i + 8);
        const float *from = in + i;
        for (int row = 0; row < rows; row++, from += step) {
            low = _mm256_add_ps(low, _mm256_loadu_ps(from));
            high = _mm256_add_ps(high, _mm256_loadu_ps(from + 8));
        }
        _mm256_storeu_ps(sum + i, low);
        _mm256_storeu_ps(sum + i + 8, high);
    }
    accumulate_f32_c(sum + i, in + i, n - i, rows, step);
}

void kernels_init_elementwise_avx2(struct kernels *kernels)
{
    kernels->binary_f32[BINARY_ADD] = add_f32;
    kernels->binary_f32[BINARY_SUB] = sub_f32;
    kernels->binary_f32[BINARY_MUL] = mul_f32;
    kernels->binary_f32[BINARY_DIV] = div_f32;
    kernels->binary_f32[BINARY_MAX] = max_f32;
    kernels->binary_f32[BINARY_MIN] = min_f32;
    kernels->add_i8 = add_i8;
    kernels->mul_i8 = mul_i8;
    kernels->scale_i8 = scale_i8;
    kernels->scale_f32 = scale_f32;
    kernels->lookup_i8 = lookup_i8;
    kernels->clamp_f32 = clamp_f32;
    kernels->hard_swish_f32 = hard_swish_f32;
    kernels->hard_sigmoid_f32 = hard_sigmoid_f32;
    kernels->accumulate_f32 = accumulate_f32;
    kernels->accumulate_i8 = accumulate_i8;
}
