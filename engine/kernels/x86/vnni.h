/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_KERNELS_X86_VNNI_H
#define PIPIT_ENGINE_KERNELS_X86_VNNI_H

#include "engine/kernels/kernels.h"

void kernels_init_conv_vnni(struct kernels *kernels);
void kernels_init_depthwise_vnni(struct kernels *kernels);
void kernels_init_elementwise_vnni(struct kernels *kernels);
void kernels_init_probe_vnni(struct kernels *kernels);

#endif
