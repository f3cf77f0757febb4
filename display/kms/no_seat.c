/* SPDX-License-Identifier: MIT */
/* A build without libseat: there is never a seat, so that nothing but the first is called. */
#include "display/kms/seat.h"

#include "display/kms/console.h"

#include <errno.h>
#include <stddef.h>

struct kms_seat *kms_seat_open(void)
{
    return NULL;
}

void kms_seat_close(struct kms_seat *seat)
{
}

int kms_seat_fd(const struct kms_seat *seat)
{
    return -1;
}

int kms_seat_take(struct kms_seat *seat, const char *path, int *device)
{
    return -ENOTSUP;
}

void kms_seat_give_back(struct kms_seat *seat, int device)
{
}

int kms_seat_dispatch(struct kms_seat *seat)
{
    return CONSOLE_NOTHING;
}

void kms_seat_let_go(struct kms_seat *seat)
{
}
