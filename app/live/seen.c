/* SPDX-License-Identifier: MIT */
#include "app/live/seen.h"

#include "app/json.h"
#include "app/live/stats.h"

#include <errno.h>
#include <string.h>

static struct json_object *describe(const struct seen *seen, int id, int index, float score, const float *box)
{
    struct json_object *object = json_object_new_object();
    char name[32];
    json_add(object, "id", json_object_new_int(id));
    json_add(object, "index", json_object_new_int(index));
    json_add(object, "label", json_text(names_of(&seen->model.names, index, name, sizeof(name))));
    json_add(object, "score", json_real((double)score));
    struct json_object *corners = box ? json_object_new_array() : NULL;
    for (int k = 0; k < 4 && corners; k++)
        json_object_array_add(corners, json_ms((double)box[k])); /* a thousandth of the picture */
    json_add(object, "box", corners);
    return object;
}

static void tell(struct seen *seen, const char *what, struct json_object *thing)
{
    struct json_object *object = json_object_new_object();
    json_add(object, "t", json_ms(unix_time()));
    json_add(object, "event", json_object_new_string(what));
    json_object_object_foreach(thing, key, value) json_add(object, key, json_object_get(value));
    json_object_put(thing);
    int status = lines_add(seen->events, object);
    seen->broken = status ? status : seen->broken;
}

static void on_track(void *user, enum track_event event, const struct track *track)
{
    struct seen *seen = user;
    if (seen->events->fd >= 0)
        tell(seen, event == TRACK_ENTERS ? "enter" : "leave",
             describe(seen, track->id, track->index, track->score, track->box));
}

void seen_init(struct seen *seen, const struct config *config, struct lines *events)
{
    memset(seen, 0, sizeof(*seen));
    seen->config = config;
    seen->events = events;
    seen->answer = -1;
    seen->tracker.tell = on_track;
    seen->tracker.user = seen;
}

static void change_answer(struct seen *seen, int answer, float score)
{
    if (answer == seen->answer)
        return;
    if (seen->answer >= 0 && seen->events->fd >= 0)
        tell(seen, "leave", describe(seen, seen->answers, seen->answer, 0, NULL));
    seen->answers += answer >= 0;
    if (answer >= 0 && seen->events->fd >= 0)
        tell(seen, "enter", describe(seen, seen->answers, answer, score, NULL));
    seen->answer = answer;
}

void seen_clear(struct seen *seen)
{
    tracker_clear(&seen->tracker);
    change_answer(seen, -1, 0);
    if (seen->vote) {
        vote_destroy(seen->vote);
        seen->vote = vote_create(seen->model.classes);
    }
}

void seen_finish(struct seen *seen)
{
    vote_destroy(seen->vote);
    names_finish(&seen->model.names);
}

int seen_model(struct seen *seen, const struct brain_model *model)
{
    seen_clear(seen);
    vote_destroy(seen->vote);
    names_finish(&seen->model.names);
    seen->model = *model;
    seen->vote = model->classes ? vote_create(model->classes) : NULL;
    seen->has_model = !model->classes || seen->vote;
    return seen->has_model ? 0 : -ENOMEM;
}

static void see_classes(struct seen *seen, const struct brain_result *result, struct look *look)
{
    const struct config *c = seen->config;
    const struct vote_settings settings = {c->average, (float)c->sure, (float)c->lead, (float)c->uncertainty};
    struct pipit_class top = {-1, 0};
    vote_update(seen->vote, &settings, result->best, result->classes);
    vote_top(seen->vote, &top, 1);
    int answer = vote_answer(seen->vote, &settings);
    change_answer(seen, answer, top.score);
    look_votes(look, seen->vote, answer >= 0, &seen->model.names, c->top);
}

void seen_result(struct seen *seen, const struct brain_result *result, struct look *look)
{
    const struct config *c = seen->config;
    if (seen->vote) {
        see_classes(seen, result, look);
        return;
    }
    seen->tracker.settings =
        (struct track_settings){seen->model.threshold, c->enter, c->hold, (float)c->smooth};
    tracker_update(&seen->tracker, result->object, result->objects);
    look_tracks(look, &seen->tracker, &seen->model.names);
}

struct json_object *seen_objects(struct seen *seen)
{
    struct json_object *list = json_object_new_array();
    struct pipit_class top = {-1, 0};
    if (seen->vote && seen->answer >= 0 && vote_top(seen->vote, &top, 1))
        json_object_array_add(list, describe(seen, seen->answers, seen->answer, top.score, NULL));
    for (int t = 0; t < seen->tracker.count; t++) {
        const struct track *track = &seen->tracker.track[t];
        if (track->shown)
            json_object_array_add(list, describe(seen, track->id, track->index, track->score, track->box));
    }
    return list;
}
