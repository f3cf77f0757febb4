/* SPDX-License-Identifier: MIT */
/* The worker's task: decode a frame if it must be, draw the labels if they changed, and compose both. */
#ifndef PIPIT_APP_LIVE_PICTURE_H
#define PIPIT_APP_LIVE_PICTURE_H

#include "app/live/fonts.h"
#include "app/live/look.h"
#include "app/live/worker.h"
#include "capture/mjpeg.h"
#include "display/compose.h"
#include "display/screen.h"

struct picture {
    struct task task;
    /* in */
    struct frame *frame;         /* a reference; NULL: black */
    struct screen *screen;       /* of the canvas */
    struct canvas *canvas;       /* NULL: decode only */
    bool labels_only;            /* for a plane above the camera's */
    struct area from, to, whole; /* whole: where all of the picture would lie, on the screen or beyond it */
    int width, height;           /* of the screen */
    struct turn turn;
    int generation;    /* of the show, whose canvas it is */
    bool look_changed; /* `look` is to be drawn */
    struct look look;
    /* kept */
    struct mjpeg *decoder;
    struct converter *converter;
    struct fonts fonts;
    struct labels labels;
    struct overlay_box box[TRACKS_MAX];
    struct frame *black;
    /* out */
    struct frame *decoded; /* a reference to the frame, or to what came out of it */
    int decode_status, status;
    uint64_t convert_ns, draw_ns; /* draw_ns 0: nothing was drawn */
};

int picture_init(struct picture *picture, void (*done)(struct task *task)); /* 0 or a negative errno */
void picture_finish(struct picture *picture);

#endif
