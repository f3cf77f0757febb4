/* SPDX-License-Identifier: MIT */
#include "display/screen_kind.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_MAX = 16384 };
#define RATE_MAX 1000.0

#ifndef PIPIT_KMS
static int no_kms(struct screen **screen, const char *rest, const struct screen_settings *settings,
                  struct screen_error *error)
{
    (void)screen;
    (void)settings;
    return screen_fail(error, -ENOTSUP,
                       "no screen %s: this build has no DRM/KMS; use png:DIR, mjpeg:FILE or none", rest);
}

const struct screen_kind screen_kms = {.open = no_kms};

int screen_list_init(struct screen_list *list)
{
    *list = (struct screen_list){0};
    return 0;
}

void screen_list_finish(struct screen_list *list)
{
    (void)list;
}
#endif

static const struct {
    const char *prefix; /* with ':', or the whole name */
    const struct screen_kind *kind;
} kinds[] = {{"png:", &screen_png},
             {"mjpeg:", &screen_mjpeg},
             {"memory", &screen_memory},
             {"none", &screen_none},
             {"", &screen_kms}};

int screen_fail(struct screen_error *error, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return code;
}

void screen_defaults(struct screen_settings *settings)
{
    *settings = (struct screen_settings){.name = "auto", .planes = true, .fit = SCREEN_FIT};
}

static int check(const struct screen_settings *settings, struct screen_error *error)
{
    int rotation = settings->turn.rotation;
    if (!settings->name || !*settings->name)
        return screen_fail(error, -EINVAL, "the screen has no name; use auto for the first one");
    if (!settings->width != !settings->height || settings->width < 0 || settings->height < 0 ||
        settings->width > SIDE_MAX || settings->height > SIDE_MAX)
        return screen_fail(error, -EINVAL, "no screen is %d x %d pixels; sides go up to %d", settings->width,
                           settings->height, SIDE_MAX);
    if (!(settings->rate >= 0 && settings->rate <= RATE_MAX) || (settings->rate > 0 && settings->rate < 0.1))
        return screen_fail(error, -EINVAL, "no screen has %g pictures a second", settings->rate);
    if (rotation != 0 && rotation != 90 && rotation != 180 && rotation != 270)
        return screen_fail(error, -EINVAL, "cannot turn by %d degrees; 0, 90, 180 and 270 are possible",
                           rotation);
    return 0;
}

/* The kind of a name, and what follows its prefix. */
static const struct screen_kind *find_kind(const char *name, const char **rest)
{
    size_t k = 0;
    for (;; k++) {
        size_t length = strlen(kinds[k].prefix);
        bool open_end = !length || kinds[k].prefix[length - 1] == ':';
        *rest = name + length;
        if (!strncmp(name, kinds[k].prefix, length) && (open_end || !**rest))
            return kinds[k].kind;
    }
}

bool screen_is_hardware(const char *name)
{
    const char *rest;
    return find_kind(name, &rest) == &screen_kms;
}

int screen_open(struct screen **screen, const struct screen_settings *settings, struct screen_error *error)
{
    struct screen_settings own = *settings;
    struct screen_error unread;
    const char *rest;
    error = error ? error : &unread;
    int status = check(settings, error);
    if (status)
        return status;
    char *name = strdup(settings->name);
    if (!name)
        return screen_fail(error, -ENOMEM, "out of memory for the screen");
    own.name = name;
    const struct screen_kind *kind = find_kind(name, &rest);
    status = kind->open(screen, rest, &own, error);
    if (status) {
        free(name);
        return status;
    }
    (*screen)->kind = kind;
    (*screen)->settings = own;
    return 0;
}

void screen_close(struct screen *screen)
{
    if (!screen)
        return;
    char *name = (char *)screen->settings.name;
    screen->kind->close(screen);
    free(name);
}

void screen_info(const struct screen *screen, struct screen_info *info)
{
    *info = screen->info;
}

int screen_adapt(struct screen *screen, const struct frame *like)
{
    return screen->kind->adapt(screen, like);
}

void screen_turn(struct screen *screen, enum screen_fit fit, struct turn turn)
{
    screen->settings.fit = fit;
    screen->settings.turn = turn;
}

void screen_rest(struct screen *screen, bool rests)
{
    if (screen->kind->rest)
        screen->kind->rest(screen, rests);
}

int screen_fd(const struct screen *screen)
{
    return screen->fd;
}

int screen_dispatch(struct screen *screen, struct screen_shown *shown)
{
    return screen->kind->dispatch(screen, shown);
}

int screen_recheck(struct screen *screen, bool event)
{
    return screen->kind->recheck(screen, event);
}

bool screen_ready(const struct screen *screen)
{
    return screen->kind->ready(screen);
}

struct canvas *screen_canvas(struct screen *screen)
{
    return canvases_take(&screen->canvases);
}

void screen_give_back(struct screen *screen, struct canvas *canvas)
{
    canvases_give_back(&screen->canvases, canvas);
}

int canvas_finish(struct screen *screen, struct canvas *canvas)
{
    return screen->kind->finish(screen, canvas);
}

int screen_present(struct screen *screen, const struct screen_update *update)
{
    return screen->kind->present(screen, update);
}

/* ---- where the picture goes ---- */

static int at_least_1(double side)
{
    return side < 1 ? 1 : (int)lround(side);
}

static struct area middle(int width, int height, int inner_width, int inner_height)
{
    return (struct area){(width - inner_width) / 2, (height - inner_height) / 2, inner_width, inner_height};
}

/* Chroma samples are not cut in two: what is cut off the frame begins and ends at even coordinates. */
static void make_even(struct area *area, const struct frame *frame)
{
    if (area->width < frame->width) {
        area->x &= ~1;
        area->width = area->width > 2 ? area->width & ~1 : frame->width < 2 ? 1 : 2;
    }
    if (area->height < frame->height) {
        area->y &= ~1;
        area->height = area->height > 2 ? area->height & ~1 : frame->height < 2 ? 1 : 2;
    }
}

void screen_place(const struct screen *screen, const struct frame *frame, struct area *from, struct area *to)
{
    const struct screen_info *info = &screen->info;
    bool sideways = screen->settings.turn.rotation % 180 != 0;
    double width = sideways ? frame->height : frame->width, height = sideways ? frame->width : frame->height;
    double across = info->width / width, down = info->height / height; /* screen pixels per picture pixel */
    *from = area_of(frame);
    *to = (struct area){0, 0, info->width, info->height};
    if (screen->settings.fit == SCREEN_FIT) {
        double scale = fmin(across, down);
        *to = middle(info->width, info->height, at_least_1(width * scale), at_least_1(height * scale));
    } else if (screen->settings.fit == SCREEN_FILL) {
        double scale = fmax(across, down);
        int seen_width = at_least_1(info->width / scale), seen_height = at_least_1(info->height / scale);
        *from = sideways ? middle(frame->width, frame->height, seen_height, seen_width)
                         : middle(frame->width, frame->height, seen_width, seen_height);
        make_even(from, frame);
    }
}
