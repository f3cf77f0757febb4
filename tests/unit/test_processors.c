/* SPDX-License-Identifier: MIT */
/* Which processors are unlike, by folders as Linux has them. */
#include "engine/processors.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[64];

static void setup(void)
{
    snprintf(root, sizeof(root), "%s", "/tmp/pipit-processors-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static int drop(const char *path, const struct stat *about, int kind, struct FTW *walk)
{
    return remove(path);
}

static void teardown(void)
{
    ck_assert_int_eq(nftw(root, drop, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void put(int cpu, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/cpu%d", root, cpu);
    mkdir(path, 0777);
    snprintf(path, sizeof(path), "%s/cpu%d/cpufreq", root, cpu);
    mkdir(path, 0777);
    snprintf(path, sizeof(path), "%s/cpu%d/%s", root, cpu, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

/* From processor `from` on. */
static void put_all(int from, const char *name, const char *const *texts, int count)
{
    for (int i = 0; i < count; i++)
        if (texts[i])
            put(from + i, name, texts[i]);
}

static bool unlike(int from, int to)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int cpu = from; cpu < to; cpu++)
        CPU_SET(cpu, &set);
    return processors_unlike(root, &set);
}

#define CAPACITY  "cpu_capacity"
#define FREQUENCY "cpufreq/cpuinfo_max_freq"
#define PUT(from, name, ...)                                                                                 \
    put_all(from, name, (const char *const[]){__VA_ARGS__},                                                  \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

START_TEST(test_rk3588)
{
    PUT(0, CAPACITY, "397\n", "397\n", "397\n", "397\n", "1024\n", "1024\n", "1001\n", "1001\n");
    ck_assert(unlike(0, 8));
    ck_assert(unlike(3, 5));
    ck_assert(!unlike(0, 4)); /* of those that the process may run on */
    ck_assert(!unlike(4, 8)); /* the same kind, not quite the same clock */
}
END_TEST

START_TEST(test_like_ones)
{
    PUT(0, CAPACITY, "1024\n", "1024\n", "1024\n", "1024\n");
    PUT(0, FREQUENCY, "1800000\n", "1800000\n", "1800000\n", "1800000\n");
    ck_assert(!unlike(0, 4));
    ck_assert(!unlike(2, 3));
}
END_TEST

/* Hybrid x86 has no capacities; boards whose device tree says nothing have 1024 for all. */
START_TEST(test_frequencies)
{
    PUT(0, FREQUENCY, "5100000\n", "5100000\n", "3800000\n", "3800000\n");
    ck_assert(unlike(0, 4));
    ck_assert(!unlike(2, 4));
    PUT(0, CAPACITY, "1024\n", "1024\n", "1024\n", "1024\n");
    ck_assert(unlike(0, 4));
    PUT(0, FREQUENCY, "5300000\n", "5100000\n", "5100000\n", "5100000\n");
    ck_assert(!unlike(0, 4));
}
END_TEST

START_TEST(test_nothing_there)
{
    ck_assert(!unlike(0, 8));
    ck_assert(!unlike(0, 0));
    PUT(0, CAPACITY, "400\n", "1024\n", NULL, "1024\n"); /* not of all */
    ck_assert(!unlike(0, 4));
    ck_assert(unlike(0, 2));
}
END_TEST

START_TEST(test_nonsense)
{
    static const char *const texts[] = {"",       "\n",    "fast\n",
                                        "-1\n",   "0\n",   "2048 MHz\n",
                                        "0x20\n", "1e9\n", "99999999999999999999999999999999999999\n"};
    PUT(0, CAPACITY, "1024\n");
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        put(1, CAPACITY, texts[i]);
        ck_assert_msg(!unlike(0, 2), "%s", texts[i]);
    }
    put(1, CAPACITY, "500");
    ck_assert(unlike(0, 2));
}
END_TEST

START_TEST(test_limit)
{
    PUT(0, CAPACITY, "800\n", "900\n", "901\n");
    ck_assert(!unlike(0, 2));
    ck_assert(unlike(0, 3));
}
END_TEST

/* Two that this thread may run on; the same twice where there is one. */
static void two_of(const cpu_set_t *mine, int cpu[2])
{
    int found = 0;
    for (int i = 0; i < CPU_SETSIZE && found < 2; i++)
        if (CPU_ISSET(i, mine))
            cpu[found++] = i;
    cpu[1] = found < 2 ? cpu[0] : cpu[1];
}

/* The system may move it at once, but hardly ever does. */
START_TEST(test_begin_on_another)
{
    enum { TIMES = 100 };
    cpu_set_t before, pair, after;
    int cpu[2], there = 0;
    ck_assert_int_eq(sched_getaffinity(0, sizeof(before), &before), 0);
    two_of(&before, cpu);
    CPU_ZERO(&pair);
    CPU_SET(cpu[0], &pair);
    CPU_SET(cpu[1], &pair);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(pair), &pair), 0);
    for (int i = 0; i < TIMES; i++) {
        processors_begin_on(cpu[i % 2], 1);
        there += sched_getcpu() == cpu[1 - i % 2];
        ck_assert_int_eq(sched_getaffinity(0, sizeof(after), &after), 0);
        ck_assert(CPU_EQUAL(&after, &pair));
    }
    ck_assert_int_gt(there, TIMES * 3 / 4);
    processors_begin_on(cpu[0], 2); /* there are no three: it stays */
    ck_assert_int_eq(sched_setaffinity(0, sizeof(before), &before), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("processors");
    TCase *tests = tcase_create("processors");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_rk3588);
    tcase_add_test(tests, test_like_ones);
    tcase_add_test(tests, test_frequencies);
    tcase_add_test(tests, test_nothing_there);
    tcase_add_test(tests, test_nonsense);
    tcase_add_test(tests, test_limit);
    tcase_add_test(tests, test_begin_on_another);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
