/* SPDX-License-Identifier: MIT */
/* What the parts of the overlay share: sizes, texts, and the plan. */
#ifndef PIPIT_DISPLAY_OVERLAY_PLAN_H
#define PIPIT_DISPLAY_OVERLAY_PLAN_H

#include "display/overlay/overlay.h"

#include <pango/pangocairo.h>

struct overlay_style { /* pixels */
    double font;       /* size of a label's text; all else follows from it */
    double pad;        /* around text */
    double gap;        /* between things */
    double line;       /* width of a box's line */
    double radius;     /* of its corners */
};

struct text {
    PangoLayout *layout;  /* NULL: no text */
    double width, height; /* of its lines, pixels */
    double baseline;      /* of the first, from the top */
    int lines;
    bool rtl; /* reads from right to left */
};

struct text_style {
    double size; /* pixels */
    bool bold;
    double width; /* at most, pixels */
    int lines;    /* at most; the last is cut off with an ellipsis */
    PangoAlignment align;
};

struct plan_label {
    bool seen, placed;       /* the box; its label */
    struct overlay_rect box; /* what is seen of it */
    struct overlay_rect at;
    double tie[4]; /* a line from (0, 1) at the label to (2, 3) at the box, where the two do not touch */
    bool tied;
    struct text name, value;
};

struct plan_line {
    struct text name, value;
    double y, height; /* of its text */
};

struct overlay_plan {
    const struct overlay *overlay;
    int width, height; /* of the screen */
    PangoContext *context;
    struct overlay_style style;
    struct overlay_rect screen; /* less the margin: for boxes */
    struct overlay_rect room;   /* and less a little more: for all else */
    struct plan_label *label;   /* of each box */
    struct plan_line *line;
    int lines;                               /* that the card shows */
    struct overlay_rect part[OVERLAY_PARTS]; /* width 0: none */
    struct text status, notice, detail;
};

/* Fills `text`; "" and NULL make none. */
void text_init(struct text *text, PangoContext *context, const char *utf8, const struct text_style *style);
void text_finish(struct text *text);
/* How high a name and its value are side by side, and how far below the top each begins: on one baseline, or
 * the value in the middle of a name of several lines. */
double text_pair(const struct text *name, const struct text *value, double *name_y, double *value_y);

/* Places the labels, whose sizes are known, around what lies on the screen already. `taken` has room for the
 * labels behind its `count` rectangles. */
void plan_place(struct overlay_plan *plan, struct overlay_rect *taken, int count);

#endif
