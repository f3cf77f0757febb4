/* SPDX-License-Identifier: MIT */
/*
 * The camera, come what may: it is opened on the worker's thread, watched, and when it is gone, stalled, busy
 * or refused, opened again after a while that doubles from try to try, or as soon as something is plugged in.
 */
#ifndef PIPIT_APP_LIVE_FEED_H
#define PIPIT_APP_LIVE_FEED_H

#include "app/config.h"
#include "app/live/worker.h"

enum feed_state {
    FEED_CLOSED,  /* opens when its time has come */
    FEED_WORKING, /* is being opened or closed by the worker */
    FEED_RUNNING,
    FEED_LEAVING, /* wants to be closed by the worker */
    FEED_ENDED,   /* a replay came to its end, or cannot be played; it stays closed */
};

struct feed {
    enum feed_state state;
    struct source *source; /* while running */
    struct source_info info;
    int problem;        /* a negative errno: why it does not run; -ETIMEDOUT: stalled; 0 at first */
    char why[256];      /* a sentence */
    uint64_t dropped;   /* frames that the sources lost, since the start */
    uint64_t closed_ns; /* since when there is no picture; 0: there is */
    /* the feed's own */
    struct task task;
    struct source_settings settings;
    struct source_error error;
    struct source *opened;
    char name[CONFIG_TEXT], id[CONFIG_TEXT]; /* id: what "auto" found the last time */
    int status, failures;
    bool rests;   /* stays closed */
    bool again;   /* the settings changed */
    bool plugged; /* something came while the worker was at it */
    uint64_t opened_ns, frame_ns, retry_ns, dropped_before;
    double delay_s; /* until the next try */
};

void feed_init(struct feed *feed, uint64_t now);
void feed_finish(struct feed *feed); /* the worker is gone */

/* To be called in turn: whether it has something for the worker now, and to hand it over. */
bool feed_wants_worker(const struct feed *feed, uint64_t now);
void feed_submit(struct feed *feed, struct worker *worker, const struct config *config);

/* What to wait for frames of. NULL: nothing; a source that is only to be closed stays readable. */
struct source *feed_watched(const struct feed *feed);
/* A frame with a reference; -EAGAIN: none now; anything else: the state has changed. */
int feed_take(struct feed *feed, struct frame **frame, uint64_t now);
/* Now and then, after what is there was taken: leaves a camera that has sent nothing for stall_s seconds,
 * though it had buffers for it. */
void feed_watch(struct feed *feed, double stall_s, uint64_t now);
void feed_excuse(struct feed *feed, uint64_t now);  /* nobody asks for frames now: it is not to blame */
void feed_restart(struct feed *feed, uint64_t now); /* with other settings */
void feed_plugged(struct feed *feed, uint64_t now); /* a device came: look at once */
void feed_rest(struct feed *feed, bool rests, uint64_t now); /* closed until it may work again */

#endif
