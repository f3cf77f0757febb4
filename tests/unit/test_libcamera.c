/* SPDX-License-Identifier: MIT */
/* What the libcamera source does without libcamera: buffers, names, clocks, the choice of a format. */
#include "capture/libcamera/dmabuf.h"
#include "capture/libcamera/plain.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A file of `size` bytes that counts up: mapped as a dmabuf is, though it refuses to be synchronised. */
static int counting(size_t size)
{
    int fd = memfd_create("buffer", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(i * 7 + i / 256);
        ck_assert_int_eq(write(fd, &byte, 1), 1);
    }
    return fd;
}

static uint8_t counted(size_t i)
{
    return (uint8_t)(i * 7 + i / 256);
}

static struct frame shape(uint32_t format, int width, int height)
{
    return (struct frame){.format = format, .width = width, .height = height};
}

START_TEST(one_file_holds_all_planes)
{
    enum { STRIDE = 64, HEIGHT = 6, SIZE = STRIDE * HEIGHT * 3 / 2 };
    int fd = counting(SIZE);
    struct dmabuf_plane plane[] = {{fd, 0, STRIDE * HEIGHT}, {fd, STRIDE * HEIGHT, SIZE - STRIDE * HEIGHT}};
    for (int given = 1; given <= 2; given++) {
        struct dmabuf dmabuf;
        struct frame frame = shape(FRAME_NV12, 60, HEIGHT);
        plane[0].length = given == 1 ? SIZE : STRIDE * HEIGHT;
        ck_assert_int_eq(dmabuf_init(&dmabuf, &frame, plane, given, STRIDE, true), 0);
        ck_assert_int_eq(dmabuf.maps, 1);
        ck_assert_int_eq(frame.planes, 2);
        ck_assert_int_eq(frame.stride[0], STRIDE);
        ck_assert_int_eq(frame.stride[1], STRIDE);
        ck_assert_uint_eq(frame.offset[1], STRIDE * HEIGHT);
        ck_assert_int_eq(frame.dmabuf[0], frame.dmabuf[1]);
        ck_assert_int_ne(frame.dmabuf[0], fd);
        ck_assert_int_eq(frame.dmabuf[2], -1);
        dmabuf_begin(&dmabuf);
        ck_assert_uint_eq(frame.data[1][5], counted(STRIDE * HEIGHT + 5));
        dmabuf_end(&dmabuf);
        dmabuf_finish(&dmabuf);
    }
    close(fd);
}
END_TEST

START_TEST(v_comes_before_u)
{
    int fd = counting(64 * 4 * 3 / 2);
    struct dmabuf dmabuf;
    struct dmabuf_plane plane = {fd, 0, 64 * 4 * 3 / 2};
    struct frame frame = shape(FRAME_YVU420, 62, 4);
    ck_assert_int_eq(dmabuf_init(&dmabuf, &frame, &plane, 1, 64, false), 0);
    ck_assert_int_eq(frame.stride[1], 32);
    ck_assert_uint_eq(frame.offset[2], 64 * 4);
    ck_assert_uint_eq(frame.offset[1], 64 * 4 + 32 * 2);
    ck_assert_int_eq(frame.dmabuf[1], -1);
    dmabuf_finish(&dmabuf);
    close(fd);
}
END_TEST

START_TEST(planes_in_files_of_their_own)
{
    int fd[] = {counting(4096), counting(2048)};
    struct dmabuf dmabuf;
    struct dmabuf_plane plane[] = {{fd[0], 0, 4096}, {fd[1], 0, 2048}};
    struct frame frame = shape(FRAME_NV12, 64, 64);
    ck_assert_int_eq(dmabuf_init(&dmabuf, &frame, plane, 2, 64, true), 0);
    ck_assert_int_eq(dmabuf.maps, 2);
    ck_assert_int_ne(frame.dmabuf[0], frame.dmabuf[1]);
    ck_assert_uint_eq(frame.offset[1], 0);
    dmabuf_finish(&dmabuf);
    close(fd[0]);
    close(fd[1]);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    int fd = counting(4096);
    struct dmabuf dmabuf;
    struct dmabuf_plane plane[] = {{fd, 0, 4096}, {fd, 4096, 0}};
    struct frame frame = shape(FRAME_NV12, 64, 64);
    ck_assert_int_eq(dmabuf_init(&dmabuf, &frame, plane, 1, 64, false), -EINVAL);
    ck_assert_int_eq(dmabuf_init(&dmabuf, &frame, plane, 2, 64, false), -EINVAL);
    ck_assert_int_eq(dmabuf_init(&dmabuf, &frame, plane, 0, 64, false), -EINVAL);
    ck_assert_int_eq(dmabuf_init(&dmabuf, &frame, plane, 4, 64, false), -EINVAL);
    frame = shape(FRAME_GREY, 65, 8);
    ck_assert_int_eq(dmabuf_init(&dmabuf, &frame, plane, 1, 64, false), -EINVAL);
    plane[0].fd = -1;
    ck_assert_int_eq(dmabuf_init(&dmabuf, &frame, plane, 1, 65, false), -EBADF);
    frame = shape(FRAME_MJPEG, 640, 480);
    plane[0].fd = fd;
    ck_assert_int_eq(dmabuf_init(&dmabuf, &frame, plane, 1, 0, false), 0);
    ck_assert_int_eq(frame.planes, 1);
    dmabuf_finish(&dmabuf);
    dmabuf_finish(&dmabuf);
    close(fd);
}
END_TEST

START_TEST(rgb_is_named_the_other_way_round)
{
    ck_assert_uint_eq(format_from_drm(FRAME_FOURCC('R', 'G', '2', '4')), FRAME_BGR24);
    ck_assert_uint_eq(format_from_drm(FRAME_FOURCC('B', 'G', '2', '4')), FRAME_RGB24);
    ck_assert_uint_eq(format_from_drm(FRAME_FOURCC('X', 'R', '2', '4')), FRAME_XRGB32);
    ck_assert_uint_eq(format_from_drm(FRAME_FOURCC('R', '8', ' ', ' ')), FRAME_GREY);
    ck_assert_uint_eq(format_from_drm(FRAME_FOURCC('X', 'B', '2', '4')), 0);
}
END_TEST

START_TEST(the_best_format_costs_least)
{
    struct source_settings hd = {0}, vga = {.width = 640, .height = 480};
    ck_assert_int_lt(format_cost(FRAME_MJPEG, 1280, 720, &hd), format_cost(FRAME_YUYV, 1280, 720, &hd));
    ck_assert_int_lt(format_cost(FRAME_YUYV, 640, 480, &vga), format_cost(FRAME_MJPEG, 640, 480, &vga));
    ck_assert_int_lt(format_cost(FRAME_NV12, 1280, 720, &hd), format_cost(FRAME_YUYV, 1280, 720, &hd));
    ck_assert_int_lt(format_cost(FRAME_GREY, 1280, 720, &hd), format_cost(FRAME_NV12, 1276, 720, &hd));
    ck_assert_int_ge(format_cost(FRAME_NV12, 1, 1, &hd), 0);
    ck_assert_int_eq(format_cost(0, 1280, 720, &hd), -1);
    hd.format = FRAME_YUYV;
    ck_assert_int_eq(format_cost(FRAME_MJPEG, 1280, 720, &hd), -1);
    ck_assert_int_ge(format_cost(FRAME_YUYV, 640, 480, &hd), 0);
}
END_TEST

START_TEST(controls_are_spelt_with_low_lines)
{
    static const char *const names[][2] = {
        {"AeEnable", "ae_enable"},
        {"ExposureTime", "exposure_time"},
        {"FocusFoM", "focus_fo_m"},
        {"Gamma", "gamma"},
    };
    char name[48];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        control_name(name, sizeof(name), names[i][0]);
        ck_assert_str_eq(name, names[i][1]);
    }
    control_name(name, 8, "ExposureTime");
    ck_assert_str_eq(name, "exposu");
}
END_TEST

START_TEST(either_clock_is_understood)
{
    const uint64_t s = 1000000000, mono = 100 * s, boot = 160 * s;
    ck_assert_uint_eq(stamp_between(mono - s / 25, mono, boot), mono - s / 25);
    ck_assert_uint_eq(stamp_between(boot - s / 25, mono, boot), mono - s / 25);
    ck_assert_uint_eq(stamp_between(mono - s / 25, mono, mono), mono - s / 25);
    ck_assert_uint_eq(stamp_between(boot + s, mono, boot), 0);
    ck_assert_uint_eq(stamp_between(0, mono, boot), 0);
    ck_assert_uint_eq(stamp_between(mono - 20 * s, mono, boot), 0);
}
END_TEST

START_TEST(a_listed_camera_grows)
{
    struct camera camera = {0};
    for (unsigned i = 1; i <= 20; i++)
        ck_assert(camera_add_size(&camera, FRAME_YUYV, 2 * i, i, i % 2 ? 30 : 0));
    ck_assert_int_eq(camera.sizes, 20);
    ck_assert_int_eq(camera.size[19].width, 40);
    ck_assert_int_eq(camera.size[19].rates, 0);
    ck_assert_int_eq(camera.size[18].rates, 1);
    ck_assert_ptr_nonnull(camera_add_control(&camera, "AeEnable"));
    ck_assert_ptr_nonnull(camera_add_control(&camera, "Gamma"));
    ck_assert_str_eq(camera.control[0].name, "ae_enable");
    ck_assert_str_eq(camera.control[1].name, "gamma");
    free(camera.size);
    free(camera.control);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("libcamera");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, one_file_holds_all_planes);
    tcase_add_test(tests, v_comes_before_u);
    tcase_add_test(tests, planes_in_files_of_their_own);
    tcase_add_test(tests, what_does_not_fit_is_refused);
    tcase_add_test(tests, rgb_is_named_the_other_way_round);
    tcase_add_test(tests, the_best_format_costs_least);
    tcase_add_test(tests, controls_are_spelt_with_low_lines);
    tcase_add_test(tests, either_clock_is_understood);
    tcase_add_test(tests, a_listed_camera_grows);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
