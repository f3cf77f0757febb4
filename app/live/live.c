/* SPDX-License-Identifier: MIT */
#include "app/live/live.h"

#include "app/json.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { TICK_US = 250000, SECOND_NS = 1000000000, MODEL_PATIENCE_S = 10, WORKER_PATIENCE_S = 3 };

/* ---- what wakes the loop ---- */

static int on_camera(sd_event_source *io, int fd, uint32_t events, void *user)
{
    flow_take(user);
    return 0;
}

static int on_screen(sd_event_source *io, int fd, uint32_t events, void *user)
{
    flow_shown(user);
    return 0;
}

static int on_worker(sd_event_source *io, int fd, uint32_t events, void *user)
{
    struct live *live = user;
    if (live->show.work)
        live_unwatch(live, false);
    worker_dispatch(live->worker);
    return 0;
}

static int on_brain(sd_event_source *io, int fd, uint32_t events, void *user)
{
    flow_result(user);
    return 0;
}

static int on_hotplug(sd_event_source *io, int fd, uint32_t events, void *user)
{
    struct live *live = user;
    bool cameras, screens;
    hotplug_dispatch(live->hotplug, &cameras, &screens);
    if (cameras)
        feed_plugged(&live->feed, clock_now_ns());
    if (screens)
        show_plugged(&live->show, clock_now_ns());
    return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *user)
{
    if (info->ssi_signo == SIGHUP)
        live_reload(user);
    else
        live_stop(user, EX_OK);
    return 0;
}

static void report_second(struct live *live, uint64_t now)
{
    uint64_t cpu_ns = brain_cpu_ns(live->brain);
    struct json_object *line = NULL;
    stats_rates(&live->stats, now);
    if (live->stats_lines.fd >= 0)
        line = stats_json(&live->stats, seen_objects(&live->seen), cpu_ns, now);
    if (line && lines_add(&live->stats_lines, line) == -EPIPE)
        live_stop(live, EX_IOERR);
    stats_begin(&live->stats, cpu_ns, now);
    status_update(live);
}

/* Where the network takes seconds, all else on the machine is slow too, the camera's driver included. */
static double stall_limit_s(const struct live *live)
{
    return fmax(live->config.stall, 3 * live->stats.inference_mean_ms / 1e3);
}

static int on_tick(sd_event_source *timer, uint64_t time, void *user)
{
    struct live *live = user;
    uint64_t now = clock_now_ns();
    if (live->cycle)
        feed_excuse(&live->feed, now);
    flow_take(live); /* what came while the loop was kept from running is no stall */
    feed_watch(&live->feed, stall_limit_s(live), now);
    rest_update(live, now);
    show_look(&live->show, now);
    notice_update(live, now);
    progress_update(live, now);
    if (now >= live->second_ns) {
        report_second(live, now);
        live->second_ns += SECOND_NS;
        if (live->second_ns <= now)
            live->second_ns = now + SECOND_NS;
    }
    int status = sd_event_source_set_time_relative(timer, TICK_US);
    return status < 0 ? status : sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static int on_end(sd_event_source *timer, uint64_t time, void *user)
{
    live_stop(user, EX_OK);
    return 0;
}

/* ---- watching ---- */

void live_unwatch(struct live *live, bool camera)
{
    sd_event_source **io = camera ? &live->camera_io : &live->screen_io;
    *io = sd_event_source_disable_unref(*io);
    if (camera)
        live->camera_watched = NULL;
    else
        live->screen_watched = NULL;
}

static int watch(struct live *live, sd_event_source **io, int fd, sd_event_io_handler_t handler)
{
    return fd < 0 ? 0 : sd_event_add_io(live->event, io, fd, EPOLLIN, handler, live);
}

/* Camera and screen as they are now. A camera whose frame is still on its way is not asked for the next. */
static int watch_changing(struct live *live)
{
    struct source *camera = feed_watched(&live->feed);
    int status = 0;
    if (live->camera_watched != camera) {
        live_unwatch(live, true);
        live->camera_watched = camera;
        if (camera)
            show_camera(&live->show, &live->config, live->feed.info.turn);
        if (camera)
            status = watch(live, &live->camera_io, source_fd(camera), on_camera);
    }
    struct screen *screen = live->show.lent ? NULL : live->show.screen;
    if (live->screen_watched != screen && status >= 0) {
        live_unwatch(live, false);
        live->screen_watched = screen;
        if (screen)
            status = watch(live, &live->screen_io, screen_fd(screen), on_screen);
    }
    if (live->camera_io && status >= 0)
        status = sd_event_source_set_enabled(live->camera_io, live->cycle ? SD_EVENT_OFF : SD_EVENT_ON);
    return status;
}

static int watch_signals(struct live *live)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    sigset_t set;
    int status = 0;
    sigemptyset(&set);
    for (int i = 0; i < 3; i++)
        sigaddset(&set, signals[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 3 && status >= 0; i++)
        status = sd_event_add_signal(live->event, NULL, signals[i], on_signal, live);
    return status;
}

static int watch_all(struct live *live)
{
    int status = sd_event_new(&live->event);
    if (status >= 0)
        status = watch_signals(live);
    if (status >= 0)
        status = watch(live, NULL, worker_fd(live->worker), on_worker);
    if (status >= 0)
        status = watch(live, NULL, brain_fd(live->brain), on_brain);
    if (status >= 0 && live->hotplug)
        status = watch(live, NULL, hotplug_fd(live->hotplug), on_hotplug);
    if (status >= 0)
        status = sd_event_add_time_relative(live->event, NULL, CLOCK_MONOTONIC, TICK_US, 0, on_tick, live);
    if (status >= 0 && live->config.duration > 0)
        status = sd_event_add_time_relative(live->event, NULL, CLOCK_MONOTONIC,
                                            (uint64_t)(live->config.duration * 1e6), 0, on_end, live);
    return status;
}

/* ---- from start to end ---- */

static int open_lines(struct lines *lines, const char *name)
{
    int status = lines_open(lines, name);
    if (!status)
        return EX_OK;
    bool goes_on = notify_is_service(); /* a kiosk is no worse without them */
    log_error("cannot write to %s: %s%s", name,
              status == -ENXIO ? "nobody reads this pipe; start its reader first" : strerror(-status),
              goes_on ? "; going on without" : "");
    return goes_on ? EX_OK : EX_CANTCREAT;
}

/* A reload waits for the loop, however long the screen takes; a terminal asks whoever opened the screen, in
 * whichever thread that was, by SIGURG. */
static void block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGURG);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static int open_screen(struct live *live)
{
    int status = show_open(&live->show, &live->config);
    if (!status)
        return EX_OK;
    log_error("%s", live->show.why);
    return status == -EINVAL ? EX_CONFIG : output_status(status);
}

/* The camera and the network are opened by their threads: the picture does not wait for the network. */
static int start(struct live *live)
{
    block_signals();
    int status = open_lines(&live->stats_lines, live->config.stats);
    if (!status)
        status = open_lines(&live->event_lines, live->config.events);
    if (!status)
        status = open_screen(live);
    if (status)
        return status;
    live->worker = worker_create();
    live->brain = brain_create();
    live->hotplug = hotplug_create();
    if (!live->worker || !live->brain || picture_init(&live->picture, flow_drawn) || watch_all(live) < 0) {
        log_error("cannot start: out of memory, threads or descriptors");
        return EX_OSERR;
    }
    if (live->config.every_frame)
        fonts_await(&live->picture.fonts);
    live_apply_look(live);
    temper_load(live);
    return EX_OK;
}

static int turn_once(struct live *live)
{
    int status = sd_event_prepare(live->event);
    if (!status)
        status = sd_event_wait(live->event, UINT64_MAX);
    uint64_t start = clock_now_ns();
    if (status > 0)
        status = sd_event_dispatch(live->event);
    if (status >= 0) {
        flow_move(live);
        status = watch_changing(live);
    }
    stats_time_ms(&live->stats, TIME_LOOP, clock_ms_since(start));
    return status;
}

static int loop(struct live *live)
{
    int status = 0;
    uint64_t now = clock_now_ns();
    stats_begin(&live->stats, brain_cpu_ns(live->brain), now);
    live->second_ns = now + SECOND_NS;
    live->looping_ns = now;
    flow_move(live);
    status = watch_changing(live);
    while (!live->stop && status >= 0)
        status = turn_once(live);
    if (status < 0) {
        log_error("the event loop failed: %s", strerror(-status));
        return EX_OSERR;
    }
    notify_stopping();
    report_second(live, clock_now_ns());
    seen_clear(&live->seen);
    return live->status;
}

/* Threads first, then what they use. One that does not end goes with the program; that is no fault of a
 * network that is only slow. */
static void finish(struct live *live, int status)
{
    double patience = 10 * live->stats.inference_mean_ms / 1e3;
    live_unwatch(live, true);
    live_unwatch(live, false);
    bool drawn = worker_destroy(live->worker, WORKER_PATIENCE_S),
         thought = brain_destroy(live->brain, patience > MODEL_PATIENCE_S ? patience : MODEL_PATIENCE_S);
    if (!drawn || !thought) {
        bool fault = !drawn || live->hung;
        if (!drawn)
            log_error("a camera, or the reader of the pictures, does not let go");
        else
            log_warning("the network is still at one picture; ending without its answer");
        screen_close(drawn || (!live->composing && !live->show.lent) ? live->show.screen
                                                                     : NULL); /* the console */
        _exit(status || !fault ? status : EX_SOFTWARE);
    }
    feed_finish(&live->feed);
    frame_unref(live->next);
    show_close(&live->show);
    picture_finish(&live->picture);
    seen_finish(&live->seen);
    hotplug_destroy(live->hotplug);
    lines_close(&live->stats_lines);
    lines_close(&live->event_lines);
    sd_event_unref(live->event);
}

int live_run(const struct config *config, const struct config_origin *origin, const char *why)
{
    struct live *live = calloc(1, sizeof(*live));
    if (!live)
        return EX_OSERR;
    live->config = *config;
    live->origin = origin;
    snprintf(live->config_why, sizeof(live->config_why), "%s", why ? why : "");
    live->stats_lines.fd = live->event_lines.fd = -1;
    live->drawn_generation = -1;
    notify_init(&live->notify);
    live->started_ns = clock_now_ns();
    feed_init(&live->feed, live->started_ns);
    seen_init(&live->seen, &live->config, &live->event_lines);
    int status = start(live);
    if (!status)
        status = loop(live);
    finish(live, status);
    free(live);
    return status;
}
