/* SPDX-License-Identifier: MIT */
#include "app/config.h"

#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static struct config config;
static struct config_error error;

static void setup(void)
{
    snprintf(folder, sizeof(folder), "%s", "/tmp/pipit-config-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    config_defaults(&config);
    error.text[0] = 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void teardown(void)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s", path_of(name));
    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static int read_text(const char *text)
{
    write_file("pipit.conf", text);
    return config_read_file(&config, path_of("pipit.conf"), &error);
}

static int set(const char *name, const char *value)
{
    return config_set(&config, config_find(name), value, &error);
}

START_TEST(test_defaults_are_valid)
{
    for (int i = 0; i < config_keys_count; i++) {
        ck_assert_msg(!config_set(&config, &config_keys[i], config_keys[i].fallback, &error), "%s",
                      error.text);
        ck_assert_ptr_eq(config_find(config_keys[i].name), &config_keys[i]);
    }
    ck_assert_str_eq(config.source, "auto");
    ck_assert_int_eq(config.buffers, 8);
    ck_assert_double_lt(config.threshold, 0);
    ck_assert_uint_eq(config.cpu_mask, ~0u);
    ck_assert(config.planes);
    ck_assert_int_lt(config_keys_count, 64); /* a file's keys are counted in bits */
}
END_TEST

START_TEST(test_values)
{
    ck_assert(!set("mode", "1920x1080@59.94"));
    ck_assert_int_eq(config.mode.width, 1920);
    ck_assert_int_eq(config.mode.height, 1080);
    ck_assert_double_eq(config.mode.rate, 59.94);
    ck_assert(!set("mode", "640x480") && config.mode.rate == 0 && config.mode.height == 480);
    ck_assert(!set("mode", "@75") && config.mode.width == 0 && config.mode.rate == 75);
    ck_assert(!set("camera-size", "1280x720") && config.camera_size.width == 1280);
    ck_assert(!set("camera-format", "mjpeg") && config.camera_format == FRAME_MJPEG);
    ck_assert(!set("camera-format", "grey") && config.camera_format == FRAME_GREY);
    ck_assert(!set("rotation", "270") && config.rotation == 270);
    ck_assert(!set("fit", "fill") && config.fit == SCREEN_FILL);
    ck_assert(!set("mirror", "Yes") && config.mirror);
    ck_assert(!set("mirror", "off") && !config.mirror);
    ck_assert(!set("threshold", "0.25") && config.threshold == 0.25);
    ck_assert(!set("cpu-mask", "none") && config.cpu_mask == 0);
    ck_assert(!set("precision", "f16") && config.precision == PIPIT_PRECISION_F16);
    ck_assert(!set("precision", "int8") && config.precision == PIPIT_PRECISION_INT8);
    ck_assert(!set("calibrate", "/etc/pipit/photos"));
    ck_assert_str_eq(config.calibrate, "/etc/pipit/photos");
    ck_assert(!set("screen-off", "22:00-7:05") && config.screen_off.from == 1320 &&
              config.screen_off.to == 425);
    ck_assert(!set("screen-off", "") && config.screen_off.from == config.screen_off.to);
    ck_assert(!set("camera-control", "exposure_auto=1"));
    ck_assert(!set("camera-control", "gain=5"));
    ck_assert(!set("camera-control", "gain=7"));
    ck_assert_int_eq(config.controls.count, 2);
    ck_assert_str_eq(config.controls.control[1].name, "gain");
    ck_assert_str_eq(config.controls.control[1].value, "7");
    ck_assert(!set("camera-control", "") && !config.controls.count);
}
END_TEST

START_TEST(test_values_that_make_no_sense)
{
    static const char *const wrong[][2] = {
        {"mode", "1920"},       {"mode", ""},
        {"mode", "1920x"},      {"mode", "1920x1080@"},
        {"mode", "axb"},        {"mode", "8x8"},
        {"mode", "640x480@0"},  {"camera-size", "640x480@30"},
        {"camera-size", "0"},   {"rotation", "45"},
        {"rotation", ""},       {"fit", "fi"},
        {"fit", "fit fill"},    {"mirror", "maybe"},
        {"threshold", "1.5"},   {"threshold", "nan"},
        {"threads", "65"},      {"threads", "1.5"},
        {"threads", "two"},     {"margin", "0.3"},
        {"hold", "-1"},         {"buffers", "1"},
        {"camera-format", "h"}, {"cpu-mask", "mmx"},
        {"camera-rate", "-1"},  {"smooth", "1"},
        {"top", "11"},          {"camera-control", "gain"},
        {"stall", "0"},         {"frames", "1e12"},
        {"precision", "half"},  {"precision", ""},
        {"duration", ""},       {"camera-control", "=5"},
        {"source", "webcam"},   {"source", "replay:"},
        {"enter", "0"},         {"average", "0x10g"},
        {"status", ""},         {"camera-control", "gain="},
        {"screen-off", "22-7"}, {"screen-off", "24:00-7:00"},
        {"screen-off", "9:00"}, {"screen-off", "9:00-9:00"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_msg(set(wrong[i][0], wrong[i][1]) == -EINVAL, "%s = %s", wrong[i][0], wrong[i][1]);
        ck_assert_ptr_nonnull(strstr(error.text, wrong[i][0]));
    }
}
END_TEST

START_TEST(test_a_file)
{
    ck_assert_msg(!read_text("# my kiosk\nsource = replay:a.y4m\n[pipit]\nrotation = 90 ; hangs turned\n"
                             "[camera-controls]\ngain = 3\npower_line_frequency = 50 Hz\n"),
                  "%s", error.text);
    ck_assert_str_eq(config.source, "replay:a.y4m");
    ck_assert_int_eq(config.rotation, 90);
    ck_assert_int_eq(config.controls.count, 2);
    ck_assert_str_eq(config.controls.control[1].value, "50 Hz");
}
END_TEST

START_TEST(test_what_is_wrong_is_named_with_its_line)
{
    static const char *const wrong[][2] = {
        {"\nsorce = auto\n", "pipit.conf: line 2: there is no key 'sorce'; did you mean 'source'?"},
        {"source = auto\nsource = auto\n", "line 2: 'source' stands there twice"},
        {"rotation = 91\n", "line 1: '91' makes no sense for rotation"},
        {"[kiosk]\nsource = auto\n", "line 2: there is no section [kiosk]"},
        {"source\n", "line 1: "},
        {"[camera-controls]\n= 3\n", "line 2: "},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_int_eq(read_text(wrong[i][0]), -EINVAL);
        ck_assert_msg(strstr(error.text, wrong[i][1]) != NULL, "%s", error.text);
    }
    ck_assert_int_eq(config_read_file(&config, path_of("none.conf"), &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "none.conf"));
}
END_TEST

START_TEST(test_drop_ins_in_order)
{
    write_file("pipit.conf.d/20-b.conf", "top = 2\nhold = 2\n");
    write_file("pipit.conf.d/10-a.conf", "top = 1\nenter = 1\n");
    write_file("pipit.conf.d/30-c.conf~", "top = 9\n");
    write_file("pipit.conf.d/.40.conf", "top = 9\n");
    ck_assert_msg(!read_text("top = 5\nenter = 5\nhold = 5\naverage = 9\n"), "%s", error.text);
    ck_assert_int_eq(config.top, 2);
    ck_assert_int_eq(config.enter, 1);
    ck_assert_int_eq(config.hold, 2);
    ck_assert_int_eq(config.average, 9);
    write_file("pipit.conf.d/20-b.conf", "tap = 2\n");
    ck_assert_int_eq(config_read_file(&config, path_of("pipit.conf"), &error), -EINVAL);
    ck_assert_msg(strstr(error.text, "20-b.conf: line 1") != NULL, "%s", error.text);
}
END_TEST

START_TEST(test_folders)
{
    char usr[256], etc[256];
    snprintf(usr, sizeof(usr), "%s", path_of("usr"));
    snprintf(etc, sizeof(etc), "%s", path_of("etc"));
    const char *const folders[] = {usr, etc, NULL};
    ck_assert_msg(!config_read_folders(&config, folders, &error), "%s", error.text); /* nothing at all */
    write_file("usr/pipit.conf", "top = 1\naverage = 7\n");
    write_file("usr/pipit.conf.d/10.conf", "hold = 1\n");
    write_file("usr/pipit.conf.d/20.conf", "enter = 7\n");
    ck_assert_msg(!config_read_folders(&config, folders, &error), "%s", error.text);
    ck_assert_int_eq(config.average, 7);
    config_defaults(&config);
    write_file("etc/pipit.conf", "top = 2\n"); /* instead of usr's */
    write_file("etc/pipit.conf.d/10.conf", "# nothing\n");
    ck_assert_msg(!config_read_folders(&config, folders, &error), "%s", error.text);
    ck_assert_int_eq(config.top, 2);
    ck_assert_int_eq(config.average, 5);
    ck_assert_int_eq(config.hold, 4);
    ck_assert_int_eq(config.enter, 7);
}
END_TEST

START_TEST(test_options_win_and_a_failure_changes_nothing)
{
    write_file("pipit.conf", "top = 2\nhold = 9\n");
    char file[256];
    snprintf(file, sizeof(file), "%s", path_of("pipit.conf"));
    struct config_option option[] = {{config_find("top"), "7"}, {config_find("stats"), "-"}};
    struct config_origin origin = {file, option, 2};
    ck_assert_msg(!config_load(&config, &origin, &error), "%s", error.text);
    ck_assert_int_eq(config.top, 7);
    ck_assert_int_eq(config.hold, 9);
    write_file("pipit.conf", "top = 3\nhold = 5\nevents = -\n");
    ck_assert_int_eq(config_load(&config, &origin, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "standard output"));
    ck_assert_int_eq(config.hold, 9);
}
END_TEST

START_TEST(test_what_changed)
{
    struct config other = config;
    ck_assert_uint_eq(config_changed(&config, &other), 0);
    ck_assert(!set("camera-control", "gain=3") && !set("smooth", "0.1"));
    ck_assert_uint_eq(config_changed(&config, &other), CONFIG_CAMERA | CONFIG_LOOK);
    other = config;
    ck_assert(!set("language", "de") && !set("rotation", "90") && !set("stats", "a"));
    ck_assert_uint_eq(config_changed(&config, &other), CONFIG_MODEL | CONFIG_TURN | CONFIG_START);
    ck_assert(!set("language", "auto") && !set("rotation", "0") && !set("stats", ""));
    ck_assert_uint_eq(config_changed(&config, &other), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *tests = tcase_create("config");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_defaults_are_valid);
    tcase_add_test(tests, test_values);
    tcase_add_test(tests, test_values_that_make_no_sense);
    tcase_add_test(tests, test_a_file);
    tcase_add_test(tests, test_what_is_wrong_is_named_with_its_line);
    tcase_add_test(tests, test_drop_ins_in_order);
    tcase_add_test(tests, test_folders);
    tcase_add_test(tests, test_options_win_and_a_failure_changes_nothing);
    tcase_add_test(tests, test_what_changed);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
