/* SPDX-License-Identifier: MIT */
/* What is made of what V4L2 drivers say: choice of mode, ranges, planes, colours, counts, names. */
#include "capture/v4l2/v4l2.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>

#define YUYV V4L2_PIX_FMT_YUYV
#define MJPG V4L2_PIX_FMT_MJPEG

/* ---- ranges ---- */

START_TEST(test_fit)
{
    ck_assert_int_eq(v4l2_fit(1280, 320, 1920, 2), 1280);
    ck_assert_int_eq(v4l2_fit(1281, 320, 1920, 2), 1282);
    ck_assert_int_eq(v4l2_fit(100, 320, 1920, 2), 320);
    ck_assert_int_eq(v4l2_fit(5000, 320, 1920, 16), 1920);
    ck_assert_int_eq(v4l2_fit(5000, 320, 1930, 16), 1920);
    ck_assert_int_eq(v4l2_fit(1920, 320, 1926, 17), 1918);
    ck_assert_int_eq(v4l2_fit(777, 1, 4096, 0), 777);
    ck_assert_int_eq(v4l2_fit(777, 640, 640, 0), 640);
    ck_assert_int_eq(v4l2_fit(FRAME_SIDE_MAX, 16, UINT32_MAX, 1), FRAME_SIDE_MAX);
    ck_assert_int_eq(v4l2_fit(100, UINT32_MAX, UINT32_MAX, UINT32_MAX), FRAME_SIDE_MAX);
    ck_assert_int_eq(v4l2_fit(100, 16, 4000, UINT32_MAX), 16);
}
END_TEST

START_TEST(test_rates_between)
{
    struct camera_size size = {0};
    v4l2_rates_between(&size, &(struct v4l2_fract){1, 120}, &(struct v4l2_fract){1, 2}, 25);
    ck_assert_int_eq(size.rates, 3);
    ck_assert_double_eq(size.rate[0], 120);
    ck_assert_double_eq(size.rate[1], 25);
    ck_assert_double_eq(size.rate[2], 2);
    size = (struct camera_size){0};
    v4l2_rates_between(&size, &(struct v4l2_fract){0, 30}, &(struct v4l2_fract){1, 0}, 25);
    ck_assert_int_eq(size.rates, 0);
    v4l2_rates_between(&size, &(struct v4l2_fract){1, 30}, &(struct v4l2_fract){1, 30}, 60);
    ck_assert_int_eq(size.rates, 1);
}
END_TEST

/* ---- the choice ---- */

/* As a usual USB 2 webcam lists it. */
static const struct camera_size webcam[] = {
    {YUYV, 640, 480, {30, 15}, 2},           {YUYV, 1280, 720, {10, 5}, 2},  {YUYV, 1920, 1080, {5}, 1},
    {MJPG, 640, 480, {30, 15}, 2},           {MJPG, 1280, 720, {60, 30}, 2}, {MJPG, 1920, 1080, {30}, 1},
    {V4L2_PIX_FMT_H264, 1280, 720, {60}, 1},
};
/* A sensor behind a USB 3 or CSI bridge: everything raw. */
static const struct camera_size bridge[] = {
    {V4L2_PIX_FMT_GREY, 1280, 720, {30}, 1},
    {V4L2_PIX_FMT_RGB24, 1280, 720, {30}, 1},
    {V4L2_PIX_FMT_NV12M, 1280, 720, {30}, 1},
    {V4L2_PIX_FMT_NV12, 1280, 720, {30}, 1},
    {MJPG, 1280, 720, {30}, 1},
    {YUYV, 1280, 720, {29.97}, 1},
};
/* Without MJPEG a USB 2 camera has large pictures only slowly. */
static const struct camera_size slow[] = {{YUYV, 1600, 1200, {5}, 1},
                                          {YUYV, 1280, 720, {9}, 1},
                                          {YUYV, 640, 480, {30}, 1},
                                          {YUYV, 320, 240, {30}, 1}};
static const struct camera_size unsaid[] = {{YUYV, 640, 480, {0}, 0}, {YUYV, 1280, 720, {0}, 0}};

#define LIST(list) list, (int)(sizeof(list) / sizeof((list)[0]))
static const struct {
    const struct camera_size *size;
    int sizes;
    struct v4l2_wish wish;
    int best;
    double rate;
} choices[] = {
    {LIST(webcam), {.usb2 = true}, 4, 60},
    {LIST(webcam), {1280, 720, 30, 0, true}, 4, 30},
    {LIST(webcam), {640, 480, 30, 0, true}, 0, 30},
    {LIST(webcam), {640, 480, 0, 0, true}, 0, 30},
    {LIST(webcam), {1280, 720, 0, FRAME_YUYV, true}, 1, 10},
    {LIST(webcam), {1280, 720, 10, 0, false}, 1, 10},
    {LIST(webcam), {1920, 1080, 25, 0, true}, 5, 30},
    {LIST(webcam), {640, 480, 30, FRAME_MJPEG, true}, 3, 30},
    {LIST(webcam), {640, 480, 0, FRAME_NV12, true}, -1, 0},
    {LIST(webcam), {4000, 3000, 0, 0, true}, 5, 30},
    {LIST(bridge), {0}, 5, 29.97},
    {LIST(bridge), {.format = FRAME_NV12}, 3, 30},
    {LIST(bridge), {.usb2 = true}, 4, 30},
    {LIST(slow), {.usb2 = true}, 2, 30},
    {LIST(slow), {1280, 720, 0, 0, true}, 1, 9},
    {LIST(slow), {.rate = 5, .usb2 = true}, 1, 9},
    {LIST(unsaid), {0}, 1, 0},
    {NULL, 0, {0}, -1, 0},
};

START_TEST(test_choose)
{
    double rate = 0;
    ck_assert_int_eq(v4l2_choose(choices[_i].size, choices[_i].sizes, &choices[_i].wish, &rate),
                     choices[_i].best);
    ck_assert_double_eq_tol(rate, choices[_i].rate, 1e-9);
}
END_TEST

/* ---- colours ---- */

static const struct {
    uint32_t colorspace, encoding, quantization;
    bool rgb;
    enum frame_matrix matrix;
    bool full;
} colours[] = {
    {0, 0, 0, false, FRAME_MATRIX_601, false},
    {V4L2_COLORSPACE_SRGB, 0, 0, false, FRAME_MATRIX_601, false},
    {V4L2_COLORSPACE_SMPTE170M, 0, 0, false, FRAME_MATRIX_601, false},
    {V4L2_COLORSPACE_REC709, 0, 0, false, FRAME_MATRIX_709, false},
    {V4L2_COLORSPACE_JPEG, 0, 0, false, FRAME_MATRIX_601, true},
    {V4L2_COLORSPACE_BT2020, 0, 0, false, FRAME_MATRIX_709, false},
    {V4L2_COLORSPACE_SRGB, V4L2_YCBCR_ENC_709, 0, false, FRAME_MATRIX_709, false},
    {V4L2_COLORSPACE_REC709, V4L2_YCBCR_ENC_601, 0, false, FRAME_MATRIX_601, false},
    {V4L2_COLORSPACE_REC709, 0, V4L2_QUANTIZATION_FULL_RANGE, false, FRAME_MATRIX_709, true},
    {V4L2_COLORSPACE_JPEG, 0, V4L2_QUANTIZATION_LIM_RANGE, false, FRAME_MATRIX_601, false},
    {V4L2_COLORSPACE_SRGB, 0, 0, true, FRAME_MATRIX_601, true},
};

START_TEST(test_colours)
{
    enum frame_matrix matrix;
    bool full;
    v4l2_colour(colours[_i].colorspace, colours[_i].encoding, colours[_i].quantization, colours[_i].rgb,
                &matrix, &full);
    ck_assert_int_eq(matrix, colours[_i].matrix);
    ck_assert_int_eq(full, colours[_i].full);
}
END_TEST

/* ---- planes ---- */

static struct v4l2_format single(uint32_t pixelformat, uint32_t width, uint32_t height, uint32_t stride)
{
    struct v4l2_format format = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
    format.fmt.pix = (struct v4l2_pix_format){.pixelformat = pixelformat,
                                              .width = width,
                                              .height = height,
                                              .bytesperline = stride,
                                              .colorspace = V4L2_COLORSPACE_REC709,
                                              .priv = V4L2_PIX_FMT_PRIV_MAGIC};
    return format;
}

START_TEST(test_planes)
{
    struct v4l2_layout layout;
    struct v4l2_format format = single(V4L2_PIX_FMT_YUV420, 640, 480, 704);
    ck_assert_int_eq(v4l2_layout_of(&layout, &format), 0);
    ck_assert_int_eq(layout.frame.planes, 3);
    ck_assert_int_eq(layout.frame.stride[0], 704);
    ck_assert_int_eq(layout.frame.stride[2], 352);
    ck_assert_uint_eq(layout.frame.offset[1], 704 * 480);
    ck_assert_uint_eq(layout.frame.offset[2], 704 * 480 + 352 * 240);
    ck_assert_uint_eq(layout.need[0], 704 * 480 + 2 * 352 * 240 - 32);
    ck_assert_int_eq(layout.frame.matrix, FRAME_MATRIX_709);
    format = single(V4L2_PIX_FMT_YVU420, 640, 480, 640);
    ck_assert_int_eq(v4l2_layout_of(&layout, &format), 0);
    ck_assert_uint_eq(layout.frame.offset[2], 640 * 480);
    ck_assert_uint_eq(layout.frame.offset[1], 640 * 480 + 320 * 240);
    format = single(V4L2_PIX_FMT_NV12, 640, 480, 656);
    ck_assert_int_eq(v4l2_layout_of(&layout, &format), 0);
    ck_assert_int_eq(layout.frame.stride[1], 656);
    ck_assert_uint_eq(layout.frame.offset[1], 656 * 480);
    ck_assert_uint_eq(layout.need[0], 656 * 720 - 16);
    format = single(YUYV, 640, 480, 0);
    ck_assert_int_eq(v4l2_layout_of(&layout, &format), 0);
    ck_assert_int_eq(layout.frame.stride[0], 1280);
    format = single(MJPG, 640, 480, 0);
    ck_assert_int_eq(v4l2_layout_of(&layout, &format), 0);
    ck_assert_uint_eq(layout.frame.format, FRAME_MJPEG);
    ck_assert_int_eq(layout.memories, 1);
}
END_TEST

START_TEST(test_split_planes)
{
    struct v4l2_layout layout;
    struct v4l2_format format = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE};
    struct v4l2_pix_format_mplane *pix = &format.fmt.pix_mp;
    *pix = (struct v4l2_pix_format_mplane){
        .pixelformat = V4L2_PIX_FMT_NV12M, .width = 64, .height = 32, .num_planes = 2};
    pix->plane_fmt[0].bytesperline = 64;
    pix->plane_fmt[1].bytesperline = 80;
    ck_assert_int_eq(v4l2_layout_of(&layout, &format), 0);
    ck_assert_uint_eq(layout.frame.format, FRAME_NV12);
    ck_assert_int_eq(layout.memories, 2);
    ck_assert_int_eq(layout.memory[1], 1);
    ck_assert_int_eq(layout.frame.stride[1], 80);
    ck_assert_uint_eq(layout.frame.offset[1], 0);
    ck_assert_uint_eq(layout.need[1], 80 * 16 - 16);
    pix->pixelformat = V4L2_PIX_FMT_YVU420M;
    pix->num_planes = 3;
    ck_assert_int_eq(v4l2_layout_of(&layout, &format), 0);
    ck_assert_int_eq(layout.memory[1], 2); /* U is the third */
    ck_assert_int_eq(layout.memory[2], 1);
    pix->num_planes = 2;
    ck_assert_int_eq(v4l2_layout_of(&layout, &format), -EINVAL);
    pix->pixelformat = V4L2_PIX_FMT_NV12;
    pix->num_planes = 1;
    ck_assert_int_eq(v4l2_layout_of(&layout, &format), 0);
    ck_assert_int_eq(layout.memory[1], 0);
    ck_assert_uint_eq(layout.frame.offset[1], 64 * 32);
}
END_TEST

START_TEST(test_senseless)
{
    struct v4l2_layout layout;
    struct v4l2_format format = single(YUYV, 640, 480, 100);
    ck_assert_int_eq(v4l2_layout_of(&layout, &format), -EINVAL);
    format = single(YUYV, 0, 480, 0);
    ck_assert_int_eq(v4l2_layout_of(&layout, &format), -EINVAL);
    format = single(YUYV, UINT32_MAX, 480, 0);
    ck_assert_int_eq(v4l2_layout_of(&layout, &format), -EINVAL);
    format = single(YUYV, 640, 60000, 1 << 20);
    ck_assert_int_eq(v4l2_layout_of(&layout, &format), -EINVAL);
    format = single(V4L2_PIX_FMT_H264, 640, 480, 0);
    ck_assert_int_eq(v4l2_layout_of(&layout, &format), -ENOTSUP);
}
END_TEST

/* ---- counts and names ---- */

START_TEST(test_gaps)
{
    ck_assert_uint_eq(v4l2_gap(4, 5), 0);
    ck_assert_uint_eq(v4l2_gap(4, 8), 3);
    ck_assert_uint_eq(v4l2_gap(UINT32_MAX - 1, 1), 2); /* wraps */
    ck_assert_uint_eq(v4l2_gap(0, 0), 0);              /* a driver that does not count */
    ck_assert_uint_eq(v4l2_gap(1000, 3), 0);           /* one that began again */
}
END_TEST

START_TEST(test_names)
{
    static const char *const names[][2] = {
        {"Exposure Time, Absolute", "exposure_time_absolute"},
        {"White Balance Temperature, Auto", "white_balance_temperature_auto"},
        {"Power Line Frequency", "power_line_frequency"},
        {"50 Hz", "50_hz"},
        {" (x) ", "x"},
        {"", ""}};
    char name[48], tiny[4];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        v4l2_control_name(name, sizeof(name), names[i][0]);
        ck_assert_str_eq(name, names[i][1]);
    }
    v4l2_control_name(tiny, sizeof(tiny), "Brightness");
    ck_assert_str_eq(tiny, "br");
}
END_TEST

START_TEST(test_cards)
{
    static const char *const cards[][2] = {{"HD Pro Webcam C920", "HD Pro Webcam C920"},
                                           {"Test UVC camera: Test UVC camer", "Test UVC camera"},
                                           {"UVC: Integrated Camera", "UVC: Integrated Camera"},
                                           {"", ""}};
    for (size_t i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
        struct v4l2_device device = {.fd = -1};
        char name[96];
        snprintf((char *)device.capability.card, sizeof(device.capability.card), "%s", cards[i][0]);
        v4l2_card_name(&device, name, sizeof(name));
        ck_assert_str_eq(name, cards[i][1]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("v4l2");
    TCase *tests = tcase_create("answers");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_fit);
    tcase_add_test(tests, test_rates_between);
    tcase_add_loop_test(tests, test_choose, 0, (int)(sizeof(choices) / sizeof(choices[0])));
    tcase_add_loop_test(tests, test_colours, 0, (int)(sizeof(colours) / sizeof(colours[0])));
    tcase_add_test(tests, test_planes);
    tcase_add_test(tests, test_split_planes);
    tcase_add_test(tests, test_senseless);
    tcase_add_test(tests, test_gaps);
    tcase_add_test(tests, test_names);
    tcase_add_test(tests, test_cards);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
