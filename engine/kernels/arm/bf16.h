/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_KERNELS_ARM_BF16_H
#define PIPIT_ENGINE_KERNELS_ARM_BF16_H

#include "engine/kernels/arm/neon.h"

void kernels_init_probe_bf16(struct kernels *kernels);

#endif
