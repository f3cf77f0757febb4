/* SPDX-License-Identifier: MIT */
/* How the C references and the instruction sets put themselves into the table. */
#ifndef PIPIT_ENGINE_KERNELS_C_H
#define PIPIT_ENGINE_KERNELS_C_H

#include "engine/kernels/kernels.h"

void kernels_init_conv_c(struct kernels *kernels);
void kernels_init_depthwise_c(struct kernels *kernels);
void kernels_init_elementwise_c(struct kernels *kernels);

/* Called only when the CPU has it and the mask allows it. */
void kernels_init_avx2(struct kernels *kernels);
void kernels_init_neon(struct kernels *kernels);
void kernels_init_dotprod(struct kernels *kernels);

static inline size_t align64(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static inline int32_t clamp_i32(int32_t value, int32_t min, int32_t max)
{
    return value < min ? min : value > max ? max : value;
}

#endif
