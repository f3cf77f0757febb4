/* SPDX-License-Identifier: MIT */
#include "app/live/feed.h"

#include "app/live/journal.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SECOND = 1000000000, SAME_CAMERA_TRIES = 5 };

static const double first_delay_s = 0.5, longest_delay_s = 10, first_frame_s = 5, healthy_s = 10;

static uint64_t after(uint64_t now, double seconds)
{
    return now + (uint64_t)(seconds * SECOND);
}

static bool is_replay(const struct feed *feed)
{
    return !strncmp(feed->name, "replay:", 7);
}

/* ---- opening and closing, on the worker ---- */

static void run(struct task *task)
{
    struct feed *feed = (struct feed *)((char *)task - offsetof(struct feed, task));
    source_close(feed->opened);
    feed->opened = NULL;
    if (feed->status)
        return;
    feed->status = source_open(&feed->opened, &feed->settings, &feed->error);
}

static void slow_down(struct feed *feed, uint64_t now)
{
    feed->retry_ns = after(now, feed->delay_s);
    feed->delay_s = feed->delay_s * 2 < longest_delay_s ? feed->delay_s * 2 : longest_delay_s;
}

/* A file that cannot be played will not be plugged in. */
static void refused(struct feed *feed)
{
    bool news = feed->problem != feed->status || strcmp(feed->why, feed->error.text) != 0;
    feed->problem = feed->status;
    feed->failures++;
    snprintf(feed->why, sizeof(feed->why), "%s", feed->error.text);
    feed->state = is_replay(feed) ? FEED_ENDED : FEED_CLOSED;
    slow_down(feed, clock_now_ns());
    if (news && feed->state == FEED_CLOSED)
        journal_tell(JOURNAL_CAMERA_LOST, feed->name, "%s", feed->why);
}

static void running(struct feed *feed)
{
    feed->source = feed->opened;
    feed->opened = NULL;
    feed->state = FEED_RUNNING;
    feed->dropped_before = feed->frame_ns = 0;
    feed->opened_ns = clock_now_ns();
    source_info(feed->source, &feed->info);
    if (!is_replay(feed))
        snprintf(feed->id, sizeof(feed->id), "%s", feed->info.id);
    char rate[48] = "at a rate of its own";
    if (feed->info.rate > 0)
        snprintf(rate, sizeof(rate), "%g frames per second", feed->info.rate);
    journal_tell(JOURNAL_CAMERA, feed->info.id, "the camera is '%s' (%s): %d x %d, %.4s, %s", feed->info.name,
                 feed->info.id, feed->info.width, feed->info.height, (const char *)&feed->info.format, rate);
}

/* At its end, or damaged where it is to be played only once. */
static bool is_over(const struct feed *feed)
{
    return feed->problem == -ENODATA || (feed->problem && is_replay(feed) && feed->settings.once);
}

static void leave(struct feed *feed, int problem, const char *why, uint64_t now)
{
    feed->state = FEED_LEAVING;
    feed->problem = problem;
    snprintf(feed->why, sizeof(feed->why), "%s", why);
    if (!feed->closed_ns)
        feed->closed_ns = now;
}

static void leave_to_rest(struct feed *feed, uint64_t now)
{
    if (feed->rests && feed->state == FEED_RUNNING)
        leave(feed, 0, "the screen is off", now);
}

static void done(struct task *task)
{
    struct feed *feed = (struct feed *)((char *)task - offsetof(struct feed, task));
    bool plugged = feed->plugged;
    feed->plugged = false;
    if (feed->status == -ECANCELED) /* it was only closed */
        feed->state = is_over(feed) ? FEED_ENDED : FEED_CLOSED;
    else if (feed->status)
        refused(feed);
    else
        running(feed);
    leave_to_rest(feed, clock_now_ns());
    if (plugged)
        feed_plugged(feed, clock_now_ns());
    if (feed->again)
        feed_restart(feed, clock_now_ns());
}

void feed_init(struct feed *feed, uint64_t now)
{
    memset(feed, 0, sizeof(*feed));
    feed->task = (struct task){run, done};
    feed->delay_s = first_delay_s;
    feed->closed_ns = now;
}

void feed_finish(struct feed *feed)
{
    source_close(feed->source);
    source_close(feed->opened);
    feed->source = feed->opened = NULL;
}

bool feed_wants_worker(const struct feed *feed, uint64_t now)
{
    bool opens = feed->state == FEED_CLOSED && !feed->rests && now >= feed->retry_ns;
    return opens || feed->state == FEED_LEAVING;
}

/* "auto" stays with the camera that it found, unless that does not come back for a while. */
static const char *name_of(const struct feed *feed, const struct config *config)
{
    bool same = !strcmp(config->source, "auto") && *feed->id && feed->failures < SAME_CAMERA_TRIES;
    return same ? feed->id : config->source;
}

static void prepare(struct feed *feed, const struct config *config)
{
    char name[CONFIG_TEXT];
    snprintf(name, sizeof(name), "%s", name_of(feed, config));
    memcpy(feed->name, name, sizeof(name));
    source_defaults(&feed->settings);
    feed->settings.name = feed->name;
    feed->settings.width = config->camera_size.width;
    feed->settings.height = config->camera_size.height;
    feed->settings.rate = config->camera_rate;
    feed->settings.format = config->camera_format;
    feed->settings.buffers = config->buffers;
    feed->settings.export_dmabuf = config->planes;
    feed->settings.once = config->once;
    feed->settings.controls = config->controls.count;
    memcpy(feed->settings.control, config->controls.control, sizeof(feed->settings.control));
}

void feed_submit(struct feed *feed, struct worker *worker, const struct config *config)
{
    bool closes = feed->state == FEED_LEAVING;
    feed->opened = feed->source;
    feed->source = NULL;
    feed->status = closes ? -ECANCELED : 0;
    if (!closes) {
        prepare(feed, config);
        feed->error.text[0] = 0;
    }
    feed->state = FEED_WORKING;
    worker_submit(worker, &feed->task);
}

/* ---- running ---- */

static void count_dropped(struct feed *feed)
{
    uint64_t dropped = source_dropped(feed->source);
    feed->dropped += dropped - feed->dropped_before;
    feed->dropped_before = dropped;
}

static int lost(struct feed *feed, int status, uint64_t now)
{
    const char *what = is_replay(feed) ? "replay" : "camera";
    char why[256];
    if (status == -ENODATA)
        snprintf(why, sizeof(why), "the replay is at its end");
    else if (status == -ENODEV)
        snprintf(why, sizeof(why), "the camera '%s' is gone", feed->info.name);
    else
        snprintf(why, sizeof(why), "the %s '%s' fails: %s", what, feed->info.name, strerror(-status));
    leave(feed, status, why, now);
    slow_down(feed, now);
    if (!is_over(feed))
        journal_tell(JOURNAL_CAMERA_LOST, feed->info.id, "%s; waiting for it", why);
    return status;
}

static void frame_came(struct feed *feed, uint64_t now)
{
    if (feed->problem && !is_replay(feed))
        log_info("the camera '%s' sends pictures again, after %.1f s", feed->info.name,
                 (double)(now - feed->closed_ns) / SECOND);
    feed->frame_ns = now;
    feed->closed_ns = 0;
    feed->failures = 0;
    feed->problem = 0;
    if (feed->opened_ns && now - feed->opened_ns > (uint64_t)(healthy_s * SECOND))
        feed->delay_s = first_delay_s;
}

struct source *feed_watched(const struct feed *feed)
{
    return feed->state == FEED_RUNNING ? feed->source : NULL;
}

int feed_take(struct feed *feed, struct frame **frame, uint64_t now)
{
    if (feed->state != FEED_RUNNING)
        return -EAGAIN;
    int status = source_take(feed->source, frame);
    count_dropped(feed);
    if (!status)
        frame_came(feed, now);
    return status && status != -EAGAIN ? lost(feed, status, now) : status;
}

static bool stalled(const struct feed *feed, double stall_s, uint64_t now)
{
    double limit = feed->frame_ns ? stall_s : stall_s > first_frame_s ? stall_s : first_frame_s;
    double frames = feed->info.rate > 0 ? 5 / feed->info.rate : 0; /* a slow camera is not a stalled one */
    uint64_t since = feed->frame_ns ? feed->frame_ns : feed->opened_ns;
    return now > after(since, limit > frames ? limit : frames);
}

void feed_watch(struct feed *feed, double stall_s, uint64_t now)
{
    if (feed->state != FEED_RUNNING || is_replay(feed))
        return;
    if (source_is_drained(feed->source)) /* whoever has its frames is slow */
        feed_excuse(feed, now);
    if (!stalled(feed, stall_s, now))
        return;
    journal_tell(JOURNAL_CAMERA_LOST, feed->info.id,
                 "the camera '%s' has sent no frame for %.1f s; it is opened again", feed->info.name,
                 (double)(now - (feed->frame_ns ? feed->frame_ns : feed->opened_ns)) / SECOND);
    leave(feed, -ETIMEDOUT, "it sends no pictures; it is opened again", now);
    slow_down(feed, now);
}

void feed_excuse(struct feed *feed, uint64_t now)
{
    if (feed->frame_ns)
        feed->frame_ns = now;
    else
        feed->opened_ns = now;
}

void feed_restart(struct feed *feed, uint64_t now)
{
    feed->again = feed->state == FEED_WORKING;
    feed->delay_s = first_delay_s;
    feed->failures = 0;
    feed->id[0] = 0;
    if (feed->state == FEED_RUNNING)
        leave(feed, 0, "it is opened with other settings", now);
    else if (feed->state == FEED_ENDED)
        feed->state = FEED_CLOSED;
    feed->retry_ns = now;
}

void feed_plugged(struct feed *feed, uint64_t now)
{
    feed->plugged = feed->state == FEED_WORKING || feed->state == FEED_LEAVING; /* then it comes first */
    if (feed->state == FEED_CLOSED) {
        feed->retry_ns = now;
        feed->delay_s = first_delay_s;
    }
}

void feed_rest(struct feed *feed, bool rests, uint64_t now)
{
    feed->rests = rests;
    leave_to_rest(feed, now);
    if (rests)
        return;
    feed->problem = 0;
    feed->closed_ns = feed->retry_ns = now;
    feed->delay_s = first_delay_s;
}
