/* SPDX-License-Identifier: MIT */
/* Networks answer the same whatever the number of threads, and of chunks for each: integers and the C
 * reference to the bit, other floats but for the order in which some kernels add up pixels that are no whole
 * tile. */
#include "engine/model.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const networks[] = {"mobilenet-v3-small:0.75@96", "mobilenet-v3-small:0.75@96/int8",
                                       "mobilenet-v2:0.35@128", "mobilenet-v2:0.35@128/int8"};
static const unsigned masks[] = {0, ~0u};
enum { NETWORKS = sizeof(networks) / sizeof(*networks), MASKS = sizeof(masks) / sizeof(*masks) };

static struct pipit_model *open_network(const char *name, unsigned mask, int threads)
{
    struct pipit_model *model;
    struct pipit_settings settings;
    struct pipit_error error = {""};
    pipit_settings_defaults(&settings);
    settings.threads = threads;
    settings.cpu_mask = mask;
    ck_assert_msg(pipit_model_random(&model, name, 1, &settings, &error) == 0, "%s", error.text);
    const struct pipit_tensor *input = pipit_model_input(model, 0);
    for (size_t i = 0; i < input->size; i++)
        ((char *)input->data)[i] = (char)(i * i);
    for (size_t i = 0; input->type == PIPIT_F32 && i < input->size / sizeof(float); i++)
        ((float *)input->data)[i] = (float)(i * i % 255) / 128 - 1;
    return model;
}

/* Of so many chunks for each thread; wipes what was answered before. */
static const void *answer(struct pipit_model *model, int each)
{
    const struct pipit_tensor *output = pipit_model_output(model, 0);
    memset(output->data, 0xee, output->size);
    plan_cut(&model->plan, each);
    ck_assert_int_eq(pipit_model_run(model), 0);
    return output->data;
}

static bool is_cut(const struct pipit_model *model)
{
    for (int i = 0; i < model->plan.steps; i++)
        if (model->plan.step[i].chunks > model->plan.workers)
            return true;
    return false;
}

static void compare(const void *got, const void *expected, const struct pipit_tensor *output, bool exactly)
{
    const float *a = got, *b = expected;
    float most = 0;
    if (exactly || output->type != PIPIT_F32) {
        ck_assert_mem_eq(got, expected, output->size);
        return;
    }
    for (size_t i = 0; i < output->size / sizeof(float); i++)
        most = fmaxf(most, fabsf(b[i]));
    for (size_t i = 0; i < output->size / sizeof(float); i++)
        ck_assert_float_le(fabsf(a[i] - b[i]), 2e-6F * most);
}

START_TEST(answers_are_the_same)
{
    const char *name = networks[_i % NETWORKS];
    unsigned mask = masks[_i / NETWORKS];
    struct pipit_model *alone = open_network(name, mask, 1);
    const void *expected = answer(alone, 1);
    static const int threads[] = {2, 3, 8};
    for (int t = 0; t < 3; t++) {
        struct pipit_model *model = open_network(name, mask, threads[t]);
        for (int each = 1; each <= 4; each++) {
            compare(answer(model, each), expected, pipit_model_output(model, 0), mask == 0);
            ck_assert_int_eq(is_cut(model), each > 1);
        }
        pipit_model_destroy(model);
    }
    pipit_model_destroy(alone);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("threads");
    TCase *tests = tcase_create("threads");
    tcase_set_timeout(tests, 600);
    tcase_add_loop_test(tests, answers_are_the_same, 0, NETWORKS * MASKS);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
