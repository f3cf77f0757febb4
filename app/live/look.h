/* SPDX-License-Identifier: MIT */
/* What is written over the picture, whole and in one piece, so that it can be handed to the thread that draws
 * and compared with what was drawn before. */
#ifndef PIPIT_APP_LIVE_LOOK_H
#define PIPIT_APP_LIVE_LOOK_H

#include "app/live/track.h"
#include "app/live/vote.h"
#include "app/names.h"
#include "display/overlay/overlay.h"

#define LOOK_LINES_MAX 10

struct look {
    struct overlay_box box[TRACKS_MAX];
    struct overlay_line line[LOOK_LINES_MAX];
    int boxes, lines;
    float margin;
    char notice[96], detail[320], status[256], language[32];
};

/* Each replaces what was there; unused bytes are 0. */
void look_tracks(struct look *look, const struct tracker *tracker, const struct names *names);
/* The best classes with their bars, or one line that says that it is not sure. */
void look_votes(struct look *look, const struct vote *vote, bool sure, const struct names *names, int most);
void look_nothing(struct look *look); /* no boxes, no lines */
void look_notice(struct look *look, const char *notice, const char *detail,
                 const char *code); /* NULL: none */

void look_overlay(const struct look *look, struct overlay *overlay); /* which borrows it */

#endif
