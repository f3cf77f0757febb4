/* SPDX-License-Identifier: MIT */
/* What the service manager is told: sd_notify(3) and sd_watchdog_enabled(3). Started by hand, nobody listens
 * and each call does nothing. */
#ifndef PIPIT_APP_LIVE_NOTIFY_H
#define PIPIT_APP_LIVE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify {
    uint64_t watchdog_ns; /* so long it may be silent before it is ended and started again; 0: no matter */
    /* the notifier's own */
    bool ready;
    char status[640];
    uint64_t status_ns, fed_ns;
    unsigned taken, shown; /* when the watchdog was fed */
};

/* How the pictures get on. */
struct progress {
    unsigned taken, shown; /* frames of the camera since the start, modulo 2^32 */
    bool stuck;            /* a thread has been at one task for longer than makes sense */
    bool unseen;           /* there is no screen now, or it is off */
};

bool notify_is_service(void); /* it was started by a service manager */
void notify_init(struct notify *notify);
void notify_ready(struct notify *notify); /* the first time only */
void notify_reloading(void);
void notify_reloaded(void);
void notify_stopping(void);
/* When it changed and `news` says that it matters, else now and then. */
void notify_status(struct notify *notify, const char *text, bool news, uint64_t now);

/* Feeds the watchdog when it is time and the pictures get on: one was shown since the last time, or the
 * camera sent none (whether that is right is the feed's to judge), or nobody can see them. True: it was fed.
 */
bool notify_watchdog(struct notify *notify, const struct progress *progress, uint64_t now);

#endif
