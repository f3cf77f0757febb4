/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/probe16.h"
#include "engine/kernels/x86/vnni.h"

#define MULTIPLY16(sum) "vpdpbusd %%zmm28, %%zmm29, " sum "\n"
PROBE16(probe_i8, 64)

void kernels_init_probe_vnni(struct kernels *kernels)
{
    kernels->probe_i8 = probe_i8;
}
