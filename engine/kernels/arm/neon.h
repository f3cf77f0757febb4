/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_KERNELS_ARM_NEON_H
#define PIPIT_ENGINE_KERNELS_ARM_NEON_H

#include "engine/kernels/kernels.h"

#include <arm_neon.h>
#include <string.h>

void kernels_init_conv_f32_neon(struct kernels *kernels);
void kernels_init_conv_i8_neon(struct kernels *kernels);
void kernels_init_depthwise_f32_neon(struct kernels *kernels);
void kernels_init_depthwise_i8_neon(struct kernels *kernels);
void kernels_init_elementwise_neon(struct kernels *kernels);
void kernels_init_binary_i8_neon(struct kernels *kernels);
void kernels_init_depthwise_dotprod(struct kernels *kernels);
void kernels_init_probe_neon(struct kernels *kernels);
void kernels_init_probe_dotprod(struct kernels *kernels);

/* The same address, of which the compiler does not know it: to load constants once more, four registers in
 * one instruction, in place of a copy of each. */
static inline const void *again(const void *address)
{
    __asm__ volatile("" : "+r"(address));
    return address;
}

/* Keeps the compiler from loading ahead of this place, for which it would store accumulators to the stack. */
static inline void in_order(void)
{
    __asm__ volatile("" : : : "memory");
}

static inline float32x4_t hard_swish4(float32x4_t x)
{
    float32x4_t y = vfmaq_f32(vdupq_n_f32(0.5f), x, vdupq_n_f32(1.0f / 6));
    return vmulq_f32(x, vminq_f32(vmaxq_f32(y, vdupq_n_f32(0)), vdupq_n_f32(1)));
}

/* The same of x / sqrt(6), which packed weights can make: u * clamp(u + sqrt(6) / 2, 0, sqrt(6)). */
#define ROOT_6 2.449489742783178f
static inline float32x4_t hard_swish4_scaled(float32x4_t u)
{
    float32x4_t y = vaddq_f32(u, vdupq_n_f32(ROOT_6 / 2));
    return vmulq_f32(u, vminq_f32(vmaxq_f32(y, vdupq_n_f32(0)), vdupq_n_f32(ROOT_6)));
}

/* Factors of four channels; a shift to the left is positive, as SSHL and SRSHL have it. */
struct requant4 {
    int32x4_t multiplier, left, right;
};

static inline struct requant4 requant4_load(const int32_t *multiplier, const int32_t *shift)
{
    int32x4_t s = vld1q_s32(shift), none = vdupq_n_s32(0);
    return (struct requant4){vld1q_s32(multiplier), vmaxq_s32(s, none), vminq_s32(s, none)};
}

static inline struct requant4 requant4_set(struct requant r)
{
    int32_t multiplier[4] = {r.multiplier, r.multiplier, r.multiplier, r.multiplier};
    int32_t shift[4] = {r.shift, r.shift, r.shift, r.shift};
    return requant4_load(multiplier, shift);
}

/* requantise() of kernels.h for four values. SRSHL rounds halves up, so negative values are lowered by one
 * first. */
static inline int32x4_t requantise4(int32x4_t value, struct requant4 r)
{
    value = vqrdmulhq_s32(vshlq_s32(value, r.left), r.multiplier);
    int32x4_t lower = vshrq_n_s32(vandq_s32(value, r.right), 31);
    return vrshlq_s32(vqaddq_s32(value, lower), r.right);
}

static inline int32x4_t clamp4(int32x4_t value, int32x4_t zero, int32x4_t min, int32x4_t max)
{
    return vminq_s32(vmaxq_s32(vaddq_s32(value, zero), min), max);
}

static inline int8x16_t narrow16(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d)
{
    int16x8_t low = vcombine_s16(vmovn_s32(a), vmovn_s32(b)), high = vcombine_s16(vmovn_s32(c), vmovn_s32(d));
    return vcombine_s8(vmovn_s16(low), vmovn_s16(high));
}

/* Stores the first `count` of 8 values. */
static inline void store8(int8_t *out, int8x8_t value, int count)
{
    int8_t all[8];
    if (count >= 8) {
        vst1_s8(out, value);
        return;
    }
    vst1_s8(all, value);
    memcpy(out, all, (size_t)count);
}

/* Stores the first `count` of 16 values. */
static inline void store16(int8_t *out, int8x16_t value, int count)
{
    int8_t all[16];
    if (count >= 16) {
        vst1q_s8(out, value);
        return;
    }
    vst1q_s8(all, value);
    memcpy(out, all, (size_t)count);
}

#endif
