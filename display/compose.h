/* SPDX-License-Identifier: MIT */
/* The CPU's way to a canvas: the picture converted and scaled, the labels blended in where they are. */
#ifndef PIPIT_DISPLAY_COMPOSE_H
#define PIPIT_DISPLAY_COMPOSE_H

#include "base/convert.h"
#include "display/overlay/overlay.h"
#include "display/screen.h"

/* Labels drawn once and blended into many pictures. All zero at first; drawn by one thread at a time, then
 * read by any. */
struct labels {
    struct frame *image; /* FRAME_ARGB32, as large as the screen; NULL: nothing drawn yet */
    struct area
        area[CANVAS_AREAS_MAX]; /* where anything was drawn, not overlapping; the rest is transparent */
    int areas;
    uint64_t drawing; /* counts the drawings; 0: none yet */
    struct overlay_painter *painter;
};

/* Draws an overlay on a screen of width x height whose picture lies at `picture`, in place of what was drawn
 * before. The memory is kept from one drawing to the next while the size stays. 0; -EINVAL: a side below 1;
 * -E2BIG: one above OVERLAY_SIDE_MAX; -ENOMEM: then `labels` shows nothing. */
int labels_draw(struct labels *labels, const struct overlay *overlay, int width, int height,
                struct area picture);
void labels_finish(struct labels *labels);

/* Makes the canvas (FRAME_XRGB32) hold `from` of the frame, turned and scaled into `to`, black around it, and
 * the labels (may be NULL, else drawn for the canvas' size) over all. Each pixel is written at most once and
 * none is read; around `to` only those are that differ from what the canvas holds, by its content. One canvas
 * is always drawn on with the same `labels`. Errors as convert(); -EINVAL also for labels of another size. */
int compose(struct converter *converter, const struct frame *in, struct area from, struct turn turn,
            struct canvas *canvas, struct area to, const struct labels *labels);

/* The labels alone, for a plane above the picture's: the canvas (FRAME_ARGB32, of their size) is written
 * where there are labels now, or were when it was drawn on last. */
int compose_labels(struct canvas *canvas, const struct labels *labels);

#endif
