/* SPDX-License-Identifier: MIT */
#include "app/live/histogram.h"

#include <math.h>
#include <string.h>

void histogram_clear(struct histogram *histogram)
{
    memset(histogram, 0, sizeof(*histogram));
}

/* Linear within each doubling, as in Tene's HdrHistogram: below 32 us one bin a microsecond. */
static unsigned bin_of(uint64_t us)
{
    unsigned doubling = 0;
    while (us >= 2 * HISTOGRAM_STEPS) {
        us >>= 1;
        doubling++;
    }
    uint64_t bin = us < HISTOGRAM_STEPS ? us : doubling * HISTOGRAM_STEPS + us;
    return bin < HISTOGRAM_BINS ? (unsigned)bin : HISTOGRAM_BINS - 1;
}

/* The first microsecond behind the bin. */
static double end_of(unsigned bin)
{
    if (bin < 2 * HISTOGRAM_STEPS)
        return bin + 1;
    unsigned doubling = bin / HISTOGRAM_STEPS - 1;
    return ldexp(bin % HISTOGRAM_STEPS + HISTOGRAM_STEPS + 1, (int)doubling);
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
    histogram->count[bin_of(ns / 1000)]++;
    histogram->total++;
    if (ns > histogram->longest_ns)
        histogram->longest_ns = ns;
}

double histogram_ms(const struct histogram *histogram, double part)
{
    double longest = (double)histogram->longest_ns / 1e6, wanted = ceil(part * histogram->total), sum = 0;
    for (unsigned bin = 0; bin < HISTOGRAM_BINS && histogram->total; bin++) {
        sum += histogram->count[bin];
        if (sum >= wanted && sum > 0)
            return fmin(end_of(bin) / 1e3, longest);
    }
    return histogram->total ? longest : NAN;
}
