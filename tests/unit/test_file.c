/* SPDX-License-Identifier: MIT */
#include "engine/file.h"
#include "engine/pages.h"

#include <check.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 5 << 19 }; /* bytes: a huge page, and half of one */

static const char pattern[] = "/tmp/pipit-file-XXXXXX";
static char path[sizeof(pattern)];

static void write_file(void)
{
    memcpy(path, pattern, sizeof(pattern));
    int descriptor = mkstemp(path);
    char *bytes = malloc(SIZE);
    memset(bytes, 'x', SIZE);
    ck_assert_int_eq(write(descriptor, bytes, SIZE), SIZE);
    free(bytes);
    close(descriptor);
}

static void remove_file(void)
{
    unlink(path);
}

static void check_bytes(const struct file *file)
{
    const char *bytes = file->bytes;
    ck_assert_uint_eq(file->size, SIZE);
    ck_assert_int_eq(bytes[0], 'x');
    ck_assert(!memcmp(bytes, bytes + 1, SIZE - 1));
}

START_TEST(test_a_writer_waits)
{
    struct file file;
    ck_assert_int_eq(file_open(&file, path, NULL), 0);
    check_bytes(&file);
    if (file.mapped >= 0)
        ck_assert_int_lt(open(path, O_WRONLY | O_NONBLOCK), 0);
    file_free(&file);
    int writer = open(path, O_WRONLY | O_NONBLOCK);
    ck_assert_int_ge(writer, 0);
    close(writer);
}
END_TEST

START_TEST(test_what_is_being_written_is_not_mapped)
{
    struct file file;
    int writer = open(path, O_WRONLY);
    ck_assert_int_eq(file_open(&file, path, NULL), 0);
    ck_assert_int_lt(file.mapped, 0);
    ck_assert_int_eq(ftruncate(writer, 0), 0);
    check_bytes(&file);
    file_free(&file);
    close(writer);
}
END_TEST

START_TEST(test_reading_never_keeps_a_writer_waiting)
{
    struct file file;
    ck_assert_int_eq(file_read(&file, path, NULL), 0);
    int writer = open(path, O_WRONLY | O_NONBLOCK);
    ck_assert_int_ge(writer, 0);
    check_bytes(&file);
    file_free(&file);
    close(writer);
}
END_TEST

START_TEST(test_what_is_left_can_be_read)
{
    struct file file;
    ck_assert_int_eq(file_open(&file, path, NULL), 0);
    file_forget(&file, (char *)file.bytes + 100, SIZE / 2);
    ck_assert_int_eq(((char *)file.bytes)[99], 'x');
    ck_assert_int_eq(((char *)file.bytes)[100 + SIZE / 2], 'x');
    file_free(&file);
}
END_TEST

START_TEST(test_pages_are_zeroed_and_whole)
{
    size_t sizes[] = {1, 4096, 2 << 20, SIZE, 7 << 20};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char *pages = pages_map(sizes[i], sizes[i] / 2 * i);
        ck_assert_ptr_nonnull(pages);
        ck_assert_int_eq(pages[0] | pages[sizes[i] - 1], 0);
        memset(pages, 1, sizes[i]);
        pages_unmap(pages, sizes[i]);
    }
    ck_assert_ptr_null(pages_map(0, 0));
    ck_assert_ptr_null(pages_map(SIZE_MAX, SIZE_MAX));
    pages_unmap(NULL, 0);
}
END_TEST

START_TEST(test_pages_are_rounded_where_little_is_lost)
{
    const size_t huge = 2 << 20;
    ck_assert_uint_eq(pages_round(0), 0);
    ck_assert_uint_eq(pages_round(huge / 2), huge / 2);
    ck_assert_uint_eq(pages_round(huge / 2 + 1), huge);
    ck_assert_uint_eq(pages_round(huge), huge);
    ck_assert_uint_eq(pages_round(3 * huge + 1), 3 * huge + 1);
    ck_assert_uint_eq(pages_round(4 * huge - 1), 4 * huge);
    ck_assert_uint_eq(pages_round(SIZE_MAX), SIZE_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("file");
    TCase *test = tcase_create("file");
    tcase_add_checked_fixture(test, write_file, remove_file);
    tcase_add_test(test, test_a_writer_waits);
    tcase_add_test(test, test_what_is_being_written_is_not_mapped);
    tcase_add_test(test, test_reading_never_keeps_a_writer_waiting);
    tcase_add_test(test, test_what_is_left_can_be_read);
    tcase_add_test(test, test_pages_are_zeroed_and_whole);
    tcase_add_test(test, test_pages_are_rounded_where_little_is_lost);
    suite_add_tcase(suite, test);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
