/* SPDX-License-Identifier: MIT */
/* What is seen now: results made steady, told to the screen, the statistics and the events. */
#ifndef PIPIT_APP_LIVE_SEEN_H
#define PIPIT_APP_LIVE_SEEN_H

#include "app/live/brain.h"
#include "app/live/lines.h"
#include "app/live/look.h"

struct seen {
    struct tracker tracker;
    struct vote *vote; /* NULL: the model is a detector */
    int answer;        /* of the vote, -1: not sure */
    int answers;       /* numbers the answers as the tracker numbers objects */
    bool has_model;
    struct brain_model model; /* its names belong to here */
    const struct config *config;
    struct lines *events;
    int broken; /* -EPIPE: nobody reads the events any more */
};

void seen_init(struct seen *seen, const struct config *config, struct lines *events);
void seen_finish(struct seen *seen);
void seen_clear(struct seen *seen); /* everything leaves */
/* Takes the model's names. 0 or -ENOMEM. */
int seen_model(struct seen *seen, const struct brain_model *model);
void seen_result(struct seen *seen, const struct brain_result *result, struct look *look);
struct json_object *seen_objects(struct seen *seen); /* an array for the statistics */

#endif
