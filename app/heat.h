/* SPDX-License-Identifier: MIT */
/* How hot the board is, from sysfs, and what to do about it. */
#ifndef PIPIT_APP_HEAT_H
#define PIPIT_APP_HEAT_H

#include <stdbool.h>
#include <stdint.h>

struct heat {
    char zone[48];  /* the one that is nearest to its limit; "": there is none */
    double celsius; /* of it */
    double limit;   /* its lowest passive or hot trip point, where the kernel slows the board; else 80 */
    bool throttled; /* a Raspberry Pi's firmware slows it down now: bits 1 to 3 of get_throttled */
    bool low_power; /* ... its supply is too weak: bit 0 */
};

/* `sysfs`: where it is mounted. Zones that answer nonsense are left out. */
void heat_read(struct heat *heat, const char *sysfs);
/* $PIPIT_SYSFS, for tests, else /sys. */
const char *heat_sysfs(void);

/* Each level does what those below do, too. */
enum heat_level { HEAT_NONE, HEAT_FEWER_THREADS, HEAT_LOWER_RATE, HEAT_SMALLER_MODEL };

struct heat_plan {
    enum heat_level level;
    uint64_t changed_ns; /* 0: never */
    uint64_t cool_ns;    /* since when it has been cool; 0: it is not */
};

/* One level up when it has been within 3 degrees of the limit, or throttled, and the last change is 10 s ago;
 * one down when it has been 10 degrees below for a minute. True: the level has changed. */
bool heat_step(struct heat_plan *plan, const struct heat *heat, uint64_t now);

#endif
