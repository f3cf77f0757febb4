/* SPDX-License-Identifier: MIT */
/* What a kind of source provides. `struct source` is the first member of the kind's own struct. */
#ifndef PIPIT_CAPTURE_BACKEND_H
#define PIPIT_CAPTURE_BACKEND_H

#include "capture/cameras.h"
#include "capture/source.h"

#ifdef __cplusplus
extern "C" {
#endif

struct source_kind {
    const char *prefix; /* "v4l2" */
    int (*open)(struct source **source, const char *rest, const struct source_settings *settings,
                struct source_error *error); /* rest: settings->name after the prefix and ':' */
    void (*close)(struct source *source);
    int (*take)(struct source *source, struct frame **frame);
    int (*list)(struct camera_list *list); /* appends its cameras; 0 or -ENOMEM; NULL: it has none */
    int (*left)(struct source *source);    /* buffers that are not out as frames; NULL: it waits for none */
};

struct source {
    const struct source_kind *kind;
    int fd;
    struct source_info info;
    uint64_t dropped;
};

extern const struct source_kind source_v4l2, source_libcamera, source_replay;

int source_fail(struct source_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct camera *camera_list_add(struct camera_list *list); /* zeroed; NULL: no memory */
void camera_list_pair(struct camera_list *list);          /* finds those that are listed twice */

#ifdef __cplusplus
}
#endif
#endif
