/* SPDX-License-Identifier: MIT */
/* libseat, as logind stands behind it: the card's master is who is in front, whatever he asks for himself. */
#include "fake_drm.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <libseat.h>

static const struct libseat_seat_listener *seat_listener;
static void *seat_user;
static int ends[2] = {-1, -1};
static enum { NOTHING, ENABLE, DISABLE } next;

struct libseat *libseat_open_seat(const struct libseat_seat_listener *listener, void *user)
{
    if (fake.seat_error) {
        errno = -fake.seat_error;
        return NULL;
    }
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
        return NULL;
    seat_listener = listener;
    seat_user = user;
    fake.seats++;
    next = fake.seat_in_front ? ENABLE : NOTHING;
    return (struct libseat *)&fake;
}

int libseat_close_seat(struct libseat *seat)
{
    (void)seat;
    fake.seats--;
    fake.faults += fake.devices != 0; /* its devices were not given back */
    close(ends[0]);
    close(ends[1]);
    return 0;
}

int libseat_disable_seat(struct libseat *seat)
{
    (void)seat;
    fake.seat_waits = false;
    return 0;
}

int libseat_open_device(struct libseat *seat, const char *path, int *fd)
{
    (void)seat;
    *fd = kms_system_open(path);
    fake.devices += *fd >= 0;
    errno = *fd < 0 ? -*fd : 0;
    return *fd < 0 ? -1 : 1;
}

int libseat_close_device(struct libseat *seat, int device)
{
    (void)seat;
    fake.faults += device != 1;
    fake.devices--;
    return 0;
}

const char *libseat_seat_name(struct libseat *seat)
{
    (void)seat;
    return "seat0";
}

int libseat_get_fd(struct libseat *seat)
{
    (void)seat;
    return ends[0];
}

int libseat_dispatch(struct libseat *seat, int timeout)
{
    char byte;
    while (read(ends[0], &byte, 1) == 1)
        ;
    int what = (int)next;
    next = NOTHING;
    (void)timeout;
    if (what == ENABLE)
        seat_listener->enable_seat(seat, seat_user);
    if (what == DISABLE)
        seat_listener->disable_seat(seat, seat_user);
    if (fake.seat_error)
        errno = -fake.seat_error;
    return fake.seat_error ? -1 : what != NOTHING;
}

void libseat_set_log_level(enum libseat_log_level level)
{
    (void)level;
}

void fake_seat_front(bool front)
{
    next = front ? ENABLE : DISABLE;
    fake.seat_waits = !front;
    fake.other_master = !front;
    fake.master = front;
    if (write(ends[1], "s", 1) != 1)
        fake.faults++;
}
