/* SPDX-License-Identifier: MIT */
/* Times by how often they came, in steps of 3 %, from 1 us to about 70 s. No memory but its own. */
#ifndef PIPIT_APP_LIVE_HISTOGRAM_H
#define PIPIT_APP_LIVE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS 32 /* per doubling */
#define HISTOGRAM_BINS  (HISTOGRAM_STEPS * 22)

struct histogram {
    uint32_t count[HISTOGRAM_BINS], total;
    uint64_t longest_ns;
};

void histogram_clear(struct histogram *histogram);
void histogram_add(struct histogram *histogram, uint64_t ns);
/* The time in ms that `part` (0 to 1) of all stay within; at most the longest. NAN: there is none. */
double histogram_ms(const struct histogram *histogram, double part);

#endif
