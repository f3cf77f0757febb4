/* SPDX-License-Identifier: MIT */
#include "app/live/track.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#define OBJECT(class, points, left, top, right, bottom)                                                      \
    (struct pipit_object)                                                                                    \
    {                                                                                                        \
        .index = (class), .score = (points), .box = { left, top, right, bottom }                             \
    }

static struct tracker tracker;
static int entered, left;

static void count_events(void *user, enum track_event event, const struct track *track)
{
    (void)user;
    (void)track;
    entered += event == TRACK_ENTERS;
    left += event == TRACK_LEAVES;
}

static void setup(void)
{
    tracker = (struct tracker){.settings = {.threshold = 0.5f, .enter = 2, .hold = 3, .smooth = 0.5f},
                               .tell = count_events};
    entered = left = 0;
}

static void one(struct pipit_object object)
{
    tracker_update(&tracker, &object, 1);
}

static void none(int results)
{
    for (int i = 0; i < results; i++)
        tracker_update(&tracker, NULL, 0);
}

START_TEST(test_overlap)
{
    const float a[4] = {0, 0, 0.5f, 0.5f}, b[4] = {0.25f, 0, 0.75f, 0.5f}, far_away[4] = {0.8f, 0.8f, 1, 1},
                nothing[4] = {0.5f, 0.5f, 0.5f, 0.5f};
    ck_assert_float_eq_tol(box_overlap(a, a), 1, 1e-6f);
    ck_assert_float_eq_tol(box_overlap(a, b), 1 / 3.0f, 1e-6f);
    ck_assert_float_eq(box_overlap(a, far_away), 0);
    ck_assert_float_eq(box_overlap(nothing, nothing), 0);
}
END_TEST

START_TEST(test_enters_after_two_results)
{
    one(OBJECT(1, 0.6f, 0.1f, 0.1f, 0.4f, 0.4f));
    ck_assert_int_eq(tracker.count, 1);
    ck_assert(!tracker.track[0].shown);
    one(OBJECT(1, 0.6f, 0.1f, 0.1f, 0.4f, 0.4f));
    ck_assert(tracker.track[0].shown);
    ck_assert_int_eq(entered, 1);
}
END_TEST

START_TEST(test_enters_at_once_when_sure)
{
    one(OBJECT(1, 0.8f, 0.1f, 0.1f, 0.4f, 0.4f));
    ck_assert_int_eq(entered, 1);
}
END_TEST

START_TEST(test_flicker_does_not_enter)
{
    for (int i = 0; i < 10; i++) {
        one(OBJECT(1, 0.6f, 0.1f, 0.1f, 0.4f, 0.4f));
        none(1);
    }
    ck_assert_int_eq(entered, 0);
}
END_TEST

START_TEST(test_below_threshold_continues_but_does_not_begin)
{
    one(OBJECT(1, 0.4f, 0.1f, 0.1f, 0.4f, 0.4f));
    ck_assert_int_eq(tracker.count, 0);
    one(OBJECT(1, 0.9f, 0.1f, 0.1f, 0.4f, 0.4f));
    for (int i = 0; i < 20; i++)
        one(OBJECT(1, 0.4f, 0.1f, 0.1f, 0.4f, 0.4f));
    ck_assert_int_eq(tracker.count, 1);
    ck_assert_int_eq(left, 0);
}
END_TEST

START_TEST(test_is_held_and_leaves)
{
    one(OBJECT(1, 0.9f, 0.1f, 0.1f, 0.4f, 0.4f));
    none(3);
    ck_assert_int_eq(tracker.count, 1);
    ck_assert(tracker.track[0].shown);
    none(1);
    ck_assert_int_eq(tracker.count, 0);
    ck_assert_int_eq(left, 1);
}
END_TEST

START_TEST(test_what_is_no_number_is_nothing)
{
    one(OBJECT(1, NAN, 0.1f, 0.1f, 0.4f, 0.4f));
    one(OBJECT(1, 0.9f, NAN, 0.1f, 0.4f, 0.4f));
    one(OBJECT(1, INFINITY, 0.1f, 0.1f, 0.4f, 0.4f));
    ck_assert_int_eq(tracker.count, 0);
    one(OBJECT(1, 0.9f, 0.1f, 0.1f, 0.4f, 0.4f));
    one(OBJECT(1, NAN, 0.1f, 0.1f, 0.4f, 0.4f));
    one(OBJECT(1, 0.9f, 0.1f, 0.1f, 0.4f, 0.4f));
    ck_assert_int_eq(tracker.count, 1);
    ck_assert_float_eq_tol(tracker.track[0].score, 0.9f, 1e-6f);
    ck_assert_float_eq_tol(tracker.track[0].box[2], 0.4f, 1e-6f);
}
END_TEST

START_TEST(test_number_stays_while_it_moves)
{
    for (int i = 0; i < 50; i++) {
        float x = 0.01f * (float)i;
        one(OBJECT(1, 0.9f, x, 0.1f, x + 0.3f, 0.4f));
    }
    ck_assert_int_eq(tracker.count, 1);
    ck_assert_int_eq(tracker.track[0].id, 1);
    ck_assert_float_eq_tol(tracker.track[0].box[0], 0.49f, 0.02f); /* smoothed, not left behind */
    one(OBJECT(1, 0.9f, 0.0f, 0.6f, 0.3f, 0.9f));                  /* somewhere else is something else */
    ck_assert_int_eq(tracker.track[tracker.count - 1].id, 2);
}
END_TEST

START_TEST(test_two_of_a_class_keep_their_numbers)
{
    struct pipit_object a = OBJECT(1, 0.9f, 0.0f, 0.0f, 0.3f, 0.5f),
                        b = OBJECT(1, 0.8f, 0.5f, 0.0f, 0.8f, 0.5f);
    tracker_update(&tracker, (struct pipit_object[]){a, b}, 2);
    tracker_update(&tracker, (struct pipit_object[]){b, a}, 2); /* their order means nothing */
    ck_assert_int_eq(tracker.count, 2);
    ck_assert_float_lt(tracker.track[0].box[0], 0.1f);
    ck_assert_int_eq(tracker.track[0].id, 1);
    ck_assert_int_eq(tracker.track[1].id, 2);
}
END_TEST

START_TEST(test_class_changes_only_after_as_many_results)
{
    one(OBJECT(1, 0.9f, 0.1f, 0.1f, 0.4f, 0.4f));
    one(OBJECT(2, 0.9f, 0.1f, 0.1f, 0.4f, 0.4f));
    ck_assert_int_eq(tracker.track[0].index, 1);
    one(OBJECT(1, 0.9f, 0.1f, 0.1f, 0.4f, 0.4f));
    one(OBJECT(2, 0.9f, 0.1f, 0.1f, 0.4f, 0.4f));
    ck_assert_int_eq(tracker.track[0].index, 1);
    one(OBJECT(2, 0.9f, 0.1f, 0.1f, 0.4f, 0.4f));
    ck_assert_int_eq(tracker.track[0].index, 2);
    ck_assert_int_eq(tracker.count, 1);
    ck_assert_int_eq(entered, 2);
    ck_assert_int_eq(left, 1);
}
END_TEST

START_TEST(test_smoothing_calms_jitter)
{
    float most = 0, before = 0.1f;
    one(OBJECT(1, 0.9f, 0.1f, 0.1f, 0.4f, 0.4f));
    for (int i = 0; i < 20; i++) {
        float x = i % 2 ? 0.11f : 0.09f;
        one(OBJECT(1, 0.9f, x, 0.1f, x + 0.3f, 0.4f));
        float step = tracker.track[0].box[0] - before;
        most = step > most ? step : most;
        before = tracker.track[0].box[0];
    }
    ck_assert_float_lt(most, 0.015f);
}
END_TEST

START_TEST(test_more_than_there_is_room_for)
{
    struct pipit_object many[200];
    for (int i = 0; i < 200; i++) {
        int row = i / 14;
        float x = 0.07f * (float)(i % 14), y = 0.066f * (float)row;
        many[i] = OBJECT(1, 0.9f, x, y, x + 0.06f, y + 0.06f);
    }
    tracker_update(&tracker, many, 200);
    ck_assert_int_eq(tracker.count, TRACKS_MAX);
    tracker_clear(&tracker);
    ck_assert_int_eq(tracker.count, 0);
    ck_assert_int_eq(left, TRACKS_MAX);
    ck_assert_int_eq(entered, TRACKS_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("track");
    TCase *tests = tcase_create("track");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, test_overlap);
    tcase_add_test(tests, test_enters_after_two_results);
    tcase_add_test(tests, test_enters_at_once_when_sure);
    tcase_add_test(tests, test_flicker_does_not_enter);
    tcase_add_test(tests, test_below_threshold_continues_but_does_not_begin);
    tcase_add_test(tests, test_is_held_and_leaves);
    tcase_add_test(tests, test_number_stays_while_it_moves);
    tcase_add_test(tests, test_what_is_no_number_is_nothing);
    tcase_add_test(tests, test_two_of_a_class_keep_their_numbers);
    tcase_add_test(tests, test_class_changes_only_after_as_many_results);
    tcase_add_test(tests, test_smoothing_calms_jitter);
    tcase_add_test(tests, test_more_than_there_is_room_for);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
