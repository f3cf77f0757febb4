/* SPDX-License-Identifier: MIT */
/* The screen, come what may: it may be there late, go, be switched away, and come back with another size.
 * Until then a screen that shows nothing stands in for it. All of it on the loop's thread; nothing waits. */
#ifndef PIPIT_APP_LIVE_SHOW_H
#define PIPIT_APP_LIVE_SHOW_H

#include "app/config.h"

struct show {
    struct screen *screen; /* never NULL once it is open */
    struct screen_info info;
    bool stand_in;   /* it is not the one that was asked for */
    bool gone, away; /* nothing can be presented */
    int generation;  /* counts up when canvases and labels are to be made anew */
    /* composed or to be shown as it is, and waits for the screen; one at most */
    struct canvas *picture, *labels;
    struct frame *frame;   /* a reference */
    bool waits, is_camera; /* is_camera: a camera's picture, not a notice alone */
    uint64_t taken_ns;
    /* the show's own */
    bool pending_camera;
    uint64_t presented_ns, retry_ns;
    bool refused;                    /* the last picture */
    int failure;                     /* a negative errno: of the card, since it was opened */
    struct screen_settings settings; /* its turn: the camera's own, then the configuration's */
    struct turn hangs;               /* what brings the camera's pictures upright */
    char name[CONFIG_TEXT], why[320];
    uint32_t format; /* of the frames that it was adapted to */
    int width, height;
    bool adapted, dmabuf;
};

/* What became of the picture that was on its way. */
struct show_news {
    bool shown, camera; /* a picture came on the screen; it was the camera's */
    double flip_ms, glass_ms;
};

/* Opens what the configuration asks for, or a stand-in when that may come later. A negative errno with a
 * sentence in why: it will not. */
int show_open(struct show *show, const struct config *config);
/* The same while running, where even a folder or a file that cannot be written to is waited for. */
int show_reopen(struct show *show, const struct config *config);
void show_close(struct show *show); /* no canvas is with the worker */
/* Other fit or turn of the picture. */
void show_turn(struct show *show, const struct config *config);
/* Another camera, which hangs so; the screen is adapted to its frames anew. */
void show_camera(struct show *show, const struct config *config, struct turn hangs);

/* Looks for a screen that is missing, or whether it is still there; event: something was plugged. Only while
 * no canvas is with the worker. */
void show_look(struct show *show, bool event, uint64_t now);
bool show_look_is_due(const struct show *show, uint64_t now);
void show_dispatch(struct show *show, struct show_news *news);

/* How frames like this one are shown: adapts the screen to it when they are the first of their kind. */
enum screen_way show_way(struct show *show, const struct frame *frame);
/* Presents what waits, if the screen can take it now. True: it did. */
bool show_present(struct show *show, uint64_t now);
/* Gives back what waits; true: it was a camera's picture that nobody saw. */
bool show_drop(struct show *show);

#endif
