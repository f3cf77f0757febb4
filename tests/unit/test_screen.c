/* SPDX-License-Identifier: MIT */
/* Where pictures go on a screen, and the screens without hardware. */
#include "base/clock.h"
#include "capture/photo/photo.h"
#include "display/headless/png_file.h"
#include "display/screen.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct screen_settings settings;
static struct screen_error error;

static void setup(void)
{
    screen_defaults(&settings);
    settings.rate = 500; /* short waits; nothing here depends on how long they are */
    error.text[0] = 0;
}

static struct screen *open_screen(const char *name, int width, int height)
{
    struct screen *screen;
    settings.name = name;
    settings.width = width;
    settings.height = height;
    ck_assert_msg(screen_open(&screen, &settings, &error) == 0, "%s", error.text);
    return screen;
}

static struct screen_shown wait_shown(struct screen *screen)
{
    struct screen_shown shown = {0};
    struct pollfd descriptor = {.fd = screen_fd(screen), .events = POLLIN};
    ck_assert_int_eq(poll(&descriptor, 1, 10000), 1);
    ck_assert_int_eq(screen_dispatch(screen, &shown), SCREEN_SHOWN);
    return shown;
}

/* ---- placement ---- */

static void place(enum screen_fit fit, int rotation, uint32_t format, int width, int height,
                  struct area *from, struct area *to)
{
    settings.fit = fit;
    settings.turn.rotation = rotation;
    struct screen *screen = open_screen("none", 1280, 720);
    struct frame frame = {.format = format, .width = width, .height = height};
    screen_place(screen, &frame, from, to);
    screen_close(screen);
}

#define ck_area(area, left, top, wide, high)                                                                 \
    ck_assert_msg((area).x == (left) && (area).y == (top) && (area).width == (wide) &&                       \
                      (area).height == (high),                                                               \
                  "%d,%d %dx%d is not %d,%d %dx%d", (area).x, (area).y, (area).width, (area).height, left,   \
                  top, wide, high)

START_TEST(fit_keeps_the_aspect)
{
    struct area from, to;
    place(SCREEN_FIT, 0, FRAME_YUYV, 640, 480, &from, &to);
    ck_area(from, 0, 0, 640, 480);
    ck_area(to, 160, 0, 960, 720);
    place(SCREEN_FIT, 90, FRAME_YUYV, 640, 480, &from, &to);
    ck_area(from, 0, 0, 640, 480);
    ck_area(to, 370, 0, 540, 720);
    place(SCREEN_FIT, 180, FRAME_YUYV, 2560, 720, &from, &to);
    ck_area(to, 0, 180, 1280, 360);
    place(SCREEN_FIT, 0, FRAME_GREY, 65500, 1, &from, &to);
    ck_area(to, 0, 359, 1280, 1);
}
END_TEST

START_TEST(fill_cuts_off_even_pixels)
{
    struct area from, to;
    place(SCREEN_FILL, 0, FRAME_NV12, 640, 480, &from, &to);
    ck_area(from, 0, 60, 640, 360);
    ck_area(to, 0, 0, 1280, 720);
    place(SCREEN_FILL, 270, FRAME_NV12, 640, 480, &from, &to);
    ck_area(from, 184, 0, 270, 480); /* 480 tall becomes 1280 wide */
    ck_area(to, 0, 0, 1280, 720);
    place(SCREEN_FILL, 0, FRAME_NV12, 642, 479, &from, &to);
    ck_area(from, 0, 58, 642, 360);
    place(SCREEN_FILL, 0, FRAME_GREY, 1, 500, &from, &to);
    ck_area(from, 0, 248, 1, 2);
}
END_TEST

START_TEST(stretch_takes_all)
{
    struct area from, to;
    place(SCREEN_STRETCH, 90, FRAME_YUV420, 641, 481, &from, &to);
    ck_area(from, 0, 0, 641, 481);
    ck_area(to, 0, 0, 1280, 720);
}
END_TEST

START_TEST(areas_lie_inside)
{
    static const int sides[] = {1, 2, 3, 5, 17, 99, 480, 641, 1279, 1280, 1281, 4001};
    const int count = sizeof(sides) / sizeof(sides[0]);
    for (int w = 0; w < count; w++)
        for (int h = 0; h < count; h++)
            for (int variant = 0; variant < 12; variant++) {
                struct area from, to;
                place(variant / 4, variant % 4 * 90, FRAME_YUV420, sides[w], sides[h], &from, &to);
                ck_assert(from.x >= 0 && from.y >= 0 && from.width > 0 && from.height > 0);
                ck_assert(from.x + from.width <= sides[w] && from.y + from.height <= sides[h]);
                ck_assert(from.x % 2 == 0 && from.y % 2 == 0);
                ck_assert(to.x >= 0 && to.y >= 0 && to.width > 0 && to.height > 0);
                ck_assert(to.x + to.width <= 1280 && to.y + to.height <= 720);
            }
}
END_TEST

/* ---- canvases and pace ---- */

static void present(struct screen *screen, struct canvas *canvas, uint64_t time_ns)
{
    struct screen_update update = {.picture = canvas, .time_ns = time_ns};
    ck_assert_int_eq(screen_present(screen, &update), 0);
}

START_TEST(canvases_keep_what_they_hold)
{
    static const size_t before[] = {0, 0, 0, 3, 3, 3, 3}; /* pictures ago */
    struct screen *screen = open_screen("memory", 64, 48);
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        struct canvas *canvas = screen_canvas(screen);
        ck_assert_ptr_nonnull(canvas);
        ck_assert_uint_eq(canvas->content.drawing, before[i] ? i + 1 - before[i] : 0);
        canvas->content.drawing = i + 1;
        ck_assert_uint_eq(canvas->frame.format, FRAME_XRGB32);
        if (before[i])
            ck_assert_uint_eq(canvas->frame.data[0][0], i + 1 - before[i]); /* what it says */
        canvas->frame.data[0][0] = (uint8_t)(i + 1);
        ck_assert_int_eq(canvas_finish(screen, canvas), 0);
        present(screen, canvas, 1000 + i);
        ck_assert(!screen_ready(screen));
        struct screen_shown shown = wait_shown(screen);
        ck_assert(screen_ready(screen));
        ck_assert_uint_eq(shown.taken_ns, 1000 + i);
        ck_assert_uint_le(shown.scanout_ns, clock_now_ns());
    }
    screen_close(screen);
}
END_TEST

START_TEST(a_canvas_given_back_is_the_next)
{
    struct screen *screen = open_screen("memory", 64, 48);
    for (int i = 0; i < 3; i++) {
        present(screen, screen_canvas(screen), 1);
        wait_shown(screen);
    }
    struct canvas *canvas = screen_canvas(screen);
    canvas->content.drawing = 7;
    screen_give_back(screen, canvas);
    ck_assert_ptr_eq(screen_canvas(screen), canvas);
    ck_assert_uint_eq(canvas->content.drawing, 7);
    screen_close(screen);
}
END_TEST

START_TEST(canvases_run_out)
{
    struct screen *screen = open_screen("memory", 64, 48);
    struct canvas *first = screen_canvas(screen), *second = screen_canvas(screen);
    present(screen, first, 1);
    struct screen_update update = {.picture = second};
    ck_assert_int_eq(screen_present(screen, &update), -EBUSY);
    ck_assert_ptr_nonnull(screen_canvas(screen));
    ck_assert_ptr_null(screen_canvas(screen));
    wait_shown(screen);
    ck_assert_int_eq(screen_present(screen, &update), 0);
    wait_shown(screen); /* the first one is free again, for it is no longer seen */
    ck_assert_ptr_eq(screen_canvas(screen), first);
    screen_close(screen);
}
END_TEST

START_TEST(flips_keep_the_rate)
{
    settings.rate = 200;
    struct screen *screen = open_screen("memory", 16, 16);
    uint64_t before = 0, start = clock_now_ns();
    for (int i = 0; i < 20; i++) {
        present(screen, screen_canvas(screen), 1);
        uint64_t scanout = wait_shown(screen).scanout_ns;
        if (before) { /* on a grid of 5 ms, and never twice in one period */
            ck_assert_uint_eq((scanout - before) % 5000000, 0);
            ck_assert_uint_gt(scanout, before);
        }
        before = scanout;
    }
    ck_assert_uint_ge(clock_now_ns() - start, 19ull * 5000000);
    screen_close(screen);
}
END_TEST

START_TEST(present_refuses_what_is_no_picture)
{
    struct screen *screen = open_screen("memory", 16, 16);
    struct canvas stranger = {0};
    struct screen_update nothing = {0}, strange = {.picture = &stranger};
    ck_assert_int_eq(screen_present(screen, &nothing), -EINVAL);
    ck_assert_int_eq(screen_present(screen, &strange), -EINVAL);
    screen_close(screen);
}
END_TEST

START_TEST(none_draws_nothing)
{
    struct screen *screen = open_screen("none", 0, 0);
    struct screen_info info;
    screen_info(screen, &info);
    ck_assert_int_eq(info.way, SCREEN_NOTHING);
    ck_assert_ptr_null(screen_canvas(screen));
    struct screen_update update = {.time_ns = 7};
    ck_assert_int_eq(screen_present(screen, &update), 0);
    ck_assert_uint_eq(wait_shown(screen).taken_ns, 7);
    screen_close(screen);
}
END_TEST

/* ---- files ---- */

static char folder[32];

static void make_folder(void)
{
    setup();
    snprintf(folder, sizeof(folder), "/tmp/test_screen.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[64];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

/* Left half red, right half blue. */
static void draw(struct canvas *canvas)
{
    for (int y = 0; y < canvas->frame.height; y++)
        for (int x = 0; x < canvas->frame.width; x++) {
            uint32_t pixel = x < canvas->frame.width / 2 ? 0x00ff0000u : 0x000000ffu;
            memcpy(canvas->frame.data[0] + y * canvas->frame.stride[0] + (ptrdiff_t)(4 * x), &pixel, 4);
        }
}

static void draw_two(const char *name)
{
    struct screen *screen = open_screen(name, 40, 30);
    for (int i = 0; i < 2; i++) {
        struct canvas *canvas = screen_canvas(screen);
        draw(canvas);
        ck_assert_int_eq(canvas_finish(screen, canvas), 0);
        present(screen, canvas, 1);
        wait_shown(screen);
    }
    screen_close(screen);
}

static void check_picture(const char *path)
{
    struct frame *frame;
    struct photo_error why;
    ck_assert_msg(photo_read(&frame, path, &why) == 0, "%s", why.text);
    ck_assert_int_eq(frame->width, 40);
    ck_assert_int_eq(frame->height, 30);
    const uint8_t *left = frame->data[0] + 10 * frame->stride[0] + 30, *right = left + 60;
    ck_assert(left[0] > 240 && left[1] < 15 && left[2] < 15);
    ck_assert(right[0] < 15 && right[1] < 15 && right[2] > 240);
    frame_unref(frame);
}

START_TEST(png_files_are_numbered)
{
    char name[96], path[96];
    snprintf(name, sizeof(name), "png:%s/new", folder);
    draw_two(name);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/new/frame-%06d.png", folder, i);
        check_picture(path);
    }
    snprintf(path, sizeof(path), "%s/new/frame-000002.png", folder);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(mjpeg_is_jpegs_in_a_row)
{
    char name[96], path[96];
    snprintf(name, sizeof(name), "mjpeg:%s/film.mjpeg", folder);
    snprintf(path, sizeof(path), "%s/film.mjpeg", folder);
    draw_two(name);
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    uint8_t bytes[65536];
    size_t size = fread(bytes, 1, sizeof(bytes), file), starts = 0;
    fclose(file);
    ck_assert(size % 2 == 0 && !memcmp(bytes, bytes + size / 2, size / 2)); /* both pictures are the same */
    for (size_t i = 0; i + 1 < size; i++)
        starts += bytes[i] == 0xff && bytes[i + 1] == 0xd8;
    ck_assert_uint_eq(starts, 2);
    ck_assert_int_eq(truncate(path, (off_t)size / 2), 0);
    check_picture(path);
}
END_TEST

START_TEST(mjpeg_says_that_nobody_reads)
{
    char name[96];
    int ends[2], out = dup(STDOUT_FILENO);
    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    fflush(stdout);
    dup2(ends[1], STDOUT_FILENO);
    snprintf(name, sizeof(name), "mjpeg:-");
    struct screen *screen = open_screen(name, 40, 30);
    struct canvas *canvas = screen_canvas(screen);
    draw(canvas);
    int status = canvas_finish(screen, canvas);
    screen_close(screen);
    bool still_open = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
    dup2(out, STDOUT_FILENO);
    close(out);
    close(ends[1]);
    ck_assert_int_eq(status, -EPIPE);
    ck_assert(still_open);
}
END_TEST

START_TEST(screens_that_make_no_sense)
{
    static const struct {
        const char *name;
        int width, height, rotation, status;
        double rate;
        const char *says;
    } cases[] = {
        {"", 0, 0, 0, -EINVAL, 0, "no name"},
        {"png:", 0, 0, 0, -EINVAL, 0, "folder"},
        {"mjpeg:", 0, 0, 0, -EINVAL, 0, "file"},
        {"png:/nowhere/at/all", 0, 0, 0, -ENOENT, 0, "/nowhere/at/all"},
        {"mjpeg:/nowhere/film", 0, 0, 0, -ENOENT, 0, "/nowhere/film"},
        {"memory", 1280, 0, 0, -EINVAL, 0, "1280 x 0"},
        {"memory", -1, 720, 0, -EINVAL, 0, "-1 x 720"},
        {"memory", 99999, 720, 0, -EINVAL, 0, "99999"},
        {"memory", 0, 0, 45, -EINVAL, 0, "45 degrees"},
        {"memory", 0, 0, 0, -EINVAL, -1, "-1 pictures"},
        {"memory", 0, 0, 0, -EINVAL, 1e9, "pictures"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct screen *screen;
        settings = (struct screen_settings){.name = cases[i].name,
                                            .width = cases[i].width,
                                            .height = cases[i].height,
                                            .rate = cases[i].rate,
                                            .turn = {.rotation = cases[i].rotation}};
        ck_assert_int_eq(screen_open(&screen, &settings, &error), cases[i].status);
        ck_assert_msg(strstr(error.text, cases[i].says) != NULL, "%s", error.text);
    }
}
END_TEST

START_TEST(memory_has_a_size_of_its_own)
{
    settings.rate = 0;
    struct screen *screen = open_screen("memory", 0, 0);
    struct screen_info info;
    screen_info(screen, &info);
    ck_assert(info.width == 1280 && info.height == 720 && info.rate == 60 && info.way == SCREEN_COMPOSE);
    ck_assert_str_eq(info.name, "memory");
    ck_assert_str_eq(info.driver, "");
    screen_close(screen);
    screen_close(NULL);
}
END_TEST

START_TEST(names_of_hardware)
{
    static const char *const hardware[] = {"auto", "HDMI-A-1", "card1/DP-2", "memory-1"};
    static const char *const others[] = {"png:folder", "mjpeg:-", "memory", "none"};
    for (int i = 0; i < 4; i++) {
        ck_assert(screen_is_hardware(hardware[i]));
        ck_assert(!screen_is_hardware(others[i]));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("screen");
    TCase *plain = tcase_create("memory"), *files = tcase_create("files");
    tcase_add_checked_fixture(plain, setup, NULL);
    tcase_add_checked_fixture(files, make_folder, remove_folder);
    tcase_add_test(plain, fit_keeps_the_aspect);
    tcase_add_test(plain, fill_cuts_off_even_pixels);
    tcase_add_test(plain, stretch_takes_all);
    tcase_add_test(plain, areas_lie_inside);
    tcase_add_test(plain, canvases_keep_what_they_hold);
    tcase_add_test(plain, a_canvas_given_back_is_the_next);
    tcase_add_test(plain, canvases_run_out);
    tcase_add_test(plain, flips_keep_the_rate);
    tcase_add_test(plain, present_refuses_what_is_no_picture);
    tcase_add_test(plain, none_draws_nothing);
    tcase_add_test(plain, screens_that_make_no_sense);
    tcase_add_test(plain, names_of_hardware);
    tcase_add_test(plain, memory_has_a_size_of_its_own);
    tcase_add_test(files, png_files_are_numbered);
    tcase_add_test(files, mjpeg_is_jpegs_in_a_row);
    tcase_add_test(files, mjpeg_says_that_nobody_reads);
    suite_add_tcase(suite, plain);
    suite_add_tcase(suite, files);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
