/* SPDX-License-Identifier: MIT */
#include "engine/import/zip.h"
#include "tests/unit/files.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char labels[] = "tench\ngoldfish\n";
static char repeats[5000];

static void make(struct bytes *file, const char *before, int zip64, int relative)
{
    struct archive archive = {0};
    bytes_text(&archive.bytes, before);
    archive.base = relative ? strlen(before) : 0;
    memset(repeats, 'a', sizeof(repeats));
    archive_add(&archive, "labels.txt", labels, strlen(labels), 0);
    archive_add(&archive, "sub/repeats", repeats, sizeof(repeats), 1);
    archive_add(&archive, "empty", "", 0, 0);
    archive_end(&archive, zip64);
    *file = archive.bytes;
}

static void expect(const struct zip *zip, const char *name, const char *content, size_t size)
{
    const uint8_t *data;
    void *owned;
    const struct zip_entry *entry = zip_find(zip, name, strlen(name));
    ck_assert_ptr_nonnull(entry);
    ck_assert_uint_eq(entry->size, size);
    ck_assert_int_eq(zip_read(entry, &data, &owned), 0);
    ck_assert(!size || !memcmp(data, content, size));
    free(owned);
}

static void expect_all(const struct bytes *file)
{
    struct zip zip;
    ck_assert_int_eq(zip_init(&zip, file->data, file->size), 0);
    ck_assert_uint_eq(zip.count, 3);
    expect(&zip, "labels.txt", labels, strlen(labels));
    expect(&zip, "sub/repeats", repeats, sizeof(repeats));
    expect(&zip, "empty", "", 0);
    ck_assert_ptr_null(zip_find(&zip, "repeats", 7));
    ck_assert_ptr_null(zip_find(&zip, "", 0));
    zip_finish(&zip);
}

START_TEST(reads_stored_and_deflated_entries)
{
    for (int variant = 0; variant < 8; variant++) {
        struct bytes file;
        make(&file, variant & 1 ? "bytes of a model" : "", variant & 2, variant & 4);
        expect_all(&file);
        bytes_free(&file);
    }
}
END_TEST

START_TEST(no_archive)
{
    struct zip zip;
    const char text[] = "PK\5\6 is not enough of an archive";
    ck_assert_int_eq(zip_init(&zip, text, sizeof(text)), -ENOENT);
    ck_assert_int_eq(zip_init(&zip, "", 0), -ENOENT);
    zip_finish(&zip);
}
END_TEST

/* Cut short anywhere, the end record is gone; bytes in the middle may say anything. */
START_TEST(survives_cuts_and_flips)
{
    struct bytes file;
    make(&file, "", 1, 0);
    for (size_t size = 0; size < file.size; size++) {
        struct zip zip;
        uint8_t *copy = malloc(size + 1);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, file.data, size);
        ck_assert_int_lt(zip_init(&zip, copy, size), 0);
        free(copy);
    }
    for (size_t at = 0; at < file.size * 8; at++) {
        struct zip zip;
        file.data[at / 8] ^= (uint8_t)(1 << at % 8);
        if (zip_init(&zip, file.data, file.size) == 0) {
            for (size_t i = 0; i < zip.count; i++) {
                const uint8_t *data;
                void *owned;
                if (zip_read(&zip.entries[i], &data, &owned) == 0)
                    ck_assert_uint_le(zip.entries[i].size, sizeof(repeats) * 64);
                free(owned);
            }
            zip_finish(&zip);
        }
        file.data[at / 8] ^= (uint8_t)(1 << at % 8);
    }
    expect_all(&file);
    bytes_free(&file);
}
END_TEST

static uint8_t *directory_record(const struct bytes *file, const char *name)
{
    for (size_t at = 0; at + 46 + strlen(name) <= file->size; at++)
        if (!memcmp(file->data + at, "PK\1\2", 4) && !memcmp(file->data + at + 46, name, strlen(name)))
            return file->data + at;
    return NULL;
}

START_TEST(refuses_what_it_cannot_unpack)
{
    struct bytes file;
    struct zip zip;
    const uint8_t *data;
    void *owned;
    make(&file, "", 0, 0);
    directory_record(&file, "labels.txt")[8] = 1;   /* encrypted */
    directory_record(&file, "sub/repeats")[10] = 9; /* Deflate64 */
    ck_assert_int_eq(zip_init(&zip, file.data, file.size), 0);
    ck_assert_int_eq(zip_read(zip_find(&zip, "labels.txt", 10), &data, &owned), -ENOTSUP);
    ck_assert_int_eq(zip_read(zip_find(&zip, "sub/repeats", 11), &data, &owned), -ENOTSUP);
    zip_finish(&zip);
    bytes_free(&file);
}
END_TEST

START_TEST(refuses_entries_that_claim_too_much)
{
    struct bytes file;
    struct zip zip;
    const uint8_t *data;
    void *owned;
    make(&file, "", 0, 0);
    uint8_t *record = directory_record(&file, "sub/repeats");
    record[16] ^= 1; /* the checksum */
    ck_assert_int_eq(zip_init(&zip, file.data, file.size), 0);
    ck_assert_int_eq(zip_read(zip_find(&zip, "sub/repeats", 11), &data, &owned), -EINVAL);
    zip_finish(&zip);
    record[16] ^= 1;
    record[27] = 0x10; /* a size of 256 MiB from a few bytes */
    ck_assert_int_eq(zip_init(&zip, file.data, file.size), -EINVAL);
    record[27] = 0;
    record[20] = 0xff; /* longer than what is there */
    record[21] = 0xff;
    ck_assert_int_eq(zip_init(&zip, file.data, file.size), -EINVAL);
    bytes_free(&file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("zip");
    TCase *tests = tcase_create("zip");
    tcase_add_test(tests, reads_stored_and_deflated_entries);
    tcase_add_test(tests, no_archive);
    tcase_add_test(tests, survives_cuts_and_flips);
    tcase_add_test(tests, refuses_what_it_cannot_unpack);
    tcase_add_test(tests, refuses_entries_that_claim_too_much);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
