/* SPDX-License-Identifier: MIT */
#include "display/kms/seat.h"

#include "base/log.h"
#include "display/kms/console.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libseat.h>

enum { TURNS = 5, TURN_MS = 400 };

struct kms_seat {
    struct libseat *libseat;
    bool enabled;
    int event; /* enum console_event that was not told yet */
};

static void on_enable(struct libseat *libseat, void *user)
{
    struct kms_seat *seat = user;
    (void)libseat;
    seat->enabled = true;
    seat->event = CONSOLE_COMES;
}

static void on_disable(struct libseat *libseat, void *user)
{
    struct kms_seat *seat = user;
    (void)libseat;
    seat->enabled = false;
    seat->event = CONSOLE_LEAVES;
}

/* libseat learns that a session is in front when it opens its seat, and not later. */
static bool open_once(struct kms_seat *seat, const struct libseat_seat_listener *listener)
{
    if (seat->libseat)
        libseat_close_seat(seat->libseat);
    seat->libseat = libseat_open_seat(listener, seat);
    if (!seat->libseat || libseat_dispatch(seat->libseat, TURN_MS) < 0)
        return false;
    seat->event = CONSOLE_NOTHING;
    return seat->enabled;
}

/* A session that has just begun comes to the front a moment later. */
static bool open_enabled(struct kms_seat *seat)
{
    static const struct libseat_seat_listener listener = {on_enable, on_disable};
    for (int turn = 0; turn < TURNS; turn++) {
        if (open_once(seat, &listener))
            return true;
        if (!seat->libseat)
            return false;
    }
    return false;
}

struct kms_seat *kms_seat_open(void)
{
    const char *name = getenv("XDG_SEAT");
    struct kms_seat *seat = name && *name ? calloc(1, sizeof(*seat)) : NULL;
    if (!seat)
        return NULL;
    libseat_set_log_level(LIBSEAT_LOG_LEVEL_SILENT);
    if (open_enabled(seat)) {
        log_debug("the card is taken through the seat %s", libseat_seat_name(seat->libseat));
        return seat;
    }
    log_debug("the seat %s is not given: %s; the card is opened directly", name,
              seat->libseat ? "nobody gives it to this session" : strerror(errno));
    kms_seat_close(seat);
    return NULL;
}

void kms_seat_close(struct kms_seat *seat)
{
    if (!seat)
        return;
    if (seat->libseat)
        libseat_close_seat(seat->libseat);
    free(seat);
}

int kms_seat_fd(const struct kms_seat *seat)
{
    return libseat_get_fd(seat->libseat);
}

int kms_seat_take(struct kms_seat *seat, const char *path, int *device)
{
    int fd = -1;
    *device = libseat_open_device(seat->libseat, path, &fd);
    return *device < 0 ? -errno : fd;
}

void kms_seat_give_back(struct kms_seat *seat, int device)
{
    libseat_close_device(seat->libseat, device);
}

int kms_seat_dispatch(struct kms_seat *seat)
{
    if (libseat_dispatch(seat->libseat, 0) < 0 && errno != EAGAIN && errno != EINTR)
        return -EIO;
    int event = seat->event;
    seat->event = CONSOLE_NOTHING;
    return event;
}

void kms_seat_let_go(struct kms_seat *seat)
{
    libseat_disable_seat(seat->libseat);
}
