/* SPDX-License-Identifier: MIT */
/* What the journal gets, from a journal made here; and the catalogue that explains it. */
#include "app/live/journal.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static char sent[8][1100];
static int fields;

int sd_journal_sendv(const struct iovec *iov, int n);
int sd_journal_sendv(const struct iovec *iov, int n)
{
    for (fields = 0; fields < n; fields++)
        snprintf(sent[fields], sizeof(sent[fields]), "%.*s", (int)iov[fields].iov_len,
                 (char *)iov[fields].iov_base);
    return 0;
}

static void set_stream(unsigned long long more)
{
    struct stat error;
    char text[64];
    ck_assert(!fstat(STDERR_FILENO, &error));
    snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)error.st_dev,
             (unsigned long long)error.st_ino + more);
    setenv("JOURNAL_STREAM", text, 1);
    fields = 0;
}

START_TEST(test_fields)
{
    set_stream(0);
    journal_tell(JOURNAL_CAMERA_LOST, "v4l2:x", "the camera '%s' is gone", "Mira");
    ck_assert_int_eq(fields, 5);
    ck_assert_str_eq(sent[0], "MESSAGE=the camera 'Mira' is gone");
    ck_assert(!strncmp(sent[1], "MESSAGE_ID=", 11) && strlen(sent[1]) == 11 + 32);
    ck_assert_str_eq(sent[2], "PRIORITY=4");
    ck_assert_str_eq(sent[3], "SYSLOG_IDENTIFIER=pipit");
    ck_assert_str_eq(sent[4], "PIPIT_CAMERA=v4l2:x");
    journal_tell(JOURNAL_SETTINGS, NULL, "line 3");
    ck_assert_int_eq(fields, 4);
}
END_TEST

START_TEST(test_only_a_journal_gets_them)
{
    set_stream(1); /* of whoever started it; our own standard error is another */
    journal_tell(JOURNAL_MODEL, "m", "the model is m");
    ck_assert_int_eq(fields, 0);
    setenv("JOURNAL_STREAM", "nonsense", 1);
    journal_tell(JOURNAL_MODEL, "m", "the model is m");
    ck_assert_int_eq(fields, 0);
    unsetenv("JOURNAL_STREAM");
    journal_tell(JOURNAL_MODEL, "m", "the model is m");
    ck_assert_int_eq(fields, 0);
}
END_TEST

START_TEST(test_long_ones_are_cut)
{
    char subject[2000];
    memset(subject, 'x', sizeof(subject) - 1);
    subject[sizeof(subject) - 1] = 0;
    set_stream(0);
    journal_tell(JOURNAL_MODEL, subject, "%s", subject);
    ck_assert_int_eq(fields, 5);
    ck_assert_uint_eq(strlen(sent[0]), 1023);
    ck_assert_uint_eq(strlen(sent[4]), 255);
}
END_TEST

/* Each event has an entry of its own. */
START_TEST(test_catalogue)
{
    char text[16384], entry[64], seen[JOURNAL_EVENTS][64];
    FILE *file = fopen(getenv("PIPIT_CATALOG"), "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = 0;
    fclose(file);
    set_stream(0);
    for (int i = 0; i < JOURNAL_EVENTS; i++) {
        journal_tell((enum journal_event)i, NULL, "x");
        snprintf(entry, sizeof(entry), "\n-- %.32s\nSubject: ", sent[1] + strlen("MESSAGE_ID="));
        ck_assert_msg(strstr(text, entry) != NULL, "%s", entry);
        snprintf(seen[i], sizeof(seen[i]), "%s", entry);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(seen[i], seen[j]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal");
    TCase *tests = tcase_create("journal");
    tcase_add_test(tests, test_fields);
    tcase_add_test(tests, test_only_a_journal_gets_them);
    tcase_add_test(tests, test_long_ones_are_cut);
    tcase_add_test(tests, test_catalogue);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
