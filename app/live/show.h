/* SPDX-License-Identifier: MIT */
/*
 * The screen, come what may: it may be there late, go, be switched away or taken by another program, and come
 * back with another size. Until then a screen that shows nothing stands in for it.
 *
 * What may take its time is the worker's: opening and closing, asking a screen what it is, trying planes.
 * While the worker has the screen (`lent`) nothing is presented; what is opened takes nothing from the
 * stand-in.
 */
#ifndef PIPIT_APP_LIVE_SHOW_H
#define PIPIT_APP_LIVE_SHOW_H

#include "app/config.h"
#include "app/live/worker.h"
#include "display/screen.h"

struct show {
    struct screen *screen; /* never NULL once it is open */
    struct screen_info info;
    bool stand_in;   /* it is not the one that was asked for */
    bool gone, away; /* nothing can be presented */
    bool rests;      /* nothing is to be */
    int generation;  /* counts up when canvases and labels are to be made anew */
    /* composed or to be shown as it is, and waits for the screen; one at most */
    struct canvas *picture, *labels;
    struct frame *frame;   /* a reference */
    bool waits, is_camera; /* is_camera: a camera's picture, not a notice alone */
    uint64_t taken_ns;
    bool lent;                       /* to the worker */
    char why[320];                   /* while it stands in: why, a sentence */
    struct screen_settings settings; /* its turn: the camera's own, then the configuration's */
    /* the show's own */
    bool pending_camera;
    uint64_t presented_ns, retry_ns;
    bool refused;      /* the last picture */
    bool plugged;      /* something was, and is still to be looked at */
    bool again;        /* it is to be opened anew, as the configuration says now */
    struct turn hangs; /* what brings the camera's pictures upright */
    char name[CONFIG_TEXT];
    uint32_t format; /* of the frames that it was adapted to */
    int width, height;
    bool adapted, dmabuf, adapt_failed;
    /* of the worker, while it has something to do */
    struct task task;
    enum show_work { SHOW_IDLE, SHOW_OPENS, SHOW_LOOKS, SHOW_ADAPTS } work;
    int status;             /* what came of it */
    struct screen *closing; /* to be closed first */
    struct screen *opened;
    struct screen_settings asked;
    char asked_name[CONFIG_TEXT];
    struct screen_error error;
    struct frame *like; /* a reference */
    bool event;
};

/* What became of the picture that was on its way. */
struct show_news {
    bool shown, camera; /* a picture came on the screen; it was the camera's */
    double flip_ms, glass_ms;
};

/* Opens what the configuration asks for, at once, or a stand-in when that may come later. A negative errno
 * with a sentence in why: it will not. */
int show_open(struct show *show, const struct config *config);
/* With other settings, soon; then even a folder or a file that cannot be written to is waited for. */
void show_reopen(struct show *show);
void show_close(struct show *show); /* the worker is gone */
/* Other fit or turn of the picture. */
void show_turn(struct show *show, const struct config *config);
/* Another camera, which hangs so; the screen is adapted to its frames anew. */
void show_camera(struct show *show, const struct config *config, struct turn hangs);

/* Off for a while, if the screen can be turned off, and without pictures in any case. */
void show_rest(struct show *show, bool rests);

void show_plugged(struct show *show, uint64_t now); /* a screen, maybe: look at once */
/* Now and then: asks the kernel what it knows of the screen, in no time. */
void show_look(struct show *show, uint64_t now);
/* To be called in turn: whether it has something for the worker, and to hand it over. Nothing watches the
 * screen's descriptor then, nor when the task is done. */
bool show_wants_worker(const struct show *show, uint64_t now);
void show_submit(struct show *show, struct worker *worker, const struct config *config, uint64_t now);

void show_dispatch(struct show *show, struct show_news *news);

/* Whether it must still be found out how frames like this one are shown, which the worker does when it is
 * idle. False: as info.way says. */
bool show_adapts(struct show *show, struct worker *worker, struct frame *frame);
/* Presents what waits, if the screen can take it now. True: it did. */
bool show_present(struct show *show, uint64_t now);
/* Gives back what waits; true: it was a camera's picture that nobody saw. */
bool show_drop(struct show *show);

#endif
