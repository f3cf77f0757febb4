/* SPDX-License-Identifier: MIT */
/* A card in memory that a session's seat gives out. */
#include "kms_fixture.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void in_session(void)
{
    setenv("XDG_SEAT", "seat0", 1);
    fake.seat_in_front = true;
}

static void close_screen(void)
{
    screen_close(screen);
    screen = NULL;
    ck_assert_int_eq(fake.seats, 0);
    ck_assert_int_eq(fake.devices, 0);
    ck_assert_int_eq(fake.faults, 0);
}

START_TEST(the_seat_opens_the_card)
{
    in_session();
    open_screen();
    ck_assert_int_eq(fake.seats, 1);
    ck_assert_int_eq(fake.devices, 1);
    show_picture();
    close_screen();
    ck_value(51, "FB_ID", FAKE_CONSOLE_FB); /* the end is as before */
}
END_TEST

START_TEST(terminals_are_switched)
{
    in_session();
    open_screen();
    show_picture();
    fake_seat_front(false);
    ck_assert_int_eq(dispatch(), SCREEN_AWAY);
    ck_assert(!fake.seat_waits); /* it was told that it may go on */
    ck_assert(!screen_ready(screen));
    ck_assert_int_eq(present_picture(), -EACCES);
    ck_assert_int_eq(screen_recheck(screen, true), 0); /* hands off */
    fake_seat_front(true);
    ck_assert_int_eq(dispatch(), 0);
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_BACK);
    show_picture();
    close_screen();
}
END_TEST

/* The card is gone before the seat says so; nobody has taken it. */
START_TEST(a_picture_in_between_is_no_theft)
{
    in_session();
    open_screen();
    show_picture();
    fake.master = false;
    fake.other_master = true;
    ck_assert_int_eq(present_picture(), -EACCES);
    ck_assert_int_eq(dispatch(), SCREEN_AWAY);
    ck_assert_int_eq(screen_recheck(screen, false), 0);
    fake_seat_front(false);
    ck_assert_int_eq(dispatch(), 0);
    ck_assert(!fake.seat_waits);
    fake_seat_front(true);
    ck_assert_int_eq(dispatch(), 0);
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_BACK);
    close_screen();
}
END_TEST

START_TEST(without_a_seat_the_card_is_opened_directly)
{
    setenv("XDG_SEAT", "", 1); /* a remote session */
    open_screen();
    ck_assert_int_eq(fake.seats + fake.devices, 0);
    close_screen();
    in_session();
    fake.seat_error = -EBUSY; /* a desktop has it */
    open_screen();
    ck_assert_int_eq(fake.seats + fake.devices, 0);
    close_screen();
    fake.seat_error = 0;
    fake.seat_in_front = false;
    open_screen();
    ck_assert_int_eq(fake.seats + fake.devices, 0);
    close_screen();
}
END_TEST

START_TEST(errors_give_the_seat_back)
{
    in_session();
    fake.open_error = -EACCES;
    ck_assert_int_eq(screen_open(&screen, &settings, &error), -EACCES);
    ck_assert_int_eq(fake.seats + fake.devices, 0);
    fake.open_error = 0;
    fake.connectors[0].status = DRM_MODE_DISCONNECTED;
    ck_assert_int_eq(screen_open(&screen, &settings, &error), -ENODEV);
    ck_assert_int_eq(fake.seats + fake.devices, 0);
    fake.connectors[0].status = DRM_MODE_CONNECTED;
    open_screen();
    fake.seat_error = -EPIPE; /* whoever gave it out is gone */
    ck_assert_int_eq(screen_dispatch(screen, &shown), -EIO);
    close_screen();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_seat_opens_the_card,          terminals_are_switched,
        a_picture_in_between_is_no_theft, without_a_seat_the_card_is_opened_directly,
        errors_give_the_seat_back,        NULL};
    return run_tests("kms seat", tests);
}
