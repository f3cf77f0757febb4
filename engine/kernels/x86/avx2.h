/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_KERNELS_X86_AVX2_H
#define PIPIT_ENGINE_KERNELS_X86_AVX2_H

#include "engine/kernels/kernels.h"

void kernels_init_conv_f32_avx2(struct kernels *kernels);
void kernels_init_conv_i8_avx2(struct kernels *kernels);
void kernels_init_depthwise_f32_avx2(struct kernels *kernels);
void kernels_init_depthwise_i8_avx2(struct kernels *kernels);
void kernels_init_elementwise_avx2(struct kernels *kernels);
void kernels_init_probe_avx2(struct kernels *kernels);

#endif
