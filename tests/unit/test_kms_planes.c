/* SPDX-License-Identifier: MIT */
/* The camera's buffers and the labels on planes of their own, on a card in memory. */
#include "kms_fixture.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <drm_fourcc.h>

/* ---- planes of their own ---- */

START_TEST(picture_and_labels_get_planes)
{
    open_screen();
    show_picture();
    point_camera(FRAME_NV12, 640, 480);
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    ck_assert_str_eq(info.why, "");
    struct canvas *labels = screen_canvas(screen);
    ck_assert_uint_eq(labels->frame.format, FRAME_ARGB32);
    screen_give_back(screen, labels);
    show_frame(0, true);
    ck_value(51, "FB_ID", 0); /* black by itself */
    ck_value(52, "SRC_W", 640u << 16);
    ck_value(52, "SRC_H", 480u << 16);
    ck_value(52, "CRTC_X", 160);
    ck_value(52, "CRTC_Y", 0);
    ck_value(52, "CRTC_W", 960);
    ck_value(52, "CRTC_H", 720);
    ck_value(52, "COLOR_ENCODING", 6); /* BT.709 */
    ck_value(52, "COLOR_RANGE", 8);    /* limited */
    ck_value(52, "rotation", DRM_MODE_ROTATE_0);
    ck_value(53, "CRTC_W", 1280);
    ck_value(53, "pixel blend mode", 2);
    ck_assert_uint_gt(fake_value(53, "zpos"), fake_value(52, "zpos"));
    const struct fake_fb *video = fake_fb((uint32_t)fake_value(52, "FB_ID"));
    ck_assert(video->format == DRM_FORMAT_NV12 && video->pitch[1] == 1280 && video->offset[1] == 1280 * 480);
    ck_assert_uint_eq(fake_fb((uint32_t)fake_value(53, "FB_ID"))->format, DRM_FORMAT_ARGB8888);
    uint64_t labels_fb = fake_value(53, "FB_ID");
    show_frame(1, false);
    ck_value(53, "FB_ID", labels_fb); /* as they were */
}
END_TEST

START_TEST(turned_cut_and_mirrored_by_the_plane)
{
    settings.turn = (struct turn){180, true};
    settings.fit = SCREEN_FILL;
    open_screen();
    point_camera(FRAME_NV12, 640, 480);
    frames[0].full_range = true;
    frames[0].matrix = FRAME_MATRIX_601;
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_frame(0, false);
    ck_value(52, "SRC_Y", 60u << 16);
    ck_value(52, "SRC_H", 360u << 16);
    ck_value(52, "CRTC_W", 1280);
    ck_value(52, "rotation", DRM_MODE_ROTATE_180 | DRM_MODE_REFLECT_X);
    ck_value(52, "COLOR_ENCODING", 5);
    ck_value(52, "COLOR_RANGE", 9);
    ck_value(53, "FB_ID", 0); /* no labels were ever given */
}
END_TEST

START_TEST(some_drivers_want_black_below)
{
    fake.needs_primary = true;
    open_screen();
    point_camera(FRAME_NV12, 640, 480);
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_frame(0, true);
    ck_assert_uint_eq(fake_fb((uint32_t)fake_value(51, "FB_ID"))->format, DRM_FORMAT_XRGB8888);
    ck_assert_uint_ne(fake_value(52, "FB_ID"), 0);
}
END_TEST

START_TEST(one_overlay_is_for_the_labels)
{
    fake.overlays_max = 1;
    fake.planes[0].formats[1] = DRM_FORMAT_NV12;
    fake.planes[0].scales = fake.planes[0].anywhere = fake.planes[0].colours = fake.planes[0].bt709 = true;
    fake_make_values();
    open_screen();
    point_camera(FRAME_NV12, 640, 480);
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_frame(0, true);
    ck_assert_uint_eq(fake_fb((uint32_t)fake_value(51, "FB_ID"))->format, DRM_FORMAT_NV12);
    ck_value(51, "CRTC_X", 160);
    ck_assert_uint_eq(fake_fb((uint32_t)fake_value(52, "FB_ID"))->format, DRM_FORMAT_ARGB8888);
}
END_TEST

START_TEST(order_that_is_fixed_is_respected)
{
    fake.planes[1].zmin = fake.planes[1].zmax = 3; /* 52 lies above 53 */
    fake.planes[2].zmin = fake.planes[2].zmax = 2;
    fake_make_values();
    open_screen();
    point_camera(FRAME_NV12, 640, 480);
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_frame(0, true);
    ck_assert_uint_eq(fake_fb((uint32_t)fake_value(53, "FB_ID"))->format, DRM_FORMAT_NV12);
    ck_assert_uint_eq(fake_fb((uint32_t)fake_value(52, "FB_ID"))->format, DRM_FORMAT_ARGB8888);
}
END_TEST

static void composes(const char *why)
{
    ck_assert_int_eq(adapt(), SCREEN_COMPOSE);
    ck_assert_msg(strstr(info.why, why) != NULL, "%s", info.why);
    show_picture();
    ck_assert_uint_eq(fake_fb((uint32_t)fake_value(51, "FB_ID"))->format, DRM_FORMAT_XRGB8888);
}

START_TEST(composing_says_why)
{
    open_screen();
    point_camera(FRAME_YUV444P, 640, 480);
    frames[0].planes = 1;
    composes("no plane takes YU24");
    point_camera(FRAME_NV12, 640, 480);
    frames[0].dmabuf[0] = -1;
    composes("no dmabufs");
    frames[0].dmabuf[0] = 599;
    composes("cannot read the camera's buffers");
    point_camera(FRAME_NV12, 640, 480);
    fake.overlays_max = 1;
    composes("refuses");
    fake.overlays_max = 8;
    fake.planes[1].scales = fake.planes[2].scales = false;
    composes("range"); /* ERANGE: cannot scale */
    screen_close(screen);
    screen = NULL;

    settings.turn.rotation = 90;
    open_screen();
    composes("turn it by 90 degrees");
    screen_close(screen);
    screen = NULL;

    settings.turn.rotation = 0;
    fake.planes[1].bt709 = fake.planes[2].bt709 = false;
    open_screen();
    composes("BT.709");
    screen_close(screen);
    screen = NULL;

    settings.planes = false;
    open_screen();
    composes("turned off");
}
END_TEST

START_TEST(labels_need_a_plane_above)
{
    fake.planes[1].formats[2] = fake.planes[2].formats[1] = 0;
    open_screen();
    point_camera(FRAME_NV12, 640, 480);
    composes("ARGB8888 plane above");
}
END_TEST

START_TEST(from_planes_to_canvases_and_back)
{
    open_screen();
    point_camera(FRAME_NV12, 640, 480);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(adapt(), SCREEN_PLANES);
        ck_assert_int_eq(present_frame(0, true), 0);
        fake_flip(clock_now_ns());
        ck_assert_int_eq(dispatch(), SCREEN_SHOWN);
        frames[1].dmabuf[0] = -1;
        struct frame keep = frames[0];
        frames[0] = frames[1];
        ck_assert_int_eq(adapt(), SCREEN_COMPOSE);
        frames[0] = keep;
        frames[1].dmabuf[0] = 501;
        show_picture();
        ck_value(52, "FB_ID", 0);
        ck_value(53, "FB_ID", 0);
        show_picture();
        ck_assert_int_le(fake_fbs(), 3 + 1 + 1); /* canvases, black, one camera buffer */
    }
}
END_TEST

/* ---- what differs ---- */

/* A canvas with labels at `x`, drawn for the n-th time, and the camera's picture between two bars. */
static struct canvas *drawn(uint64_t drawing, int x)
{
    struct canvas *canvas = screen_canvas(screen);
    ck_assert_ptr_nonnull(canvas);
    canvas->content = (struct canvas_content){.known = true, .drawing = drawing, .labels = 2};
    canvas->content.label[0] = (struct area){x, 10, 30, 20};
    canvas->content.label[1] = (struct area){500, 300, 30, 20};
    if (info.way == SCREEN_COMPOSE)
        canvas->content.picture = (struct area){160, 0, 960, 720};
    return canvas;
}

static void show_drawn(struct canvas *canvas)
{
    bool planes = info.way == SCREEN_PLANES;
    struct screen_update update = {.frame = planes ? &frames[0] : NULL,
                                   .picture = planes ? NULL : canvas,
                                   .labels = planes ? canvas : NULL};
    ck_assert_int_eq(screen_present(screen, &update), 0);
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_SHOWN);
}

static bool damaged(int x1, int y1, int x2, int y2)
{
    bool found = false;
    for (int i = 0; i < fake.damages; i++)
        found = found || (fake.damage[i].x1 == x1 && fake.damage[i].y1 == y1 && fake.damage[i].x2 == x2 &&
                          fake.damage[i].y2 == y2);
    return found;
}

static void damages(bool yes)
{
    for (int i = 0; i < fake.plane_count; i++)
        fake.planes[i].damages = yes;
    fake_make_values();
}

START_TEST(the_card_is_told_what_differs)
{
    damages(true);
    open_screen();
    show_drawn(drawn(1, 5));
    ck_assert_int_eq(fake.damages, 0); /* of the first nothing is known */
    show_drawn(drawn(1, 5));
    ck_assert_int_eq(fake.damages, 1);
    ck_assert(damaged(160, 0, 1120, 720));
    show_drawn(drawn(2, 70));
    ck_assert_int_eq(fake.damages, 3); /* not what lies on the picture */
    ck_assert(damaged(5, 10, 35, 30) && damaged(70, 10, 100, 30));
    struct canvas *whole = drawn(3, 5);
    whole->content.picture = (struct area){0, 0, 1280, 720};
    show_drawn(whole);
    ck_assert_int_eq(fake.damages, 0);
    struct canvas *unknown = drawn(4, 5);
    unknown->content.known = false;
    show_drawn(unknown);
    ck_assert_int_eq(fake.damages, 0);
}
END_TEST

START_TEST(labels_planes_are_told_what_differs)
{
    damages(true);
    open_screen();
    point_camera(FRAME_NV12, 640, 480);
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_drawn(drawn(1, 5));
    show_drawn(drawn(2, 70));
    ck_assert_int_eq(fake.damages, 4);
    ck_assert(damaged(5, 10, 35, 30) && damaged(70, 10, 100, 30) && damaged(500, 300, 530, 320));
    show_frame(1, false);
    ck_assert_int_eq(fake.damages, 0);
}
END_TEST

START_TEST(cards_that_do_not_ask_are_told_nothing)
{
    open_screen();
    show_drawn(drawn(1, 5));
    show_drawn(drawn(2, 70));
    ck_assert_int_eq(fake.damages, 0);
}
END_TEST

/* ---- framebuffers on frames ---- */

START_TEST(a_buffer_has_one_framebuffer_for_life)
{
    open_screen();
    point_camera(FRAME_NV12, 640, 480);
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_frame(0, false);
    show_frame(1, false);
    show_frame(2, false);
    int after_three = fake_fbs(), handles = fake.handles;
    for (int i = 0; i < 100; i++)
        show_frame(i % 3, i % 7 == 0);
    ck_assert_int_eq(fake_fbs(), after_three);
    ck_assert_int_eq(fake.handles, handles);
    ck_assert_int_eq(atomic_load(&frames[0].refs), 2); /* on the screen: 99 % 3 */
    ck_assert_int_eq(atomic_load(&frames[1].refs), 1);
    frame_unref(&frames[1]);
    ck_assert_int_eq(returned, 1); /* nothing holds it: back to the camera at once */
    show_frame(2, false);
    frames[1].drop(frames[1].screen); /* the camera goes */
    frames[1].drop = NULL;
    ck_assert_int_eq(fake_fbs(), after_three - 1);
}
END_TEST

START_TEST(a_picture_may_begin_elsewhere_in_its_buffer)
{
    open_screen();
    point_camera(FRAME_NV12, 640, 480);
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_frame(0, false);
    show_frame(1, false);
    int fbs = fake_fbs();
    for (uint32_t skipped = 64; skipped < 2000; skipped += 64) {
        frames[0].offset[0] = skipped;
        show_frame(0, false);
        ck_assert_uint_eq(fake_fb((uint32_t)fake_value(52, "FB_ID"))->offset[0], skipped);
        show_frame(1, false);
        ck_assert_int_eq(fake_fbs(), fbs);
    }
}
END_TEST

START_TEST(frames_outlive_the_screen)
{
    open_screen();
    point_camera(FRAME_NV12, 640, 480);
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_frame(0, false);
    screen_close(screen);
    ck_assert_int_eq(atomic_load(&frames[0].refs), 1);
    fake_card_closed();
    open_screen();
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_frame(0, false); /* a new framebuffer, for the old one is another card's */
    ck_assert_ptr_nonnull(fake_fb((uint32_t)fake_value(52, "FB_ID")));
}
END_TEST

START_TEST(a_screen_that_rests_is_off)
{
    open_screen();
    show_picture();
    screen_rest(screen, true);
    ck_value(FAKE_CRTC, "ACTIVE", 0);
    ck_assert(fake.last_flags & DRM_MODE_ATOMIC_NONBLOCK);
    ck_assert(!screen_ready(screen));
    ck_assert_int_eq(screen_recheck(screen, true), 0);
    ck_value(FAKE_CRTC, "ACTIVE", 0);
    fake.connectors[0].status = DRM_MODE_DISCONNECTED; /* some say so while they sleep */
    ck_assert_int_eq(screen_recheck(screen, false), SCREEN_GONE);
    fake.connectors[0].status = DRM_MODE_CONNECTED;
    ck_assert_int_eq(screen_recheck(screen, true), 0);
    ck_value(FAKE_CRTC, "ACTIVE", 0);
    screen_rest(screen, false);
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_BACK);
    ck_value(FAKE_CRTC, "ACTIVE", 1);
    show_picture();
}
END_TEST

START_TEST(to_rest_in_the_middle_of_a_flip)
{
    open_screen();
    point_camera(FRAME_NV12, 640, 480);
    ck_assert_int_eq(adapt(), SCREEN_PLANES);
    show_frame(0, true);
    ck_assert_int_eq(present_frame(1, true), 0);
    screen_rest(screen, true);
    ck_value(FAKE_CRTC, "ACTIVE", 1);
    fake_flip(clock_now_ns());
    ck_assert_int_eq(dispatch(), SCREEN_SHOWN);
    ck_value(FAKE_CRTC, "ACTIVE", 0);
    ck_assert_int_eq(atomic_load(&frames[0].refs), 1);
    ck_assert_int_eq(atomic_load(&frames[1].refs), 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {picture_and_labels_get_planes,
                                  turned_cut_and_mirrored_by_the_plane,
                                  some_drivers_want_black_below,
                                  one_overlay_is_for_the_labels,
                                  order_that_is_fixed_is_respected,
                                  composing_says_why,
                                  labels_need_a_plane_above,
                                  from_planes_to_canvases_and_back,
                                  the_card_is_told_what_differs,
                                  labels_planes_are_told_what_differs,
                                  cards_that_do_not_ask_are_told_nothing,
                                  a_buffer_has_one_framebuffer_for_life,
                                  a_picture_may_begin_elsewhere_in_its_buffer,
                                  frames_outlive_the_screen,
                                  a_screen_that_rests_is_off,
                                  to_rest_in_the_middle_of_a_flip,
                                  NULL};
    return run_tests("kms planes", tests);
}
