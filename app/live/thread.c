/* SPDX-License-Identifier: MIT */
#include "app/live/thread.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int thread_start(pthread_t *thread, const char *name, void *(*run)(void *user), void *user)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(thread, NULL, run, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!status) {
        pthread_setname_np(*thread, name);
        pthread_setschedparam(*thread, SCHED_BATCH, &(struct sched_param){0});
    }
    return -status;
}

bool thread_join(pthread_t thread, double patience_s)
{
    static const struct timespec pause = {0, 1000000};
    uint64_t start = clock_now_ns();
    int status;
    while ((status = pthread_tryjoin_np(thread, NULL)) == EBUSY && clock_ms_since(start) < 1e3 * patience_s)
        nanosleep(&pause, NULL);
    return !status;
}

uint64_t thread_cpu_ns(pthread_t thread)
{
    clockid_t clock;
    struct timespec t;
    if (pthread_getcpuclockid(thread, &clock) || clock_gettime(clock, &t))
        return 0;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int bell_create(void)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void bell_ring(int fd)
{
    eventfd_write(fd, 1);
}

void bell_hush(int fd)
{
    eventfd_t count;
    eventfd_read(fd, &count);
}
