/* SPDX-License-Identifier: MIT */
/* What values a tensor takes, and which range of them 256 steps are best spent on. */
#ifndef PIPIT_ENGINE_QUANTISE_HISTOGRAM_H
#define PIPIT_ENGINE_QUANTISE_HISTOGRAM_H

#include "engine/pipit.h"

struct range {
    float low, high; /* low <= 0 <= high: padding is zeros */
};

#define HISTOGRAM_BINS 4096

struct histogram {
    float low, high; /* exact, of finite values, and 0 */
    float reach;     /* the bins are even steps of [-reach, reach); a power of 2, 0 when all is empty */
    uint64_t bin[HISTOGRAM_BINS];
};

void histogram_add(struct histogram *histogram, const float *values, int64_t count);
struct range histogram_range(const struct histogram *histogram, enum pipit_calibration calibration);

#endif
