/* SPDX-License-Identifier: MIT */
/* The multiply peak: sixteen sums in registers, more than latency times throughput of a core that has two
 * multipliers. */
#ifndef PIPIT_ENGINE_KERNELS_ARM_PROBE_H
#define PIPIT_ENGINE_KERNELS_ARM_PROBE_H

#include "engine/kernels/arm/neon.h"

#define PROBE_16(of)                                                                                         \
    of("v0") of("v1") of("v2") of("v3") of("v4") of("v5") of("v6") of("v7") of("v8") of("v9") of("v10")      \
        of("v11") of("v12") of("v13") of("v14") of("v15")
#define PROBE_ZERO(sum) "movi " sum ".2d, #0\n"

/* Defines int64_t name(int rounds). multiply(sum): an instruction, of v16 and v17, that makes so many MACs.
 */
#define PROBE(name, multiply, macs)                                                                          \
    static int64_t name(int rounds)                                                                          \
    {                                                                                                        \
        int64_t all = (int64_t)rounds * 16 * (macs);                                                         \
        __asm__ volatile(PROBE_16(PROBE_ZERO) PROBE_ZERO("v16")                                              \
                             PROBE_ZERO("v17") "1:\n" PROBE_16(multiply) "subs %w0, %w0, #1\nb.ne 1b\n"      \
                         : "+r"(rounds)                                                                      \
                         :                                                                                   \
                         : "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11",   \
                           "v12", "v13", "v14", "v15", "v16", "v17");                                        \
        return all;                                                                                          \
    }

#endif
