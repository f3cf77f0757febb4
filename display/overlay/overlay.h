/* SPDX-License-Identifier: MIT */
/*
 * What is drawn over a picture: boxes with labels, a card of lines with bars, a notice and a status line.
 * Knows nothing of models. A plan comes first (where does everything go), drawing onto a cairo_t second, so
 * that the same overlay goes onto a frame or onto a plane of its own.
 *
 * Text is UTF-8 in any script; what reads from right to left is laid out from the right. Sizes follow the
 * shorter side of the screen. Fonts are fontconfig's: Noto Sans first, else its default sans-serif.
 */
#ifndef PIPIT_DISPLAY_OVERLAY_OVERLAY_H
#define PIPIT_DISPLAY_OVERLAY_OVERLAY_H

#include "base/convert.h"
#include "base/frame.h"

#include <stdbool.h>

#define OVERLAY_LABEL_MAX 160
#define OVERLAY_VALUE_MAX 16
#define OVERLAY_SIDE_MAX  32767 /* pixels of a side; Cairo draws on no larger surface */

struct overlay_box {
    float box[4];                  /* left, top, right, bottom as fractions of the picture; may lie outside */
    int colour;                    /* any number; equal numbers have equal colours */
    char label[OVERLAY_LABEL_MAX]; /* wrapped to two lines, then cut off with an ellipsis */
    char value[OVERLAY_VALUE_MAX]; /* beside it, never cut off: "83 %"; "": none */
};

struct overlay_line {
    char label[OVERLAY_LABEL_MAX]; /* of the first two lines, else one; then cut off with an ellipsis */
    char value[OVERLAY_VALUE_MAX]; /* at the other end of the line; "": none */
    float bar;                     /* 0 to 1 */
};

struct overlay {
    const struct overlay_box *boxes; /* the important ones first: they get the best places */
    int box_count;
    const struct overlay_line *lines; /* of the card, which shows as many as find room */
    int line_count;
    /* What the screen says when there is nothing to label, large and in the middle: "No camera", and below it
     * what to do and a short code. NULL: none. */
    const char *notice, *notice_detail;
    const char *status;   /* small, in the corner: "C920  1280x720  30 fps  24 ms"; NULL: none */
    float margin;         /* of each side, 0 to 0.2: kept free, for screens that cut their edges off */
    const char *language; /* of the texts, as "ja" or "zh-TW": chooses among Han glyphs; NULL: the locale's */
};

struct overlay_rect {
    double x, y, width, height; /* pixels */
};

/* Fonts and what they hold in memory, kept from one drawing to the next; used by one thread at a time. */
struct overlay_painter;
struct overlay_painter *overlay_painter_create(void);          /* NULL: out of memory */
void overlay_painter_destroy(struct overlay_painter *painter); /* takes NULL */
/* Finds and loads the fonts of Latin text, which the first drawing has to wait for otherwise. */
void overlay_painter_warm(struct overlay_painter *painter);

/* Where everything goes on a screen of width x height (1 to OVERLAY_SIDE_MAX) whose picture lies at
 * `picture`, which may reach beyond the screen. Borrows painter and overlay until it is destroyed. NULL: out
 * of memory.
 *
 * All but the boxes stays on the screen less its margin. Labels lie at their boxes, or as near as there is
 * room, tied to them by a line; not over each other, the card, the status or the notice. */
struct overlay_plan;
struct overlay_plan *overlay_plan_create(struct overlay_painter *painter, const struct overlay *overlay,
                                         int width, int height, struct area picture);
void overlay_plan_destroy(struct overlay_plan *plan); /* takes NULL */

/* Where the label of a box is; false: nowhere, as the box cannot be seen or no room is left. */
bool overlay_plan_label(const struct overlay_plan *plan, int box, struct overlay_rect *at);
/* The card, the status and the notice, in this order; false: there is none. */
enum overlay_part { OVERLAY_CARD, OVERLAY_STATUS, OVERLAY_NOTICE, OVERLAY_PARTS };
bool overlay_plan_part(const struct overlay_plan *plan, enum overlay_part part, struct overlay_rect *at);
/* How many characters of all texts no font has. */
int overlay_plan_missing(const struct overlay_plan *plan);
/* Areas that hold all that is drawn; they do not overlap. At most `most` (> 0), larger ones if need be.
 * Returns how many, or -ENOMEM. */
int overlay_plan_areas(const struct overlay_plan *plan, struct area *areas, int most);

typedef struct _cairo cairo_t;
void overlay_plan_draw(const struct overlay_plan *plan, cairo_t *cairo);

/* Draws onto an RGB24 frame, in place, the picture being the whole of it. Returns 0, or -ENOMEM, -EINVAL
 * (another format), -E2BIG (a side above OVERLAY_SIDE_MAX). */
int overlay_compose(const struct overlay *overlay, struct frame *frame);

#endif
