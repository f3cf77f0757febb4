/* SPDX-License-Identifier: MIT */
/* Vertical blanks of a clock, for screens that have none: a timerfd on a grid of one period. */
#ifndef PIPIT_DISPLAY_PACER_H
#define PIPIT_DISPLAY_PACER_H

#include <stdbool.h>
#include <stdint.h>

struct pacer {
    int fd; /* readable once the time has come; -1 before pacer_init() */
    uint64_t start_ns, period_ns;
    uint64_t due_ns; /* CLOCK_MONOTONIC; 0: not set */
};

int pacer_init(struct pacer *pacer, double rate); /* Hz, > 0; 0 or a negative errno */
void pacer_finish(struct pacer *pacer);
void pacer_set_rate(struct pacer *pacer, double rate);
void pacer_next(struct pacer *pacer);                  /* sets it to the next blank */
void pacer_at(struct pacer *pacer, uint64_t time_ns);  /* sets it to any time, 0: off */
bool pacer_due(struct pacer *pacer, uint64_t *due_ns); /* has it come? If so, it is off afterwards */

#endif
