/* SPDX-License-Identifier: MIT */
/* Pictures in cameras' formats, and turned ones, in the input tensor. */
#include "engine/pipit.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 128 };

static struct pipit_model *model;
static uint8_t rgb[SIDE * SIDE * 3];

static void setup(void)
{
    struct pipit_settings settings;
    pipit_settings_defaults(&settings);
    settings.has_normalisation = true;
    for (int c = 0; c < 3; c++)
        settings.std[c] = 1;
    ck_assert_int_eq(pipit_model_random(&model, "mobilenet-v1:0.25@128", 1, &settings, NULL), 0);
    for (int i = 0; i < SIDE * SIDE; i++) {
        rgb[3 * i] = (uint8_t)(i % SIDE * 2);
        rgb[3 * i + 1] = (uint8_t)(i / SIDE * 2);
        rgb[3 * i + 2] = 77;
    }
}

static void teardown(void)
{
    pipit_model_destroy(model);
}

static float input(int x, int y, int c)
{
    return ((const float *)pipit_model_input(model, 0)->data)[(y * SIDE + x) * 3 + c];
}

static void set(struct pipit_image image)
{
    struct pipit_error error;
    ck_assert_msg(!pipit_model_set_image(model, &image, &error), "%s", error.text);
}

START_TEST(test_turns)
{
    for (int mirror = 0; mirror < 2; mirror++)
        for (int turn = 0; turn < 4; turn++) {
            set((struct pipit_image){.format = PIPIT_RGB24,
                                     .width = SIDE,
                                     .height = SIDE,
                                     .data = {rgb},
                                     .stride = {3 * SIDE},
                                     .mirror = mirror,
                                     .rotation = 90 * turn});
            for (int y = 0; y < SIDE; y += 9)
                for (int x = 0; x < SIDE; x += 7) {
                    int at[2] = {mirror ? SIDE - 1 - x : x, y};
                    for (int t = 0; t < turn; t++) { /* clockwise: (x, y) goes to (height - 1 - y, x) */
                        int left = SIDE - 1 - at[1];
                        at[1] = at[0];
                        at[0] = left;
                    }
                    for (int c = 0; c < 3; c++)
                        ck_assert_float_eq(input(at[0], at[1], c), (float)rgb[(y * SIDE + x) * 3 + c]);
                }
        }
}
END_TEST

/* Grey ramps, whose chroma is 128, by the definition of the two ranges. */
START_TEST(test_ranges)
{
    static uint8_t nv12[SIDE * SIDE * 3 / 2];
    for (int full = 0; full < 2; full++) {
        for (int i = 0; i < SIDE * SIDE; i++)
            nv12[i] = (uint8_t)(full ? i % SIDE * 2 : 16 + i % SIDE);
        memset(nv12 + SIDE * SIDE, 128, SIDE * SIDE / 2);
        set((struct pipit_image){.format = PIPIT_FOURCC('N', 'V', '1', '2'),
                                 .width = SIDE,
                                 .height = SIDE,
                                 .data = {nv12, nv12 + SIDE * SIDE},
                                 .stride = {SIDE, SIDE},
                                 .full_range = full});
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 3; c++)
                ck_assert_float_eq_tol(input(x, 5, c), full ? (float)(2 * x) : (float)x * 255 / 219, 2);
    }
}
END_TEST

/* A red left half of a wide picture, turned by 90 degrees, is the upper half. */
START_TEST(test_scaled)
{
    enum { W = 640, H = 480 };
    uint8_t *wide = calloc(W * H, 3);
    ck_assert_ptr_nonnull(wide);
    for (int i = 0; i < W * H; i++)
        wide[3 * i] = i % W < W / 2 ? 200 : 10;
    set((struct pipit_image){
        .format = PIPIT_RGB24, .width = W, .height = H, .data = {wide}, .stride = {3 * W}, .rotation = 90});
    ck_assert_float_eq_tol(input(64, 30, 0), 200, 3);
    ck_assert_float_eq_tol(input(64, 100, 0), 10, 3);
    free(wide);
}
END_TEST

START_TEST(test_refused)
{
    struct pipit_image image = {.format = PIPIT_RGB24,
                                .width = SIDE,
                                .height = SIDE,
                                .data = {rgb},
                                .stride = {3 * SIDE},
                                .rotation = 45};
    struct pipit_error error;
    ck_assert_int_eq(pipit_model_set_image(model, &image, &error), -EINVAL);
    image.rotation = 0;
    image.format = PIPIT_FOURCC('H', '2', '6', '4');
    ck_assert_int_eq(pipit_model_set_image(model, &image, &error), -ENOTSUP);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("image");
    TCase *cases = tcase_create("image");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, test_turns);
    tcase_add_test(cases, test_ranges);
    tcase_add_test(cases, test_scaled);
    tcase_add_test(cases, test_refused);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
