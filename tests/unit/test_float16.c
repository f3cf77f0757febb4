/* SPDX-License-Identifier: MIT */
#include "engine/bfloat16.h"
#include "engine/float16.h"
#include "engine/pipit.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- numbers ---- */

START_TEST(every_number_comes_back)
{
    for (unsigned bits = 0; bits <= 0xffff; bits++) {
        float value = float16_to_float((uint16_t)bits);
        uint16_t back = float16_from_float(value);
        ck_assert_msg(isnan(value) ? (back & 0x7fff) > 0x7c00 : back == bits, "%#x becomes %#x", bits, back);
    }
}
END_TEST

/* Between two neighbours: to the nearer one, halfway to the even one. */
START_TEST(numbers_between_go_to_the_nearest)
{
    for (unsigned bits = 0; bits < 0x7bff; bits++) {
        float low = float16_to_float((uint16_t)bits), high = float16_to_float((uint16_t)(bits + 1));
        float half = low + (high - low) / 2;
        ck_assert_uint_eq(float16_from_float(half), bits + (bits & 1));
        ck_assert_uint_eq(float16_from_float(nextafterf(half, 0)), bits);
        ck_assert_uint_eq(float16_from_float(-nextafterf(half, INFINITY)), 0x8000 | (bits + 1));
    }
    ck_assert_uint_eq(float16_from_float(65519.996f), 0x7bff);
    ck_assert_uint_eq(float16_from_float(65520), 0x7c00);
    ck_assert_uint_eq(float16_from_float(-1e30f), 0xfc00);
    ck_assert_uint_eq(float16_from_float(1e-30f), 0);
}
END_TEST

START_TEST(bfloat16_is_the_nearest)
{
    ck_assert(bfloat16_round(1) == 1 && bfloat16_round(-0x1.4p-130f) == -0x1.4p-130f);
    ck_assert(bfloat16_round(0x1.01p0f) == 1 && bfloat16_round(-0x1.03p0f) == -0x1.04p0f); /* halfway */
    ck_assert(bfloat16_round(0x1.010002p0f) == 0x1.02p0f && bfloat16_round(0x1.00fffep0f) == 1);
    ck_assert(bfloat16_round(0x1.fffffep3f) == 16 && isinf(bfloat16_round(0x1.fffffep127f)));
    ck_assert(isinf(bfloat16_round(-INFINITY)) && isnan(bfloat16_round(NAN)));
}
END_TEST

/* ---- networks ---- */

static struct pipit_model *open_network(const char *network, enum pipit_precision precision, unsigned mask,
                                        int threads)
{
    struct pipit_settings settings;
    struct pipit_model *model;
    struct pipit_error error = {""};
    pipit_settings_defaults(&settings);
    settings.precision = precision;
    settings.cpu_mask = mask;
    settings.threads = threads;
    ck_assert_msg(!pipit_model_random(&model, network, 1, &settings, &error), "%s", error.text);
    return model;
}

static const struct pipit_tensor *answer_of(struct pipit_model *model)
{
    const struct pipit_tensor *input = pipit_model_input(model, 0), *output = pipit_model_output(model, 0);
    uint32_t state = 7;
    ck_assert_int_eq(input->type, PIPIT_F32);
    ck_assert_int_eq(output->type, PIPIT_F32);
    for (size_t i = 0; i < input->size / sizeof(float); i++) {
        state = state * 1664525u + 1013904223u; /* Numerical Recipes */
        ((float *)input->data)[i] = (float)(state >> 24) / 128 - 1;
    }
    ck_assert_int_eq(pipit_model_run(model), 0);
    return output;
}

/* The largest difference as a share of the exact answer's range. */
static double distance(const struct pipit_tensor *exact, const struct pipit_tensor *other)
{
    const float *a = exact->data, *b = other->data;
    double low = INFINITY, high = -INFINITY, worst = 0;
    ck_assert_uint_eq(exact->size, other->size);
    for (size_t i = 0; i < exact->size / sizeof(*a); i++) {
        low = fmin(low, (double)a[i]);
        high = fmax(high, (double)a[i]);
        worst = isfinite(b[i]) ? fmax(worst, fabs((double)a[i] - (double)b[i])) : INFINITY;
    }
    return worst / (high - low);
}

static bool is_half(const char *kernel)
{
    return strstr(kernel, "_f16") != NULL;
}

/* From the first convolution to the last: one conversion in front, and one behind for each output. */
static void expect_no_conversions_inside(const struct pipit_model *model)
{
    struct pipit_step step;
    int steps = pipit_model_steps(model), casts = 0, last = 0;
    for (int i = 0; i < steps; i++) {
        ck_assert_int_eq(pipit_model_step(model, i, &step), 0);
        casts += !strcmp(step.operation, "CAST");
        last = is_half(step.kernel) ? i : last;
        ck_assert_msg(i == 0 || i > last || is_half(step.kernel) || !strcmp(step.kernel, "copy"), "%s is %s",
                      step.operation, step.kernel);
    }
    ck_assert_int_eq(casts, 1 + pipit_model_outputs(model));
}

/* Convolutions and fully connected layers, and nothing else, whose tensors stay float32. */
static void expect_products_in_bfloat16(const struct pipit_model *model)
{
    struct pipit_step step;
    for (int i = 0; !pipit_model_step(model, i, &step); i++) {
        bool product = !strncmp(step.operation, "CONV_2D", 7) || !strncmp(step.operation, "FULLY", 5);
        ck_assert_int_eq(step.type, PIPIT_F32);
        ck_assert_int_eq(step.precision, product ? PIPIT_PRECISION_BF16 : PIPIT_PRECISION_F32);
        ck_assert_msg(product == !strncmp(step.kernel, "conv_bf16", 9), "%s is %s", step.operation,
                      step.kernel);
    }
}

static const struct other { /* than float32 */
    enum pipit_precision precision;
    unsigned flag;
    double away; /* of the answer's range */
    void (*expect)(const struct pipit_model *model);
} others[] = {
    {PIPIT_PRECISION_F16, PIPIT_CPU_FP16, 0.02, expect_no_conversions_inside},
    {PIPIT_PRECISION_BF16, PIPIT_CPU_BF16, 0.03, expect_products_in_bfloat16},
};
enum { OTHERS = sizeof(others) / sizeof(others[0]) };

static void expect_agreement(const char *network, const struct other *other, unsigned mask, int threads)
{
    struct pipit_model *exact = open_network(network, PIPIT_PRECISION_F32, ~0u, 1);
    struct pipit_model *half = open_network(network, other->precision, mask, threads);
    struct pipit_info info;
    pipit_model_info(half, &info);
    ck_assert_int_eq(info.precision, other->precision);
    other->expect(half);
    double worst = distance(answer_of(exact), answer_of(half));
    ck_assert_msg(worst > 0 && worst < other->away, "%s is %g of its range away", network, worst);
    pipit_model_destroy(exact);
    pipit_model_destroy(half);
}

START_TEST(whole_networks_agree_with_float32)
{
    static const char *const networks[] = {"mobilenet-v1:0.25@64", "mobilenet-v2:0.35@64",
                                           "mobilenet-v3-small:0.5@64", "mobilenet-v3-large:0.5@64",
                                           "efficientnet-lite0@64"};
    for (size_t n = 0; n < sizeof(networks) / sizeof(networks[0]); n++) {
        expect_agreement(networks[n], &others[_i], 0, 1);
        if (pipit_cpu_flags() & others[_i].flag)
            expect_agreement(networks[n], &others[_i], ~0u, 2);
    }
}
END_TEST

START_TEST(float32_where_there_is_nothing_else)
{
    unsigned mask = ~others[_i].flag;
    struct pipit_model *exact = open_network("mobilenet-v2:0.35@64", PIPIT_PRECISION_F32, mask, 1);
    struct pipit_model *half = open_network("mobilenet-v2:0.35@64", others[_i].precision, mask, 1);
    struct pipit_info info;
    pipit_model_info(half, &info);
    ck_assert_int_eq(info.precision, PIPIT_PRECISION_F32);
    const struct pipit_tensor *a = answer_of(exact), *b = answer_of(half);
    ck_assert_mem_eq(a->data, b->data, a->size);
    pipit_model_destroy(exact);
    pipit_model_destroy(half);
}
END_TEST

static void expect_quantised_as_it_is(enum pipit_precision asked, enum pipit_precision told)
{
    struct pipit_model *model = open_network("mobilenet-v2:0.35@64/int8", asked, 0, 1);
    struct pipit_info info;
    struct pipit_step step;
    pipit_model_info(model, &info);
    ck_assert_int_eq(info.precision, told);
    for (int i = 0; !pipit_model_step(model, i, &step); i++)
        ck_assert(!is_half(step.kernel) && step.precision != PIPIT_PRECISION_F16 &&
                  step.precision != PIPIT_PRECISION_BF16);
    pipit_model_destroy(model);
}

START_TEST(quantised_networks_stay_as_they_are)
{
    expect_quantised_as_it_is(PIPIT_PRECISION_F16, PIPIT_PRECISION_F32);
    expect_quantised_as_it_is(PIPIT_PRECISION_BF16, PIPIT_PRECISION_F32);
    expect_quantised_as_it_is(PIPIT_PRECISION_INT8, PIPIT_PRECISION_INT8);
}
END_TEST

START_TEST(a_precision_that_is_not_there)
{
    struct pipit_settings settings;
    struct pipit_model *model;
    struct pipit_error error;
    enum pipit_precision precision;
    pipit_settings_defaults(&settings);
    ck_assert_int_eq(settings.precision, PIPIT_PRECISION_F32);
    settings.precision = PIPIT_PRECISION_INT8;
    ck_assert_int_eq(pipit_model_random(&model, "mobilenet-v1:0.25@64", 1, &settings, &error), -ENOTSUP);
    ck_assert_ptr_null(model);
    ck_assert_ptr_nonnull(strstr(error.text, "'mobilenet-v1:0.25@64/int8'"));
    for (int i = PIPIT_PRECISION_F32; i <= PIPIT_PRECISION_INT8; i++) {
        ck_assert_int_eq(pipit_precision_parse(pipit_precision_name((enum pipit_precision)i), &precision), 0);
        ck_assert_int_eq(precision, i);
    }
    ck_assert_int_eq(pipit_precision_parse("float16", &precision), -EINVAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("float16");
    TCase *tests = tcase_create("float16");
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, every_number_comes_back);
    tcase_add_test(tests, numbers_between_go_to_the_nearest);
    tcase_add_test(tests, bfloat16_is_the_nearest);
    tcase_add_loop_test(tests, whole_networks_agree_with_float32, 0, OTHERS);
    tcase_add_loop_test(tests, float32_where_there_is_nothing_else, 0, OTHERS);
    tcase_add_test(tests, quantised_networks_stay_as_they_are);
    tcase_add_test(tests, a_precision_that_is_not_there);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
