/* SPDX-License-Identifier: MIT */
/* A classifier's answers over time, and times by how often they came. */
#include "app/live/histogram.h"
#include "app/live/vote.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static const struct vote_settings settings = {.average = 4, .sure = 0.5f, .lead = 0.2f, .uncertainty = 0.9f};

static void see(struct vote *vote, int index, float score)
{
    struct pipit_class best = {index, score};
    vote_update(vote, &settings, &best, 1);
}

START_TEST(test_first_result_counts_fully)
{
    struct vote *vote = vote_create(4);
    struct pipit_class top[4];
    ck_assert_int_eq(vote_top(vote, top, 4), 0);
    ck_assert_int_eq(vote_answer(vote, &settings), -1);
    see(vote, 2, 0.7f);
    ck_assert_int_eq(vote_top(vote, top, 4), 4);
    ck_assert_int_eq(top[0].index, 2);
    ck_assert_float_eq_tol(top[0].score, 0.7f, 1e-6f);
    ck_assert_int_eq(top[1].index, 0); /* equal ones by the lower index */
    ck_assert_float_eq_tol(top[1].score, 0.1f, 1e-6f);
    ck_assert_int_eq(vote_answer(vote, &settings), 2);
    vote_destroy(vote);
}
END_TEST

START_TEST(test_one_odd_result_changes_nothing)
{
    struct vote *vote = vote_create(4);
    for (int i = 0; i < 10; i++)
        see(vote, 1, 0.9f);
    see(vote, 3, 0.9f);
    ck_assert_int_eq(vote_answer(vote, &settings), 1);
    int results = 0;
    while (vote_answer(vote, &settings) != 3 && results < 20) {
        see(vote, 3, 0.9f);
        results++;
    }
    ck_assert_int_ge(results, 2);
    ck_assert_int_le(results, 6);
    vote_destroy(vote);
}
END_TEST

START_TEST(test_not_sure)
{
    struct vote *vote = vote_create(100);
    struct pipit_class two[2] = {{5, 0.5f}, {6, 0.45f}};
    see(vote, 5, 0.2f); /* too little */
    ck_assert_int_eq(vote_answer(vote, &settings), -1);
    vote_destroy(vote);
    vote = vote_create(100);
    vote_update(vote, &settings, two, 2); /* no lead */
    ck_assert_int_eq(vote_answer(vote, &settings), -1);
    vote_destroy(vote);
    vote = vote_create(3);
    see(vote, 0, 0.55f); /* 0.55, 0.225, 0.225 of three: as good as even */
    ck_assert_float_gt(vote_entropy(vote), 0.9f);
    ck_assert_int_eq(vote_answer(vote, &settings), -1);
    vote_destroy(vote);
}
END_TEST

START_TEST(test_sure_stays_sure_for_a_while)
{
    struct vote *vote = vote_create(4);
    for (int i = 0; i < 40; i++)
        see(vote, 1, 0.52f);
    ck_assert_int_eq(vote_answer(vote, &settings), 1);
    for (int i = 0; i < 40; i++)
        see(vote, 1, 0.46f); /* below 0.5, above four fifths of it */
    ck_assert_int_eq(vote_answer(vote, &settings), 1);
    for (int i = 0; i < 40; i++)
        see(vote, 1, 0.39f);
    ck_assert_int_eq(vote_answer(vote, &settings), -1);
    for (int i = 0; i < 40; i++)
        see(vote, 1, 0.46f);
    ck_assert_int_eq(vote_answer(vote, &settings), -1);
    vote_destroy(vote);
}
END_TEST

START_TEST(test_what_is_no_number_does_not_count)
{
    struct vote *vote = vote_create(4);
    struct pipit_class top[4];
    see(vote, 2, NAN);
    ck_assert_int_eq(vote_top(vote, top, 4), 0);
    see(vote, 2, 0.9f);
    see(vote, 2, NAN);
    see(vote, 1, -NAN);
    see(vote, 1, INFINITY);
    ck_assert_int_eq(vote_top(vote, top, 4), 4);
    ck_assert_float_eq_tol(top[0].score, 0.9f, 1e-6f);
    ck_assert_int_eq(vote_answer(vote, &settings), 2);
    vote_destroy(vote);
}
END_TEST

START_TEST(test_probabilities_add_up)
{
    struct vote *vote = vote_create(1000);
    struct pipit_class best[3], *top = calloc(1000, sizeof(*top));
    for (int i = 0; i < 200; i++) {
        for (int k = 0; k < 3; k++)
            best[k] = (struct pipit_class){(17 * i + 29 * k) % 1000, 0.3f - 0.1f * (float)k};
        vote_update(vote, &settings, best, 3);
    }
    ck_assert_int_eq(vote_top(vote, top, 1000), 1000);
    float sum = 0;
    for (int i = 0; i < 1000; i++) {
        sum += top[i].score;
        ck_assert(i == 0 || top[i - 1].score >= top[i].score);
        ck_assert_float_ge(top[i].score, -1e-6f);
    }
    ck_assert_float_eq_tol(sum, 1, 1e-3f);
    free(top);
    vote_destroy(vote);
    ck_assert_ptr_null(vote_create(0));
}
END_TEST

START_TEST(test_histogram)
{
    struct histogram h;
    histogram_clear(&h);
    ck_assert(isnan(histogram_ms(&h, 0.5)));
    for (int i = 1; i <= 1000; i++)
        histogram_add(&h, (uint64_t)i * 10000); /* 0.01 to 10 ms */
    ck_assert_double_eq_tol(histogram_ms(&h, 0.5), 5, 0.2);
    ck_assert_double_eq_tol(histogram_ms(&h, 0.99), 9.9, 0.33);
    ck_assert_double_eq_tol(histogram_ms(&h, 1), 10, 1e-9);
    ck_assert_double_eq_tol(histogram_ms(&h, 0), 0.01, 0.002);
    histogram_add(&h, UINT64_MAX); /* beyond the last bin */
    ck_assert_double_gt(histogram_ms(&h, 1), 10);
    histogram_clear(&h);
    histogram_add(&h, 0);
    ck_assert_double_eq(histogram_ms(&h, 0.5), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("steady");
    TCase *tests = tcase_create("steady");
    tcase_add_test(tests, test_first_result_counts_fully);
    tcase_add_test(tests, test_one_odd_result_changes_nothing);
    tcase_add_test(tests, test_not_sure);
    tcase_add_test(tests, test_sure_stays_sure_for_a_while);
    tcase_add_test(tests, test_probabilities_add_up);
    tcase_add_test(tests, test_what_is_no_number_does_not_count);
    tcase_add_test(tests, test_histogram);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
