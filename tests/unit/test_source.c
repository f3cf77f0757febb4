/* SPDX-License-Identifier: MIT */
/* What source_open() makes of names and settings; the pool that frames come back to; who has a device open.
 */
#include "capture/cameras.h"
#include "capture/backend.h"
#include "capture/pool.h"
#include "capture/source.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct source_settings settings;
static struct source_error error;
static struct source *source;

static void setup(void)
{
    source_defaults(&settings);
    error.text[0] = 0;
}

static int try_open(const char *name)
{
    settings.name = name;
    int status = source_open(&source, &settings, &error);
    ck_assert_ptr_null(source);
    ck_assert_int_ne(error.text[0], 0);
    return status;
}

START_TEST(test_names)
{
    ck_assert_int_eq(try_open(""), -EINVAL);
    ck_assert_int_eq(try_open("/dev/video0"), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "v4l2:/dev/video0"));
    ck_assert_int_eq(try_open("v4l:/dev/video0"), -EINVAL);
    ck_assert_int_eq(try_open("replay"), -EINVAL);
    ck_assert_int_eq(try_open("replay:/nowhere/at/all"), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "/nowhere/at/all"));
    source_close(NULL);
}
END_TEST

START_TEST(test_settings)
{
    const struct source_settings good = settings;
    settings.width = -1;
    ck_assert_int_eq(try_open("auto"), -EINVAL);
    settings = good;
    settings.height = FRAME_SIDE_MAX + 1;
    ck_assert_int_eq(try_open("auto"), -EINVAL);
    settings = good;
    settings.rate = NAN;
    ck_assert_int_eq(try_open("auto"), -EINVAL);
    settings.rate = 1e9;
    ck_assert_int_eq(try_open("auto"), -EINVAL);
    settings = good;
    settings.buffers = 1;
    ck_assert_int_eq(try_open("auto"), -EINVAL);
    settings = good;
    settings.controls = SOURCE_CONTROLS_MAX + 1;
    ck_assert_int_eq(try_open("auto"), -EINVAL);
}
END_TEST

#ifdef PIPIT_V4L2
START_TEST(test_no_camera)
{
    ck_assert_int_eq(try_open("v4l2:/nowhere/video0"), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "/nowhere/video0"));
    ck_assert_int_eq(try_open("v4l2:/dev/null"), -ENOTSUP);
    ck_assert_ptr_nonnull(strstr(error.text, "no camera"));
}
END_TEST
#endif

START_TEST(test_list)
{
    struct camera_list list;
    ck_assert_int_eq(camera_list_init(&list), 0);
    for (int i = 0; i < list.count; i++) {
        ck_assert_int_ne(list.camera[i].id[0], 0);
        ck_assert_int_ne(list.camera[i].name[0], 0);
    }
    camera_list_finish(&list);
}
END_TEST

/* A child has a file open: it is named, this process is not. */
START_TEST(test_holders)
{
    char path[] = "/tmp/pipit-holder-XXXXXX", text[128], wanted[32];
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    camera_holders(path, text, sizeof(text));
    ck_assert_str_eq(text, "");
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    close(file);
    camera_holders(path, text, sizeof(text));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    snprintf(wanted, sizeof(wanted), " (%d)", (int)child);
    ck_assert_msg(strstr(text, wanted) != NULL, "%s", text);
    camera_holders(path, text, sizeof(text));
    ck_assert_str_eq(text, "");
    camera_holders("/nowhere", text, sizeof(text));
    ck_assert_str_eq(text, "");
    unlink(path);
}
END_TEST

START_TEST(test_a_camera_that_is_listed_twice)
{
    static const struct camera cameras[] = {
        {.id = "v4l2:/dev/v4l/by-id/a", .usb = "8:1.0-5986:2115"},
        {.id = "v4l2:/dev/v4l/by-id/b", .usb = "1.2:1.0-046d:0825"},
        {.id = "v4l2:/dev/video9"}, /* a board's */
        {.id = "libcamera:\\_SB_.PCI0.XHC_.RHUB.HS08-8:1.0-5986:2115"},
        {.id = "libcamera:/base/soc/usb@0-1.2:1.0-046d:0825"},
        {.id = "libcamera:/base/soc/usb@0-18:1.0-5986:2115"}, /* another port */
        {.id = "libcamera:/base/soc/i2c0mux/i2c@1/ov5647@36"},
    };
    static const int same[] = {-1, -1, -1, 0, 1, -1, -1};
    struct camera_list list = {0};
    for (size_t i = 0; i < sizeof(cameras) / sizeof(cameras[0]); i++)
        *camera_list_add(&list) = cameras[i];
    camera_list_pair(&list);
    for (int i = 0; i < list.count; i++)
        ck_assert_str_eq(list.camera[i].same_as, same[i] < 0 ? "" : cameras[same[i]].id);
    camera_list_finish(&list);
}
END_TEST

/* ---- the pool ---- */

enum { FRAMES = 4, ROUNDS = 200 };

struct owner {
    int back[FRAMES], freed[FRAMES], finished, dropped;
};

static void on_back(void *owner, int index)
{
    ((struct owner *)owner)->back[index]++;
}

static void on_free(void *owner, int index)
{
    ((struct owner *)owner)->freed[index]++;
}

static void on_finish(void *owner)
{
    ((struct owner *)owner)->finished++;
}

static const struct pool_kind kind = {on_back, on_free, on_finish};

static void on_drop(void *screen)
{
    ((struct owner *)screen)->dropped++;
}

START_TEST(test_pool)
{
    struct owner owner = {0};
    struct pool *pool = pool_create(&kind, &owner, FRAMES);
    struct frame *a = pool_take(pool, 0), *b = pool_take(pool, 2);
    ck_assert_ptr_null(pool_take(pool, 2));
    ck_assert_int_eq(pool_find(pool), 1);
    ck_assert_int_eq(pool_left(pool), 2);
    b->screen = &owner;
    b->drop = on_drop;
    frame_unref(frame_ref(a));
    ck_assert_int_eq(owner.back[0], 0);
    frame_unref(a);
    ck_assert_int_eq(owner.back[0], 1);
    ck_assert_ptr_eq(pool_take(pool, 0), a);
    pool_close(pool);
    ck_assert_int_eq(owner.freed[0] + owner.freed[2] + owner.finished, 0);
    ck_assert_int_eq(owner.freed[1] + owner.freed[3], 2);
    frame_unref(a);
    ck_assert_int_eq(owner.back[0], 1); /* the pool is closed: freed, not given back */
    ck_assert_int_eq(owner.freed[0], 1);
    ck_assert_int_eq(owner.dropped + owner.finished, 0);
    frame_unref(b);
    ck_assert_int_eq(owner.dropped, 1);
    ck_assert_int_eq(owner.finished, 1);
    pool_close(NULL);
}
END_TEST

static void *unref_all(void *frames)
{
    struct frame **frame = frames;
    for (int i = 0; i < FRAMES; i++)
        frame_unref(frame[i]);
    return NULL;
}

/* Frames come back in another thread while the pool is closed: each is freed once. */
START_TEST(test_pool_threads)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct owner owner = {0};
        struct frame *frame[FRAMES];
        pthread_t thread;
        struct pool *pool = pool_create(&kind, &owner, FRAMES);
        for (int i = 0; i < FRAMES; i++)
            frame[i] = pool_take(pool, i);
        ck_assert_int_eq(pthread_create(&thread, NULL, unref_all, frame), 0);
        pool_close(pool);
        pthread_join(thread, NULL);
        for (int i = 0; i < FRAMES; i++)
            ck_assert_int_eq(owner.freed[i], 1);
        ck_assert_int_eq(owner.finished, 1);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("source");
    TCase *tests = tcase_create("source");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, test_names);
    tcase_add_test(tests, test_settings);
#ifdef PIPIT_V4L2
    tcase_add_test(tests, test_no_camera);
#endif
    tcase_add_test(tests, test_list);
    tcase_add_test(tests, test_holders);
    tcase_add_test(tests, test_a_camera_that_is_listed_twice);
    tcase_add_test(tests, test_pool);
    tcase_add_test(tests, test_pool_threads);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
