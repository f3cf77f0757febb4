/* SPDX-License-Identifier: MIT */
#include "app/live/look.h"

#include <stdio.h>
#include <string.h>

static void percent(char *text, size_t size, float score)
{
    snprintf(text, size, "%.0f %%", (double)score * 100);
}

void look_nothing(struct look *look)
{
    memset(look->box, 0, sizeof(look->box));
    memset(look->line, 0, sizeof(look->line));
    look->boxes = look->lines = 0;
}

void look_tracks(struct look *look, const struct tracker *tracker, const struct names *names)
{
    char name[32];
    look_nothing(look);
    for (int t = 0; t < tracker->count; t++) {
        const struct track *track = &tracker->track[t];
        if (!track->shown)
            continue;
        struct overlay_box *box = &look->box[look->boxes++];
        memcpy(box->box, track->box, sizeof(box->box));
        box->colour = track->index;
        snprintf(box->label, sizeof(box->label), "%s", names_of(names, track->index, name, sizeof(name)));
        percent(box->value, sizeof(box->value), track->score);
    }
}

void look_votes(struct look *look, const struct vote *vote, bool sure, const struct names *names, int most)
{
    struct pipit_class top[LOOK_LINES_MAX];
    char name[32];
    int count = vote_top(vote, top, most < LOOK_LINES_MAX ? most : LOOK_LINES_MAX);
    look_nothing(look);
    if (!sure) {
        snprintf(look->line[0].label, sizeof(look->line[0].label), "%s",
                 phrase_in(look->language, PHRASE_NOT_SURE));
        look->lines = count > 0;
        return;
    }
    for (int i = 0; i < count; i++) {
        struct overlay_line *line = &look->line[look->lines++];
        snprintf(line->label, sizeof(line->label), "%s", names_of(names, top[i].index, name, sizeof(name)));
        percent(line->value, sizeof(line->value), top[i].score);
        line->bar = top[i].score;
    }
}

void look_notice(struct look *look, const char *notice, const char *detail, const char *code)
{
    memset(look->notice, 0, sizeof(look->notice));
    memset(look->detail, 0, sizeof(look->detail));
    if (!notice)
        return;
    snprintf(look->notice, sizeof(look->notice), "%s", notice);
    snprintf(look->detail, sizeof(look->detail), *detail ? "%s (%s)" : "%s%s", detail, code);
}

void look_overlay(const struct look *look, struct overlay *overlay)
{
    *overlay = (struct overlay){.boxes = look->box,
                                .box_count = look->boxes,
                                .lines = look->line,
                                .line_count = look->lines,
                                .notice = *look->notice ? look->notice : NULL,
                                .notice_detail = *look->notice ? look->detail : NULL,
                                .status = *look->status ? look->status : NULL,
                                .margin = look->margin,
                                .language = *look->language ? look->language : NULL};
}
