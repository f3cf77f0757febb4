/* SPDX-License-Identifier: MIT */
#include "engine/kernels/arm/neon.h"

#include "engine/kernels/c.h"

void kernels_init_neon(struct kernels *kernels)
{
    kernels_init_conv_neon(kernels);
    kernels_init_depthwise_neon(kernels);
    kernels_init_elementwise_neon(kernels);
}
