/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_BASE_CLOCK_H
#define PIPIT_BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_now_ns(void); /* CLOCK_MONOTONIC, nanoseconds */
double clock_ms_since(uint64_t start_ns);

#endif
