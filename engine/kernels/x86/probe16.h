/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_KERNELS_X86_PROBE16_H
#define PIPIT_ENGINE_KERNELS_X86_PROBE16_H

#include <stdint.h>

#define TWELVE16(of)                                                                                         \
    of("%%zmm16") of("%%zmm17") of("%%zmm18") of("%%zmm19") of("%%zmm20") of("%%zmm21") of("%%zmm22")        \
        of("%%zmm23") of("%%zmm24") of("%%zmm25") of("%%zmm26") of("%%zmm27")
#define ZERO16(sum) "vpxord " sum ", " sum ", " sum "\n"

/* A function that does MULTIPLY16() in twelve registers at once, more than latency times throughput on any
 * CPU with AVX-512. */
#define PROBE16(name, macs)                                                                                  \
    static int64_t name(int rounds)                                                                          \
    {                                                                                                        \
        int64_t all = (int64_t)rounds * 12 * (macs);                                                         \
        __asm__ volatile(TWELVE16(ZERO16) ZERO16("%%zmm28")                                                  \
                             ZERO16("%%zmm29") "1:\n" TWELVE16(MULTIPLY16) "dec %0\njnz 1b\nvzeroupper\n"    \
                         : "+r"(rounds)                                                                      \
                         :                                                                                   \
                         : "cc", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",     \
                           "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29");                            \
        return all;                                                                                          \
    }

#endif
