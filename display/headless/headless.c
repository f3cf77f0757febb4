/* SPDX-License-Identifier: MIT */
/* Screens without hardware: memory, PNG files, an MJPEG stream, nothing. A clock gives their vertical blanks.
 */
#include "display/headless/mjpeg_file.h"
#include "display/pacer.h"
#include "display/headless/png_file.h"
#include "display/screen_kind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WIDTH = 1280, HEIGHT = 720, RATE = 60, CANVASES = 3 };

struct memory {
    struct screen screen;
    struct pacer pacer;
    bool pending;
    uint64_t taken_ns;     /* of the pending update */
    const char *folder;    /* of PNG files, in settings.name */
    unsigned long written; /* PNG files so far */
    int stream;            /* of JPEGs; -1: none */
};

static void destroy_frame(struct canvas_slot *slot)
{
    frame_unref(slot->memory);
}

static void memory_close(struct screen *screen)
{
    struct memory *memory = (struct memory *)screen;
    canvases_finish(&screen->canvases);
    pacer_finish(&memory->pacer);
    if (memory->stream > STDERR_FILENO)
        close(memory->stream);
    free(memory);
}

static int add_canvas(struct memory *memory)
{
    const struct screen_info *info = &memory->screen.info;
    struct frame *frame = frame_create(FRAME_XRGB32, info->width, info->height);
    struct canvas_slot *slot = frame ? canvases_add(&memory->screen.canvases) : NULL;
    if (!slot) {
        frame_unref(frame);
        return -ENOMEM;
    }
    memset(frame->data[0], 0, (size_t)frame->stride[0] * (size_t)frame->height);
    slot->canvas.frame = *frame;
    slot->memory = frame;
    return 0;
}

static int fill(struct memory *memory, const struct screen_settings *settings, int canvases)
{
    struct screen_info *info = &memory->screen.info;
    snprintf(info->name, sizeof(info->name), "%s", settings->name);
    snprintf(info->why, sizeof(info->why), "there is no hardware");
    info->width = settings->width ? settings->width : WIDTH;
    info->height = settings->height ? settings->height : HEIGHT;
    info->rate = settings->rate > 0 ? settings->rate : RATE;
    info->way = canvases ? SCREEN_COMPOSE : SCREEN_NOTHING;
    memory->screen.canvases.destroy = destroy_frame;
    memory->stream = -1;
    int status = pacer_init(&memory->pacer, info->rate);
    memory->screen.fd = memory->pacer.fd;
    for (int i = 0; i < canvases && !status; i++)
        status = add_canvas(memory);
    return status;
}

/* NULL: *status says why. */
static struct memory *memory_create(const struct screen_settings *settings, int canvases, int *status,
                                    struct screen_error *error)
{
    struct memory *memory = calloc(1, sizeof(*memory));
    *status = memory ? fill(memory, settings, canvases) : -ENOMEM;
    if (!*status)
        return memory;
    screen_fail(error, *status, "cannot make the screen %s: %s", settings->name, strerror(-*status));
    if (memory)
        memory_close(&memory->screen);
    return NULL;
}

static int memory_open(struct screen **screen, const char *rest, const struct screen_settings *settings,
                       struct screen_error *error)
{
    int status;
    (void)rest;
    *screen = (struct screen *)memory_create(settings, CANVASES, &status, error);
    return status;
}

static int none_open(struct screen **screen, const char *rest, const struct screen_settings *settings,
                     struct screen_error *error)
{
    int status;
    (void)rest;
    *screen = (struct screen *)memory_create(settings, 0, &status, error);
    return status;
}

static int png_open(struct screen **screen, const char *rest, const struct screen_settings *settings,
                    struct screen_error *error)
{
    int status;
    if (!*rest)
        return screen_fail(error, -EINVAL, "png: needs a folder, as in png:/tmp/pictures");
    if (mkdir(rest, 0777) && errno != EEXIST)
        return screen_fail(error, -errno, "cannot make the folder %s: %s", rest, strerror(errno));
    struct memory *memory = memory_create(settings, CANVASES, &status, error);
    if (!memory)
        return status;
    memory->folder = rest;
    *screen = &memory->screen;
    return 0;
}

/* A pipe that nobody reads is not waited for: ENXIO (fifo(7)). Later on its reader is. */
static int open_stream(const char *path)
{
    int fd = strcmp(path, "-") ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0666)
                               : STDOUT_FILENO;
    if (fd > STDERR_FILENO)
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

static int mjpeg_open(struct screen **screen, const char *rest, const struct screen_settings *settings,
                      struct screen_error *error)
{
    int status, stream = *rest ? open_stream(rest) : -1;
    if (!*rest)
        return screen_fail(error, -EINVAL, "mjpeg: needs a file, or - for standard output");
    if (stream < 0)
        return screen_fail(error, -errno, "cannot write to %s: %s", rest,
                           errno == ENXIO ? "nobody reads this pipe; start its reader first"
                                          : strerror(errno));
    struct memory *memory = memory_create(settings, CANVASES, &status, error);
    if (!memory) {
        if (stream > STDERR_FILENO)
            close(stream);
        return status;
    }
    memory->stream = stream;
    *screen = &memory->screen;
    return 0;
}

static int memory_adapt(struct screen *screen, const struct frame *like)
{
    (void)screen;
    (void)like;
    return 0;
}

static int memory_dispatch(struct screen *screen, struct screen_shown *shown)
{
    struct memory *memory = (struct memory *)screen;
    uint64_t due;
    if (!pacer_due(&memory->pacer, &due))
        return 0;
    memory->pending = false;
    canvases_shown(&screen->canvases);
    *shown = (struct screen_shown){memory->taken_ns, due};
    return SCREEN_SHOWN;
}

static int memory_recheck(struct screen *screen, bool event)
{
    (void)screen;
    (void)event;
    return 0;
}

static bool memory_ready(const struct screen *screen)
{
    return !((const struct memory *)screen)->pending;
}

static int memory_finish(struct screen *screen, struct canvas *canvas)
{
    (void)screen;
    (void)canvas;
    return 0;
}

static int png_finish(struct screen *screen, struct canvas *canvas)
{
    struct memory *memory = (struct memory *)screen;
    char *path;
    if (asprintf(&path, "%s/frame-%06lu.png", memory->folder, memory->written) < 0)
        return -ENOMEM;
    int status = png_write(&canvas->frame, path);
    memory->written += !status;
    free(path);
    return status;
}

static int mjpeg_finish(struct screen *screen, struct canvas *canvas)
{
    return mjpeg_write(&canvas->frame, ((struct memory *)screen)->stream);
}

static int memory_present(struct screen *screen, const struct screen_update *update)
{
    struct memory *memory = (struct memory *)screen;
    if (memory->pending)
        return -EBUSY;
    if (update->frame || update->labels || !update->picture != (screen->info.way == SCREEN_NOTHING))
        return -EINVAL;
    struct canvas_slot *slot = update->picture ? canvases_lent(&screen->canvases, update->picture) : NULL;
    if (update->picture && !slot)
        return -EINVAL;
    if (slot)
        canvases_present(&screen->canvases, slot);
    memory->pending = true;
    memory->taken_ns = update->time_ns;
    pacer_next(&memory->pacer);
    return 0;
}

#define MEMORY_KIND(name, opens, finishes)                                                                   \
    const struct screen_kind name = {opens,          memory_close, memory_adapt, memory_dispatch,            \
                                     memory_recheck, memory_ready, finishes,     memory_present}

MEMORY_KIND(screen_memory, memory_open, memory_finish);
MEMORY_KIND(screen_png, png_open, png_finish);
MEMORY_KIND(screen_mjpeg, mjpeg_open, mjpeg_finish);
MEMORY_KIND(screen_none, none_open, memory_finish);
