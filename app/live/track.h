/* SPDX-License-Identifier: MIT */
/*
 * Objects over time: each keeps its number from result to result, by the overlap of its boxes, enters when it
 * was seen for sure, and leaves when it was missed for a while. Time counts in results, not in seconds, so
 * that a slow board is as steady as a fast one. Pure: no clock, no memory but its own.
 *
 * Matching is greedy by intersection over union within a class, as in Bochinski et al., High-Speed
 * Tracking-by-Detection Without Using Image Information, 2017.
 */
#ifndef PIPIT_APP_LIVE_TRACK_H
#define PIPIT_APP_LIVE_TRACK_H

#include <pipit.h>

#define TRACKS_MAX 64

struct track {
    int id;    /* 1, 2, 3 ... as they are first seen */
    int index; /* class */
    float score;
    float box[4];      /* smoothed; left, top, right, bottom as fractions of the picture */
    int seen, missed;  /* results in a row */
    int rival, rivals; /* another class that was seen here, and how often in a row */
    bool shown;
};

struct track_settings {
    float threshold; /* a score from here on counts for entering */
    int enter; /* such results in a row before it is shown; one is enough half way from threshold to 1 */
    int hold;  /* results without it before it leaves */
    float
        smooth; /* 0: boxes as they come; the part that the old box keeps while the new one differs little */
};

enum track_event { TRACK_ENTERS, TRACK_LEAVES };

struct tracker {
    struct track_settings settings;
    struct track track[TRACKS_MAX]; /* the shown ones are in the order of their numbers */
    int count, last_id;
    /* Called when an object enters or leaves; may be NULL. */
    void (*tell)(void *user, enum track_event event, const struct track *track);
    void *user;
};

/* Takes in one result. Objects beyond TRACKS_MAX are left out, and those whose score or box is no number. */
void tracker_update(struct tracker *tracker, const struct pipit_object *objects, int count);
/* Everything leaves. Numbers go on. */
void tracker_clear(struct tracker *tracker);

float box_overlap(const float a[4], const float b[4]); /* intersection over union, 0 to 1 */

#endif
