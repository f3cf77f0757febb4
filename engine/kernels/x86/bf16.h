/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_KERNELS_X86_BF16_H
#define PIPIT_ENGINE_KERNELS_X86_BF16_H

#include "engine/kernels/kernels.h"

void kernels_init_probe_bf16(struct kernels *kernels);

#endif
