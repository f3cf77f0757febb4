/* SPDX-License-Identifier: MIT */
/* The CPU's way to a canvas: the picture converted and scaled, the labels blended in where they are. */
#ifndef PIPIT_DISPLAY_COMPOSE_H
#define PIPIT_DISPLAY_COMPOSE_H

#include "base/convert.h"
#include "display/overlay.h"

#define LABELS_AREAS_MAX 64

/* Labels drawn once and blended into many pictures. */
struct labels {
    struct frame *image;                /* FRAME_ARGB32, as large as the screen */
    struct area area[LABELS_AREAS_MAX]; /* where anything was drawn; the rest is transparent */
    int areas;
};

/* Draws an overlay on a screen of width x height whose picture lies at `picture`. 0, -ENOMEM, -E2BIG. */
int labels_draw(struct labels *labels, const struct overlay *overlay, int width, int height,
                struct area picture);
void labels_finish(struct labels *labels);

/* Fills the canvas: black around `to`, `from` of the frame turned and scaled into it, and the labels (may be
 * NULL) over all. Errors as convert(). */
int compose(struct converter *converter, const struct frame *in, struct area from, struct turn turn,
            const struct frame *canvas, struct area to, const struct labels *labels);

#endif
