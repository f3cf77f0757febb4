/* SPDX-License-Identifier: MIT */
#include "engine/kernels/arm/bf16.h"
#include "engine/kernels/arm/probe.h"

#define BFMMLA(sum) "bfmmla " sum ".4s, v16.8h, v17.8h\n"
PROBE(probe_bf16, BFMMLA, 16)

void kernels_init_probe_bf16(struct kernels *kernels)
{
    kernels->probe_bf16 = probe_bf16;
}
