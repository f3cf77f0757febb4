/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/vnni.h"

#include "engine/kernels/c.h"

void kernels_init_vnni(struct kernels *kernels)
{
    kernels_init_conv_vnni(kernels);
    kernels_init_depthwise_vnni(kernels);
    kernels_init_elementwise_vnni(kernels);
    kernels_init_probe_vnni(kernels);
}
