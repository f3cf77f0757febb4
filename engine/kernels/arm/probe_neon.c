/* SPDX-License-Identifier: MIT */
#include "engine/kernels/arm/probe.h"

#define FMLA(sum)  "fmla " sum ".4s, v16.4s, v17.4s\n"
#define SMLAL(sum) "smlal " sum ".8h, v16.8b, v17.8b\n"
PROBE(probe_f32, FMLA, 4)
PROBE(probe_i8, SMLAL, 8)

void kernels_init_probe_neon(struct kernels *kernels)
{
    kernels->probe_f32 = probe_f32;
    kernels->probe_i8 = probe_i8;
}
