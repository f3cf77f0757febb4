/* SPDX-License-Identifier: MIT */
#include "engine/kernels/x86/avx2.h"

#define TWELVE(of)                                                                                           \
    of("%%ymm0") of("%%ymm1") of("%%ymm2") of("%%ymm3") of("%%ymm4") of("%%ymm5") of("%%ymm6") of("%%ymm7")  \
        of("%%ymm8") of("%%ymm9") of("%%ymm10") of("%%ymm11")
#define ZERO(sum) "vpxor " sum ", " sum ", " sum "\n"
#define FMA(sum)  "vfmadd231ps %%ymm12, %%ymm13, " sum "\n"
#define MADD(sum) "vpmaddwd %%ymm12, %%ymm13, " sum "\n"

/* Twelve at once, more than latency times throughput on any CPU with AVX2. */
#define PROBE(name, multiply, macs)                                                                          \
    static int64_t name(int rounds)                                                                          \
    {                                                                                                        \
        int64_t all = (int64_t)rounds * 12 * (macs);                                                         \
        __asm__ volatile(TWELVE(ZERO) ZERO("%%ymm12")                                                        \
                             ZERO("%%ymm13") "1:\n" TWELVE(multiply) "dec %0\njnz 1b\nvzeroupper\n"          \
                         : "+r"(rounds)                                                                      \
                         :                                                                                   \
                         : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",     \
                           "xmm9", "xmm10", "xmm11", "xmm12", "xmm13");                                      \
        return all;                                                                                          \
    }
PROBE(probe_f32, FMA, 8)
PROBE(probe_i8, MADD, 16)

void kernels_init_probe_avx2(struct kernels *kernels)
{
    kernels->probe_f32 = probe_f32;
    kernels->probe_i8 = probe_i8;
}
