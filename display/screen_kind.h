/* SPDX-License-Identifier: MIT */
/* What a kind of screen provides. `struct screen` is the first member of the kind's own struct. */
#ifndef PIPIT_DISPLAY_SCREEN_KIND_H
#define PIPIT_DISPLAY_SCREEN_KIND_H

#include "display/canvases.h"
#include "display/screen.h"

struct screen_kind {
    /* rest: settings->name after the kind's prefix and ':' */
    int (*open)(struct screen **screen, const char *rest, const struct screen_settings *settings,
                struct screen_error *error);
    void (*close)(struct screen *screen);
    int (*adapt)(struct screen *screen, const struct frame *like);
    int (*dispatch)(struct screen *screen, struct screen_shown *shown);
    int (*recheck)(struct screen *screen, bool event);
    bool (*ready)(const struct screen *screen);
    int (*finish)(struct screen *screen, struct canvas *canvas);
    int (*present)(struct screen *screen, const struct screen_update *update);
    void (*rest)(struct screen *screen, bool rests); /* may be NULL */
};

struct screen {
    const struct screen_kind *kind;
    struct screen_settings settings; /* name: a copy that the screen owns */
    struct screen_info info;
    struct canvases canvases;
    int fd;
};

extern const struct screen_kind screen_kms, screen_memory, screen_png, screen_mjpeg, screen_none;

int screen_fail(struct screen_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
