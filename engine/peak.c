/* SPDX-License-Identifier: MIT */
/* The machine's multiply peak, measured: the best of several slices of a millisecond or two. */
#include "engine/pipit.h"

#include "base/clock.h"
#include "engine/kernels/kernels.h"
#include "engine/team.h"

#include <stddef.h>

enum { SLICES = 12, ROUNDS = 100000 };

double pipit_cpu_peak(unsigned cpu, enum pipit_precision precision, int threads)
{
    struct kernels kernels;
    double best = 0;
    kernels_init(&kernels, cpu);
    int64_t (*const probes[])(int) = {
        [PIPIT_PRECISION_F32] = kernels.probe_f32,
        [PIPIT_PRECISION_F16] = kernels.probe_f16,
        [PIPIT_PRECISION_BF16] = kernels.probe_bf16,
        [PIPIT_PRECISION_INT8] = kernels.probe_i8,
    };
    int64_t (*probe)(int) = probes[precision];
    for (int slice = 0; probe && slice < SLICES; slice++) {
        uint64_t start = clock_now_ns();
        int64_t macs = team_sum(threads, probe, ROUNDS);
        double speed = (double)macs / clock_ms_since(start) * 1e3;
        best = speed > best ? speed : best;
    }
    return best;
}
