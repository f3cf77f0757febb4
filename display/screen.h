/* SPDX-License-Identifier: MIT */
/*
 * Where pictures go: a screen through DRM/KMS, PNG files, an MJPEG stream, or memory. A screen is used by one
 * thread at a time, and the canvases that it lends by another. To open, close, adapt and recheck (after an
 * event) it may take tens of milliseconds, all else takes no time.
 *
 * SCREEN_COMPOSE: the picture and the labels are drawn by the CPU into one canvas. SCREEN_PLANES: the
 * camera's buffer goes to a hardware plane as it is, the labels to a second plane, drawn when they change.
 */
#ifndef PIPIT_DISPLAY_SCREEN_H
#define PIPIT_DISPLAY_SCREEN_H

#include "base/convert.h"
#include "base/frame.h"

struct screen; /* opaque */

struct screen_error {
    char text[320]; /* one sentence: what, and what to do */
};

enum screen_fit { SCREEN_FIT, SCREEN_FILL, SCREEN_STRETCH }; /* bars; cut off; aspect not kept */
enum screen_way { SCREEN_COMPOSE, SCREEN_PLANES, SCREEN_NOTHING /* nothing is to be drawn */ };

struct screen_settings {
    /* "auto": the first connected connector of any card; a connector's name ("HDMI-A-1"), or CARD/CONNECTOR
     * ("card1/HDMI-A-1"); "png:DIR" (made if it is not there; frame-000000.png and so on); "mjpeg:-" or
     * "mjpeg:FILE"; "memory"; "none". */
    const char *name;
    int width, height; /* of the mode, pixels; 0: the preferred mode's; without hardware 1280 x 720 */
    double rate;       /* of the mode, Hz; 0: the highest; without hardware the pace of its flips, 60 */
    bool planes;       /* use hardware planes where TEST_ONLY commits show that they do */
    enum screen_fit fit;
    struct turn turn; /* of the camera's picture */
};
void screen_defaults(struct screen_settings *settings); /* "auto", planes, SCREEN_FIT */
/* A name asks for a screen that may come and go, and not for files, a stream, memory or nothing. */
bool screen_is_hardware(const char *name);

struct screen_info {
    char name[64];   /* "HDMI-A-1", "png:DIR" */
    char driver[32]; /* "vc4", "" without hardware */
    char card[64];   /* "/dev/dri/card0" */
    int width, height;
    double rate;
    enum screen_way way;
    char why[160]; /* why it is not SCREEN_PLANES */
};

/* What a canvas holds, so that whoever draws on it next draws only what differs, and the card is told what
 * differs from the canvas before it. Whoever draws keeps it; it stays while the canvas is elsewhere. */
#define CANVAS_AREAS_MAX 128
struct canvas_content {
    bool known;          /* false: anything; true: black, or transparent, but for what follows */
    struct area picture; /* the camera's; changes with every canvas */
    uint64_t drawing;    /* the number of the labels' drawing */
    int labels;
    struct area label[CANVAS_AREAS_MAX];
};

/* A canvas: FRAME_XRGB32 for SCREEN_COMPOSE, FRAME_ARGB32 for the labels of SCREEN_PLANES; screen-sized. */
struct canvas {
    struct frame frame; /* write only: reading it back may be slow; owned by the screen */
    struct canvas_content content;
};

struct screen_update {
    struct frame *frame;    /* SCREEN_PLANES: the camera's; referenced by the screen while it is shown */
    struct canvas *picture; /* SCREEN_COMPOSE */
    struct canvas *labels;  /* SCREEN_PLANES; NULL: as they are */
    uint64_t time_ns;       /* when the picture was taken */
};

enum screen_news {
    SCREEN_SHOWN = 1, /* the update that was presented last is on the screen */
    SCREEN_GONE = 2,  /* unplugged: present fails until screen_recheck() finds a screen */
    SCREEN_AWAY = 4,  /* the terminal was switched away; present does nothing */
    SCREEN_BACK = 8,  /* there again, maybe with another size: adapt it, read info, take canvases anew */
};

struct screen_shown {
    uint64_t taken_ns;   /* the update's time_ns */
    uint64_t scanout_ns; /* CLOCK_MONOTONIC: when its first line went out, as the driver says */
};

/* -ENODEV: no card, or nothing connected; -EACCES: the sentence names the missing group; -EBUSY: another
 * program draws (it is named); -ENOENT: no such connector (those that there are, are named); -EINVAL: no such
 * mode (the nearest is named), or a name that makes no sense; -ENOTSUP: no dumb buffers, no atomic
 * modesetting; -EIO; -ENOMEM. */
int screen_open(struct screen **screen, const struct screen_settings *settings, struct screen_error *error);
void screen_close(struct screen *screen); /* takes NULL; gives the console back as it was */
void screen_info(const struct screen *screen, struct screen_info *info);

/* Finds out by TEST_ONLY commits whether frames like this one can go to a plane, and sets info.way. When that
 * changes, canvases taken earlier are of no use: they must be given back. 0 or a negative errno. */
int screen_adapt(struct screen *screen, const struct frame *like);
/* Another fit or turn of the picture; screen_adapt() is to be called again before the next is presented. */
void screen_turn(struct screen *screen, enum screen_fit fit, struct turn turn);

int screen_fd(const struct screen *screen); /* readable means screen_dispatch() */
/* Takes in what happened: SCREEN_* or'ed, or a negative errno (-EBUSY: another program has taken the card)
 * after which the screen is to be closed. `shown` is written with SCREEN_SHOWN. */
int screen_dispatch(struct screen *screen, struct screen_shown *shown);
/* Looks at the connector again. event: after a hotplug event it is probed, which may take tens of
 * milliseconds (the screen's EDID is read); else, once in a while, only the kernel is asked what it knows, in
 * no time. SCREEN_* or'ed, or a negative errno as screen_dispatch(). */
int screen_recheck(struct screen *screen, bool event);

bool screen_ready(const struct screen *screen);                      /* no update is under way */
struct canvas *screen_canvas(struct screen *screen);                 /* a free one, NULL: none now */
void screen_give_back(struct screen *screen, struct canvas *canvas); /* one that is not presented after all */
/* On the thread that drew: brings the canvas where it must be (a file, a stream; nothing for KMS). It may
 * wait for whoever reads. 0; -EPIPE: nobody reads the stream any more; -ENOSPC and others of a file system.
 */
int canvas_finish(struct screen *screen, struct canvas *canvas);
/* Shows it at the next vertical blank, without waiting. -EBUSY: not ready; -ENODEV: gone; -EACCES: away;
 * -EINVAL: not what info.way asks for, or a canvas of an earlier size (it is taken back); -ENOTSUP: the
 * planes do not take it after all, and info.way is SCREEN_COMPOSE from now on. After any error but -EINVAL
 * the canvases are still lent. */
int screen_present(struct screen *screen, const struct screen_update *update);

/* Turns the screen itself off, or on again, without waiting; nothing is shown in between, and screen_ready()
 * is false. SCREEN_BACK comes when it is on. Nothing changes without hardware. */
void screen_rest(struct screen *screen, bool rests);

/* Where on the screen the turned picture of a frame goes, and what of the frame is seen. */
void screen_place(const struct screen *screen, const struct frame *frame, struct area *from, struct area *to);

/* For people: every card, connector, mode and plane, and what is possible. One struct json-like listing. */
struct screen_mode {
    int width, height;
    double rate;
    bool preferred;
};
struct screen_port { /* a connector */
    char card[64], driver[32], name[64], problem[256];
    bool connected;
    struct screen_mode *mode;
    int modes, primaries, overlays, cursors; /* planes that can reach it */
    char formats[256];                       /* of its planes, "XR24 AR24 NV12" */
};
struct screen_list {
    struct screen_port *port;
    int count;
};
int screen_list_init(struct screen_list *list); /* 0 or -ENOMEM */
void screen_list_finish(struct screen_list *list);

#endif
