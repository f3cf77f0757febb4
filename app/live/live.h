/* SPDX-License-Identifier: MIT */
/*
 * The live picture: camera, screen, worker and network around one event loop. live.c waits and wires, flow.c
 * moves frames, notice.c says what is wrong, reload.c takes new settings.
 *
 *     feed ──▶ next ──▶ picture (worker) ──▶ show
 *                │                            ▲ labels
 *                └────▶ brain ──▶ seen ──▶ look
 */
#ifndef PIPIT_APP_LIVE_LIVE_H
#define PIPIT_APP_LIVE_LIVE_H

#include "app/heat.h"
#include "app/live/brain.h"
#include "app/live/feed.h"
#include "app/live/hotplug.h"
#include "app/live/journal.h"
#include "app/live/lines.h"
#include "app/live/notify.h"
#include "app/live/picture.h"
#include "app/live/seen.h"
#include "app/live/show.h"
#include "app/live/stats.h"

#include <systemd/sd-event.h>

struct live {
    struct config config;
    const struct config_origin *origin;
    char config_why[512]; /* what is wrong with the files, when `config` is not what they say now */
    bool stop;
    int status; /* of the program, with stop */

    struct feed feed;
    struct worker *worker;
    struct brain *brain;
    struct show show;
    struct picture picture;
    struct seen seen;
    struct stats stats;
    struct lines stats_lines, event_lines;
    struct hotplug *hotplug;
    struct notify notify;
    struct heat heat, heat_now; /* heat_now: of the worker, while it reads */
    struct task heat_task;
    struct heat_plan plan;
    uint64_t heat_ns; /* when it is read again */
    double hot_rate;  /* results a second from HEAT_LOWER_RATE on, 0: no limit */

    struct look look;        /* as it is to be; picture.look is as it was drawn last */
    int drawn_generation;    /* of the show, when the labels were drawn, */
    struct area drawn_whole; /* and where the picture was */
    struct frame *next;      /* the newest, for the worker or the screen */
    bool composing;          /* the worker has the picture */
    bool dark;               /* a notice takes the place of the camera's picture, */
    bool dark_shown;         /* and it is drawn */
    /* every-frame: */
    bool cycle;  /* a frame is on its way */
    bool awaits; /* its result is awaited */
    bool known;  /* `next` was recognised */
    int model_status;
    bool model_stand_in; /* it is not the one that was asked for */
    char model_why[480];
    bool hung;
    unsigned taken;     /* frames of the camera */
    int shown;          /* of them, on the screen */
    uint64_t looked_ns; /* when the network got a frame the last time */
    bool told_convert;
    char told_notice[96]; /* to the service manager */
    int told_model;

    sd_event *event;
    sd_event_source *camera_io, *screen_io;
    struct source *camera_watched;
    struct screen *screen_watched;
    uint64_t started_ns, looping_ns, lit_ns; /* lit: the first picture is on the screen; 0: not yet */
    uint64_t second_ns;                      /* when the next report is due */
};

/* Runs until the end that the configuration names, or a signal; why: what is wrong with the files that the
 * configuration is not from, or NULL. Returns an exit status of sysexits.h. */
int live_run(const struct config *config, const struct config_origin *origin, const char *why);

/* flow.c */
void flow_take(struct live *live);    /* the camera has frames */
void flow_move(struct live *live);    /* after anything happened: whatever can move on does */
void flow_result(struct live *live);  /* the network has news */
void flow_shown(struct live *live);   /* the screen has news */
void flow_drawn(struct task *task);   /* the worker has composed */
void flow_release(struct live *live); /* nothing waits any more */
void live_stop(struct live *live, int status);
bool live_is_bounded(const struct live *live);     /* a script, which wants a failure rather than a remedy */
void live_unwatch(struct live *live, bool camera); /* before its descriptor is closed */

/* notice.c */
void notice_update(struct live *live, uint64_t now);
void status_update(struct live *live);
void progress_update(struct live *live, uint64_t now); /* for the watchdog */

/* temper.c */
void temper_submit(struct live *live, uint64_t now); /* from heat_ns on, when the worker is idle */
void temper_load(struct live *live);         /* opens the model as the configuration and the heat want it */
double temper_rate(const struct live *live); /* results a second at most, 0: no limit */

/* rest.c */
void rest_update(struct live *live, uint64_t now); /* the time of day decides whether all of it rests */

/* reload.c */
void live_reload(struct live *live);
void live_apply_look(struct live *live); /* what of the configuration concerns the labels */

#endif
