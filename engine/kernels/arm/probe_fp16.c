/* SPDX-License-Identifier: MIT */
#include "engine/kernels/arm/fp16.h"
#include "engine/kernels/arm/probe.h"

#define FMLA(sum) "fmla " sum ".8h, v16.8h, v17.8h\n"
PROBE(probe_f16, FMLA, 8)

void kernels_init_probe_fp16(struct kernels *kernels)
{
    kernels->probe_f16 = probe_f16;
}
