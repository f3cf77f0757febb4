/* SPDX-License-Identifier: MIT */
/* Less work when the board is hot. The picture keeps its rate; recognition gives way. */
#include "app/live/live.h"
#include "base/clock.h"

#include <math.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static const uint64_t look_every_ns = 5000000000u;

static int halved(int threads)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int all = threads > 0 ? threads : processors > 0 ? (int)processors : 1;
    return all > 1 ? all / 2 : 1;
}

void temper_load(struct live *live)
{
    struct config config = live->config;
    if (live->plan.level >= HEAT_FEWER_THREADS)
        config.threads = halved(config.threads);
    if (live->plan.level >= HEAT_SMALLER_MODEL && *config.hot_model) {
        memcpy(config.model, config.hot_model, sizeof(config.model));
        memset(config.labels, 0, sizeof(config.labels)); /* those of the other model */
    }
    brain_load(live->brain, &config, !live_is_bounded(live));
}

double temper_rate(const struct live *live)
{
    double wanted = live->config.inference_rate, most = live->hot_rate;
    if (live->plan.level < HEAT_LOWER_RATE || most <= 0)
        return wanted;
    return wanted > 0 ? fmin(wanted, most) : most;
}

static void tell(const struct live *live)
{
    static const char *const does[] = {"as many threads as it may", "half the threads",
                                       "half the results a second", "the model for when it is hot"};
    const struct heat *heat = &live->heat;
    enum heat_level level = live->plan.level;
    journal_tell(
        JOURNAL_HEAT, does[level], "%s is at %.0f degrees Celsius of %.0f%s: recognition goes on with %s",
        *heat->zone ? heat->zone : "the board", heat->celsius, heat->limit,
        heat->throttled ? ", the board slows itself down" : "",
        level == HEAT_SMALLER_MODEL && !*live->config.hot_model ? does[HEAT_LOWER_RATE] : does[level]);
}

/* Threads and model are the model's own; the rate is not. */
static bool is_other_model(const struct live *live, enum heat_level before)
{
    enum heat_level now = live->plan.level;
    bool threads = (before >= HEAT_FEWER_THREADS) != (now >= HEAT_FEWER_THREADS),
         model = (before >= HEAT_SMALLER_MODEL) != (now >= HEAT_SMALLER_MODEL);
    return threads || (model && *live->config.hot_model);
}

/* Some sensors take milliseconds to answer: on the worker. */
static void run(struct task *task)
{
    struct live *live = (struct live *)((char *)task - offsetof(struct live, heat_task));
    heat_read(&live->heat_now, heat_sysfs());
}

static void done(struct task *task)
{
    struct live *live = (struct live *)((char *)task - offsetof(struct live, heat_task));
    enum heat_level before = live->plan.level;
    live->heat = live->heat_now;
    if (!heat_step(&live->plan, &live->heat, clock_now_ns()))
        return;
    if (before == HEAT_FEWER_THREADS) /* half of what it could do until now */
        live->hot_rate = live->stats.inference_mean_ms > 0 ? 500 / live->stats.inference_mean_ms : 0;
    if (is_other_model(live, before))
        temper_load(live);
    tell(live);
}

void temper_submit(struct live *live, uint64_t now)
{
    live->heat_ns = now + look_every_ns;
    live->heat_task = (struct task){run, done};
    worker_submit(live->worker, &live->heat_task);
}
