/* SPDX-License-Identifier: MIT */
#include "kms_fixture.h"

#include "base/clock.h"

#include <check.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct screen_settings settings;
struct screen_error error;
struct screen *screen;
struct screen_info info;
struct screen_shown shown;
struct frame frames[3]; /* of the camera */

static void setup(void)
{
    fake_reset();
    memset(frames, 0, sizeof(frames));
    screen_defaults(&settings);
    screen = NULL;
}

void open_screen(void)
{
    ck_assert_msg(screen_open(&screen, &settings, &error) == 0, "%s", error.text);
    screen_info(screen, &info);
}

static void unplug_camera(void)
{
    for (int i = 0; i < 3; i++)
        if (frames[i].drop)
            frames[i].drop(frames[i].screen);
}

/* Closes the screen and looks for anything left behind, or done in the wrong order. */
static void teardown(void)
{
    screen_close(screen);
    fake_card_closed();
    unplug_camera(); /* after the card: nothing may be asked of its descriptor */
    ck_assert_int_eq(fake.faults, 0);
    ck_assert_int_eq(fake_fbs(), 0);
    ck_assert_int_eq(fake.handles, 0);
    ck_assert_int_eq(fake.blobs, 0);
    ck_assert_int_eq(fake.requests, 0);
    fake_finish();
}

int dispatch(void)
{
    struct pollfd descriptor = {.fd = screen_fd(screen), .events = POLLIN};
    ck_assert_int_eq(poll(&descriptor, 1, 10000), 1);
    int news = screen_dispatch(screen, &shown);
    screen_info(screen, &info);
    return news;
}

int present_picture(void)
{
    struct canvas *canvas = screen_canvas(screen);
    ck_assert_ptr_nonnull(canvas);
    struct screen_update update = {.picture = canvas, .time_ns = 77};
    int status = screen_present(screen, &update);
    if (status)
        screen_give_back(screen, canvas);
    return status;
}

void show_picture(void)
{
    ck_assert_int_eq(present_picture(), 0);
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_SHOWN);
}

/* ---- a camera ---- */

int returned; /* frames that came back to the camera */

static void count_return(struct frame *frame)
{
    (void)frame;
    returned++;
}

static struct frame camera_frame(uint32_t format, int width, int height, int buffer)
{
    struct frame frame = {.format = format,
                          .width = width,
                          .height = height,
                          .planes = format == FRAME_NV12 ? 2 : 1,
                          .stride = {width * 2, width * 2},
                          .dmabuf = {500 + buffer, 500 + buffer, -1},
                          .offset = {0, (uint32_t)(width * 2 * height)},
                          .matrix = FRAME_MATRIX_709,
                          .release = count_return};
    atomic_init(&frame.refs, 1);
    return frame;
}

void point_camera(uint32_t format, int width, int height)
{
    returned = 0;
    for (int i = 0; i < 3; i++)
        frames[i] = camera_frame(format, width, height, i);
}

enum screen_way adapt(void)
{
    ck_assert_int_eq(screen_adapt(screen, &frames[0]), 0);
    screen_info(screen, &info);
    return info.way;
}

int present_frame(int which, bool labels)
{
    struct screen_update update = {.frame = &frames[which], .labels = labels ? screen_canvas(screen) : NULL};
    int status = screen_present(screen, &update);
    if (status && update.labels)
        screen_give_back(screen, update.labels);
    return status;
}

void show_frame(int which, bool labels)
{
    ck_assert_int_eq(present_frame(which, labels), 0);
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_SHOWN);
}

int run_tests(const char *name, const TTest *const *tests)
{
    Suite *suite = suite_create(name);
    TCase *all = tcase_create("fake card");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_set_timeout(all, 60);
    for (; *tests; tests++)
        tcase_add_test(all, *tests);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
