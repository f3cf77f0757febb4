/* SPDX-License-Identifier: MIT */
/* ADD, MUL and the scaling of squeeze-excite, of int8. What the fast forms leave out is left to C. */
#include "engine/kernels/arm/finish_i8.h"

struct factor { /* of every lane, and to the right */
    int32x4_t multiplier, shift;
};

static inline struct factor factor_of(struct requant r)
{
    return (struct factor){vdupq_n_s32(r.multiplier), vdupq_n_s32(r.shift)};
}

static inline __attribute__((always_inline)) int32x4_t times(int32x4_t x, const struct factor *by)
{
    return right4(x, by->multiplier, by->shift, true);
}

static inline int8x16_t load16(const int8_t *in, int i, int step)
{
    return step ? vld1q_s8(in + i) : vdupq_n_s8(in[0]);
}

/* Two registers, of which the values fit 16 bits, in one. */
static inline int16x8_t halved(int32x4_t low, int32x4_t high)
{
    return vuzp1q_s16(vreinterpretq_s16_s32(low), vreinterpretq_s16_s32(high));
}

struct output {
    struct factor factor;
    int16x8_t zero;
    int8x16_t min, max;
};

static inline __attribute__((always_inline)) int8x16_t to_int8(int32x4_t a, int32x4_t b, int32x4_t c,
                                                               int32x4_t d, const struct output *out)
{
    int16x8_t low = vaddq_s16(halved(times(a, &out->factor), times(b, &out->factor)), out->zero);
    int16x8_t high = vaddq_s16(halved(times(c, &out->factor), times(d, &out->factor)), out->zero);
    return vminq_s8(vmaxq_s8(vqmovn_high_s16(vqmovn_s16(low), high), out->min), out->max);
}

static inline struct output output_of(struct requant r, int32_t zero, int32_t min, int32_t max)
{
    return (struct output){factor_of(r), vdupq_n_s16((int16_t)zero), vdupq_n_s8((int8_t)min),
                           vdupq_n_s8((int8_t)max)};
}

/* ---- ADD: the input of the larger scale has the factor 1/2, the other one no more than that ---- */

struct term {
    struct factor factor;
    int8x16_t zero;
    bool half; /* the factor is 1/2: less of the shift by 20 */
    bool right;
};

static struct term term_of(struct requant r, int32_t zero)
{
    return (struct term){factor_of(r), vdupq_n_s8((int8_t)zero), r.multiplier == 1 << 30 && r.shift == 0,
                         r.shift < 0};
}

/* x + y/2 * 2^20, of which the shift is a product by 2^14 that adds. */
static inline __attribute__((always_inline)) int8x16_t add16(int8x16_t x, const struct term *of_x,
                                                             int8x16_t y, const struct term *of_y,
                                                             const struct output *out, const bool halves)
{
    const int16x8_t by = vdupq_n_s16(1 << 14);
    int16x8_t x0 = vsubl_s8(vget_low_s8(x), vget_low_s8(of_x->zero)), x1 = vsubl_high_s8(x, of_x->zero);
    int16x8_t y0 = vshlq_n_s16(vsubl_s8(vget_low_s8(y), vget_low_s8(of_y->zero)), 5),
              y1 = vshlq_n_s16(vsubl_high_s8(y, of_y->zero), 5);
    x0 = halves ? vshlq_n_s16(x0, 3) : vshlq_n_s16(x0, 4);
    x1 = halves ? vshlq_n_s16(x1, 3) : vshlq_n_s16(x1, 4);
    int32x4_t a = vshll_n_s16(vget_low_s16(x0), 16), b = vshll_high_n_s16(x0, 16),
              c = vshll_n_s16(vget_low_s16(x1), 16), d = vshll_high_n_s16(x1, 16);
    if (!halves) {
        a = times(a, &of_x->factor);
        b = times(b, &of_x->factor);
        c = times(c, &of_x->factor);
        d = times(d, &of_x->factor);
    }
    return to_int8(vmlal_s16(a, vget_low_s16(y0), vget_low_s16(by)), vmlal_high_s16(b, y0, by),
                   vmlal_s16(c, vget_low_s16(y1), vget_low_s16(by)), vmlal_high_s16(d, y1, by), out);
}

/* add_products(): x * 2^8 by the factors' upper 16 bits, x by the rest. Of the sums' upper 16 bits 6 are
 * behind the point. x and y in two registers become their sum in the first. */
#define PRODUCTS(x, y)                                                                                       \
    "smull v4.8h, " x ".8b, %[low_a].8b\nsmull2 v5.8h, " x ".16b, %[low_a].16b\n"                            \
    "smlal v4.8h, " y ".8b, %[low_b].8b\nsmlal2 v5.8h, " y ".16b, %[low_b].16b\n"                            \
    "shll v6.8h, " x ".8b, #8\nshll2 v7.8h, " x ".16b, #8\n"                                                 \
    "saddw v16.4s, %[plus].4s, v4.4h\nsaddw2 v17.4s, %[plus].4s, v4.8h\n"                                    \
    "saddw v18.4s, %[plus].4s, v5.4h\nsaddw2 v19.4s, %[plus].4s, v5.8h\n"                                    \
    "shll v4.8h, " y ".8b, #8\nshll2 v5.8h, " y ".16b, #8\n"                                                 \
    "smlal v16.4s, v6.4h, %[high_a].4h\nsmlal2 v17.4s, v6.8h, %[high_a].8h\n"                                \
    "smlal v18.4s, v7.4h, %[high_a].4h\nsmlal2 v19.4s, v7.8h, %[high_a].8h\n"                                \
    "smlal v16.4s, v4.4h, %[high_b].4h\nsmlal2 v17.4s, v4.8h, %[high_b].8h\n"                                \
    "smlal v18.4s, v5.4h, %[high_b].4h\nsmlal2 v19.4s, v5.8h, %[high_b].8h\n"                                \
    "uzp2 v16.8h, v16.8h, v17.8h\nuzp2 v18.8h, v18.8h, v19.8h\n"                                             \
    "sqshrn " x ".8b, v16.8h, #6\nsqshrn2 " x ".16b, v18.8h, #6\n"
_Static_assert(ADD_BITS == 16 + 6, "PRODUCTS");
#define PRODUCTS_IN                                                                                          \
    [low_a] "w"(p->low_a), [low_b] "w"(p->low_b), [high_a] "w"(p->high_a), [high_b] "w"(p->high_b),          \
        [plus] "w"(p->plus)
#define PRODUCTS_SCRATCH                                                                                     \
    "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19"

struct products {
    int8x16_t low_a, low_b;
    int16x8_t high_a, high_b;
    int32x4_t plus;
};

static inline int8x16_t products16(int8x16_t a, int8x16_t b, const struct products *p)
{
    __asm__ volatile("mov v0.16b, %[a].16b\n" PRODUCTS("v0", "%[b]") "mov %[a].16b, v0.16b\n"
                     : [a] "+w"(a)
                     : [b] "w"(b), PRODUCTS_IN
                     : PRODUCTS_SCRATCH);
    return a;
}

/* Returns how many are made. */
static int products_plain(int8_t *out, const int8_t *a, const int8_t *b, int n, const struct products *p)
{
    int blocks = n / 32;
    if (blocks)
        __asm__ volatile("1:\nld1 {v0.16b, v1.16b}, [%[x]], #32\nld1 {v2.16b, v3.16b}, [%[y]], #32\n"
                         "subs %w[blocks], %w[blocks], #1\n" PRODUCTS("v0", "v2")
                             PRODUCTS("v1", "v3") "st1 {v0.16b, v1.16b}, [%[out]], #32\nb.ne 1b\n"
                         : [x] "+&r"(a), [y] "+&r"(b), [out] "+&r"(out), [blocks] "+&r"(blocks)
                         : PRODUCTS_IN
                         : PRODUCTS_SCRATCH);
    return n / 32 * 32;
}

/* Returns how many are made. */
static int add_by_products(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                           const struct add_i8 *add)
{
    const struct add_products *by = &add->products;
    const struct products p = {vdupq_n_s8((int8_t)by->by_a), vdupq_n_s8((int8_t)by->by_b),
                               vdupq_n_s16((int16_t)((by->by_a + 128) >> 8)),
                               vdupq_n_s16((int16_t)((by->by_b + 128) >> 8)), vdupq_n_s32(by->plus)};
    const int8x16_t min = vdupq_n_s8((int8_t)add->min), max = vdupq_n_s8((int8_t)add->max);
    int i = step_a && step_b && add->min == -128 && add->max == 127 ? products_plain(out, a, b, n, &p) : 0;
    for (; i + 16 <= n; i += 16) {
        int8x16_t sum = products16(load16(a, i, step_a), load16(b, i, step_b), &p);
        vst1q_s8(out + i, vminq_s8(vmaxq_s8(sum, min), max));
    }
    return i;
}

static void add_i8(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct add_i8 *add)
{
    const struct term of_a = term_of(add->a, add->zero_a), of_b = term_of(add->b, add->zero_b);
    const struct term *x = of_b.half ? &of_a : &of_b, *y = of_b.half ? &of_b : &of_a;
    const int8_t *in_x = of_b.half ? a : b, *in_y = of_b.half ? b : a;
    const int step_x = of_b.half ? step_a : step_b, step_y = of_b.half ? step_b : step_a;
    const struct output to = output_of(add->out, add->zero_out, add->min, add->max);
    const bool fast = add->left_shift == 20 && add->sign_b == 1 && add->out.shift <= -14 && y->half &&
                      (x->half || x->right);
    int i = add->products.same ? add_by_products(out, a, step_a, b, step_b, n, add) : 0;
    for (; fast && x->half && i + 16 <= n; i += 16)
        vst1q_s8(out + i, add16(load16(in_x, i, step_x), x, load16(in_y, i, step_y), y, &to, true));
    for (; fast && i + 16 <= n; i += 16)
        vst1q_s8(out + i, add16(load16(in_x, i, step_x), x, load16(in_y, i, step_y), y, &to, false));
    add_i8_c(out + i, a + i * step_a, step_a, b + i * step_b, step_b, n - i, add);
}

/* ---- MUL ---- */

/* Products have 17 bits, so that after a shift of one or more they fit 16. */
static bool fits(const struct mul_i8 *mul)
{
    return mul->out.shift < 0;
}

static void mul_i8(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct mul_i8 *mul)
{
    const int8x16_t zero_a = vdupq_n_s8((int8_t)mul->zero_a), zero_b = vdupq_n_s8((int8_t)mul->zero_b);
    const struct output to = output_of(mul->out, mul->zero_out, mul->min, mul->max);
    int i = 0;
    for (; fits(mul) && i + 16 <= n; i += 16) {
        int8x16_t x = load16(a, i, step_a), y = load16(b, i, step_b);
        int16x8_t x0 = vsubl_s8(vget_low_s8(x), vget_low_s8(zero_a)), x1 = vsubl_high_s8(x, zero_a);
        int16x8_t y0 = vsubl_s8(vget_low_s8(y), vget_low_s8(zero_b)), y1 = vsubl_high_s8(y, zero_b);
        vst1q_s8(out + i,
                 to_int8(vmull_s16(vget_low_s16(x0), vget_low_s16(y0)), vmull_high_s16(x0, y0),
                         vmull_s16(vget_low_s16(x1), vget_low_s16(y1)), vmull_high_s16(x1, y1), &to));
    }
    mul_i8_c(out + i, a + i * step_a, step_a, b + i * step_b, step_b, n - i, mul);
}

/* 16 channels of all rows: what the products become is finish_i8.h's. */
#define SCALE_ROW(finish)                                                                                    \
    "ld1 {v0.16b}, [%[in]], %[step]\n"                                                                       \
    "ssubl v1.8h, v0.8b, %[zero].8b\nssubl2 v0.8h, v0.16b, %[zero].16b\n"                                    \
    "smull %S[x].4s, v1.4h, %[y0].4h\nsmull2 %T[x].4s, v1.8h, %[y0].8h\n"                                    \
    "smull %U[x].4s, v0.4h, %[y1].4h\nsmull2 %V[x].4s, v0.8h, %[y1].8h\n" finish STORE_16
#define SCALE(finish)                                                                                        \
    __asm__ volatile("tbz %w[rows], #0, 1f\n" SCALE_ROW(finish) "1:\ncbz %w[pairs], 3f\n2:\n" SCALE_ROW(     \
                         finish) SCALE_ROW(finish) "subs %w[pairs], %w[pairs], #1\nb.ne 2b\n3:\n"            \
                     : [x] "=&w"(x), [in] "+&r"(in), [to] "+&r"(to), [pairs] "+&r"(pairs)                    \
                     : [zero] "w"(zero_in), [y0] "w"(y0), [y1] "w"(y1), [m] "w"(m), [s] "w"(s), [z] "w"(z),  \
                       [step] "r"(step), [rows] "r"(rows)                                                    \
                     : "cc", "memory", "v0", "v1")

/* The same in 16 bits from SQRDMULH on: of products that are not below zero, of those that fit, and of those
 * that fit below zero and may saturate above it, where a shift of 7 or less leaves more than int8. */
#define HIGH_4(x, m, s) "sqrdmulh " x ", " x ", " m "\n"
#define SATURATE                                                                                             \
    "sqxtn %S[x].4h, %S[x].4s\nsqxtn2 %S[x].8h, %T[x].4s\nsqxtn %U[x].4h, %U[x].4s\n"                        \
    "sqxtn2 %U[x].8h, %V[x].4s\n"
#define CLAMP_BY(shift)                                                                                      \
    FINISH_EACH(HIGH_4)                                                                                      \
    HALVE "uqrshrn %S[x].8b, %S[x].8h, #" #shift "\nuqrshrn2 %S[x].16b, %U[x].8h, #" #shift                  \
          "\neor %S[x].16b, %S[x].16b, %[z].16b\n"
#define ROUND_BY(shift, halve)                                                                               \
    FINISH_EACH(HIGH_4)                                                                                      \
    halve "ssra %S[x].8h, %S[x].8h, #15\nssra %U[x].8h, %U[x].8h, #15\n"                                     \
          "sqadd %S[x].8h, %S[x].8h, %[z].8h\nsqadd %U[x].8h, %U[x].8h, %[z].8h\n"                           \
          "sqrshrn %S[x].8b, %S[x].8h, #" #shift "\nsqrshrn2 %S[x].16b, %U[x].8h, #" #shift "\n"

enum scaling { SCALE_ANY, SCALE_POSITIVE, SCALE_SMALL, SCALE_SATURATE };
static enum scaling scaling_of(int16x8_t y0, int16x8_t y1, const struct mul_i8 *mul, bool signed_)
{
    const int32_t x = mul->zero_a < 0 ? 127 - mul->zero_a : 128 + mul->zero_a;
    const int32_t y = vmaxvq_s16(vmaxq_s16(vabsq_s16(y0), vabsq_s16(y1)));
    if (mul->out.shift < -8 || mul->out.shift > -7)
        return SCALE_ANY;
    if (!signed_)
        return mul->zero_a == -128 && mul->zero_b == -128 ? SCALE_POSITIVE : SCALE_ANY;
    if (((int64_t)(x * y) * mul->out.multiplier >> 31) < INT16_MAX - 1)
        return SCALE_SMALL;
    return mul->zero_a <= 0 && mul->zero_b == -128 && mul->out.shift == -7 ? SCALE_SATURATE : SCALE_ANY;
}

static void scale_block(int8_t *to, const int8_t *in, const int8_t *scale, int rows, size_t step,
                        const struct mul_i8 *mul, bool signed_)
{
    const int8x16_t zero_in = vdupq_n_s8((int8_t)mul->zero_a), zero_scale = vdupq_n_s8((int8_t)mul->zero_b),
                    by = vld1q_s8(scale);
    const int16x8_t y0 = vsubl_s8(vget_low_s8(by), vget_low_s8(zero_scale)),
                    y1 = vsubl_high_s8(by, zero_scale);
    const enum scaling scaling = scaling_of(y0, y1, mul, signed_);
    const int32_t zero = scaling == SCALE_ANY ? mul->zero_out : mul->zero_out * (1 << -mul->out.shift);
    const int16x8_t z = vdupq_n_s16((int16_t)(signed_ ? zero : 0x8080));
    const struct factor f = factor_of(mul->out);
    const int32x4x4_t m = {{f.multiplier, f.multiplier, f.multiplier, f.multiplier}},
                      s = {{f.shift, f.shift, f.shift, f.shift}};
    int32x4x4_t x;
    int pairs = rows / 2;
    if (scaling == SCALE_ANY && signed_)
        SCALE(ROUND_16);
    else if (scaling == SCALE_ANY)
        SCALE(CLAMP_16);
    else if (scaling == SCALE_POSITIVE && mul->out.shift == -7)
        SCALE(CLAMP_BY(7));
    else if (scaling == SCALE_POSITIVE)
        SCALE(CLAMP_BY(8));
    else if (scaling == SCALE_SATURATE)
        SCALE(ROUND_BY(7, SATURATE));
    else if (mul->out.shift == -7)
        SCALE(ROUND_BY(7, HALVE));
    else
        SCALE(ROUND_BY(8, HALVE));
}

/* The last 16 channels may be made twice, for which out must not be in. */
static void scale_i8(int8_t *out, const int8_t *in, const int8_t *scale, int n, int rows, size_t step,
                     const struct mul_i8 *mul)
{
    bool fast = fits(mul) && mul->min == -128 && mul->max == 127 && n >= 16 && rows > 0;
    for (int i = 0; fast && i < n; i += 16) {
        int at = i + 16 <= n ? i : n - 16;
        scale_block(out + at, in + at, scale + at, rows, step, mul, mul->zero_out > -128);
    }
    if (!fast)
        scale_i8_c(out, in, scale, n, rows, step, mul);
}

void kernels_init_binary_i8_neon(struct kernels *kernels)
{
    kernels->add_i8 = add_i8;
    kernels->add_products = true;
    kernels->mul_i8 = mul_i8;
    kernels->scale_i8 = scale_i8;
}
