/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_KERNELS_X86_AVX512_H
#define PIPIT_ENGINE_KERNELS_X86_AVX512_H

#include "engine/kernels/kernels.h"

void kernels_init_conv_f32_avx512(struct kernels *kernels);
void kernels_init_depthwise_f32_avx512(struct kernels *kernels);
void kernels_init_probe_avx512(struct kernels *kernels);

#endif
