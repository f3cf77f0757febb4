/* SPDX-License-Identifier: MIT */
/* The fonts of the labels. To find and load them the first time takes as long as several pictures, on a
 * machine that has just started seconds: a thread of its own does it, and pictures go on without labels until
 * then. */
#ifndef PIPIT_APP_LIVE_FONTS_H
#define PIPIT_APP_LIVE_FONTS_H

#include "display/overlay/overlay.h"

#include <pthread.h>
#include <stdatomic.h>

struct fonts {
    struct overlay_painter *painter; /* once ready; NULL: no memory. Whoever takes it owns it */
    pthread_t thread;
    bool running;
    atomic_bool ready;
};

int fonts_init(struct fonts *fonts); /* 0, or what pthread_create(3) says */
bool fonts_ready(const struct fonts *fonts);
void fonts_await(struct fonts *fonts);

#endif
