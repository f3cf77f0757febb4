/* SPDX-License-Identifier: MIT */
/* The screen that comes late, goes, is switched away and comes back: with a screen made here. */
#include "app/live/show.h"
#include "base/log.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND ((uint64_t)1000000000)

struct screen {
    bool none;
};

static struct {
    int open_status, adapt_status, present_status, news, recheck; /* what it answers */
    int opened, closed, presented, given_back, adapted;
    bool busy, mode_refused, worker_busy, lent, rests;
    int tasks;
    struct screen_info info;
    struct screen_settings settings; /* of the last one that was opened */
} fake;
static struct screen real, none = {true};
static struct canvas canvas;
static struct show show;
static struct config config;

/* ---- instead of the real one ---- */

void screen_defaults(struct screen_settings *settings)
{
    *settings = (struct screen_settings){.name = "auto", .planes = true};
}

bool screen_is_hardware(const char *name)
{
    return strcmp(name, "none") && strncmp(name, "png:", 4);
}

int screen_open(struct screen **screen, const struct screen_settings *settings, struct screen_error *error)
{
    bool stand_in = !strcmp(settings->name, "none");
    int status = stand_in ? 0 : fake.open_status;
    if (fake.mode_refused && settings->width)
        status = -EINVAL;
    snprintf(error->text, sizeof(error->text), "status %d", status);
    if (status)
        return status;
    *screen = stand_in ? &none : &real;
    fake.settings = *settings;
    fake.opened++;
    return 0;
}

void screen_close(struct screen *screen)
{
    fake.closed += screen != NULL;
}

void screen_info(const struct screen *screen, struct screen_info *info)
{
    *info = fake.info;
    info->way = screen->none ? SCREEN_NOTHING : fake.info.way;
}

int screen_adapt(struct screen *screen, const struct frame *like)
{
    (void)screen;
    (void)like;
    fake.adapted++;
    return fake.adapt_status;
}

void screen_turn(struct screen *screen, enum screen_fit fit, struct turn turn)
{
    (void)screen;
    fake.settings.fit = fit;
    fake.settings.turn = turn;
}

void screen_rest(struct screen *screen, bool rests)
{
    (void)screen;
    fake.rests = rests;
}

int screen_dispatch(struct screen *screen, struct screen_shown *shown)
{
    (void)screen;
    *shown = (struct screen_shown){1 * SECOND, 2 * SECOND};
    return fake.news;
}

int screen_recheck(struct screen *screen, bool event)
{
    (void)screen;
    (void)event;
    return fake.recheck;
}

bool screen_ready(const struct screen *screen)
{
    (void)screen;
    return !fake.busy;
}

void screen_give_back(struct screen *screen, struct canvas *given)
{
    (void)screen;
    ck_assert_ptr_eq(given, &canvas);
    fake.given_back++;
}

int screen_present(struct screen *screen, const struct screen_update *update)
{
    (void)screen;
    (void)update;
    fake.presented += !fake.present_status;
    return fake.present_status;
}

bool worker_idle(const struct worker *worker)
{
    (void)worker;
    return !fake.worker_busy;
}

void worker_submit(struct worker *worker, struct task *task)
{
    (void)worker;
    fake.tasks++;
    ck_assert(!show_wants_worker(&show, UINT64_MAX)); /* one at a time */
    task->run(task);
    fake.lent = show.lent;
    task->done(task);
}

/* ---- */

static void setup(void)
{
    memset(&fake, 0, sizeof(fake));
    memset(&show, 0, sizeof(show));
    fake.info = (struct screen_info){.name = "HDMI-A-1", .width = 1280, .height = 720, .way = SCREEN_COMPOSE};
    config_defaults(&config);
}

static void compose(void)
{
    show.picture = &canvas;
    show.waits = show.is_camera = true;
}

/* As the event loop does it. */
static void look(bool plugged, uint64_t now)
{
    if (plugged)
        show_plugged(&show, now);
    show_look(&show, now);
    while (show_wants_worker(&show, now))
        show_submit(&show, NULL, &config, now);
}

static enum screen_way way_of(struct frame *frame)
{
    show_adapts(&show, NULL, frame);
    return show.info.way;
}

static struct show_news dispatch(int news)
{
    struct show_news what;
    fake.news = news;
    show_dispatch(&show, &what);
    fake.news = 0;
    return what;
}

START_TEST(test_shows)
{
    ck_assert_int_eq(show_open(&show, &config), 0);
    ck_assert(!show.stand_in);
    ck_assert(!show_present(&show, SECOND));
    compose();
    fake.busy = true;
    ck_assert(!show_present(&show, SECOND));
    fake.busy = false;
    ck_assert(show_present(&show, SECOND));
    ck_assert(!show.waits);
    struct show_news news = dispatch(SCREEN_SHOWN);
    ck_assert(news.shown && news.camera);
    ck_assert_double_eq(news.flip_ms, 1000);
    ck_assert_double_eq(news.glass_ms, 1000);
    show_close(&show);
    ck_assert_int_eq(fake.closed, 1);
}
END_TEST

START_TEST(test_a_screen_may_come_late)
{
    fake.open_status = -ENODEV;
    ck_assert_int_eq(show_open(&show, &config), 0);
    ck_assert(show.stand_in);
    ck_assert_int_eq(show.info.way, SCREEN_NOTHING);
    int generation = show.generation;
    look(false, 10 * SECOND);
    ck_assert(show.stand_in);
    ck_assert(!show_wants_worker(&show, 11 * SECOND));
    fake.open_status = 0;
    look(true, 11 * SECOND); /* something was plugged in */
    ck_assert(!show.stand_in);
    ck_assert_int_eq(show.info.way, SCREEN_COMPOSE);
    ck_assert_int_gt(show.generation, generation);
    ck_assert_int_eq(fake.opened - fake.closed, 1);
}
END_TEST

START_TEST(test_what_will_not_come_is_an_error)
{
    const struct config_key *screen = config_find("screen");
    struct config_error error;
    ck_assert_int_eq(config_set(&config, screen, "png:/no", &error), 0);
    fake.open_status = -ENOENT;
    ck_assert_int_eq(show_open(&show, &config), -ENOENT);
    ck_assert_str_eq(show.why, "status -2");
    ck_assert_int_eq(config_set(&config, screen, "HDMI-A-9", &error), 0);
    ck_assert_int_eq(show_open(&show, &config), 0);
    ck_assert(show.stand_in);
}
END_TEST

START_TEST(test_a_mode_that_there_is_not_does_not_leave_it_dark)
{
    config.mode = (struct config_mode){3840, 2160, 60};
    fake.mode_refused = true;
    ck_assert_int_eq(show_open(&show, &config), 0);
    ck_assert(!show.stand_in);
    ck_assert_int_eq(fake.settings.width, 0);
}
END_TEST

START_TEST(test_rests_whichever_screen_there_is)
{
    fake.open_status = -ENODEV;
    show_open(&show, &config);
    show_rest(&show, true);
    fake.open_status = 0;
    fake.rests = false; /* of the stand-in */
    look(true, 11 * SECOND);
    ck_assert(!show.stand_in && fake.rests);
    compose();
    int generation = show.generation;
    show_rest(&show, false);
    ck_assert(!fake.rests && !show.waits);
    ck_assert_int_gt(show.generation, generation);
}
END_TEST

START_TEST(test_goes_and_comes_back)
{
    show_open(&show, &config);
    int generation = show.generation;
    compose();
    dispatch(SCREEN_GONE);
    ck_assert_int_eq(fake.given_back, 1);
    ck_assert(show.gone && !show.waits);
    compose();
    ck_assert(!show_present(&show, SECOND));
    fake.recheck = SCREEN_BACK;
    look(false, 10 * SECOND);
    ck_assert(!show.gone && !show.waits);
    ck_assert_int_gt(show.generation, generation);
    compose();
    ck_assert(show_present(&show, 11 * SECOND));
}
END_TEST

START_TEST(test_switched_away_and_back)
{
    show_open(&show, &config);
    dispatch(SCREEN_AWAY);
    compose();
    ck_assert(!show_present(&show, SECOND));
    dispatch(SCREEN_BACK);
    compose();
    ck_assert(show_present(&show, SECOND));
}
END_TEST

START_TEST(test_a_card_that_fails_is_looked_for)
{
    show_open(&show, &config);
    fake.recheck = -EIO;
    fake.open_status = -ENODEV;
    look(false, 10 * SECOND);
    ck_assert(show.stand_in);
    fake.open_status = fake.recheck = 0;
    look(false, 20 * SECOND);
    ck_assert(!show.stand_in);
    ck_assert_int_eq(fake.opened - fake.closed, 1);
}
END_TEST

START_TEST(test_a_card_whose_events_fail_is_opened_again)
{
    show_open(&show, &config);
    dispatch(-EIO);
    ck_assert(show.stand_in);
    look(false, 10 * SECOND);
    ck_assert(!show.stand_in && !show.gone);
    ck_assert_int_eq(fake.opened - fake.closed, 1);
}
END_TEST

START_TEST(test_other_settings_that_fail_are_no_end)
{
    struct config_error error;
    show_open(&show, &config);
    ck_assert_int_eq(config_set(&config, config_find("screen"), "png:/no", &error), 0);
    fake.open_status = -ENOENT;
    show_reopen(&show);
    look(false, 10 * SECOND);
    ck_assert(show.stand_in);
    fake.open_status = 0;
    look(false, 20 * SECOND); /* somebody has made the folder */
    ck_assert(!show.stand_in);
    ck_assert_int_eq(fake.opened - fake.closed, 1);
}
END_TEST

START_TEST(test_planes_that_refuse_after_all)
{
    struct frame frame = {
        .format = FRAME_NV12, .width = 640, .height = 480, .dmabuf = {3, -1, -1}, .refs = 1};
    fake.info.way = SCREEN_PLANES;
    show_open(&show, &config);
    ck_assert_int_eq(way_of(&frame), SCREEN_PLANES);
    ck_assert_int_eq(way_of(&frame), SCREEN_PLANES);
    ck_assert_int_eq(fake.adapted, 1); /* once for each kind of frame */
    compose();
    fake.present_status = -ENOTSUP;
    fake.info.way = SCREEN_COMPOSE;
    int generation = show.generation;
    ck_assert(!show_present(&show, SECOND));
    ck_assert_int_eq(fake.given_back, 1);
    ck_assert_int_eq(way_of(&frame), SCREEN_COMPOSE);
    ck_assert_int_gt(show.generation, generation);
    frame.width = 1280;
    way_of(&frame);
    ck_assert_int_eq(fake.adapted, 2);
}
END_TEST

START_TEST(test_adapts_again_where_it_failed)
{
    struct frame frame = {
        .format = FRAME_NV12, .width = 640, .height = 480, .dmabuf = {3, -1, -1}, .refs = 1};
    show_open(&show, &config);
    fake.adapt_status = -ENOMEM;
    way_of(&frame);
    fake.adapt_status = 0;
    way_of(&frame);
    way_of(&frame);
    ck_assert_int_eq(fake.adapted, 2);
}
END_TEST

START_TEST(test_another_program_takes_the_screen)
{
    show_open(&show, &config);
    compose();
    fake.present_status = -EACCES;
    ck_assert(!show_present(&show, SECOND));
    dispatch(-EBUSY);
    ck_assert(show.stand_in && !show.away);
    fake.present_status = 0;
    fake.open_status = -EBUSY;
    look(false, 10 * SECOND);
    ck_assert(show.stand_in);
    ck_assert_str_eq(show.why, "status -16"); /* the sentence that names who has it */
    fake.open_status = 0;
    look(false, 20 * SECOND);
    ck_assert(!show.stand_in);
    ck_assert_str_eq(show.why, "");
    ck_assert_int_eq(fake.opened - fake.closed, 1);
}
END_TEST

/* Only what takes no time is done on the event loop. */
START_TEST(test_the_worker_does_what_takes_time)
{
    struct frame frame = {
        .format = FRAME_NV12, .width = 640, .height = 480, .dmabuf = {3, -1, -1}, .refs = 1};
    show_open(&show, &config);
    look(false, 10 * SECOND);
    ck_assert_int_eq(fake.tasks, 0);
    look(true, 20 * SECOND);
    ck_assert_int_eq(fake.tasks, 1);
    ck_assert(fake.lent);
    fake.worker_busy = true;
    ck_assert(show_adapts(&show, NULL, &frame)); /* it waits */
    ck_assert_int_eq(fake.adapted, 0);
    fake.worker_busy = false;
    ck_assert(show_adapts(&show, NULL, &frame));
    ck_assert_int_eq(fake.tasks, 2);
    ck_assert(fake.lent);
    ck_assert(!show_adapts(&show, NULL, &frame));
    show_reopen(&show);
    int opened = fake.opened, closed = fake.closed;
    look(false, 21 * SECOND);
    ck_assert_int_eq(fake.tasks, 3);
    ck_assert(!fake.lent); /* the stand-in goes on */
    ck_assert_int_eq(fake.opened - opened, 2);
    ck_assert_int_eq(fake.closed - closed, 2);
}
END_TEST

START_TEST(test_another_turn_keeps_the_screen)
{
    show_open(&show, &config);
    config.rotation = 90;
    config.fit = SCREEN_FILL;
    show_turn(&show, &config);
    ck_assert_int_eq(fake.settings.turn.rotation, 90);
    ck_assert_int_eq(fake.settings.fit, SCREEN_FILL);
    ck_assert_int_eq(fake.opened, 1);
    ck_assert_int_eq(fake.closed, 0);
}
END_TEST

START_TEST(test_another_camera_may_hang_otherwise)
{
    struct frame frame = {
        .format = FRAME_NV12, .width = 640, .height = 480, .dmabuf = {3, -1, -1}, .refs = 1};
    config.rotation = 90;
    show_open(&show, &config);
    way_of(&frame);
    int generation = show.generation;
    show_camera(&show, &config, (struct turn){0, false});
    ck_assert_int_eq(show.generation, generation);
    way_of(&frame);
    ck_assert_int_eq(fake.adapted, 2); /* its colours may be others */
    show_camera(&show, &config, (struct turn){180, true});
    ck_assert_int_gt(show.generation, generation);
    ck_assert_int_eq(fake.settings.turn.rotation, 270);
    ck_assert(fake.settings.turn.mirror);
    config.mirror = true;
    show_turn(&show, &config);
    ck_assert(!fake.settings.turn.mirror);
    show_open(&show, &config);
    ck_assert_int_eq(fake.settings.turn.rotation, 270);
    ck_assert(!fake.settings.turn.mirror);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_shows,
                                  test_a_screen_may_come_late,
                                  test_what_will_not_come_is_an_error,
                                  test_a_mode_that_there_is_not_does_not_leave_it_dark,
                                  test_rests_whichever_screen_there_is,
                                  test_goes_and_comes_back,
                                  test_switched_away_and_back,
                                  test_a_card_that_fails_is_looked_for,
                                  test_a_card_whose_events_fail_is_opened_again,
                                  test_other_settings_that_fail_are_no_end,
                                  test_planes_that_refuse_after_all,
                                  test_adapts_again_where_it_failed,
                                  test_another_program_takes_the_screen,
                                  test_the_worker_does_what_takes_time,
                                  test_another_turn_keeps_the_screen,
                                  test_another_camera_may_hang_otherwise};
    log_set_level(LOG_SILENT);
    Suite *suite = suite_create("show");
    TCase *cases = tcase_create("show");
    tcase_add_checked_fixture(cases, setup, NULL);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(cases, tests[i]);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
