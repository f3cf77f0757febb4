/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/arm/fp16.h"

/* `each` of 8 elements, two at a time, then `rest` elements by the C reference. */
#define EIGHT_BY_EIGHT(each, rest)                                                                           \
    const float16_t *from = (const float16_t *)in;                                                           \
    float16_t *to = (float16_t *)out;                                                                        \
    int i = 0;                                                                                               \
    for (; i + 16 <= n; i += 16) {                                                                           \
        float16x8x2_t x = vld1q_f16_x2(from + i);                                                            \
        vst1q_f16(to + i, each(x.val[0]));                                                                   \
        vst1q_f16(to + i + 8, each(x.val[1]));                                                               \
    }                                                                                                        \
    for (; i + 8 <= n; i += 8)                                                                               \
        vst1q_f16(to + i, each(vld1q_f16(from + i)));                                                        \
    rest

static inline float16x8_t hard_sigmoid8(float16x8_t x)
{
    float16x8_t y = vfmaq_f16(vdupq_n_f16((float16_t)0.5f), x, vdupq_n_f16((float16_t)(1.0f / 6)));
    return vminq_f16(vmaxq_f16(y, vdupq_n_f16(0)), vdupq_n_f16(1));
}

static inline float16x8_t hard_swish8(float16x8_t x)
{
    return vmulq_f16(x, hard_sigmoid8(x));
}

static void hard_swish_f16(uint16_t *out, const uint16_t *in, int n)
{
    EIGHT_BY_EIGHT(hard_swish8, hard_swish_f16_c(out + i, in + i, n - i);)
}

static void hard_sigmoid_f16(uint16_t *out, const uint16_t *in, int n)
{
    EIGHT_BY_EIGHT(hard_sigmoid8, hard_sigmoid_f16_c(out + i, in + i, n - i);)
}

static void clamp_f16(uint16_t *out, const uint16_t *in, int n, float min, float max)
{
    const float16x8_t low = vdupq_n_f16((float16_t)min), high = vdupq_n_f16((float16_t)max);
#define CLAMP(x) vminq_f16(vmaxq_f16(x, low), high)
    EIGHT_BY_EIGHT(CLAMP, clamp_f16_c(out + i, in + i, n - i, min, max);)
}

#define BINARY_F16(name, function)                                                                           \
    static void name(uint16_t *out, const uint16_t *a, int step_a, const uint16_t *b, int step_b, int n,     \
                     float min, float max)                                                                   \
    {                                                                                                        \
        const float16x8_t low = vdupq_n_f16((float16_t)min), high = vdupq_n_f16((float16_t)max);             \
        const float16_t *x = (const float16_t *)a, *y = (const float16_t *)b;                                \
        float16_t *to = (float16_t *)out;                                                                    \
        int i = 0;                                                                                           \
        for (; step_a && step_b && i + 16 <= n; i += 16) {                                                   \
            float16x8x2_t p = vld1q_f16_x2(x + i), q = vld1q_f16_x2(y + i);                                  \
            vst1q_f16(to + i, vminq_f16(vmaxq_f16(function(p.val[0], q.val[0]), low), high));                \
            vst1q_f16(to + i + 8, vminq_f16(vmaxq_f16(function(p.val[1], q.val[1]), low), high));            \
        }                                                                                                    \
        for (; i + 8 <= n; i += 8) {                                                                         \
            float16x8_t p = step_a ? vld1q_f16(x + i) : vdupq_n_f16(*x);                                     \
            float16x8_t q = step_b ? vld1q_f16(y + i) : vdupq_n_f16(*y);                                     \
            vst1q_f16(to + i, vminq_f16(vmaxq_f16(function(p, q), low), high));                              \
        }                                                                                                    \
        for (; i < n; i++) {                                                                                 \
            float16x8_t z = function(vdupq_n_f16(x[i * step_a]), vdupq_n_f16(y[i * step_b]));                \
            to[i] = vgetq_lane_f16(vminq_f16(vmaxq_f16(z, low), high), 0);                                   \
        }                                                                                                    \
    }
BINARY_F16(add_f16, vaddq_f16)
BINARY_F16(sub_f16, vsubq_f16)
BINARY_F16(mul_f16, vmulq_f16)
BINARY_F16(max_f16, vmaxq_f16)
BINARY_F16(min_f16, vminq_f16)

/* ---- rows ---- */

/* Four registers of each row by the same four. */
static void scale_32(float16_t *out, const float16_t *in, float16x8x4_t s, int rows, size_t step)
{
    const size_t bytes = step * sizeof(*in);
    for (; rows > 0; rows--)
        __asm__ volatile("ld1 {v0.8h-v3.8h}, [%[in]], %[bytes]\n"
                         "fmul v0.8h, v0.8h, %S[s].8h\nfmul v1.8h, v1.8h, %T[s].8h\n"
                         "fmul v2.8h, v2.8h, %U[s].8h\nfmul v3.8h, v3.8h, %V[s].8h\n"
                         "st1 {v0.8h-v3.8h}, [%[out]], %[bytes]\n"
                         : [in] "+r"(in), [out] "+r"(out)
                         : [s] "w"(s), [bytes] "r"(bytes)
                         : "memory", "v0", "v1", "v2", "v3");
}

/* 32 channels of all rows, then the next 32: the scale stays in registers. Rows of 16 go in pairs. */
static void scale_f16(uint16_t *out, const uint16_t *in, const uint16_t *scale, int n, int rows, size_t step)
{
    const float16_t *from = (const float16_t *)in, *by = (const float16_t *)scale;
    float16_t *to = (float16_t *)out;
    int i = 0;
    if (n == 16 && step == 16 && rows % 2 == 0) {
        float16x8_t low = vld1q_f16(by), high = vld1q_f16(by + 8);
        scale_32(to, from, (float16x8x4_t){{low, high, low, high}}, rows / 2, 32);
        return;
    }
    for (; i + 32 <= n; i += 32)
        scale_32(to + i, from + i, vld1q_f16_x4(by + i), rows, step);
    for (; i + 8 <= n; i += 8) {
        const float16x8_t s = vld1q_f16(by + i);
        for (int row = 0; row < rows; row++) {
            size_t at = (size_t)i + (size_t)row * step;
            vst1q_f16(to + at, vmulq_f16(vld1q_f16(from + at), s));
        }
    }
    scale_f16_c(out + i, in + i, scale + i, n - i, rows, step);
}

/* The sum of 8 rows. */
#define ADD_ROW                                                                                              \
    "ld1 {v0.8h-v3.8h}, [%[in]], %[bytes]\nfadd %S[x].8h, %S[x].8h, v0.8h\n"                                 \
    "fadd %T[x].8h, %T[x].8h, v1.8h\nfadd %U[x].8h, %U[x].8h, v2.8h\nfadd %V[x].8h, %V[x].8h, v3.8h\n"
static inline float16x8x4_t add_8_rows(const float16_t *in, size_t step)
{
    float16x8x4_t x;
    __asm__ volatile(
        "ld1 {%S[x].8h-%V[x].8h}, [%[in]], %[bytes]\n" ADD_ROW ADD_ROW ADD_ROW ADD_ROW ADD_ROW ADD_ROW ADD_ROW
        : [x] "=&w"(x), [in] "+r"(in)
        : [bytes] "r"(step * sizeof(*in))
        : "memory", "v0", "v1", "v2", "v3");
    return x;
}

static inline void widen_and_add(float *sum, float16x8_t x)
{
    vst1q_f32(sum, vaddq_f32(vld1q_f32(sum), vcvt_f32_f16(vget_low_f16(x))));
    vst1q_f32(sum + 4, vaddq_f32(vld1q_f32(sum + 4), vcvt_high_f32_f16(x)));
}

/* 8 rows are added in float16, and their sum in float32. */
static void accumulate_f16(float *sum, const uint16_t *in, int n, int rows, size_t step)
{
    const float16_t *from = (const float16_t *)in;
    int i = 0, row;
    for (; i + 32 <= n; i += 32) {
        for (row = 0; row + 8 <= rows; row += 8) {
            float16x8x4_t x = add_8_rows(from + i + (size_t)row * step, step);
            for (int q = 0; q < 4; q++)
                widen_and_add(sum + i + 8 * q, x.val[q]);
        }
        for (; row < rows; row++)
            for (int q = 0; q < 4; q++)
                widen_and_add(sum + i + 8 * q, vld1q_f16(from + i + 8 * q + (size_t)row * step));
    }
    for (; i + 8 <= n; i += 8)
        for (row = 0; row < rows;) {
            float16x8_t x = vld1q_f16(from + i + (size_t)row * step);
            for (int end = rows - row < 8 ? rows : row + 8; ++row < end;)
                x = vaddq_f16(x, vld1q_f16(from + i + (size_t)row * step));
            widen_and_add(sum + i, x);
        }
    accumulate_f16_c(sum + i, in + i, n - i, rows, step);
}

/* ---- from and to float32 ---- */

static void f16_from_f32(uint16_t *out, const float *in, int n)
{
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        float32x4x4_t x = vld1q_f32_x4(in + i);
        vst1q_f16((float16_t *)out + i, vcvt_high_f16_f32(vcvt_f16_f32(x.val[0]), x.val[1]));
        vst1q_f16((float16_t *)out + i + 8, vcvt_high_f16_f32(vcvt_f16_f32(x.val[2]), x.val[3]));
    }
    f16_from_f32_c(out + i, in + i, n - i);
}

static void f32_from_f16(float *out, const uint16_t *in, int n)
{
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        float16x8_t x = vld1q_f16((const float16_t *)in + i);
        vst1q_f32(out + i, vcvt_f32_f16(vget_low_f16(x)));
        vst1q_f32(out + i + 4, vcvt_high_f32_f16(x));
    }
    f32_from_f16_c(out + i, in + i, n - i);
}

void kernels_init_elementwise_fp16(struct kernels *kernels)
{
    kernels->binary_f16[BINARY_ADD] = add_f16;
    kernels->binary_f16[BINARY_SUB] = sub_f16;
    kernels->binary_f16[BINARY_MUL] = mul_f16;
    kernels->binary_f16[BINARY_MAX] = max_f16;
    kernels->binary_f16[BINARY_MIN] = min_f16;
    kernels->scale_f16 = scale_f16;
    kernels->clamp_f16 = clamp_f16;
    kernels->hard_swish_f16 = hard_swish_f16;
    kernels->hard_sigmoid_f16 = hard_sigmoid_f16;
    kernels->accumulate_f16 = accumulate_f16;
    kernels->f16_from_f32 = f16_from_f32;
    kernels->f32_from_f16 = f32_from_f16;
}

void kernels_init_fp16(struct kernels *kernels)
{
    kernels_init_conv_fp16(kernels);
    kernels_init_depthwise_fp16(kernels);
    kernels_init_elementwise_fp16(kernels);
    kernels_init_probe_fp16(kernels);
}
