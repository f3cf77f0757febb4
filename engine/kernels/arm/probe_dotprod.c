/* SPDX-License-Identifier: MIT */
#include "engine/kernels/arm/probe.h"

#define SDOT(sum) "sdot " sum ".4s, v16.16b, v17.16b\n"
PROBE(probe_i8, SDOT, 16)

void kernels_init_probe_dotprod(struct kernels *kernels)
{
    kernels->probe_i8 = probe_i8;
}
