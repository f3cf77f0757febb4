/* SPDX-License-Identifier: MIT */
/* A screen on the fake card and a camera of three buffers, for the tests of KMS. */
#ifndef PIPIT_TESTS_KMS_FIXTURE_H
#define PIPIT_TESTS_KMS_FIXTURE_H

#include "fake_drm.h"

#include "display/kms/kms.h"

#include <check.h>

/* What the tests begin with: defaults, no screen. At their end the screen is closed and nothing may be left.
 */
extern struct screen_settings settings;
extern struct screen_error error;
extern struct screen *screen;
extern struct screen_info info;
extern struct screen_shown shown;
extern struct frame frames[3]; /* of the camera */
extern int returned;           /* frames that came back to it */

void open_screen(void);
int dispatch(void); /* waits for the descriptor; news; reads info */
int present_picture(void);
void show_picture(void); /* up to SCREEN_SHOWN */

void point_camera(uint32_t format, int width, int height);
enum screen_way adapt(void); /* to frames[0] */
int present_frame(int which, bool labels);
void show_frame(int which, bool labels);

#define ck_value(object, property, expected)                                                                 \
    ck_assert_uint_eq(fake_value(object, property), (uint64_t)(expected))

int run_tests(const char *name, const TTest *const *tests); /* up to NULL; for main() */

#endif
