/* SPDX-License-Identifier: MIT */
/* The hours in which the screen is off: the camera is closed then, and nothing is recognised. */
#include "app/live/live.h"
#include "base/log.h"

#include <time.h>

/* Times of day, in minutes; the hours may go past midnight. */
static bool within(const struct config_hours *hours, int minute)
{
    bool after = minute >= hours->from, before = minute < hours->to;
    return hours->from < hours->to ? after && before : hours->from > hours->to && (after || before);
}

static int minute_of_day(void)
{
    time_t seconds = time(NULL);
    struct tm local = {0};
    localtime_r(&seconds, &local);
    return 60 * local.tm_hour + local.tm_min;
}

static void begin(struct live *live)
{
    const struct config_hours *hours = &live->config.screen_off;
    log_info("the screen is off, and the camera closed, until %02d:%02d", hours->to / 60, hours->to % 60);
    flow_release(live);
    seen_clear(&live->seen);
    look_nothing(&live->look);
}

void rest_update(struct live *live, uint64_t now)
{
    bool rests = within(&live->config.screen_off, minute_of_day());
    if (rests == live->show.rests)
        return;
    if (rests)
        begin(live);
    else
        log_info("the screen is on again");
    feed_rest(&live->feed, rests, now);
    show_rest(&live->show, rests);
}
