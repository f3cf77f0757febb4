/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/arm/neon.h"

static inline int16x8_t load8(const int8_t *in, int i, int step)
{
    return vmovl_s8(step ? vld1_s8(in + i) : vdup_n_s8(in[0]));
}

static inline void store_narrow8(int8_t *out, int32x4_t low, int32x4_t high)
{
    vst1_s8(out, vmovn_s16(vcombine_s16(vmovn_s32(low), vmovn_s32(high))));
}

static inline int32x4_t add4(int16x4_t a, int16x4_t b, const struct add_i8 *add)
{
    int32x4_t up = vdupq_n_s32(add->left_shift);
    int32x4_t x = vshlq_s32(vsubq_s32(vmovl_s16(a), vdupq_n_s32(add->zero_a)), up);
    int32x4_t y = vshlq_s32(vsubq_s32(vmovl_s16(b), vdupq_n_s32(add->zero_b)), up);
    x = requantise4(x, requant4_set(add->a));
    y = vmulq_n_s32(requantise4(y, requant4_set(add->b)), add->sign_b);
    return clamp4(requantise4(vaddq_s32(x, y), requant4_set(add->out)), vdupq_n_s32(add->zero_out),
                  vdupq_n_s32(add->min), vdupq_n_s32(add->max));
}

static void add_i8(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct add_i8 *add)
{
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        int16x8_t x = load8(a, i, step_a), y = load8(b, i, step_b);
        store_narrow8(out + i, add4(vget_low_s16(x), vget_low_s16(y), add),
                      add4(vget_high_s16(x), vget_high_s16(y), add));
    }
    add_i8_c(out + i, a + i * step_a, step_a, b + i * step_b, step_b, n - i, add);
}

static void mul_i8(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
                   const struct mul_i8 *mul)
{
    const int16x8_t zero_a = vdupq_n_s16((int16_t)mul->zero_a), zero_b = vdupq_n_s16((int16_t)mul->zero_b);
    const int32x4_t zero = vdupq_n_s32(mul->zero_out), min = vdupq_n_s32(mul->min),
                    max = vdupq_n_s32(mul->max);
    const struct requant4 to_out = requant4_set(mul->out);
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        int16x8_t x = vsubq_s16(load8(a, i, step_a), zero_a), y = vsubq_s16(load8(b, i, step_b), zero_b);
        int32x4_t low = vmull_s16(vget_low_s16(x), vget_low_s16(y)), high = vmull_high_s16(x, y);
        store_narrow8(out + i, clamp4(requantise4(low, to_out), zero, min, max),
                      clamp4(requantise4(high, to_out), zero, min, max));
    }
    mul_i8_c(out + i, a + i * step_a, step_a, b + i * step_b, step_b, n - i, mul);
}

static void hard_swish_f32(float *out, const float *in, int n)
{
    const float32x4_t three = vdupq_n_f32(3), six = vdupq_n_f32(6), none = vdupq_n_f32(0);
    int i = 0;
    for (; i + 4 <= n; i += 4) {
        float32x4_t x = vld1q_f32(in + i), y = vminq_f32(vmaxq_f32(vaddq_f32(x, three), none), six);
        vst1q_f32(out + i, vmulq_f32(x, vmulq_n_f32(y, 1.0f / 6)));
    }
    hard_swish_f32_c(out + i, in + i, n - i);
}

void kernels_init_elementwise_neon(struct kernels *kernels)
{
    kernels->add_i8 = add_i8;
    kernels->mul_i8 = mul_i8;
    kernels->hard_swish_f32 = hard_swish_f32;
}
