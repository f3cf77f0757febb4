/* SPDX-License-Identifier: MIT */
/* A screen through KMS, on a card in memory: start, stop, flips, plugs, other programs. */
#include "kms_fixture.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <drm_fourcc.h>

/* The clock of base/, which may run ahead by so much at every look. */
static uint64_t look_ns, ahead_ns;

uint64_t clock_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    ahead_ns += look_ns;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec + ahead_ns;
}

/* ---- start and stop ---- */

START_TEST(the_start_is_a_known_state)
{
    fake_set(54, "FB_ID", FAKE_CONSOLE_FB); /* a cursor that somebody left */
    fake.planes[3].formats[1] = DRM_FORMAT_XRGB8888;
    fake.planes[3].anywhere = fake.planes[3].scales = true;
    fake_set(54, "CRTC_ID", FAKE_CRTC);
    open_screen();
    ck_assert_str_eq(info.name, "HDMI-A-1");
    ck_assert_str_eq(info.driver, "fake");
    ck_assert_str_eq(info.card, "/dev/dri/card0");
    ck_assert(info.width == 1280 && info.height == 720 && info.way == SCREEN_COMPOSE);
    ck_assert(info.rate > 59.9 && info.rate < 60.1);
    ck_value(FAKE_CONNECTOR, "CRTC_ID", FAKE_CRTC);
    ck_value(FAKE_CRTC, "ACTIVE", 1);
    ck_value(51, "CRTC_ID", FAKE_CRTC);
    ck_value(51, "SRC_W", 1280u << 16);
    ck_value(51, "SRC_H", 720u << 16);
    ck_value(51, "CRTC_W", 1280);
    ck_value(51, "CRTC_H", 720);
    ck_value(54, "FB_ID", 0);
    ck_value(54, "CRTC_ID", 0);
    const struct fake_fb *fb = fake_fb((uint32_t)fake_value(51, "FB_ID"));
    ck_assert(fb->width == 1280 && fb->height == 720 && fb->format == DRM_FORMAT_XRGB8888);
    ck_assert_uint_eq(fake.last_flags, DRM_MODE_ATOMIC_ALLOW_MODESET);
}
END_TEST

START_TEST(the_end_is_as_before)
{
    uint64_t mode = fake_value(FAKE_CRTC, "MODE_ID");
    open_screen();
    ck_assert_uint_ne(fake_value(FAKE_CRTC, "MODE_ID"), mode);
    point_camera(FRAME_NV12, 640, 480);
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_frame(0, true);
    screen_close(screen);
    screen = NULL;
    ck_value(51, "FB_ID", FAKE_CONSOLE_FB);
    ck_value(51, "CRTC_ID", FAKE_CRTC);
    ck_value(51, "SRC_W", 1024u << 16);
    ck_value(51, "CRTC_H", 768);
    ck_value(52, "FB_ID", 0);
    ck_value(53, "FB_ID", 0);
    ck_value(52, "COLOR_ENCODING", 5);
    ck_value(53, "pixel blend mode", 3);
    ck_value(FAKE_CRTC, "ACTIVE", 1);
    ck_value(FAKE_CONNECTOR, "CRTC_ID", FAKE_CRTC);
    ck_assert(!fake.master);
}
END_TEST

START_TEST(other_screens_are_left_alone)
{
    fake.connectors[1] = fake.connectors[0];
    fake_set(FAKE_CONNECTOR + 1, "CRTC_ID", FAKE_CRTC + 1);
    fake_set(55, "FB_ID", FAKE_CONSOLE_FB);
    fake_set(55, "CRTC_ID", FAKE_CRTC + 1);
    fake.planes[4].anywhere = true;
    open_screen();
    show_picture();
    ck_value(55, "FB_ID", FAKE_CONSOLE_FB);
    ck_value(FAKE_CONNECTOR + 1, "CRTC_ID", FAKE_CRTC + 1);
}
END_TEST

/* Fails the n-th allocation, for each n until all succeed. */
START_TEST(memory_runs_out)
{
    int left = 0, status = -ENOMEM;
    for (; status; left++) {
        fake.allocations_left = left;
        status = screen_open(&screen, &settings, &error);
        ck_assert(!status || (status == -ENOMEM && strstr(error.text, "memory")));
        ck_assert(!status || (!fake_fbs() && !fake.handles));
    }
    ck_assert_int_eq(left, 4); /* three canvases */
}
END_TEST

/* A screen for which there is no memory when it comes is lit when there is. */
START_TEST(memory_comes_back)
{
    open_screen();
    show_picture();
    fake.connectors[0].status = DRM_MODE_DISCONNECTED;
    ck_assert_int_eq(screen_recheck(screen, false), SCREEN_GONE);
    fake.connectors[0] = (struct fake_connector){DRM_MODE_CONNECTED, {fake_mode(800, 480, 60, true)}, 1};
    for (int left = 0; left < 3; left++) {
        fake.allocations_left = left;
        ck_assert_int_eq(screen_recheck(screen, true), 0);
        ck_assert(!fake.flip_pending);
    }
    fake.allocations_left = 3;
    ck_assert_int_eq(screen_recheck(screen, true), 0);
    ck_assert(fake.flip_pending);
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_BACK);
    show_picture();
}
END_TEST

START_TEST(memory_for_planes_comes_back)
{
    open_screen();
    show_picture();
    point_camera(FRAME_NV12, 640, 480);
    fake.allocations_left = 3; /* the labels' to try, black, one canvas of three */
    ck_assert_int_eq(screen_adapt(screen, &frames[0]), -ENOMEM);
    fake.allocations_left = 10;
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    struct canvas *labels = screen_canvas(screen);
    ck_assert_ptr_nonnull(labels);
    screen_give_back(screen, labels);
    show_frame(0, true);
}
END_TEST

/* A mode's numbers are its screen's. */
START_TEST(a_mode_may_have_any_rate)
{
    fake.connectors[0].modes[0].htotal = fake.connectors[0].modes[0].vtotal = 1;
    fake.connectors[0].modes[0].clock = UINT32_MAX;
    open_screen();
    show_picture();
}
END_TEST

/* ---- errors of open ---- */

static void refuses(int status, const char *name, const char *says)
{
    settings.name = name;
    ck_assert_int_eq(screen_open(&screen, &settings, &error), status);
    ck_assert_msg(strstr(error.text, says) != NULL, "%s", error.text);
    ck_assert_uint_eq(fake_value(51, "FB_ID"), FAKE_CONSOLE_FB);
}

START_TEST(open_says_what_is_wrong)
{
    refuses(-ENOENT, "DP-1", "HDMI-A-1, HDMI-A-2");
    refuses(-ENOENT, "card3/HDMI-A-1", "card3");
    refuses(-ENODEV, "HDMI-A-2", "HDMI-A-2");
    settings.width = 1290;
    settings.height = 730;
    settings.rate = 60;
    refuses(-EINVAL, "auto", "1280x720@60");
    settings.rate = 0;
    settings.width = settings.height = 0;
    fake.connectors[0].status = DRM_MODE_DISCONNECTED;
    refuses(-ENODEV, "auto", "plugged");
    fake.connectors[0].status = DRM_MODE_CONNECTED;
    fake.other_master = true;
    refuses(-EBUSY, "auto", "in use by");
    fake.other_master = false;
    fake.open_error = -EACCES;
    refuses(-EACCES, "auto", "group video");
    fake.open_error = 0;
    fake.atomic = false;
    refuses(-ENOTSUP, "auto", "atomic");
    fake.atomic = true;
    fake.dumb = false;
    refuses(-ENOTSUP, "auto", "dumb");
    fake.dumb = true;
    fake.commit_error = -EINVAL;
    refuses(-EINVAL, "auto", "cannot light HDMI-A-1");
    fake.commit_error = 0;
}
END_TEST

START_TEST(the_holder_is_named)
{
    char text[160], name[32] = "", wanted[80];
    int ends[2];
    FILE *comm = fopen("/proc/self/comm", "r"); /* an emulator's, where there is one */
    ck_assert(comm && fgets(name, sizeof(name), comm));
    fclose(comm);
    name[strcspn(name, "\n")] = 0;
    ck_assert_int_eq(pipe(ends), 0);
    char path[] = "/tmp/test_kms.XXXXXX";
    int file = mkstemp(path);
    pid_t child = fork();
    if (!child) {
        close(ends[1]);
        _exit(read(ends[0], text, 1) < 0); /* holds the file until the parent has looked */
    }
    snprintf(wanted, sizeof(wanted), "%s (pid %d)", name, child);
    kms_holder(path, text, sizeof(text));
    close(ends[1]);
    close(file);
    unlink(path);
    ck_assert_msg(strstr(text, wanted) != NULL, "%s", text);
    kms_holder("/nowhere", text, sizeof(text));
    ck_assert_ptr_nonnull(strstr(text, "another program"));
}
END_TEST

START_TEST(modes_are_found)
{
    drmModeModeInfo modes[] = {fake_mode(1920, 1080, 60, false), fake_mode(1920, 1080, 120, false),
                               fake_mode(1280, 720, 50, true),   fake_mode(1280, 720, 60, false),
                               fake_mode(1280, 720, 75, false),  fake_mode(640, 480, 60, false)};
    static const struct {
        int width, height;
        double rate;
        int found, nearest;
    } cases[] = {
        {0, 0, 0, 4, 4},
        {0, 0, 60, 3, 3},
        {1920, 1080, 0, 1, 1},
        {1920, 1080, 59.94, 0, 0},
        {1920, 1080, 90, -EINVAL, 0},
        {1300, 700, 50, -EINVAL, 2},
        {1, 1, 0, -EINVAL, 5},
        {640, 480, 60, 5, 5},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int nearest = -1;
        ck_assert_int_eq(kms_find_mode(modes, 6, cases[i].width, cases[i].height, cases[i].rate, &nearest),
                         cases[i].found);
        if (cases[i].rate != 90) /* 60 and 120 are as near */
            ck_assert_int_eq(nearest, cases[i].nearest);
    }
    int nearest;
    ck_assert_int_eq(kms_find_mode(modes, 0, 0, 0, 0, &nearest), -ENOENT);
    modes[0].flags = DRM_MODE_FLAG_INTERLACE;
    modes[1] = modes[0];
    modes[1].flags = 0;
    ck_assert_int_eq(kms_find_mode(modes, 2, 1920, 1080, 0, &nearest), 1); /* rather not interlaced */
    ck_assert(kms_rate(&modes[0]) > 119 && kms_rate(&modes[1]) < 61);
}
END_TEST

/* ---- one plane ---- */

START_TEST(canvases_are_flipped)
{
    open_screen();
    for (int i = 0; i < 8; i++) {
        struct canvas *canvas = screen_canvas(screen);
        struct screen_update update = {.picture = canvas, .time_ns = 100};
        uint64_t last = fake_value(51, "FB_ID");
        ck_assert_int_eq(screen_present(screen, &update), 0);
        ck_assert_uint_eq(fake.last_flags, DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT);
        ck_assert_uint_ne(fake_value(51, "FB_ID"), last);
        ck_assert(!screen_ready(screen));
        uint64_t stamp = clock_now_ns() / 1000 * 1000;
        fake_flip(stamp);
        ck_assert_int_eq(dispatch(), SCREEN_SHOWN);
        ck_assert(shown.taken_ns == 100 && shown.scanout_ns == stamp);
    }
}
END_TEST

START_TEST(one_flip_at_a_time)
{
    open_screen();
    struct canvas *first = screen_canvas(screen), *second = screen_canvas(screen);
    struct screen_update update = {.picture = first};
    ck_assert_ptr_null(screen_canvas(screen)); /* the third one is on the screen, black */
    ck_assert_int_eq(screen_present(screen, &update), 0);
    update.picture = second;
    ck_assert_int_eq(screen_present(screen, &update), -EBUSY);
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_SHOWN);
    ck_assert_int_eq(screen_present(screen, &update), 0);
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_SHOWN);
}
END_TEST

START_TEST(times_that_cannot_be_are_not_believed)
{
    open_screen();
    static const uint64_t stamps[] = {0, 1000000000, UINT64_C(4000000000) * 1000000000};
    for (int i = 0; i < 3; i++) {
        uint64_t before = clock_now_ns();
        ck_assert_int_eq(present_picture(), 0);
        fake_flip(stamps[i]);
        ck_assert_int_eq(dispatch(), SCREEN_SHOWN);
        ck_assert(shown.scanout_ns >= before && shown.scanout_ns <= clock_now_ns());
    }
}
END_TEST

START_TEST(without_vertical_blanks_a_clock_gives_them)
{
    fake.vblank = false;
    settings.width = 640;
    settings.height = 480;
    open_screen(); /* 75 Hz */
    uint64_t start = clock_now_ns();
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(present_picture(), 0);
        fake_flip(clock_now_ns());
        int news = 0, rounds = 0;
        for (; !news && rounds < 100; rounds++)
            news = dispatch();
        ck_assert_int_eq(news, SCREEN_SHOWN);
    }
    ck_assert_uint_ge(clock_now_ns() - start, 4 * UINT64_C(13300000)); /* 4 whole periods at least */
}
END_TEST

/* A busy machine lets any time pass between two looks at the clock; nobody wakes the screen a second time. */
START_TEST(a_blank_between_two_looks_at_the_clock_counts)
{
    fake.vblank = false;
    open_screen(); /* 60 Hz */
    for (look_ns = 100000; look_ns <= 5000000; look_ns += 100000) {
        int news = 0;
        ahead_ns = 0;
        ck_assert_int_eq(present_picture(), 0);
        fake_flip(clock_now_ns());
        while (!news)
            news = dispatch();
        ck_assert_int_eq(news, SCREEN_SHOWN);
    }
}
END_TEST

/* ---- what goes wrong while running ---- */

START_TEST(planes_refused_while_running)
{
    open_screen();
    point_camera(FRAME_NV12, 640, 480);
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_frame(0, true);
    fake.commit_error = -ENOSPC;
    ck_assert_int_eq(present_frame(1, false), -ENOTSUP);
    fake.commit_error = 0;
    screen_info(screen, &info);
    ck_assert_int_eq(info.way, SCREEN_COMPOSE);
    ck_assert_ptr_nonnull(strstr(info.why, "while running"));
    show_picture();
    ck_value(52, "FB_ID", 0);
    ck_assert_int_eq(atomic_load(&frames[0].refs), 1);
    ck_assert_int_eq(atomic_load(&frames[1].refs), 1);
}
END_TEST

START_TEST(busy_is_tried_again)
{
    open_screen();
    fake.commit_error = -EBUSY;
    ck_assert_int_eq(present_picture(), -EBUSY);
    fake.commit_error = 0;
    ck_assert(screen_ready(screen));
    ck_assert_int_eq(dispatch(), 0); /* the loop is woken for it */
    show_picture();
}
END_TEST

START_TEST(another_master_takes_over)
{
    open_screen();
    show_picture();
    fake.master = false;
    fake.other_master = true;
    ck_assert_int_eq(present_picture(), -EACCES);
    ck_assert_int_eq(dispatch(), -EBUSY); /* no switch of the terminal */
    fake_make_values();                   /* it shows something of its own */
    ck_assert(!screen_ready(screen));
    screen_close(screen);
    screen = NULL;
    ck_assert(!fake.master);
    ck_assert_int_eq(screen_open(&screen, &settings, &error), -EBUSY);
    ck_assert_ptr_nonnull(strstr(error.text, "in use by"));
    fake.other_master = false;
    open_screen();
    show_picture();
}
END_TEST

START_TEST(another_master_stays_when_the_terminal_comes_back)
{
    open_screen();
    show_picture();
    fake_terminal(CONSOLE_LEAVES);
    ck_assert_int_eq(dispatch(), SCREEN_AWAY);
    fake.other_master = true;
    ck_assert_int_eq(screen_recheck(screen, false), 0);
    fake_terminal(CONSOLE_COMES);
    ck_assert_int_eq(dispatch(), 0); /* it may be about to let go */
    ck_assert_int_eq(screen_recheck(screen, false), -EBUSY);
    fake_make_values();
}
END_TEST

START_TEST(terminals_are_switched)
{
    open_screen();
    point_camera(FRAME_NV12, 640, 480);
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_frame(0, true);
    fake_terminal(CONSOLE_LEAVES);
    ck_assert_int_eq(dispatch(), SCREEN_AWAY);
    ck_assert(!fake.master);
    ck_assert_int_eq(atomic_load(&frames[0].refs), 1); /* the camera gets its buffer back */
    ck_assert_int_eq(present_frame(1, false), -EACCES);
    fake.other_master = true;
    ck_assert_int_eq(screen_recheck(screen, true), 0); /* hands off while away */
    fake.other_master = false;
    fake_terminal(CONSOLE_COMES);
    ck_assert_int_eq(dispatch(), 0);
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_BACK);
    ck_assert(fake.master);
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_frame(1, true);
}
END_TEST

/* ---- plugs ---- */

START_TEST(a_screen_goes_and_another_comes)
{
    fake.needs_primary = true;
    open_screen();
    show_picture();
    ck_assert_int_eq(screen_recheck(screen, false), 0);
    struct canvas *lent = screen_canvas(screen);
    fake.connectors[0].status = DRM_MODE_DISCONNECTED;
    ck_assert_int_eq(screen_recheck(screen, false), SCREEN_GONE);
    ck_value(FAKE_CRTC, "ACTIVE", 0);
    ck_value(51, "FB_ID", 0);
    struct screen_update update = {.picture = lent};
    ck_assert_int_eq(screen_present(screen, &update), -ENODEV);
    ck_assert_int_eq(screen_recheck(screen, false), 0);
    fake.connectors[0] = (struct fake_connector){DRM_MODE_CONNECTED, {fake_mode(800, 480, 60, true)}, 1};
    ck_assert_int_eq(screen_recheck(screen, true), 0);
    ck_assert(fake.last_flags & DRM_MODE_ATOMIC_NONBLOCK); /* the loop does not wait for the mode */
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_BACK);
    ck_assert(info.width == 800 && info.height == 480);
    memset(lent->frame.data[0], 1, (size_t)lent->frame.stride[0] * 720); /* it is still there */
    ck_assert_int_eq(screen_present(screen, &update), -EINVAL);
    screen_give_back(screen, lent);
    show_picture();
    ck_value(51, "CRTC_W", 800);
    ck_assert_int_eq(fake_fbs(), 3);
}
END_TEST

START_TEST(a_mode_that_is_wanted_but_not_there_after_a_plug)
{
    settings.width = 640;
    settings.height = 480;
    open_screen();
    show_picture();
    fake.connectors[0] = (struct fake_connector){DRM_MODE_CONNECTED, {fake_mode(800, 480, 60, true)}, 1};
    ck_assert_int_eq(screen_recheck(screen, true), SCREEN_GONE); /* swapped between two looks */
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_BACK);
    ck_assert(info.width == 800 && info.height == 480);
    show_picture();
}
END_TEST

START_TEST(unplugged_in_the_middle_of_a_flip)
{
    open_screen();
    point_camera(FRAME_NV12, 640, 480);
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_frame(0, true);
    ck_assert_int_eq(present_frame(1, true), 0);
    fake.connectors[0].status = DRM_MODE_DISCONNECTED;
    ck_assert_int_eq(screen_recheck(screen, false), SCREEN_GONE);
    ck_value(FAKE_CRTC, "ACTIVE", 1);
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_SHOWN);
    ck_value(FAKE_CRTC, "ACTIVE", 0);
    ck_assert_int_eq(atomic_load(&frames[0].refs), 1);
    ck_assert_int_eq(atomic_load(&frames[1].refs), 1);
}
END_TEST

START_TEST(the_screen_moves_to_the_other_connector)
{
    open_screen();
    show_picture();
    fake.connectors[1] = fake.connectors[0];
    fake.connectors[0].status = DRM_MODE_DISCONNECTED;
    ck_assert_int_eq(screen_recheck(screen, true), SCREEN_GONE);
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_BACK);
    ck_assert_str_eq(info.name, "HDMI-A-2");
    ck_value(55, "CRTC_ID", FAKE_CRTC + 1);
    show_picture();
}
END_TEST

START_TEST(a_thousand_plugs_leave_nothing)
{
    fake.allocations_left = 1 << 30;
    open_screen();
    for (int i = 0; i < 1000; i++) {
        show_picture();
        fake.connectors[0].status = DRM_MODE_DISCONNECTED;
        ck_assert_int_eq(screen_recheck(screen, false), SCREEN_GONE);
        fake.connectors[0].status = DRM_MODE_CONNECTED;
        fake.connectors[0].modes[2] = fake_mode(i % 2 ? 1280 : 800, 480, 60, true);
        ck_assert_int_eq(screen_recheck(screen, true), 0);
        fake_flip(clock_now_ns());
        ck_assert_int_eq(dispatch(), SCREEN_BACK);
        ck_assert_int_eq(fake_fbs(), 3);
        ck_assert_int_eq(fake.handles, 3);
        ck_assert_int_eq(fake.blobs, 1);
    }
}
END_TEST

START_TEST(screens_are_listed)
{
    struct screen_list list;
    fake.connectors[1].status = DRM_MODE_DISCONNECTED;
    ck_assert_int_eq(screen_list_init(&list), 0);
    ck_assert_int_eq(list.count, 2);
    const struct screen_port *port = &list.port[0];
    ck_assert_str_eq(port->name, "HDMI-A-1");
    ck_assert_str_eq(port->formats, "XR24 NV12 YUYV AR24");
    ck_assert(port->connected && !list.port[1].connected && port->modes == 4 && port->mode[2].preferred);
    ck_assert(port->primaries == 1 && port->overlays == 2 && port->cursors == 1);
    ck_assert_str_eq(port->problem, "");
    screen_list_finish(&list);
    ck_assert(!fake.master); /* looking does not keep others off */
    fake.other_master = true;
    ck_assert_int_eq(screen_list_init(&list), 0);
    ck_assert_ptr_nonnull(strstr(list.port[0].problem, "in use by"));
    screen_list_finish(&list);
    fake.open_error = -EACCES;
    ck_assert_int_eq(screen_list_init(&list), 0);
    ck_assert_ptr_nonnull(strstr(list.port[0].problem, "group video"));
    screen_list_finish(&list);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_start_is_a_known_state,
                                  the_end_is_as_before,
                                  other_screens_are_left_alone,
                                  memory_runs_out,
                                  memory_comes_back,
                                  memory_for_planes_comes_back,
                                  a_mode_may_have_any_rate,
                                  open_says_what_is_wrong,
                                  the_holder_is_named,
                                  modes_are_found,
                                  canvases_are_flipped,
                                  one_flip_at_a_time,
                                  times_that_cannot_be_are_not_believed,
                                  without_vertical_blanks_a_clock_gives_them,
                                  a_blank_between_two_looks_at_the_clock_counts,
                                  planes_refused_while_running,
                                  busy_is_tried_again,
                                  another_master_takes_over,
                                  another_master_stays_when_the_terminal_comes_back,
                                  terminals_are_switched,
                                  a_screen_goes_and_another_comes,
                                  a_mode_that_is_wanted_but_not_there_after_a_plug,
                                  unplugged_in_the_middle_of_a_flip,
                                  the_screen_moves_to_the_other_connector,
                                  a_thousand_plugs_leave_nothing,
                                  screens_are_listed,
                                  NULL};
    return run_tests("kms", tests);
}
