/* SPDX-License-Identifier: MIT */
/*
 * What is drawn over a picture: boxes with labels, and a card of lines with bars. Knows nothing of models.
 * Layout comes first (where does each label go), drawing onto a cairo_t second, so that the same overlay goes
 * onto a frame or onto a plane of its own.
 */
#ifndef PIPIT_DISPLAY_OVERLAY_H
#define PIPIT_DISPLAY_OVERLAY_H

#include "base/frame.h"

#include <stdbool.h>

#define OVERLAY_LABEL_MAX 160

struct overlay_box {
    float box[4];                  /* left, top, right, bottom as fractions of the picture */
    int colour;                    /* any number; equal numbers have equal colours */
    char label[OVERLAY_LABEL_MAX]; /* UTF-8 */
};

struct overlay_line {
    char label[OVERLAY_LABEL_MAX];
    float bar; /* 0 to 1 */
};

struct overlay {
    const struct overlay_box *boxes; /* the important ones first: they get the best places */
    int box_count;
    const struct overlay_line *lines; /* of the card */
    int line_count;
    /* What the screen says when there is nothing to label, large and in the middle: "No camera", and below it
     * what to do and a short code. NULL: none. */
    const char *notice, *notice_detail;
    const char *status; /* small, in the corner: "C920  1280x720  30 fps  24 ms"; NULL: none */
    float margin; /* of each side, 0 to 0.2: kept free of labels, for screens that cut their edges off */
};

struct overlay_rect {
    double x, y, width, height; /* pixels */
};

/* Places the label of each box: inside the picture, at its box, not over another label where there is room.
 */
void overlay_layout(const struct overlay *overlay, int width, int height, struct overlay_rect *labels);

typedef struct _cairo cairo_t;
/* Draws onto a surface of width x height pixels. */
void overlay_draw(const struct overlay *overlay, cairo_t *cairo, int width, int height);

/* Draws onto an RGB24 frame, in place. Returns 0, or -ENOMEM, -EINVAL (another format), -E2BIG
 * (a side above 32767 pixels, which Cairo cannot draw on). */
int overlay_compose(const struct overlay *overlay, struct frame *frame);

#endif
