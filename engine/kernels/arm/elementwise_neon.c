/* SPDX-License-Identifier: MIT */
#include "engine/kernels/arm/requant.h"

/* ---- ADD, SUB and MUL of int8 ---- */

static inline void fill16(int32_t *to, int32_t value)
{
    const int32x4_t v = vdupq_n_s32(value);
    vst1q_s32_x4(to, (int32x4x4_t){{v, v, v, v}});
}

static inline struct head_i8 head_of(struct requant r)
{
    struct head_i8 head;
    fill16(head.multiplier, r.multiplier);
    fill16(head.shift, r.shift);
    return head;
}

static inline int8x16_t load16(const int8_t *in, int i, int step)
{
    return step ? vld1q_s8(in + i) : vdupq_n_s8(in[0]);
}

static inline __attribute__((always_inline)) int8x16_t finish(int32x4x4_t x, const struct head_i8 *head,
                                                              const struct output_i8 *out)
{
    return finish16(x, head, out);
}

/* An input of ADD, shifted up by 16 bits and `up`, and scaled by a factor of at most a half. */
struct term {
    struct head_i8 head;
    int8x16_t zero;
    int16x8_t up;
    bool half, right; /* the factor is 1/2: a bit less of shift; a shift to the right */
};

static struct term term_of(struct requant r, int32_t zero, int32_t left_shift)
{
    struct term term = {.head = head_of(r), .zero = vdupq_n_s8((int8_t)zero), .right = r.shift < 0};
    term.half = r.multiplier == 1 << 30 && r.shift == 0;
    term.up = vdupq_n_s16((int16_t)(left_shift - 16 - term.half));
    return term;
}

static inline __attribute__((always_inline)) int32x4x4_t scaled(int8x16_t x, const struct term *term)
{
    int16x8_t low = vshlq_s16(vsubl_s8(vget_low_s8(x), vget_low_s8(term->zero)), term->up);
    int16x8_t high = vshlq_s16(vsubl_high_s8(x, term->zero), term->up);
    int32x4x4_t y = {{vshll_n_s16(vget_low_s16(low), 16), vshll_high_n_s16(low, 16),
                      vshll_n_s16(vget_low_s16(high), 16), vshll_high_n_s16(high, 16)}};
    if (term->half)
        return y;
    const int32x4_t multiplier = vld1q_s32(term->head.multiplier), shift = vld1q_s32(term->head.shift);
    for (int q = 0; q < 4; q++)
        y.val[q] = term->right
                       ? right4(y.val[q], multiplier, shift, true)
                       : requantise4(y.val[q], requant4_load(term->head.multiplier, term->head.shift));
    return y;
}

static void add_i8(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct add_i8 *add)
{
    const struct term of_a = term_of(add->a, add->zero_a, add->left_shift);
    const struct term of_b = term_of(add->b, add->zero_b, add->left_shift);
    const struct head_i8 head = head_of(add->out);
    const struct output_i8 to = output_i8(&head, add->zero_out, add->min, add->max, 16, 16);
    bool fits = add->left_shift >= 17 && add->left_shift <= 22; /* 9 bits and the shift in 16 */
    int i = 0;
    for (; fits && i + 16 <= n; i += 16) {
        int32x4x4_t x = scaled(load16(a, i, step_a), &of_a), y = scaled(load16(b, i, step_b), &of_b);
        for (int q = 0; q < 4; q++)
            x.val[q] = add->sign_b > 0 ? vaddq_s32(x.val[q], y.val[q]) : vsubq_s32(x.val[q], y.val[q]);
        vst1q_s8(out + i, finish(x, &head, &to));
    }
    add_i8_c(out + i, a + i * step_a, step_a, b + i * step_b, step_b, n - i, add);
}

static void mul_i8(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct mul_i8 *mul)
{
    const int8x16_t zero_a = vdupq_n_s8((int8_t)mul->zero_a), zero_b = vdupq_n_s8((int8_t)mul->zero_b);
    const struct head_i8 head = head_of(mul->out);
    const struct output_i8 to = output_i8(&head, mul->zero_out, mul->min, mul->max, 16, 16);
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        int8x16_t x = load16(a, i, step_a), y = load16(b, i, step_b);
        int16x8_t x0 = vsubl_s8(vget_low_s8(x), vget_low_s8(zero_a)), x1 = vsubl_high_s8(x, zero_a);
        int16x8_t y0 = vsubl_s8(vget_low_s8(y), vget_low_s8(zero_b)), y1 = vsubl_high_s8(y, zero_b);
        int32x4x4_t z = {{vmull_s16(vget_low_s16(x0), vget_low_s16(y0)), vmull_high_s16(x0, y0),
                          vmull_s16(vget_low_s16(x1), vget_low_s16(y1)), vmull_high_s16(x1, y1)}};
        vst1q_s8(out + i, finish(z, &head, &to));
    }
    mul_i8_c(out + i, a + i * step_a, step_a, b + i * step_b, step_b, n - i, mul);
}

/* Four tables of 64: TBL gives 0 and TBX leaves alone what lies outside its own. */
static void lookup_i8(int8_t *out, const int8_t *in, int n, const int8_t table[256])
{
    const uint8_t *t = (const uint8_t *)table;
    const uint8x16x4_t t0 = vld1q_u8_x4(t), t1 = vld1q_u8_x4(t + 64), t2 = vld1q_u8_x4(t + 128),
                       t3 = vld1q_u8_x4(t + 192);
    const uint8x16_t step = vdupq_n_u8(64);
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        uint8x16_t at = vreinterpretq_u8_s8(vld1q_s8(in + i)), value = vqtbl4q_u8(t0, at);
        at = vsubq_u8(at, step);
        value = vqtbx4q_u8(value, t1, at);
        at = vsubq_u8(at, step);
        value = vqtbx4q_u8(value, t2, at);
        at = vsubq_u8(at, step);
        value = vqtbx4q_u8(value, t3, at);
        vst1q_s8(out + i, vreinterpretq_s8_u8(value));
    }
    for (; i < n; i++)
        out[i] = table[(uint8_t)in[i]];
}

static void hard_swish_f32(float *out, const float *in, int n)
{
    int i = 0;
    for (; i + 4 <= n; i += 4)
        vst1q_f32(out + i, hard_swish4(vld1q_f32(in + i)));
    hard_swish_f32_c(out + i, in + i, n - i);
}

/* ---- sums and products of rows ---- */

static void accumulate_f32(float *sum, const float *in, int n, int rows, size_t step)
{
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        float32x4x4_t all = vld1q_f32_x4(sum + i);
        const float *from = in + i;
        for (int row = 0; row < rows; row++, from += step)
            for (int q = 0; q < 4; q++)
                all.val[q] = vaddq_f32(all.val[q], vld1q_f32(from + 4 * q));
        vst1q_f32_x4(sum + i, all);
    }
    accumulate_f32_c(sum + i, in + i, n - i, rows, step);
}

/* Up to 256 values fit 16 bits. */
static void accumulate_i8(int32_t *sum, const int8_t *in, int n, int rows, size_t step)
{
    int i = 0;
    for (; i + 16 <= n; i += 16)
        for (int row = 0, end; row < rows; row = end) {
            int16x8_t low = vdupq_n_s16(0), high = low;
            for (end = rows - row < 256 ? rows : row + 256; row < end; row++) {
                int8x16_t v = vld1q_s8(in + i + (size_t)row * step);
                low = vaddw_s8(low, vget_low_s8(v));
                high = vaddw_high_s8(high, v);
            }
            vst1q_s32(sum + i, vaddw_s16(vld1q_s32(sum + i), vget_low_s16(low)));
            vst1q_s32(sum + i + 4, vaddw_high_s16(vld1q_s32(sum + i + 4), low));
            vst1q_s32(sum + i + 8, vaddw_s16(vld1q_s32(sum + i + 8), vget_low_s16(high)));
            vst1q_s32(sum + i + 12, vaddw_high_s16(vld1q_s32(sum + i + 12), high));
        }
    accumulate_i8_c(sum + i, in + i, n - i, rows, step);
}

#define BINARY_F32(name, function, operator)                                                                 \
    static void name(float *out, const float *a, int step_a, const float *b, int step_b, int n, float min,   \
                     float max)                                                                              \
    {                                                                                                        \
        const float32x4_t low = vdupq_n_f32(min), high = vdupq_n_f32(max);                                   \
        int i = 0;                                                                                           \
        for (; step_a && step_b && i + 8 <= n; i += 8) {                                                     \
            float32x4x2_t x = vld1q_f32_x2(a + i), y = vld1q_f32_x2(b + i);                                  \
            vst1q_f32(out + i, vminq_f32(vmaxq_f32(function(x.val[0], y.val[0]), low), high));               \
            vst1q_f32(out + i + 4, vminq_f32(vmaxq_f32(function(x.val[1], y.val[1]), low), high));           \
        }                                                                                                    \
        for (; i < n; i++)                                                                                   \
            out[i] = activate_f32(a[i * step_a] operator b[i * step_b], min, max, false);                    \
    }
BINARY_F32(add_f32, vaddq_f32, +)
BINARY_F32(mul_f32, vmulq_f32, *)

void kernels_init_elementwise_neon(struct kernels *kernels)
{
    kernels->add_i8 = add_i8;
    kernels->mul_i8 = mul_i8;
    kernels->lookup_i8 = lookup_i8;
    kernels->hard_swish_f32 = hard_swish_f32;
    kernels->accumulate_f32 = accumulate_f32;
    kernels->accumulate_i8 = accumulate_i8;
    kernels->binary_f32[BINARY_ADD] = add_f32;
    kernels->binary_f32[BINARY_MUL] = mul_f32;
}
