/* SPDX-License-Identifier: MIT */
/* Canvases: picture, bars and labels against single pixels. */
#include "display/compose.h"
#include "tests/unit/pictures.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 320, HEIGHT = 200 };

static struct converter *converter;
static struct labels labels;

static void setup(void)
{
    converter = converter_create();
    labels = (struct labels){0};
    ck_assert_ptr_nonnull(converter);
}

static void teardown(void)
{
    converter_destroy(converter);
    labels_finish(&labels);
}

static struct rgb paint(int x, int y)
{
    return (struct rgb){(x * 3) & 255, (y * 5) & 255, (x + 2 * y) & 255};
}

static struct rgb red(int x, int y)
{
    return (struct rgb){255, 0, 0};
}

static struct frame *canvas_create(uint32_t format, int width, int height)
{
    struct frame *canvas = frame_create(format, width, height);
    ck_assert_ptr_nonnull(canvas);
    memset(canvas->data[0], 0x5A, (size_t)canvas->stride[0] * (size_t)height);
    return canvas;
}

/* Onto a canvas of which nothing is known. */
static int compose_on(const struct frame *in, struct area from, struct turn turn, const struct frame *frame,
                      struct area to, const struct labels *over)
{
    struct canvas canvas = {.frame = *frame};
    return compose(converter, in, from, turn, &canvas, to, over);
}

static int labels_on(const struct frame *frame)
{
    struct canvas canvas = {.frame = *frame};
    return compose_labels(&canvas, &labels);
}

static const uint8_t *bytes_at(const struct frame *frame, int x, int y)
{
    return frame->data[0] + y * frame->stride[0] + 4 * (ptrdiff_t)x;
}

static bool inside(const struct area *area, int x, int y)
{
    return x >= area->x && y >= area->y && x < area->x + area->width && y < area->y + area->height;
}

static const struct overlay_box boxes[] = {
    {{0.1F, 0.2F, 0.5F, 0.9F}, 0, "Kaffeetasse", "83 %"},
    {{0.4F, 0.1F, 0.7F, 0.6F}, 1, "قهوة", "٧٧ ٪"},
    {{0.8F, -0.3F, 1.4F, 0.4F}, 2, "咖啡", "7 %"},
};
static const struct overlay_line lines[] = {{"Scarlet macaw", "92 %", 0.92F}, {"Lorikeet", "1 %", 0.01F}};
static const struct overlay full = {.boxes = boxes,
                                    .box_count = 3,
                                    .lines = lines,
                                    .line_count = 2,
                                    .status = "30 fps",
                                    .notice = "No camera",
                                    .notice_detail = "C1"};

/* ---- labels ---- */

static void check_labels(void)
{
    for (int y = 0; y < labels.image->height; y++)
        for (int x = 0; x < labels.image->width; x++) {
            const uint8_t *p = bytes_at(labels.image, x, y);
            int covered = 0;
            for (int i = 0; i < labels.areas; i++)
                covered += inside(&labels.area[i], x, y);
            if (p[0] > p[3] || p[1] > p[3] || p[2] > p[3])
                ck_abort_msg("(%d, %d) is not premultiplied: %d %d %d %d", x, y, p[0], p[1], p[2], p[3]);
            if (covered > 1 || (p[3] && !covered))
                ck_abort_msg("(%d, %d) lies in %d areas, alpha %d", x, y, covered, p[3]);
        }
}

static bool any_drawn(void)
{
    for (int y = 0; y < labels.image->height; y++)
        for (int x = 0; x < labels.image->width; x++)
            if (bytes_at(labels.image, x, y)[3])
                return true;
    return false;
}

START_TEST(test_labels)
{
    static const int size[][2] = {{320, 200}, {720, 1280}, {64, 48}, {1, 1}, {1280, 720}};
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        struct area picture = {-size[i][0] / 4, 0, size[i][0] * 3 / 2, size[i][1]};
        ck_assert_int_eq(labels_draw(&labels, &full, size[i][0], size[i][1], picture), 0);
        check_labels();
        ck_assert(any_drawn() || size[i][0] == 1); /* which is less than a line's width */
    }
}
END_TEST

/* What was drawn before is gone, and the memory stays. */
START_TEST(test_redraw)
{
    ck_assert_int_eq(labels_draw(&labels, &full, WIDTH, HEIGHT, (struct area){0, 0, WIDTH, HEIGHT}), 0);
    const struct frame *image = labels.image;
    struct overlay none = {0};
    ck_assert_int_eq(labels_draw(&labels, &none, WIDTH, HEIGHT, (struct area){0, 0, WIDTH, HEIGHT}), 0);
    ck_assert_ptr_eq(labels.image, image);
    ck_assert_int_eq(labels.areas, 0);
    ck_assert(!any_drawn());
}
END_TEST

START_TEST(test_many)
{
    enum { COUNT = 300 };
    static struct overlay_box many[COUNT];
    for (int i = 0; i < COUNT; i++) {
        float x = (float)(i * 379 % 1000) / 1000, y = (float)(i * 613 % 1000) / 1000;
        many[i] = (struct overlay_box){{x, y, x + 0.2F, y + 0.2F}, i, "many", ""};
    }
    struct overlay overlay = {.boxes = many, .box_count = COUNT};
    ck_assert_int_eq(labels_draw(&labels, &overlay, WIDTH, HEIGHT, (struct area){0, 0, WIDTH, HEIGHT}), 0);
    ck_assert_int_le(labels.areas, CANVAS_AREAS_MAX);
    check_labels();
}
END_TEST

/* ---- canvas ---- */

/* Premultiplied "over": label + picture * (1 - alpha). */
static struct rgb over(const uint8_t *label, struct rgb under)
{
    double rest = 1 - label[3] / 255.0;
    return (struct rgb){(int)(label[2] + under.r * rest + 0.5), (int)(label[1] + under.g * rest + 0.5),
                        (int)(label[0] + under.b * rest + 0.5)};
}

static void check_canvas(const struct frame *canvas, const struct frame *in, struct turn turn, struct area to)
{
    bool sideways = turn.rotation % 180;
    struct frame *wanted = canvas_create(FRAME_XRGB32, canvas->width, canvas->height);
    memset(wanted->data[0], 0, (size_t)wanted->stride[0] * (size_t)wanted->height);
    ck_assert_int_eq(to.width, sideways ? in->height : in->width);
    for (int y = 0; y < in->height; y++)
        for (int x = 0; x < in->width; x++) {
            int at[2] = {x, y};
            struct rgb c = paint(x, y);
            picture_turn(turn.rotation, turn.mirror, in->width, in->height, &at[0], &at[1]);
            uint8_t *p = wanted->data[0] + (to.y + at[1]) * wanted->stride[0] + 4 * (ptrdiff_t)(to.x + at[0]);
            p[0] = (uint8_t)c.b;
            p[1] = (uint8_t)c.g;
            p[2] = (uint8_t)c.r;
        }
    for (int y = 0; y < canvas->height; y++)
        for (int x = 0; x < canvas->width; x++) {
            struct rgb under = picture_pixel(wanted, x, y), got = picture_pixel(canvas, x, y);
            struct rgb want = labels.image ? over(bytes_at(labels.image, x, y), under) : under;
            if (rgb_distance(got, want) > 2) /* ARGBBlend divides by 256 */
                ck_abort_msg("turn %d%s (%d, %d): %d %d %d for %d %d %d", turn.rotation,
                             turn.mirror ? "m" : "", x, y, got.r, got.g, got.b, want.r, want.g, want.b);
        }
    frame_unref(wanted);
}

static void check_compose(int turn_index, bool with_labels)
{
    struct turn turn = {turn_index / 2 * 90, turn_index % 2};
    bool sideways = turn.rotation % 180;
    struct frame *in = picture_create(FRAME_RGB24, 150, 90, FRAME_MATRIX_601, true, paint);
    struct frame *canvas = canvas_create(FRAME_XRGB32, WIDTH, HEIGHT);
    struct area to = sideways ? (struct area){33, 21, 90, 150} : (struct area){33, 21, 150, 90};
    if (with_labels)
        ck_assert_int_eq(labels_draw(&labels, &full, WIDTH, HEIGHT, to), 0);
    ck_assert_int_eq(compose_on(in, area_of(in), turn, canvas, to, with_labels ? &labels : NULL), 0);
    check_canvas(canvas, in, turn, to);
    frame_unref(in);
    frame_unref(canvas);
}

START_TEST(test_turns)
{
    for (int turn = 0; turn < 8; turn++)
        check_compose(turn, false);
    for (int turn = 0; turn < 8; turn++)
        check_compose(turn, true);
}
END_TEST

/* A red thing is red in memory: B, G, R, X. */
START_TEST(test_red)
{
    static const uint32_t formats[] = {FRAME_RGB24, FRAME_XRGB32, FRAME_YUYV, FRAME_NV12, FRAME_YUV444P};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct frame *in = picture_create(formats[i], 64, 64, FRAME_MATRIX_601, false, red);
        struct frame *canvas = canvas_create(FRAME_XRGB32, 64, 64);
        ck_assert_int_eq(compose_on(in, area_of(in), (struct turn){0}, canvas, area_of(canvas), NULL), 0);
        const uint8_t *p = bytes_at(canvas, 40, 40);
        ck_assert_int_le(p[0], 4);
        ck_assert_int_le(p[1], 4);
        ck_assert_int_ge(p[2], 251);
        frame_unref(in);
        frame_unref(canvas);
    }
}
END_TEST

/* Orange, the first colour of boxes, has the most red and the least blue. */
START_TEST(test_box_colour)
{
    const struct overlay_box box = {{0.2F, 0.2F, 0.8F, 0.8F}, 0, "", ""};
    struct overlay overlay = {.boxes = &box, .box_count = 1};
    ck_assert_int_eq(labels_draw(&labels, &overlay, 500, 500, (struct area){0, 0, 500, 500}), 0);
    const uint8_t *p = bytes_at(labels.image, 100, 250);
    ck_assert_int_eq(p[3], 255);
    ck_assert_int_gt(p[2], p[1]);
    ck_assert_int_gt(p[1], p[0] + 64);
    ck_assert_int_eq(bytes_at(labels.image, 250, 250)[3], 0);
}
END_TEST

START_TEST(test_plane)
{
    struct frame *canvas = canvas_create(FRAME_ARGB32, WIDTH, HEIGHT),
                 *other = canvas_create(FRAME_ARGB32, 10, 10);
    ck_assert_int_eq(labels_on(canvas), -EINVAL);
    ck_assert_int_eq(labels_draw(&labels, &full, WIDTH, HEIGHT, (struct area){0, 0, WIDTH, HEIGHT}), 0);
    ck_assert_int_eq(labels_on(canvas), 0);
    for (int y = 0; y < HEIGHT; y++)
        ck_assert(!memcmp(bytes_at(canvas, 0, y), bytes_at(labels.image, 0, y), 4 * WIDTH));
    ck_assert_int_eq(labels_on(other), -EINVAL);
    frame_unref(canvas);
    frame_unref(other);
}
END_TEST

/* ---- only what differs ---- */

static const struct overlay some = {.boxes = boxes, .box_count = 1},
                            others = {.lines = lines, .line_count = 2}, none = {.boxes = NULL};
static const struct overlay *const overlays[] = {&full, &some, &others, &none};

/* Away from all labels: the top left corner of `some` and `others` is free. */
static void mark(const struct frame *frame)
{
    memset(frame->data[0], 0x77, 4);
}

static bool is_marked(const struct frame *frame)
{
    return frame->data[0][0] == 0x77;
}

static bool same_pixels(const struct frame *a, const struct frame *b)
{
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++)
            if (memcmp(bytes_at(a, x, y), bytes_at(b, x, y), 3) != 0)
                return false;
    return true;
}

/* Three canvases in any order, one drawing or another, or none in between: as if each were drawn whole. */
static void check_differing(uint32_t format)
{
    struct frame *in = picture_create(FRAME_RGB24, 150, 90, FRAME_MATRIX_601, true, paint);
    struct frame *frame[3], *whole = canvas_create(format, WIDTH, HEIGHT);
    struct canvas canvas[3] = {0};
    bool plane = format == FRAME_ARGB32;
    unsigned random = 1;
    for (int i = 0; i < 3; i++) {
        frame[i] = canvas_create(format, WIDTH, HEIGHT);
        canvas[i].frame = *frame[i];
    }
    for (int turn = 0; turn < 60; turn++) {
        random = random * 1103515245 + 12345;
        int which = (int)(random >> 16) % 3;
        struct area to = {33 + (turn / 20) * 40, 21, 150, 90};
        if (random >> 20 & 1)
            ck_assert_int_eq(labels_draw(&labels, overlays[random >> 24 & 3], WIDTH, HEIGHT, to), 0);
        bool with = labels.image && (plane || random >> 21 & 3);
        if (plane && !with)
            continue;
        ck_assert_int_eq(plane ? compose_labels(&canvas[which], &labels)
                               : compose(converter, in, area_of(in), (struct turn){0}, &canvas[which], to,
                                         with ? &labels : NULL),
                         0);
        ck_assert_int_eq(
            plane ? labels_on(whole)
                  : compose_on(in, area_of(in), (struct turn){0}, whole, to, with ? &labels : NULL),
            0);
        ck_assert_msg(same_pixels(frame[which], whole), "turn %d", turn);
    }
    for (int i = 0; i < 3; i++)
        frame_unref(frame[i]);
    frame_unref(in);
    frame_unref(whole);
}

START_TEST(test_what_differs)
{
    check_differing(FRAME_XRGB32);
    labels_finish(&labels);
    check_differing(FRAME_ARGB32);
}
END_TEST

/* What needs no drawing is not touched; what is not known is drawn. */
START_TEST(test_the_rest_is_not_touched)
{
    struct area to = {33, 21, 150, 90};
    struct frame *in = picture_create(FRAME_RGB24, 150, 90, FRAME_MATRIX_601, true, paint);
    struct frame *frame[] = {canvas_create(FRAME_XRGB32, WIDTH, HEIGHT),
                             canvas_create(FRAME_ARGB32, WIDTH, HEIGHT)};
    struct canvas canvas[] = {{.frame = *frame[0]}, {.frame = *frame[1]}};
    for (int turn = 0; turn < 4; turn++) {
        ck_assert_int_eq(labels_draw(&labels, turn % 2 ? &some : &others, WIDTH, HEIGHT, to), 0);
        for (int i = 0; i < 2; i++)
            mark(frame[i]);
        canvas[0].content.known = canvas[0].content.known && turn < 3;
        canvas[1].content.known = canvas[1].content.known && turn < 3;
        ck_assert_int_eq(compose(converter, in, area_of(in), (struct turn){0}, &canvas[0], to, &labels), 0);
        ck_assert_int_eq(compose_labels(&canvas[1], &labels), 0);
        for (int i = 0; i < 2; i++)
            ck_assert_int_eq(is_marked(frame[i]), turn == 1 || turn == 2);
    }
    mark(frame[0]); /* a compose() that fails leaves nothing known */
    ck_assert_int_eq(compose(converter, in, to, (struct turn){0}, &canvas[0], to, NULL), -EINVAL);
    ck_assert(!canvas[0].content.known);
    frame_unref(frame[0]);
    frame_unref(frame[1]);
    frame_unref(in);
}
END_TEST

START_TEST(test_refusals)
{
    struct frame *in = picture_create(FRAME_RGB24, 16, 16, FRAME_MATRIX_601, true, paint);
    struct frame *canvas = canvas_create(FRAME_XRGB32, 16, 16);
    struct area whole = area_of(canvas), off = {8, 8, 9, 9};
    ck_assert_int_eq(labels_draw(&labels, &full, 0, 16, whole), -EINVAL);
    ck_assert_int_eq(labels_draw(&labels, &full, OVERLAY_SIDE_MAX + 1, 16, whole), -E2BIG);
    ck_assert_int_eq(compose_on(in, whole, (struct turn){0}, canvas, whole, &labels), -EINVAL);
    ck_assert_int_eq(labels_draw(&labels, &full, 16, 16, whole), 0);
    ck_assert_int_eq(compose_on(in, whole, (struct turn){0}, canvas, off, &labels), -EINVAL);
    ck_assert_int_eq(compose_on(in, off, (struct turn){0}, canvas, whole, &labels), -EINVAL);
    ck_assert_int_eq(compose_on(in, whole, (struct turn){0}, in, whole, NULL), -ENOTSUP);
    frame_unref(in);
    frame_unref(canvas);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compose");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, test_labels);
    tcase_add_test(tcase, test_redraw);
    tcase_add_test(tcase, test_many);
    tcase_add_test(tcase, test_turns);
    tcase_add_test(tcase, test_red);
    tcase_add_test(tcase, test_box_colour);
    tcase_add_test(tcase, test_plane);
    tcase_add_test(tcase, test_what_differs);
    tcase_add_test(tcase, test_the_rest_is_not_touched);
    tcase_add_test(tcase, test_refusals);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return !!failed;
}
