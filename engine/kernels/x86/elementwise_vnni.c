/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/factor16.h"
#include "engine/kernels/x86/vnni.h"

enum { WIDE = 4 * LANES };

static inline __mmask64 first64(int count)
{
    return count >= WIDE ? ~0ull : (1ull << count) - 1;
}

/* 16 values as 32-bit integers; step 0: one for all. */
static inline __m512i load16(const int8_t *in, int i, int step, int left)
{
    if (step == 0)
        return _mm512_set1_epi32(in[0]);
    return _mm512_cvtepi8_epi32(left >= LANES ? _mm_loadu_si128((const __m128i *)(in + i))
                                              : _mm_maskz_loadu_epi8(left > 0 ? first16(left) : 0, in + i));
}

/* No sum is larger than 2^29. */
static bool fits(struct requant r)
{
    return r.shift <= -1 && r.shift >= -SHIFT_MOST;
}

static struct factor16 factor_of(struct requant r, int32_t zero, bool rectified)
{
    return factor16(_mm512_set1_epi32(r.multiplier), _mm512_set1_epi32(r.shift), zero, rectified);
}

/* ---- products ---- */

struct product {
    struct factor16 factor;
    struct clamp64 clamp;
    __m512i zero_a, zero_b;
    bool rectified;
};

static struct product product_of(const struct mul_i8 *mul)
{
    bool rectified = mul->min >= mul->zero_out;
    return (struct product){factor_of(mul->out, mul->zero_out, rectified), clamp64(mul->min, mul->max),
                            _mm512_set1_epi32(mul->zero_a), _mm512_set1_epi32(mul->zero_b), rectified};
}

/* VPMADDWD multiplies the lower halves if the upper halves of one of its operands are 0. */
static inline __m512i lower_half(__m512i b, const struct product *p)
{
    return _mm512_and_si512(_mm512_sub_epi32(b, p->zero_b), _mm512_set1_epi32(0xffff));
}

static inline __m512i times(__m512i a, __m512i b, const struct product *p)
{
    __m512i v = _mm512_madd_epi16(_mm512_sub_epi32(a, p->zero_a), b);
    return p->rectified ? requantise16(v, &p->factor, true) : requantise16(v, &p->factor, false);
}

static void mul_i8(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct mul_i8 *mul)
{
    if (!fits(mul->out)) {
        mul_i8_c(out, a, step_a, b, step_b, n, mul);
        return;
    }
    const struct product p = product_of(mul);
    for (int i = 0; i < n; i += WIDE) {
        __m512i v[4];
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            int at = i + LANES * k;
            v[k] = times(load16(a, at, step_a, n - at), lower_half(load16(b, at, step_b, n - at), &p), &p);
        }
        _mm512_mask_storeu_epi8(out + i, first64(n - i), narrow64(v[0], v[1], v[2], v[3], &p.clamp));
    }
}

/* 64 channels of all rows, or the last ones: their factors stay in registers. */
static void scale_i8(int8_t *out, const int8_t *in, const int8_t *scale, int n, int rows, size_t step,
                     const struct mul_i8 *mul)
{
    if (!fits(mul->out)) {
        scale_i8_c(out, in, scale, n, rows, step, mul);
        return;
    }
    const struct product p = product_of(mul);
    for (int i = 0; i < n; i += WIDE) {
        __m512i b[4];
        for (int k = 0; k < 4; k++)
            b[k] = lower_half(load16(scale, i + LANES * k, 1, n - i - LANES * k), &p);
        for (int row = 0; row < rows; row++) {
            const int8_t *a = in + (size_t)row * step;
            __m512i v[4];
#pragma GCC unroll 4
            for (int k = 0; k < 4; k++)
                v[k] = times(load16(a, i + LANES * k, 1, n - i - LANES * k), b[k], &p);
            _mm512_mask_storeu_epi8(out + (size_t)row * step + i, first64(n - i),
                                    narrow64(v[0], v[1], v[2], v[3], &p.clamp));
        }
    }
}

/* ---- sums ---- */

struct term { /* of a sum: to the common scale */
    struct factor16 factor;
    __m512i zero;
    __m128i up;
    bool fits;
};

/* A factor of a half is exact; it is the only one without a shift to the right that is. */
static struct term term_of(struct requant r, int32_t zero, int32_t up)
{
    if (r.shift == 0 && r.multiplier == 1 << 30) {
        r.shift = -1;
        up++;
    }
    return (struct term){factor_of(r, 0, false), _mm512_set1_epi32(zero), _mm_cvtsi32_si128(up),
                         fits(r) && up <= 21};
}

static inline __m512i scaled(__m512i value, const struct term *t)
{
    return requantise16(_mm512_sll_epi32(_mm512_sub_epi32(value, t->zero), t->up), &t->factor, false);
}

static void add_i8(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct add_i8 *add)
{
    const struct term of_a = term_of(add->a, add->zero_a, add->left_shift),
                      of_b = term_of(add->b, add->zero_b, add->left_shift);
    if (!of_a.fits || !of_b.fits || !fits(add->out)) {
        add_i8_c(out, a, step_a, b, step_b, n, add);
        return;
    }
    const struct factor16 f = factor_of(add->out, add->zero_out, false);
    const struct clamp64 clamp = clamp64(add->min, add->max);
    const __m512i sign = _mm512_set1_epi32(add->sign_b >> 31);
    for (int i = 0; i < n; i += WIDE) {
        __m512i v[4];
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            int at = i + LANES * k;
            __m512i y = scaled(load16(b, at, step_b, n - at), &of_b);
            y = _mm512_sub_epi32(_mm512_xor_si512(y, sign), sign);
            __m512i sum = _mm512_add_epi32(scaled(load16(a, at, step_a, n - at), &of_a), y);
            v[k] = requantise16(sum, &f, false);
        }
        _mm512_mask_storeu_epi8(out + i, first64(n - i), narrow64(v[0], v[1], v[2], v[3], &clamp));
    }
}

/* ---- tables ---- */

static void lookup_i8(int8_t *out, const int8_t *in, int n, const int8_t table[256])
{
    const __m512i low = _mm512_loadu_si512(table), low2 = _mm512_loadu_si512(table + 64),
                  high = _mm512_loadu_si512(table + 128), high2 = _mm512_loadu_si512(table + 192);
    for (int i = 0; i < n; i += WIDE) {
        const __mmask64 inside = first64(n - i);
        const __m512i index = _mm512_maskz_loadu_epi8(inside, in + i);
        __m512i value =
            _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), _mm512_permutex2var_epi8(low, index, low2),
                                   _mm512_permutex2var_epi8(high, index, high2));
        _mm512_mask_storeu_epi8(out + i, inside, value);
    }
}

void kernels_init_elementwise_vnni(struct kernels *kernels)
{
    kernels->add_i8 = add_i8;
    kernels->mul_i8 = mul_i8;
    kernels->scale_i8 = scale_i8;
    kernels->lookup_i8 = lookup_i8;
}
