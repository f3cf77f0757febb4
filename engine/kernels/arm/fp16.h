/* SPDX-License-Identifier: MIT */
/* What the float16 kernels share: the activation of their results. */
#ifndef PIPIT_ENGINE_KERNELS_ARM_FP16_H
#define PIPIT_ENGINE_KERNELS_ARM_FP16_H

#include "engine/kernels/arm/neon.h"

void kernels_init_conv_fp16(struct kernels *kernels);
void kernels_init_depthwise_fp16(struct kernels *kernels);
void kernels_init_elementwise_fp16(struct kernels *kernels);

enum finish { FINISH_NONE, FINISH_RELU, FINISH_CLAMP, FINISH_HARD_SWISH };

/* HARD_SWISH wants x / 3, by weights and bias packed so: (3 + x) / 2 is then one FRSQRTS, and x / 3 times its
 * clamp to 0..3 is the answer. */
struct finisher {
    enum finish kind;
    float16x8_t low, high, minus_three;
};

static inline float finish_factor(bool hard_swish)
{
    return hard_swish ? 1.0f / 3 : 1;
}

static inline struct finisher finisher_of(float min, float max, bool hard_swish)
{
    enum finish kind = max < __builtin_inff() ? FINISH_CLAMP : min < 0 ? FINISH_NONE : FINISH_RELU;
    if (min > -__builtin_inff() && kind == FINISH_NONE)
        kind = FINISH_CLAMP;
    return (struct finisher){hard_swish ? FINISH_HARD_SWISH : kind,
                             vdupq_n_f16((float16_t)(hard_swish ? 0 : min)),
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

/* The same of four registers, in assembly as the loops before it. */
#define FINISH_MAX(v) "fmax " v ".8h, " v ".8h, %[low].8h\n"
#define FINISH_MIN(v) "fmin " v ".8h, " v ".8h, %[high].8h\n"
#define FINISH_SWISH(v, t)                                                                                   \
    "frsqrts " t ".8h, " v ".8h, %[minus].8h\nfmax " t ".8h, " t ".8h, %[low].8h\n"                          \
    "fmin " t ".8h, " t ".8h, %[high].8h\nfmul " v ".8h, " v ".8h, " t ".8h\n"
#define FINISH_EACH(of) of("%S[x]") of("%T[x]") of("%U[x]") of("%V[x]")

static inline __attribute__((always_inline)) float16x8x4_t finish32(float16x8x4_t x, const struct finisher *f)
{
    if (f->kind == FINISH_HARD_SWISH)
        __asm__(FINISH_SWISH("%S[x]", "v0") FINISH_SWISH("%T[x]", "v1") FINISH_SWISH("%U[x]", "v2")
                    FINISH_SWISH("%V[x]", "v3")
                : [x] "+w"(x)
                : [low] "w"(f->low), [high] "w"(f->high), [minus] "w"(f->minus_three)
                : "v0", "v1", "v2", "v3");
    else if (f->kind == FINISH_RELU)
        __asm__(FINISH_EACH(FINISH_MAX) : [x] "+w"(x) : [low] "w"(f->low));
    else if (f->kind == FINISH_CLAMP)
        __asm__(FINISH_EACH(FINISH_MAX) FINISH_EACH(FINISH_MIN)
                : [x] "+w"(x)
                : [low] "w"(f->low), [high] "w"(f->high));
    return x;
}

#endif
