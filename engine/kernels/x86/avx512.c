/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/avx512.h"

#include "engine/kernels/c.h"

void kernels_init_avx512(struct kernels *kernels)
{
    kernels_init_conv_f32_avx512(kernels);
    kernels_init_depthwise_f32_avx512(kernels);
    kernels_init_probe_avx512(kernels);
}
