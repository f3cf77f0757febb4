/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/bf16.h"
#include "engine/kernels/x86/probe16.h"

#define MULTIPLY16(sum) "vdpbf16ps %%zmm28, %%zmm29, " sum "\n"
PROBE16(probe_bf16, 32)

void kernels_init_probe_bf16(struct kernels *kernels)
{
    kernels->probe_bf16 = probe_bf16;
}
