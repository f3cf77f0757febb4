/* SPDX-License-Identifier: MIT */
/* Photos and films as if they came from a camera, at a given rate. Nothing is skipped: who is late gets the
 * frames later. */
#include "base/clock.h"
#include "capture/backend.h"
#include "capture/pool.h"
#include "capture/replay/reel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { BUFFERS = 6, RATE = 30 };

struct replay {
    struct source source; /* first; its fd: the timer, or of a stream an epoll of timer and stream */
    struct reel *reel;    /* the pool's, which keeps it while frames are out */
    struct pool *pool;
    int timer, poller; /* poller: -1 for files */
    bool waits_for_bytes, once;
    double period_ns;
    uint64_t start_ns, count; /* frame `count` is due at start_ns + count * period_ns */
    uint32_t sequence;
    uint64_t lost; /* no buffer was free */
};

static void free_reel(void *owner)
{
    reel_close(owner);
    free(owner);
}

static uint64_t due(const struct replay *replay)
{
    return replay->start_ns + (uint64_t)((double)replay->count * replay->period_ns);
}

/* Readable from then on. */
static int set_timer(const struct replay *replay, uint64_t time_ns)
{
    struct itimerspec when = {.it_value = {(time_t)(time_ns / 1000000000), (long)(time_ns % 1000000000)}};
    return timerfd_settime(replay->timer, TFD_TIMER_ABSTIME, &when, NULL) ? -errno : 0;
}

static void watch(struct replay *replay, bool bytes)
{
    struct epoll_event event = {.events = EPOLLIN};
    if (replay->poller >= 0 && bytes != replay->waits_for_bytes)
        epoll_ctl(replay->poller, bytes ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, replay->reel->input.fd, &event);
    replay->waits_for_bytes = bytes;
}

static int find(struct replay *replay)
{
    int status = reel_find(replay->reel);
    if (status == -ENODATA && !replay->once && reel_rewind(replay->reel))
        status = reel_find(replay->reel);
    return status;
}

/* Lets the descriptor become readable when there is something to take. */
static void wait_for(struct replay *replay, int status)
{
    watch(replay, status == -EAGAIN);
    set_timer(replay, status == -EAGAIN ? 0 : status ? 1 : due(replay));
}

static void advance(struct replay *replay)
{
    uint64_t now = clock_now_ns(), next;
    replay->count++;
    replay->sequence++;
    next = due(replay) + (uint64_t)replay->period_ns;
    if (next < now)
        replay->start_ns += now - next;
}

static int take(struct source *source, struct frame **frame)
{
    struct replay *replay = (struct replay *)source;
    int status = find(replay);
    *frame = NULL;
    if (status || clock_now_ns() < due(replay)) {
        wait_for(replay, status);
        return status ? status : -EAGAIN;
    }
    int index = pool_find(replay->pool);
    if (index >= 0)
        status = reel_show(replay->reel, pool_frame(replay->pool, index), index);
    else
        reel_skip(replay->reel);
    if (index >= 0 && !status) {
        *frame = pool_take(replay->pool, index);
        (*frame)->sequence = replay->sequence;
        (*frame)->time_ns = due(replay);
    }
    replay->lost += index < 0;
    advance(replay);
    wait_for(replay, find(replay));
    replay->source.dropped = replay->lost + replay->reel->damaged;
    return *frame || status ? status : -EAGAIN;
}

static void close_replay(struct source *source)
{
    struct replay *replay = (struct replay *)source;
    if (replay->poller >= 0)
        close(replay->poller);
    if (replay->timer >= 0)
        close(replay->timer);
    if (replay->pool)
        pool_close(replay->pool);
    else if (replay->reel)
        free_reel(replay->reel);
    free(replay);
}

static int start(struct replay *replay, const struct source_settings *settings, struct source_error *error)
{
    static const struct pool_kind kind = {.free_owner = free_reel};
    bool stream = replay->reel->input.fd >= 0;
    replay->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (stream)
        replay->poller = epoll_create1(EPOLL_CLOEXEC);
    if (replay->timer < 0 || (stream && replay->poller < 0))
        return source_fail(error, -errno, "cannot make a timer: %s", strerror(errno));
    struct epoll_event event = {.events = EPOLLIN};
    if (stream && (epoll_ctl(replay->poller, EPOLL_CTL_ADD, replay->timer, &event) ||
                   epoll_ctl(replay->poller, EPOLL_CTL_ADD, replay->reel->input.fd, &event)))
        return source_fail(error, -EINVAL, "standard input is no file, pipe or socket");
    replay->waits_for_bytes = stream;
    replay->pool = pool_create(&kind, replay->reel, settings->buffers ? settings->buffers : BUFFERS);
    if (!replay->pool)
        return source_fail(error, -ENOMEM, "out of memory");
    replay->source.fd = stream ? replay->poller : replay->timer;
    replay->start_ns = clock_now_ns();
    wait_for(replay, 0);
    return 0;
}

static void describe(struct replay *replay, const char *path, double rate)
{
    struct source_info *info = &replay->source.info;
    const struct film *film = &replay->reel->film;
    const char *name = strrchr(path, '/');
    snprintf(info->name, sizeof(info->name), "%s",
             !strcmp(path, "-") ? "standard input"
             : name && name[1]  ? name + 1
                                : path);
    snprintf(info->id, sizeof(info->id), "replay:%s", path);
    snprintf(info->driver, sizeof(info->driver), "replay");
    info->format = film->format;
    info->width = film->width;
    info->height = film->height;
    info->rate = rate;
}

static int open_replay(struct source **source, const char *path, const struct source_settings *settings,
                       struct source_error *error)
{
    struct replay *replay = calloc(1, sizeof(*replay));
    struct reel *reel = calloc(1, sizeof(*reel));
    if (!replay || !reel) {
        free(replay);
        free(reel);
        return source_fail(error, -ENOMEM, "out of memory");
    }
    *replay = (struct replay){
        .source = {.kind = &source_replay, .fd = -1}, .reel = reel, .timer = -1, .poller = -1};
    replay->once = settings->once;
    int status = reel_open(reel, path, settings, error);
    double rate = settings->rate > 0 ? settings->rate : reel->film.rate > 0 ? reel->film.rate : RATE;
    replay->period_ns = 1e9 / rate;
    if (!status)
        status = start(replay, settings, error);
    if (status) {
        close_replay(&replay->source);
        return status;
    }
    describe(replay, path, rate);
    *source = &replay->source;
    return 0;
}

const struct source_kind source_replay = {
    .prefix = "replay", .open = open_replay, .close = close_replay, .take = take};
