/* SPDX-License-Identifier: MIT */
#include "capture/backend.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RATE_MAX = 1000, BUFFERS_MIN = 2, BUFFERS_MAX = 32 };

static const struct {
    const char *prefix;
    const struct source_kind *kind; /* NULL: not in this build */
} kinds[] = {
#ifdef PIPIT_V4L2
    {"v4l2", &source_v4l2},
#else
    {"v4l2", NULL},
#endif
#ifdef PIPIT_LIBCAMERA
    {"libcamera", &source_libcamera},
#else
    {"libcamera", NULL},
#endif
    {"replay", &source_replay},
};

void source_defaults(struct source_settings *settings)
{
    *settings = (struct source_settings){.name = "auto"};
}

static int check(const struct source_settings *settings, struct source_error *error)
{
    if (settings->width < 0 || settings->height < 0 || settings->width > FRAME_SIDE_MAX ||
        settings->height > FRAME_SIDE_MAX)
        return source_fail(error, -EINVAL, "a picture cannot have %d x %d pixels", settings->width,
                           settings->height);
    if (!isfinite(settings->rate) || settings->rate < 0 || settings->rate > RATE_MAX)
        return source_fail(error, -EINVAL, "the rate is 0 to %d frames per second, not %g", RATE_MAX,
                           settings->rate);
    if (settings->buffers && (settings->buffers < BUFFERS_MIN || settings->buffers > BUFFERS_MAX))
        return source_fail(error, -EINVAL, "the number of buffers is %d to %d, not %d", BUFFERS_MIN,
                           BUFFERS_MAX, settings->buffers);
    if (settings->controls < 0 || settings->controls > SOURCE_CONTROLS_MAX)
        return source_fail(error, -EINVAL, "at most %d controls can be set", SOURCE_CONTROLS_MAX);
    return 0;
}

static int open_named(struct source **source, const struct source_settings *settings,
                      struct source_error *error)
{
    const char *colon = strchr(settings->name, ':');
    size_t length = colon ? (size_t)(colon - settings->name) : 0;
    for (size_t i = 0; colon && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strlen(kinds[i].prefix) != length || memcmp(kinds[i].prefix, settings->name, length) != 0)
            continue;
        if (!kinds[i].kind)
            return source_fail(error, -ENOTSUP, "%s: this Pipit was built without %s", settings->name,
                               kinds[i].prefix);
        return kinds[i].kind->open(source, colon + 1, settings, error);
    }
    return source_fail(error, -EINVAL,
                       "%s is no source: write auto, v4l2:/dev/video0, libcamera:ID or replay:FILE",
                       settings->name);
}

static void add_reason(struct source_error *error, const char *name, const char *reason)
{
    size_t used = strlen(error->text);
    snprintf(error->text + used, sizeof(error->text) - used, "%s%s: %s", used ? "; " : "", name, reason);
}

/* Tries the cameras of one kind; *first is the error of the first camera of all. 0, also when none opens;
 * -ENOMEM. */
static int try_kind(const struct source_kind *kind, struct source **source,
                    const struct source_settings *settings, struct source_error *reasons, int *first)
{
    struct camera_list list = {0};
    int status = kind->list(&list);
    for (int i = 0; !status && i < list.count && !*source; i++) {
        struct source_settings one = *settings;
        struct source_error reason = {""};
        one.name = list.camera[i].id;
        int error = open_named(source, &one, &reason);
        if (error)
            add_reason(reasons, list.camera[i].name, reason.text);
        *first = *first ? *first : error;
    }
    camera_list_finish(&list);
    return status;
}

/* The error of the first camera is the one that the caller gets: it is most likely the one that was meant.
 * One kind after the other, because libcamera need not be loaded where V4L2 has a camera. */
static int open_first(struct source **source, const struct source_settings *settings,
                      struct source_error *error)
{
    struct source_error reasons = {""};
    int status = 0, first = 0;
    for (size_t i = 0; !status && !*source && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].kind && kinds[i].kind->list)
            status = try_kind(kinds[i].kind, source, settings, &reasons, &first);
    if (*source)
        return 0;
    if (status)
        return source_fail(error, status, "out of memory for the list of cameras");
    return first ? source_fail(error, first, "%s", reasons.text)
                 : source_fail(error, -ENODEV, "no camera is connected");
}

int source_open(struct source **source, const struct source_settings *settings, struct source_error *error)
{
    *source = NULL;
    int status = check(settings, error);
    if (status)
        return status;
    if (!settings->name || !strcmp(settings->name, "auto"))
        return open_first(source, settings, error);
    return open_named(source, settings, error);
}

void source_close(struct source *source)
{
    if (source)
        source->kind->close(source);
}

int source_fd(const struct source *source)
{
    return source->fd;
}

int source_take(struct source *source, struct frame **frame)
{
    return source->kind->take(source, frame);
}

void source_info(const struct source *source, struct source_info *info)
{
    *info = source->info;
}

bool source_is_drained(struct source *source)
{
    return source->kind->left && source->kind->left(source) < 2;
}

uint64_t source_dropped(const struct source *source)
{
    return source->dropped;
}

/* libcamera's names of USB cameras end with what udev knows of them:
 * CONTROLLER-PORT:INTERFACE-VENDOR:PRODUCT. */
static bool is_same(const struct camera *v4l2, const struct camera *other)
{
    size_t end = strlen(other->id), length = strlen(v4l2->usb);
    return length && !strncmp(other->id, "libcamera:", 10) && end > length &&
           other->id[end - length - 1] == '-' && !strcmp(other->id + end - length, v4l2->usb);
}

void camera_list_pair(struct camera_list *list)
{
    for (int i = 0; i < list->count; i++)
        for (int k = 0; k < list->count; k++)
            if (!*list->camera[i].same_as && is_same(&list->camera[k], &list->camera[i]))
                memcpy(list->camera[i].same_as, list->camera[k].id, sizeof(list->camera[k].id));
}

int camera_list_init(struct camera_list *list)
{
    int status = 0;
    *list = (struct camera_list){0};
    for (size_t i = 0; !status && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].kind && kinds[i].kind->list)
            status = kinds[i].kind->list(list);
    if (status)
        camera_list_finish(list);
    else
        camera_list_pair(list);
    return status;
}
