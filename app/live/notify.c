/* SPDX-License-Identifier: MIT */
#include "app/live/notify.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

static const uint64_t status_every_ns = 10000000000u;

bool notify_is_service(void)
{
    return getenv("NOTIFY_SOCKET") != NULL;
}

void notify_init(struct notify *notify)
{
    uint64_t limit_us = 0;
    *notify = (struct notify){0};
    if (sd_watchdog_enabled(0, &limit_us) > 0)
        notify->watchdog_ns = limit_us * 1000;
}

void notify_ready(struct notify *notify)
{
    if (!notify->ready)
        sd_notify(0, "READY=1");
    notify->ready = true;
}

/* systemd tells by the time whether READY=1 belongs to this reload or to one before (sd_notify(3)). */
void notify_reloading(void)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_now_ns() / 1000);
}

void notify_reloaded(void)
{
    sd_notify(0, "READY=1");
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void notify_status(struct notify *notify, const char *text, bool news, uint64_t now)
{
    bool due = now >= notify->status_ns + status_every_ns;
    if ((!news && !due) || !strcmp(text, notify->status))
        return;
    snprintf(notify->status, sizeof(notify->status), "%s", text);
    notify->status_ns = now;
    sd_notifyf(0, "STATUS=%s", notify->status);
}

static bool get_on(const struct notify *notify, const struct progress *progress)
{
    if (progress->stuck)
        return false;
    return progress->unseen || progress->shown != notify->shown || progress->taken == notify->taken;
}

/* Four times within the limit, so that one late tick does no harm. */
bool notify_watchdog(struct notify *notify, const struct progress *progress, uint64_t now)
{
    if (!notify->watchdog_ns || now < notify->fed_ns + notify->watchdog_ns / 4 || !get_on(notify, progress))
        return false;
    notify->fed_ns = now;
    notify->taken = progress->taken;
    notify->shown = progress->shown;
    sd_notify(0, "WATCHDOG=1");
    return true;
}
