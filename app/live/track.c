/* SPDX-License-Identifier: MIT */
#include "app/live/track.h"

#include <math.h>
#include <string.h>

enum { OBJECTS_MAX = 128 };

static const float same_object = 0.3f; /* overlap from which a box of one class continues a track */
static const float same_place = 0.5f;  /* the same across classes: a network that cannot make up its mind */

struct match {
    const struct pipit_object *object;
    int count;
    bool object_taken[OBJECTS_MAX], track_taken[TRACKS_MAX];
};

static float least(float a, float b)
{
    return a < b ? a : b;
}

static float most(float a, float b)
{
    return a > b ? a : b;
}

static float area(const float box[4])
{
    return most(0, box[2] - box[0]) * most(0, box[3] - box[1]);
}

float box_overlap(const float a[4], const float b[4])
{
    const float both[4] = {most(a[0], b[0]), most(a[1], b[1]), least(a[2], b[2]), least(a[3], b[3])};
    float shared = area(both), all = area(a) + area(b) - shared;
    return all > 0 ? shared / all : 0;
}

static void tell(const struct tracker *tracker, enum track_event event, const struct track *track)
{
    if (tracker->tell)
        tracker->tell(tracker->user, event, track);
}

/* The old box keeps less the further the new one is away, so that what moves is not left behind. */
static void move_box(struct track *track, const float box[4], float smooth)
{
    float keep = smooth * box_overlap(track->box, box);
    for (int k = 0; k < 4; k++)
        track->box[k] = keep * track->box[k] + (1 - keep) * box[k];
}

/* The class changes only after as many results in a row as a new object needs. */
static bool changes_class(struct track *track, int index, int needed)
{
    track->rivals = index == track->index ? 0 : index == track->rival ? track->rivals + 1 : 1;
    track->rival = index;
    return track->rivals >= needed;
}

static void change_class(struct tracker *tracker, struct track *track, int index)
{
    if (track->shown)
        tell(tracker, TRACK_LEAVES, track);
    track->index = index;
    track->rivals = 0;
    if (track->shown)
        tell(tracker, TRACK_ENTERS, track);
}

static void see(struct tracker *tracker, struct track *track, const struct pipit_object *object)
{
    const struct track_settings *s = &tracker->settings;
    bool counts = object->score >= s->threshold, for_sure = object->score >= (1 + s->threshold) / 2;
    move_box(track, object->box, s->smooth);
    if (changes_class(track, object->index, s->enter))
        change_class(tracker, track, object->index);
    if (object->index == track->index)
        track->score =
            track->seen ? s->smooth * track->score + (1 - s->smooth) * object->score : object->score;
    track->missed = 0;
    track->seen = counts ? track->seen + 1 : track->shown ? track->seen : 0;
    if (!track->shown && counts && (for_sure || track->seen >= s->enter)) {
        track->shown = true;
        tell(tracker, TRACK_ENTERS, track);
    }
}

/* Pairs what overlaps most, again and again. */
static void pair(struct tracker *tracker, struct match *match, bool same_class, float from)
{
    for (;;) {
        float best = from;
        int at = -1, with = -1;
        for (int t = 0; t < tracker->count; t++)
            for (int o = 0; o < match->count && !match->track_taken[t]; o++) {
                if (match->object_taken[o] ||
                    (same_class && match->object[o].index != tracker->track[t].index))
                    continue;
                float overlap = box_overlap(tracker->track[t].box, match->object[o].box);
                if (overlap >= best && (overlap > best || at < 0)) {
                    best = overlap;
                    at = t;
                    with = o;
                }
            }
        if (at < 0)
            return;
        match->track_taken[at] = match->object_taken[with] = true;
        see(tracker, &tracker->track[at], &match->object[with]);
    }
}

static void miss(struct tracker *tracker, const struct match *match)
{
    int kept = 0;
    for (int t = 0; t < tracker->count; t++) {
        struct track *track = &tracker->track[t];
        bool taken = match->track_taken[t];
        track->missed += !taken;
        track->seen = taken || track->shown ? track->seen : 0;
        if (track->missed > (track->shown ? tracker->settings.hold : 0)) {
            if (track->shown)
                tell(tracker, TRACK_LEAVES, track);
            continue;
        }
        if (kept != t)
            tracker->track[kept] = *track;
        kept++;
    }
    tracker->count = kept;
}

static void start(struct tracker *tracker, const struct match *match)
{
    for (int o = 0; o < match->count && tracker->count < TRACKS_MAX; o++) {
        const struct pipit_object *object = &match->object[o];
        if (match->object_taken[o] || object->score < tracker->settings.threshold)
            continue;
        struct track *track = &tracker->track[tracker->count++];
        *track = (struct track){.id = ++tracker->last_id, .index = object->index};
        memcpy(track->box, object->box, sizeof(track->box));
        see(tracker, track, object);
    }
}

static bool is_number(const struct pipit_object *object)
{
    return isfinite(object->score) && isfinite(object->box[0]) && isfinite(object->box[1]) &&
           isfinite(object->box[2]) && isfinite(object->box[3]);
}

void tracker_update(struct tracker *tracker, const struct pipit_object *objects, int count)
{
    struct match match = {.object = objects, .count = count < OBJECTS_MAX ? count : OBJECTS_MAX};
    for (int o = 0; o < match.count; o++)
        match.object_taken[o] = !is_number(&objects[o]); /* it would stay in every average from here on */
    pair(tracker, &match, true, same_object);
    pair(tracker, &match, false, same_place);
    miss(tracker, &match);
    start(tracker, &match);
}

void tracker_clear(struct tracker *tracker)
{
    for (int t = 0; t < tracker->count; t++)
        if (tracker->track[t].shown)
            tell(tracker, TRACK_LEAVES, &tracker->track[t]);
    tracker->count = 0;
}
