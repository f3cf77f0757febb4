/* SPDX-License-Identifier: MIT */
/* What the float16 kernels share: the activation of their results. */
#ifndef PIPIT_ENGINE_KERNELS_ARM_FP16_H
#define PIPIT_ENGINE_KERNELS_ARM_FP16_H

#include "engine/kernels/arm/depthwise_strips.h"
#include "engine/kernels/arm/neon.h"

void kernels_init_conv_fp16(struct kernels *kernels);
void kernels_init_depthwise_fp16(struct kernels *kernels);
void kernels_init_elementwise_fp16(struct kernels *kernels);
void kernels_init_probe_fp16(struct kernels *kernels);

/* HARD_SWISH wants x / 3, by weights and bias packed so: (3 + x) / 2 is then one FRSQRTS, and x / 3 times its
 * clamp to 0..3 is the answer. */
struct finisher {
    enum finish kind;
    float16x8_t low, high, minus_three; /* side by side for the assembly */
};

static inline float finish_factor(bool hard_swish)
{
    return hard_swish ? 1.0f / 3 : 1;
}

static inline struct finisher finisher_of(float min, float max, bool hard_swish)
{
    return (struct finisher){finish_of(min, max, hard_swish), vdupq_n_f16((float16_t)(hard_swish ? 0 : min)),
                             vdupq_n_f16((float16_t)(hard_swish ? 3 : max)), vdupq_n_f16(-3)};
}

static inline __attribute__((always_inline)) float16x8_t finish8(float16x8_t x, const struct finisher *f,
                                                                 const enum finish kind)
{
    if (kind == FINISH_HARD_SWISH)
        return vmulq_f16(x, vminq_f16(vmaxq_f16(vrsqrtsq_f16(x, f->minus_three), f->low), f->high));
    if (kind != FINISH_NONE)
        x = vmaxq_f16(x, f->low);
    return kind == FINISH_CLAMP ? vminq_f16(x, f->high) : x;
}

static inline float16x8_t finish_any(float16x8_t x, const struct finisher *f)
{
    return f->kind == FINISH_HARD_SWISH ? finish8(x, f, FINISH_HARD_SWISH) : finish8(x, f, FINISH_CLAMP);
}

#endif
