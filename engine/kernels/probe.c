/* SPDX-License-Identifier: MIT */
/* Without an instruction set of its own: what the compiler makes of eight sums a step. */
#include "engine/kernels/c.h"

enum { SUMS = 8, STEPS = 4 };

#define PROBE(name, type)                                                                                    \
    static int64_t name(int rounds)                                                                          \
    {                                                                                                        \
        type sum[SUMS] = {0};                                                                                \
        volatile type source = 1;                                                                            \
        type a = source, b = source;                                                                         \
        for (int i = 0; i < rounds * STEPS; i++)                                                             \
            for (int j = 0; j < SUMS; j++)                                                                   \
                sum[j] = sum[j] * a + b;                                                                     \
        for (int j = 0; j < SUMS; j++)                                                                       \
            source = sum[j];                                                                                 \
        return (int64_t)rounds * STEPS * SUMS;                                                               \
    }
PROBE(probe_f32, float)
PROBE(probe_i8, uint32_t)

void kernels_init_probe_c(struct kernels *kernels)
{
    kernels->probe_f32 = probe_f32;
    kernels->probe_i8 = probe_i8;
}
