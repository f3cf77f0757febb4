/* SPDX-License-Identifier: MIT */
#include "engine/kernels/arm/neon.h"

#include "engine/kernels/c.h"

void kernels_init_neon(struct kernels *kernels)
{
    kernels_init_conv_f32_neon(kernels);
    kernels_init_conv_i8_neon(kernels);
    kernels_init_depthwise_f32_neon(kernels);
    kernels_init_depthwise_i8_neon(kernels);
    kernels_init_elementwise_neon(kernels);
    kernels_init_binary_i8_neon(kernels);
    kernels_init_probe_neon(kernels);
}
