/* SPDX-License-Identifier: MIT */
/* SHA-256 on the examples of FIPS 180-2, appendix B, and on every length around a block's end. */
#include "app/sha256.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void check_text(const char *bytes, size_t size, const char *wanted)
{
    struct sha256 sha;
    char text[65];
    sha256_init(&sha);
    sha256_add(&sha, bytes, size);
    sha256_text(&sha, text);
    ck_assert_str_eq(text, wanted);
}

START_TEST(fips_examples)
{
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    check_text("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_text("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_text(two_blocks, 56, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}
END_TEST

START_TEST(a_million_bytes)
{
    char *bytes = malloc(1000000);
    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 'a', 1000000);
    check_text(bytes, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(bytes);
}
END_TEST

/* However the bytes are cut, the sum is the same. */
START_TEST(pieces)
{
    char bytes[200], whole[65], cut[65];
    for (int i = 0; i < 200; i++)
        bytes[i] = (char)(i * 7);
    for (size_t size = 0; size < sizeof(bytes); size++) {
        struct sha256 sha;
        sha256_init(&sha);
        sha256_add(&sha, bytes, size);
        sha256_text(&sha, whole);
        sha256_init(&sha);
        for (size_t at = 0, step = 1; at < size; at += step, step++)
            sha256_add(&sha, bytes + at, step < size - at ? step : size - at);
        sha256_text(&sha, cut);
        ck_assert_str_eq(cut, whole);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sha256");
    TCase *cases = tcase_create("sha256");
    tcase_add_test(cases, fips_examples);
    tcase_add_test(cases, a_million_bytes);
    tcase_add_test(cases, pieces);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
