/* SPDX-License-Identifier: MIT */
/* The camera that is plugged, unplugged, stalled and busy: with a camera, a worker and a clock made here. */
#include "app/live/feed.h"
#include "base/clock.h"
#include "base/log.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS ((uint64_t)1000000)

static uint64_t now;
static struct {
    int open_status, take_status; /* what the camera answers */
    int opens, open_now, open_most;
    bool drained;
    char name[CONFIG_TEXT]; /* that was asked for last */
} camera;
static struct frame picture;
static struct feed feed;
static struct config config;
static bool plugs; /* something is plugged in while the worker is at it */

/* ---- instead of the real ones ---- */

uint64_t clock_now_ns(void)
{
    return now;
}

double clock_ms_since(uint64_t start_ns)
{
    return (double)(now - start_ns) / 1e6;
}

void worker_submit(struct worker *worker, struct task *task)
{
    (void)worker;
    task->run(task);
    if (plugs)
        feed_plugged(&feed, now);
    plugs = false;
    task->done(task);
}

void source_defaults(struct source_settings *settings)
{
    *settings = (struct source_settings){.name = "auto"};
}

int source_open(struct source **source, const struct source_settings *settings, struct source_error *error)
{
    camera.opens++;
    snprintf(camera.name, sizeof(camera.name), "%s", settings->name);
    snprintf(error->text, sizeof(error->text), "status %d", camera.open_status);
    if (camera.open_status)
        return camera.open_status;
    *source = (struct source *)&camera;
    camera.open_now++;
    camera.open_most = camera.open_now > camera.open_most ? camera.open_now : camera.open_most;
    return 0;
}

void source_close(struct source *source)
{
    camera.open_now -= source != NULL;
}

int source_take(struct source *source, struct frame **frame)
{
    (void)source;
    *frame = &picture;
    return camera.take_status;
}

void source_info(const struct source *source, struct source_info *info)
{
    (void)source;
    *info = (struct source_info){.name = "fake", .id = "v4l2:/dev/v4l/by-id/fake", .rate = 30};
}

bool source_is_drained(struct source *source)
{
    (void)source;
    return camera.drained;
}

uint64_t source_dropped(const struct source *source)
{
    (void)source;
    return 3;
}

/* ---- time goes by ---- */

static void setup(void)
{
    now = 1000 * MS;
    memset(&camera, 0, sizeof(camera));
    plugs = false;
    config_defaults(&config);
    feed_init(&feed, now);
}

/* As the event loop does it, every 10 ms. */
static void run(int ms)
{
    struct frame *frame;
    for (int i = 0; i < ms; i += 10, now += 10 * MS) {
        feed_take(&feed, &frame, now);
        feed_watch(&feed, config.stall, now);
        if (feed_wants_worker(&feed, now))
            feed_submit(&feed, NULL, &config);
    }
}

START_TEST(test_runs)
{
    run(100);
    ck_assert_int_eq(feed.state, FEED_RUNNING);
    ck_assert_int_eq(camera.opens, 1);
    ck_assert_uint_eq(feed.closed_ns, 0);
    ck_assert_uint_eq(feed.dropped, 3); /* counted once, however often it is asked */
}
END_TEST

START_TEST(test_no_camera_is_asked_for_less_and_less)
{
    camera.open_status = -ENODEV;
    run(60000);
    ck_assert_int_eq(feed.problem, -ENODEV);
    ck_assert_str_eq(feed.why, "status -19");
    ck_assert_uint_ne(feed.closed_ns, 0);
    ck_assert_int_ge(camera.opens, 8); /* 0, 0.5, 1.5, 3.5, 7.5, then every 10 s */
    ck_assert_int_le(camera.opens, 12);
}
END_TEST

START_TEST(test_comes_when_it_is_plugged_in)
{
    camera.open_status = -ENODEV;
    run(60000);
    camera.open_status = 0;
    feed_plugged(&feed, now);
    run(30);
    ck_assert_int_eq(feed.state, FEED_RUNNING);
    ck_assert_uint_eq(feed.closed_ns, 0);
    ck_assert_int_eq(feed.problem, 0);
}
END_TEST

START_TEST(test_the_same_camera_comes_back)
{
    run(100);
    ck_assert_str_eq(camera.name, "auto");
    camera.take_status = -ENODEV;
    camera.open_status = -ENOENT;
    run(1000);
    ck_assert_int_eq(camera.open_now, 0);
    ck_assert_str_eq(camera.name, "v4l2:/dev/v4l/by-id/fake");
    camera.take_status = camera.open_status = 0;
    run(2000);
    ck_assert_int_eq(feed.state, FEED_RUNNING);
    ck_assert_str_eq(camera.name, "v4l2:/dev/v4l/by-id/fake");
}
END_TEST

START_TEST(test_another_camera_if_it_does_not)
{
    run(100);
    camera.take_status = -ENODEV;
    camera.open_status = -ENOENT;
    run(60000);
    ck_assert_str_eq(camera.name, "auto");
}
END_TEST

START_TEST(test_a_stalled_camera_is_opened_again_with_patience)
{
    run(100);
    camera.take_status = -EAGAIN;
    run(2500);
    ck_assert_int_eq(camera.opens, 1);
    run(1500);
    ck_assert_int_eq(feed.state, FEED_RUNNING); /* after 3 s, and 0.5 s more */
    ck_assert_int_eq(camera.opens, 2);
    ck_assert_int_eq(feed.problem, -ETIMEDOUT);
    run(120000); /* the first frame may take 5 s, and pauses grow to 10 s */
    ck_assert_int_ge(camera.opens, 8);
    ck_assert_int_le(camera.opens, 16);
    ck_assert_int_eq(camera.open_most, 1);
    camera.take_status = 0;
    run(15000);
    ck_assert_int_eq(feed.state, FEED_RUNNING);
    ck_assert_int_eq(feed.problem, 0);
}
END_TEST

START_TEST(test_a_slow_network_is_not_the_cameras_fault)
{
    run(100);
    camera.take_status = -EAGAIN;
    for (int i = 0; i < 100; i++) {
        feed_excuse(&feed, now);
        run(250);
    }
    ck_assert_int_eq(camera.opens, 1);
}
END_TEST

START_TEST(test_a_camera_without_buffers_is_not_to_blame)
{
    camera.take_status = -EAGAIN;
    camera.drained = true;
    run(60000); /* not even the first frame */
    ck_assert_int_eq(camera.opens, 1);
    camera.take_status = 0;
    run(100);
    camera.take_status = -EAGAIN;
    run(60000);
    ck_assert_int_eq(camera.opens, 1);
    camera.drained = false; /* from here on it has time again */
    run(2500);
    ck_assert_int_eq(camera.opens, 1);
    run(2000);
    ck_assert_int_eq(camera.opens, 2);
}
END_TEST

START_TEST(test_what_is_plugged_in_meanwhile_is_looked_at)
{
    camera.open_status = -ENODEV;
    run(60000);
    int opens = camera.opens;
    plugs = true; /* during the next try, which is too early */
    while (camera.opens == opens)
        run(10);
    camera.open_status = 0;
    run(30);
    ck_assert_int_eq(feed.state, FEED_RUNNING);
}
END_TEST

START_TEST(test_a_camera_that_fails_at_once_is_opened_less_and_less)
{
    camera.take_status = -EIO;
    run(60000);
    ck_assert_int_ge(camera.opens, 8);
    ck_assert_int_le(camera.opens, 12);
}
END_TEST

START_TEST(test_a_source_that_leaves_is_not_waited_for)
{
    struct frame *frame;
    run(100);
    ck_assert_ptr_eq(feed_watched(&feed), feed.source);
    camera.take_status = -ENODEV;
    ck_assert_int_eq(feed_take(&feed, &frame, now), -ENODEV);
    ck_assert_ptr_nonnull(feed.source); /* the worker has other things to do */
    ck_assert_ptr_null(feed_watched(&feed));
}
END_TEST

START_TEST(test_a_damaged_film_is_played_once)
{
    snprintf(config.source, sizeof(config.source), "replay:x");
    config.once = true;
    run(100);
    camera.take_status = -EBADMSG;
    run(20000);
    ck_assert_int_eq(feed.state, FEED_ENDED);
    ck_assert_int_eq(feed.problem, -EBADMSG);
    ck_assert_int_eq(camera.opens, 1);
    config.once = false;
    camera.take_status = 0;
    feed_restart(&feed, now);
    run(100);
    camera.take_status = -EBADMSG;
    run(20000);
    ck_assert_int_gt(camera.opens, 3); /* again from its start */
}
END_TEST

START_TEST(test_a_replay_ends)
{
    snprintf(config.source, sizeof(config.source), "replay:x");
    run(100);
    camera.take_status = -ENODATA;
    run(20000);
    ck_assert_int_eq(feed.state, FEED_ENDED);
    ck_assert_int_eq(feed.problem, -ENODATA);
    ck_assert_int_eq(camera.opens, 1);
    ck_assert_int_eq(camera.open_now, 0);
    feed_restart(&feed, now); /* another film */
    camera.take_status = 0;
    run(30);
    ck_assert_int_eq(feed.state, FEED_RUNNING);
}
END_TEST

START_TEST(test_a_file_that_is_not_there_will_not_come)
{
    snprintf(config.source, sizeof(config.source), "replay:x");
    camera.open_status = -ENOENT;
    run(20000);
    ck_assert_int_eq(feed.state, FEED_ENDED);
    ck_assert_int_eq(feed.problem, -ENOENT);
    ck_assert_int_eq(camera.opens, 1);
}
END_TEST

START_TEST(test_other_settings_open_it_again_at_once)
{
    run(100);
    config.camera_rate = 15;
    feed_restart(&feed, now);
    run(30);
    ck_assert_int_eq(feed.state, FEED_RUNNING);
    ck_assert_int_eq(camera.opens, 2);
    ck_assert_double_eq(feed.settings.rate, 15);
}
END_TEST

START_TEST(test_a_camera_that_rests_is_closed)
{
    run(100);
    feed_rest(&feed, true, now);
    run(100);
    feed_plugged(&feed, now);
    run(60000);
    ck_assert_int_eq(camera.open_now, 0);
    ck_assert_int_eq(camera.opens, 1);
    feed_restart(&feed, now);
    run(1000);
    ck_assert_int_eq(camera.opens, 1);
    feed_rest(&feed, false, now);
    ck_assert_uint_eq(feed.closed_ns, now); /* it is not missing, it was not wanted */
    run(30);
    ck_assert_int_eq(feed.state, FEED_RUNNING);
}
END_TEST

START_TEST(test_a_thousand_times)
{
    for (int i = 0; i < 1000; i++) {
        camera.take_status = camera.open_status = -ENODEV;
        run(700);
        ck_assert_int_eq(camera.open_now, 0);
        camera.take_status = camera.open_status = 0;
        feed_plugged(&feed, now);
        run(50);
        ck_assert_int_eq(camera.open_now, 1);
    }
    feed_finish(&feed);
    ck_assert_int_eq(camera.open_now, 0);
    ck_assert_int_eq(camera.open_most, 1);
}
END_TEST

int main(void)
{
    log_set_level(LOG_SILENT);
    Suite *suite = suite_create("feed");
    TCase *tests = tcase_create("feed");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, test_runs);
    tcase_add_test(tests, test_no_camera_is_asked_for_less_and_less);
    tcase_add_test(tests, test_comes_when_it_is_plugged_in);
    tcase_add_test(tests, test_the_same_camera_comes_back);
    tcase_add_test(tests, test_another_camera_if_it_does_not);
    tcase_add_test(tests, test_a_stalled_camera_is_opened_again_with_patience);
    tcase_add_test(tests, test_a_slow_network_is_not_the_cameras_fault);
    tcase_add_test(tests, test_a_camera_without_buffers_is_not_to_blame);
    tcase_add_test(tests, test_what_is_plugged_in_meanwhile_is_looked_at);
    tcase_add_test(tests, test_a_camera_that_fails_at_once_is_opened_less_and_less);
    tcase_add_test(tests, test_a_source_that_leaves_is_not_waited_for);
    tcase_add_test(tests, test_a_damaged_film_is_played_once);
    tcase_add_test(tests, test_a_replay_ends);
    tcase_add_test(tests, test_a_file_that_is_not_there_will_not_come);
    tcase_add_test(tests, test_other_settings_open_it_again_at_once);
    tcase_add_test(tests, test_a_camera_that_rests_is_closed);
    tcase_add_test(tests, test_a_thousand_times);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
