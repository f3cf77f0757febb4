/* SPDX-License-Identifier: MIT */
/* Temperatures from a sysfs made here, and the plan against them. */
#include "app/heat.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECOND ((uint64_t)1000000000)

static char root[64];

static void setup(void)
{
    snprintf(root, sizeof(root), "%s", "/tmp/pipit-heat-XXXXXX");
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

static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

#define ZONE(n)  "class/thermal/thermal_zone" #n "/"
#define FIRMWARE "devices/platform/soc/soc:firmware/get_throttled"

START_TEST(test_nothing_there)
{
    struct heat heat;
    heat_read(&heat, root);
    ck_assert_str_eq(heat.zone, "");
    ck_assert(!heat.throttled && !heat.low_power);
}
END_TEST

START_TEST(test_the_zone_nearest_to_its_limit)
{
    struct heat heat;
    put(ZONE(0) "type", "cpu-thermal\n");
    put(ZONE(0) "temp", "61500\n");
    put(ZONE(0) "trip_point_0_type", "critical\n");
    put(ZONE(0) "trip_point_0_temp", "110000\n");
    put(ZONE(1) "type", "gpu\n");
    put(ZONE(1) "temp", "60000\n");
    put(ZONE(1) "trip_point_0_type", "passive\n");
    put(ZONE(1) "trip_point_0_temp", "-274000\n");
    put(ZONE(1) "trip_point_1_type", "hot\n");
    put(ZONE(1) "trip_point_1_temp", "75000\n");
    put(ZONE(1) "trip_point_2_type", "passive\n");
    put(ZONE(1) "trip_point_2_temp", "70000\n");
    put(ZONE(2) "temp", "-274000\n");
    put(ZONE(3) "temp", "nonsense\n");
    heat_read(&heat, root);
    ck_assert_str_eq(heat.zone, "gpu");
    ck_assert_double_eq(heat.celsius, 60);
    ck_assert_double_eq(heat.limit, 70);
    put(ZONE(0) "temp", "71000\n");
    heat_read(&heat, root);
    ck_assert_str_eq(heat.zone, "cpu-thermal");
    ck_assert_double_eq(heat.limit, 80);
}
END_TEST

START_TEST(test_the_firmware)
{
    static const struct {
        const char *text;
        bool throttled, low_power;
    } cases[] = {{"0\n", false, false},      {"50000\n", false, false}, {"50005\n", true, true},
                 {"0x80008\n", true, false}, {"1\n", false, true},      {"2", true, false},
                 {"", false, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct heat heat;
        put(FIRMWARE, cases[i].text);
        heat_read(&heat, root);
        ck_assert_msg(heat.throttled == cases[i].throttled, "%s", cases[i].text);
        ck_assert_msg(heat.low_power == cases[i].low_power, "%s", cases[i].text);
    }
}
END_TEST

static struct heat at(double celsius)
{
    return (struct heat){.zone = "cpu", .celsius = celsius, .limit = 80};
}

/* Every 5 s at this temperature; how often the level changed. */
static int stay(struct heat_plan *plan, double celsius, int seconds, uint64_t *now)
{
    int changes = 0;
    struct heat heat = at(celsius);
    for (int s = 0; s < seconds; s += 5, *now += 5 * SECOND)
        changes += heat_step(plan, &heat, *now);
    return changes;
}

START_TEST(test_up_and_down)
{
    struct heat_plan plan = {HEAT_NONE};
    uint64_t now = 100 * SECOND;
    ck_assert_int_eq(stay(&plan, 76.9, 600, &now), 0);
    ck_assert_int_eq(stay(&plan, 78, 5, &now), 1);  /* at once, */
    ck_assert_int_eq(stay(&plan, 78, 10, &now), 1); /* then with time to take effect */
    ck_assert_int_eq(plan.level, HEAT_LOWER_RATE);
    ck_assert_int_eq(stay(&plan, 90, 3600, &now), 1);
    ck_assert_int_eq(plan.level, HEAT_SMALLER_MODEL);
    ck_assert_int_eq(stay(&plan, 75, 3600, &now), 0); /* between the limits nothing changes */
    ck_assert_int_eq(stay(&plan, 70, 60, &now), 0);
    ck_assert_int_eq(stay(&plan, 75, 5, &now), 0); /* a minute in one piece */
    ck_assert_int_eq(stay(&plan, 70, 65, &now), 1);
    ck_assert_int_eq(stay(&plan, 70, 55, &now), 0);
    ck_assert_int_eq(stay(&plan, 70, 3600, &now), 2);
    ck_assert_int_eq(plan.level, HEAT_NONE);
}
END_TEST

START_TEST(test_throttled_without_a_zone)
{
    struct heat_plan plan = {HEAT_NONE};
    struct heat heat = {.throttled = true};
    ck_assert(heat_step(&plan, &heat, SECOND));
    ck_assert_int_eq(plan.level, HEAT_FEWER_THREADS);
    heat.throttled = false;
    ck_assert(!heat_step(&plan, &heat, 2 * SECOND));
    ck_assert(heat_step(&plan, &heat, 62 * SECOND));
    ck_assert_int_eq(plan.level, HEAT_NONE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heat");
    TCase *tests = tcase_create("heat");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_nothing_there);
    tcase_add_test(tests, test_the_zone_nearest_to_its_limit);
    tcase_add_test(tests, test_the_firmware);
    tcase_add_test(tests, test_up_and_down);
    tcase_add_test(tests, test_throttled_without_a_zone);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
