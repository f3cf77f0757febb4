/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/avx2.h"

#include "engine/kernels/c.h"

void kernels_init_avx2(struct kernels *kernels)
{
    kernels_init_conv_f32_avx2(kernels);
    kernels_init_conv_i8_avx2(kernels);
    kernels_init_depthwise_f32_avx2(kernels);
    kernels_init_depthwise_i8_avx2(kernels);
    kernels_init_elementwise_avx2(kernels);
    kernels_init_probe_avx2(kernels);
}
