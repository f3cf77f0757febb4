/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/avx512.h"
#include "engine/kernels/x86/probe16.h"

#define MULTIPLY16(sum) "vfmadd231ps %%zmm28, %%zmm29, " sum "\n"
PROBE16(probe_f32, 16)

void kernels_init_probe_avx512(struct kernels *kernels)
{
    kernels->probe_f32 = probe_f32;
}
