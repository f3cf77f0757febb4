/* SPDX-License-Identifier: MIT */
/* Cameras as people call them. */
#include "app/live/plain.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void is_called(const char *source, const char *expected)
{
    char name[96];
    plain_camera(source, name, sizeof(name));
    ck_assert_str_eq(name, expected);
}

START_TEST(test_names)
{
    is_called("v4l2:/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_8A5B12FF-video-index0",
              "HD Pro Webcam C920 8A5B12FF");
    is_called("v4l2:/dev/v4l/by-id/usb-Pipit_Emulated_Webcam-video-index0", "Pipit Emulated Webcam");
    is_called("v4l2:/dev/v4l/by-id/usb-", "the camera");
    is_called("v4l2:/dev/v4l/by-id/odd", "odd");
    is_called("v4l2:/dev/v4l/by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0", "the camera");
    is_called("v4l2:/dev/video0", "/dev/video0");
    is_called("libcamera:/base/soc/i2c0mux/i2c@1/ov5647@36", "ov5647");
    is_called("libcamera:\\_SB_.PCI0.XHC_.RHUB.HS08-8:1.0-5986:2115", "the camera");
    is_called("auto", "the camera");
    is_called("", "the camera");
}
END_TEST

START_TEST(test_sentences)
{
    char text[64];
    plain_sentence("/dev/v is in use by cheese (812); close that first", "v4l2:/dev/v", "C920", text,
                   sizeof(text));
    ck_assert_str_eq(text, "C920 is in use by cheese (812); close that first");
    plain_sentence("/dev/v /dev/v", "v4l2:/dev/v", "C920", text, sizeof(text));
    ck_assert_str_eq(text, "C920 C920");
    plain_sentence("no camera is connected", "auto", "the camera", text, sizeof(text));
    ck_assert_str_eq(text, "no camera is connected");
    plain_sentence("x", "v4l2:", "C920", text, sizeof(text));
    ck_assert_str_eq(text, "x");
    for (size_t size = 1; size < 12; size++) { /* cut, never beyond */
        memset(text, 'z', sizeof(text));
        plain_sentence("a /dev/v b /dev/v c", "v4l2:/dev/v", "C920", text, size);
        ck_assert_uint_eq(strlen(text), size - 1);
        ck_assert_int_eq(text[size], 'z');
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plain");
    TCase *tests = tcase_create("plain");
    tcase_add_test(tests, test_names);
    tcase_add_test(tests, test_sentences);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
