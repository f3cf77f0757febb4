/* SPDX-License-Identifier: MIT */
/* Where labels go. */
#include "display/overlay/overlay.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct overlay_painter *painter;

static void setup(void)
{
    painter = overlay_painter_create();
    ck_assert_ptr_nonnull(painter);
}

static void teardown(void)
{
    overlay_painter_destroy(painter);
}

static const char *const names[] = {
    "Person",
    "Car",
    "Gartenrotschwanz-Weibchen im Übergangskleid",
    "فنجان قهوة",
    "清水寺",
    "sulphur-crested cockatoo, Kakatoe galerita, Cacatua galerita",
    "\xff\xfe broken \x80",
    "two\nlines\tand a tab",
    "🦜",
    "",
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };
static const char *const values[] = {"83 %", "", "٧٧ ٪", "100 %"};
static const struct overlay_line lines[] = {{"Scarlet macaw", "92 %", 0.92F},
                                            {"ببغاء", "٤ ٪", 0.04F},
                                            {"a", "", NAN},
                                            {"", "1 %", -3},
                                            {"b", "1", 7}};

static uint32_t state;

static float unit(void)
{
    state = state * 1664525 + 1013904223;
    return (float)(state >> 8) / 16777216;
}

static void random_boxes(struct overlay_box *boxes, int count, float size)
{
    for (int i = 0; i < count; i++) {
        float x = unit() * 1.1F - 0.1F, y = unit() * 1.1F - 0.1F, w = unit() * size, h = unit() * size;
        boxes[i] = (struct overlay_box){{x, y, x + w, y + h}, i, "", ""};
        snprintf(boxes[i].label, sizeof(boxes[i].label), "%s", names[(int)(unit() * NAMES)]);
        snprintf(boxes[i].value, sizeof(boxes[i].value), "%s", values[(int)(unit() * 4)]);
    }
}

/* ---- what holds of every plan ---- */

static bool touch(const struct overlay_rect *a, const struct overlay_rect *b)
{
    return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
           b->y < a->y + a->height;
}

static void check_place(const struct overlay_rect *at, double margin, int width, int height)
{
    double x = margin * width - 0.01, y = margin * height - 0.01;
    ck_assert_msg(at->x >= x && at->y >= y && at->x + at->width <= width - x &&
                      at->y + at->height <= height - y,
                  "%.1f %.1f %.1f x %.1f is not on the %d x %d screen", at->x, at->y, at->width, at->height,
                  width, height);
}

static int check_plan(const struct overlay *overlay, int width, int height, struct area picture)
{
    struct overlay_rect taken[300];
    struct overlay_plan *plan = overlay_plan_create(painter, overlay, width, height, picture);
    ck_assert_ptr_nonnull(plan);
    int count = 0, parts;
    for (int i = 0; i < OVERLAY_PARTS; i++)
        count += overlay_plan_part(plan, (enum overlay_part)i, &taken[count]);
    parts = count;
    for (int i = 0; i < overlay->box_count; i++)
        count += overlay_plan_label(plan, i, &taken[count]);
    for (int i = 0; i < count; i++) {
        check_place(&taken[i], (double)overlay->margin, width, height);
        for (int k = parts; k < i; k++)
            if (touch(&taken[i], &taken[k]))
                ck_abort_msg("label %d is on %d, %d x %d", k, i, width, height);
        for (int k = 0; k < parts && i >= parts; k++)
            if (touch(&taken[i], &taken[k]))
                ck_abort_msg("label %d is on part %d, %d x %d", i, k, width, height);
    }
    overlay_plan_destroy(plan);
    return count - parts;
}

static const int screens[][2] = {{1280, 720}, {720, 1280}, {640, 480}, {3840, 2160},
                                 {320, 240},  {100, 31},   {1, 1}};
enum { SCREENS = sizeof(screens) / sizeof(screens[0]) };

static void check_everywhere(int seed)
{
    struct overlay_box boxes[40];
    state = (uint32_t)seed;
    random_boxes(boxes, 40, 0.5F);
    struct overlay overlay = {.boxes = boxes,
                              .box_count = 40,
                              .lines = seed % 2 ? lines : NULL,
                              .line_count = seed % 2 ? 5 : 0,
                              .status = seed % 3 ? "C920   1280x720   30 fps   24 ms" : NULL,
                              .notice = seed % 5 ? NULL : "No camera",
                              .notice_detail = seed % 10 ? NULL : "Plug the camera in · code C1",
                              .margin = (float)(seed % 4) * 0.05F};
    for (int i = 0; i < SCREENS; i++) {
        int w = screens[i][0], h = screens[i][1];
        check_plan(&overlay, w, h, (struct area){0, 0, w, h});
        check_plan(&overlay, w, h, (struct area){-w / 4, -h / 8, w * 3 / 2, h * 5 / 4});
        check_plan(&overlay, w, h, (struct area){w / 4, 0, w / 2, h});
    }
}

/* One test of many seeds, as each test loads the fonts anew. */
START_TEST(test_everywhere)
{
    for (int seed = 0; seed < 12; seed++)
        check_everywhere(seed);
}
END_TEST

/* Where there is room, every box that is seen has a label. */
static void check_crowd(int seed)
{
    struct overlay_box boxes[12];
    state = 1000 + (uint32_t)seed;
    random_boxes(boxes, 12, 0.1F);
    for (int i = 0; i < 12; i++) {
        float x = 0.4F + unit() * 0.1F, y = 0.4F + unit() * 0.1F;
        memcpy(boxes[i].box, (float[4]){x, y, x + 0.1F, y + 0.1F}, sizeof(boxes[i].box));
        snprintf(boxes[i].label, sizeof(boxes[i].label), "%s", names[i % 2]);
    }
    struct overlay overlay = {
        .boxes = boxes, .box_count = 12, .lines = lines, .line_count = 3, .status = "30 fps"};
    ck_assert_int_eq(check_plan(&overlay, 1280, 720, (struct area){0, 0, 1280, 720}), 12);
    ck_assert_int_eq(check_plan(&overlay, 720, 1280, (struct area){0, 0, 720, 1280}), 12);
}

START_TEST(test_crowds)
{
    for (int seed = 0; seed < 12; seed++)
        check_crowd(seed);
}
END_TEST

/* ---- single boxes ---- */

static bool label_of(const struct overlay_box *box, struct area picture, struct overlay_rect *at)
{
    struct overlay overlay = {.boxes = box, .box_count = 1};
    struct overlay_plan *plan = overlay_plan_create(painter, &overlay, 1280, 720, picture);
    ck_assert_ptr_nonnull(plan);
    bool placed = overlay_plan_label(plan, 0, at);
    overlay_plan_destroy(plan);
    return placed;
}

START_TEST(test_at_its_box)
{
    struct overlay_rect at;
    struct overlay_box box = {{0.25F, 0.5F, 0.5F, 0.75F}, 0, "Car", "69 %"};
    const struct area picture = {0, 0, 1280, 720};
    ck_assert(label_of(&box, picture, &at));
    ck_assert_double_eq_tol(at.x, 320, 1); /* above, from where reading begins */
    ck_assert_double_eq_tol(at.y + at.height, 360, 8);
    snprintf(box.label, sizeof(box.label), "سيارة");
    ck_assert(label_of(&box, picture, &at));
    ck_assert_double_eq_tol(at.x + at.width, 640, 1);
    memcpy(box.box, (float[4]){0.25F, 0, 0.5F, 0.75F}, sizeof(box.box)); /* no room above: inside */
    ck_assert(label_of(&box, picture, &at));
    ck_assert_double_lt(at.y, 30);
}
END_TEST

START_TEST(test_out_of_sight)
{
    struct overlay_rect at;
    struct overlay_box box = {{0.0F, 0.4F, 0.2F, 0.6F}, 0, "Car", "69 %"};
    ck_assert(!label_of(&box, (struct area){-640, 0, 2560, 720}, &at)); /* its fifth ends at pixel -128 */
    box.box[2] = 0.3F;
    ck_assert(label_of(&box, (struct area){-640, 0, 2560, 720}, &at));
    memcpy(box.box, (float[4]){NAN, INFINITY, -INFINITY, 3e38F}, sizeof(box.box));
    label_of(&box, (struct area){0, 0, 1280, 720}, &at);
    memcpy(box.box, (float[4]){0.6F, 0.6F, 0.4F, 0.4F}, sizeof(box.box));
    ck_assert(!label_of(&box, (struct area){0, 0, 1280, 720}, &at));
}
END_TEST

/* A name of any length takes two lines at most, and its value keeps its place. */
START_TEST(test_long)
{
    struct overlay_rect one, at;
    struct overlay_box box = {{0.25F, 0.5F, 0.5F, 0.75F}, 0, "Car", "69 %"};
    ck_assert(label_of(&box, (struct area){0, 0, 1280, 720}, &one));
    memset(box.label, 'W', sizeof(box.label) - 1);
    ck_assert(label_of(&box, (struct area){0, 0, 1280, 720}, &at));
    ck_assert_double_le(at.width, 640);
    ck_assert_double_le(at.height, 2 * one.height);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("overlay");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, test_everywhere);
    tcase_add_test(tcase, test_crowds);
    tcase_add_test(tcase, test_at_its_box);
    tcase_add_test(tcase, test_out_of_sight);
    tcase_add_test(tcase, test_long);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return !!failed;
}
