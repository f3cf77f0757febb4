/* SPDX-License-Identifier: MIT */
/* Pixels of every format to RGB: colours against the formulas, turns and areas against single pixels. */
#include "base/convert.h"
#include "tests/unit/pictures.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* libyuv's fixed-point matrices are within two steps of the formulas, and rounding to YUV costs up to three.
 */
enum { TOLERANCE = 5 };

static const uint32_t formats[] = {FRAME_YUYV,   FRAME_UYVY,    FRAME_NV12,    FRAME_NV21, FRAME_YUV420,
                                   FRAME_YVU420, FRAME_YUV422P, FRAME_YUV444P, FRAME_GREY, FRAME_RGB24,
                                   FRAME_BGR24,  FRAME_XRGB32,  FRAME_ARGB32};
enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

static struct converter *converter;

static void setup(void)
{
    converter = converter_create();
    ck_assert_ptr_nonnull(converter);
}

static void teardown(void)
{
    converter_destroy(converter);
}

/* Blocks of 2x2 pixels of one colour, so that subsampled chroma is exact. */
static struct rgb blocks(int x, int y)
{
    unsigned value = (unsigned)(x / 2) * 2654435761U ^ (unsigned)(y / 2) * 2246822519U;
    value = (value ^ value >> 15) * 2654435761U;
    return (struct rgb){(int)(value >> 8 & 255), (int)(value >> 16 & 255), (int)(value >> 24)};
}

static struct rgb slope(int x, int y)
{
    return (struct rgb){x * 2, y * 3, 255 - x - y};
}

static struct rgb grey(int x, int y)
{
    int value = (x * 5 + y * 11) % 256;
    return (struct rgb){value, value, value};
}

static picture_at *picture_of(uint32_t format)
{
    return format == FRAME_GREY ? grey : blocks;
}

static struct frame *poisoned(uint32_t format, int width, int height)
{
    struct frame *frame = frame_create(format, width, height);
    ck_assert_ptr_nonnull(frame);
    memset(frame->data[0], 0xA5, (size_t)frame->stride[0] * (size_t)height);
    return frame;
}

static void check_pixel(const struct frame *out, int x, int y, struct rgb wanted, int tolerance,
                        uint32_t format)
{
    struct rgb got = picture_pixel(out, x, y);
    if (rgb_distance(got, wanted) > tolerance) /* a passed assertion is a system call */
        ck_abort_msg("%.4s (%d, %d): %d %d %d for %d %d %d", (const char *)&format, x, y, got.r, got.g, got.b,
                     wanted.r, wanted.g, wanted.b);
}

/* ---- colours ---- */

static void check_colours(uint32_t format, enum frame_matrix matrix, bool full, uint32_t to)
{
    enum { WIDTH = 67, HEIGHT = 41 };
    struct frame *in = picture_create(format, WIDTH, HEIGHT, matrix, full, picture_of(format));
    struct frame *out = poisoned(to, WIDTH, HEIGHT);
    ck_assert_int_eq(convert(converter, in, area_of(in), (struct turn){0}, out, area_of(out)), 0);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            check_pixel(out, x, y, picture_of(format)(x, y), TOLERANCE, format);
    frame_unref(in);
    frame_unref(out);
}

START_TEST(test_colours)
{
    for (int matrix = 0; matrix < 2; matrix++)
        for (int full = 0; full < 2; full++) {
            check_colours(formats[_i], (enum frame_matrix)matrix, full, FRAME_XRGB32);
            check_colours(formats[_i], (enum frame_matrix)matrix, full, FRAME_RGB24);
        }
}
END_TEST

/* ---- turns and areas ---- */

/* Colours are converted pixel by pixel, so an area, turned, has the very pixels of the whole picture. */
static void check_turn(uint32_t format, struct area from, struct turn turn, uint32_t to)
{
    enum { WIDTH = 70, HEIGHT = 54, LEFT = 5, TOP = 3 };
    bool sideways = turn.rotation % 180;
    int width = sideways ? from.height : from.width, height = sideways ? from.width : from.height;
    struct frame *in = picture_create(format, WIDTH, HEIGHT, FRAME_MATRIX_601, false, picture_of(format));
    struct frame *whole = poisoned(FRAME_XRGB32, WIDTH, HEIGHT);
    struct frame *out = poisoned(to, width + LEFT + 2, height + TOP + 4);
    ck_assert_int_eq(convert(converter, in, area_of(in), (struct turn){0}, whole, area_of(whole)), 0);
    ck_assert_int_eq(convert(converter, in, from, turn, out, (struct area){LEFT, TOP, width, height}), 0);
    for (int y = 0; y < from.height; y++)
        for (int x = 0; x < from.width; x++) {
            int at[2] = {x, y};
            picture_turn(turn.rotation, turn.mirror, from.width, from.height, &at[0], &at[1]);
            check_pixel(out, LEFT + at[0], TOP + at[1], picture_pixel(whole, from.x + x, from.y + y), 0,
                        format);
        }
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            if (x < LEFT || y < TOP || x >= LEFT + width || y >= TOP + height)
                check_pixel(out, x, y, (struct rgb){0xA5, 0xA5, 0xA5}, 0, format);
    frame_unref(in);
    frame_unref(whole);
    frame_unref(out);
}

START_TEST(test_turns)
{
    for (int turn = 0; turn < 8; turn++) {
        check_turn(formats[_i], (struct area){0, 0, 70, 54}, (struct turn){turn / 2 * 90, turn % 2},
                   FRAME_XRGB32);
        check_turn(formats[_i], (struct area){6, 4, 35, 37}, (struct turn){turn / 2 * 90, turn % 2},
                   FRAME_RGB24);
    }
}
END_TEST

/* Small frames, areas at the very end: AddressSanitizer looks on. */
START_TEST(test_two_turns)
{
    enum { WIDTH = 70, HEIGHT = 54 };
    struct turn first = {90 * (_i % 4), _i / 4 % 2}, then = {90 * (_i / 8 % 4), _i / 32};
    struct turn both = turn_both(first, then);
    bool sideways = first.rotation % 180;
    for (int y = 0; y < HEIGHT; y += 13)
        for (int x = 0; x < WIDTH; x += 11) {
            int at[2] = {x, y}, wanted[2] = {x, y};
            picture_turn(first.rotation, first.mirror, WIDTH, HEIGHT, &wanted[0], &wanted[1]);
            picture_turn(then.rotation, then.mirror, sideways ? HEIGHT : WIDTH, sideways ? WIDTH : HEIGHT,
                         &wanted[0], &wanted[1]);
            picture_turn(both.rotation, both.mirror, WIDTH, HEIGHT, &at[0], &at[1]);
            ck_assert(at[0] == wanted[0] && at[1] == wanted[1]);
        }
}
END_TEST

START_TEST(test_small)
{
    for (int width = 1; width < 6; width++)
        for (int height = 1; height < 6; height++)
            for (int turn = 0; turn < 8; turn++) {
                struct turn turned = {turn / 2 * 90, turn % 2};
                struct frame *in = picture_create(formats[_i], width, height, FRAME_MATRIX_709, true, grey);
                struct frame *out = poisoned(FRAME_RGB24, 7, 4);
                struct area last = {width - 1, height - 1, 1, 1};
                ck_assert_int_eq(convert(converter, in, area_of(in), turned, out, area_of(out)), 0);
                ck_assert_int_eq(convert(converter, in, last, turned, out, (struct area){6, 3, 1, 1}), 0);
                frame_unref(in);
                frame_unref(out);
            }
}
END_TEST

/* ---- sizes ---- */

/* A slope stays the slope: a pixel's place in the scaled picture is its middle's. */
static void check_scale(uint32_t format, int width, int height)
{
    enum { WIDTH = 120, HEIGHT = 80 };
    picture_at *at = format == FRAME_GREY ? grey : slope;
    struct frame *in = picture_create(format, WIDTH, HEIGHT, FRAME_MATRIX_709, true, at);
    struct frame *out = poisoned(FRAME_XRGB32, width, height);
    ck_assert_int_eq(convert(converter, in, area_of(in), (struct turn){0}, out, area_of(out)), 0);
    for (int y = height / 8; y < height - height / 8 && at == slope; y++)
        for (int x = width / 8; x < width - width / 8; x++) {
            double px = (x + 0.5) * WIDTH / width - 0.5, py = (y + 0.5) * HEIGHT / height - 0.5;
            struct rgb wanted = {(int)(px * 2 + 0.5), (int)(py * 3 + 0.5), (int)(255 - px - py + 0.5)};
            check_pixel(out, x, y, wanted, 10, format);
        }
    frame_unref(in);
    frame_unref(out);
}

START_TEST(test_scales)
{
    check_scale(formats[_i], 240, 160);
    check_scale(formats[_i], 197, 133);
    check_scale(formats[_i], 90, 60);
    check_scale(formats[_i], 60, 40);
    check_scale(formats[_i], 34, 22);
    check_scale(formats[_i], 31, 21);
}
END_TEST

static struct rgb stripes(int x, int y)
{
    int value = (x + y) % 2 ? 255 : 0;
    return (struct rgb){value, value, value};
}

/* Of fine stripes, area averaging leaves grey; picking single pixels leaves black and white. */
START_TEST(test_average)
{
    struct frame *in = picture_create(formats[_i], 256, 256, FRAME_MATRIX_601, true, stripes);
    struct frame *out = poisoned(FRAME_XRGB32, 64, 64);
    ck_assert_int_eq(convert(converter, in, area_of(in), (struct turn){0}, out, area_of(out)), 0);
    for (int y = 0; y < 64; y++)
        for (int x = 0; x < 64; x++)
            check_pixel(out, x, y, (struct rgb){128, 128, 128}, 3, formats[_i]);
    frame_unref(in);
    frame_unref(out);
}
END_TEST

/* ---- edges ---- */

START_TEST(test_refusals)
{
    struct frame *in = picture_create(FRAME_YUV420, 16, 16, FRAME_MATRIX_601, false, grey);
    struct frame *out = poisoned(FRAME_XRGB32, 16, 16), *bgr = poisoned(FRAME_BGR24, 16, 16);
    const struct area bad[] = {{-1, 0, 4, 4}, {0, -1, 4, 4}, {13, 0, 4, 4}, {0, 13, 4, 4},
                               {0, 0, 0, 4},  {0, 0, 4, 0},  {0, 0, 17, 4}, {2147483647, 0, 4, 4}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(convert(converter, in, bad[i], (struct turn){0}, out, area_of(out)), -EINVAL);
        ck_assert_int_eq(convert(converter, in, area_of(in), (struct turn){0}, out, bad[i]), -EINVAL);
    }
    ck_assert_int_eq(convert(converter, in, area_of(in), (struct turn){45, false}, out, area_of(out)),
                     -EINVAL);
    ck_assert_int_eq(convert(converter, in, area_of(in), (struct turn){0}, bgr, area_of(bgr)), -ENOTSUP);
    in->format = FRAME_MJPEG;
    ck_assert_int_eq(convert(converter, in, area_of(in), (struct turn){0}, out, area_of(out)), -ENOTSUP);
    frame_unref(in);
    frame_unref(out);
    frame_unref(bgr);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("convert");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_colours, 0, FORMATS);
    tcase_add_loop_test(tcase, test_turns, 0, FORMATS);
    tcase_add_loop_test(tcase, test_two_turns, 0, 64);
    tcase_add_loop_test(tcase, test_small, 0, FORMATS);
    tcase_add_loop_test(tcase, test_scales, 0, FORMATS);
    tcase_add_loop_test(tcase, test_average, 0, FORMATS);
    tcase_add_test(tcase, test_refusals);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return !!failed;
}
