/* SPDX-License-Identifier: MIT */
#include "display/pacer.h"

#include "base/clock.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int pacer_init(struct pacer *pacer, double rate)
{
    *pacer = (struct pacer){.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
    pacer_set_rate(pacer, rate);
    return pacer->fd < 0 ? -errno : 0;
}

void pacer_finish(struct pacer *pacer)
{
    if (pacer->fd >= 0)
        close(pacer->fd);
    pacer->fd = -1;
}

void pacer_set_rate(struct pacer *pacer, double rate)
{
    pacer->start_ns = clock_now_ns();
    pacer->period_ns = (uint64_t)(1e9 / rate);
}

void pacer_at(struct pacer *pacer, uint64_t time_ns)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(time_ns / 1000000000u), .tv_nsec = (long)(time_ns % 1000000000u)}};
    pacer->due_ns = time_ns;
    timerfd_settime(pacer->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void pacer_next(struct pacer *pacer)
{
    uint64_t blanks = (clock_now_ns() - pacer->start_ns) / pacer->period_ns;
    pacer_at(pacer, pacer->start_ns + (blanks + 1) * pacer->period_ns);
}

bool pacer_due(struct pacer *pacer, uint64_t *due_ns)
{
    if (!pacer->due_ns || clock_now_ns() < pacer->due_ns)
        return false;
    *due_ns = pacer->due_ns;
    pacer_at(pacer, 0); /* also makes the descriptor unreadable */
    return true;
}
