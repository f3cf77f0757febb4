/* SPDX-License-Identifier: MIT */
#include "engine/quantise/histogram.h"

#include <math.h>
#include <string.h>

enum { HALF = HISTOGRAM_BINS / 2, STEPS = 255, CANDIDATES = 64 };

/* Of all values, those that a percentile leaves outside on either side. */
#define TAIL 5e-5

/* ---- filling ---- */

/* Twice the reach: two neighbouring bins become one. */
static void widen(struct histogram *h)
{
    uint64_t wide[HISTOGRAM_BINS] = {0};
    for (int i = 0; i < HISTOGRAM_BINS; i++)
        wide[HALF / 2 + i / 2] += h->bin[i];
    memcpy(h->bin, wide, sizeof(wide));
    h->reach *= 2;
}

static void reach_for(struct histogram *h, float value)
{
    if (h->reach == 0) {
        int exponent;
        (void)frexpf(value > 1e-30f ? value : 1e-30f, &exponent);
        h->reach = ldexpf(1, exponent);
    }
    while (h->reach < value)
        widen(h);
}

void histogram_add(struct histogram *h, const float *values, int64_t count)
{
    float low = h->low, high = h->high;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            continue;
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    h->low = low;
    h->high = high;
    reach_for(h, -low > high ? -low : high);
    float scale = HALF / h->reach;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            continue;
        int at = (int)floorf(values[i] * scale) + HALF;
        h->bin[at < 0 ? 0 : at >= HISTOGRAM_BINS ? HISTOGRAM_BINS - 1 : at]++;
    }
}

/* ---- choosing ---- */

static float middle(const struct histogram *h, int bin)
{
    return ((float)(bin - HALF) + 0.5f) * (h->reach / HALF);
}

static struct range percentile(const struct histogram *h)
{
    uint64_t all = 0, below = 0, above = 0;
    int low = 0, high = HISTOGRAM_BINS - 1;
    for (int i = 0; i < HISTOGRAM_BINS; i++)
        all += h->bin[i];
    uint64_t tail = (uint64_t)((double)all * TAIL);
    while (low < HALF && below + h->bin[low] <= tail)
        below += h->bin[low++];
    while (high >= HALF && above + h->bin[high] <= tail)
        above += h->bin[high--];
    float step = h->reach / HALF;
    return (struct range){(float)(low - HALF) * step, (float)(high + 1 - HALF) * step};
}

/* The mean squared error of rounding to STEPS steps within the range and cutting off outside, not divided by
 * the count. */
static double error_of(const struct histogram *h, int first, int last, struct range range)
{
    double step = (double)(range.high - range.low) / STEPS, rounding = step * step / 12, error = 0;
    for (int i = first; i <= last; i++) {
        double value = (double)middle(h, i), outside = 0;
        if (value > (double)range.high)
            outside = value - (double)range.high;
        else if (value < (double)range.low)
            outside = (double)range.low - value;
        error += (double)h->bin[i] * (outside > 0 ? outside * outside + rounding : rounding);
    }
    return error;
}

/* One end of the range at a time, in even steps from all of it down. */
static void search(const struct histogram *h, int first, int last, struct range *best, bool upper)
{
    struct range tried = *best;
    float all = upper ? h->high : h->low;
    double least = error_of(h, first, last, *best);
    for (int i = 1; i < CANDIDATES; i++) {
        *(upper ? &tried.high : &tried.low) = all * (float)i / CANDIDATES;
        double error = error_of(h, first, last, tried);
        if (error < least) {
            least = error;
            *best = tried;
        }
    }
}

static struct range least_error(const struct histogram *h)
{
    struct range best = {h->low, h->high};
    int first = 0, last = HISTOGRAM_BINS - 1;
    while (first < last && !h->bin[first])
        first++;
    while (last > first && !h->bin[last])
        last--;
    for (int turn = 0; turn < 2; turn++) {
        search(h, first, last, &best, true);
        if (h->low < 0)
            search(h, first, last, &best, false);
    }
    return best;
}

struct range histogram_range(const struct histogram *h, enum pipit_calibration calibration)
{
    struct range all = {h->low, h->high}, range = all;
    if (h->reach > 0 && calibration == PIPIT_CALIBRATION_PERCENTILE)
        range = percentile(h);
    else if (h->reach > 0 && calibration == PIPIT_CALIBRATION_MSE)
        range = least_error(h);
    range.low = range.low > all.low ? range.low : all.low;
    range.high = range.high < all.high ? range.high : all.high;
    return (struct range){range.low < 0 ? range.low : 0, range.high > 0 ? range.high : 0};
}
