/* SPDX-License-Identifier: MIT */
#include "engine/infer.h"
#include "engine/model.h"
#include "engine/nets/state.h"
#include "engine/op.h"
#include "engine/passes/pass.h"
#include "engine/team.h"
#include "tests/unit/networks.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 5 };

/* What torch 1.13 answers in double precision for the values of networks.c and an input named "input":
 * torchvision 0.14's networks of these widths, and efficientnet-lite-pytorch 0.1.0's with width coefficients
 * of 0.25 and 0.3. */
static const struct {
    enum net_family family;
    double width;
    const char *name;
    float logits[CLASSES];
} references[] = {
    {NET_V2, 0.1, "MobileNetV2", {0.45183465f, 0.35483452f, -1.6494654f, 6.3089858f, -0.78765687f}},
    {NET_V3_SMALL,
     0.25,
     "MobileNetV3-Small",
     {-5.0913134f, 3.0596329f, -1.2729348f, -0.019099565f, 6.9973615f}},
    {NET_V3_LARGE, 0.2, "MobileNetV3-Large", {-9.8597293f, 3.458534f, -5.1959236f, -3.7286009f, 4.0178037f}},
    {NET_LITE0,
     0.25,
     "EfficientNet-Lite0",
     {-7.2275734f, -0.11376973f, -0.37035916f, -2.9701332f, 2.7074271f}},
    {NET_LITE3,
     0.25,
     "EfficientNet-Lite3",
     {-4.8496072f, 0.23483363f, -1.7819657f, -0.69012543f, 0.97911227f}},
};
enum { REFERENCES = sizeof(references) / sizeof(references[0]) };

static int import(struct graph *graph, const struct bytes *file, struct pipit_error *error)
{
    static const struct importer *const importers[] = {&importer_torch, &importer_safetensors,
                                                       &importer_gguf};
    struct pipit_settings settings;
    pipit_settings_defaults(&settings);
    graph_init(graph);
    graph->file_bytes = file->size;
    error->text[0] = 0;
    for (size_t i = 0; i < sizeof(importers) / sizeof(importers[0]); i++)
        if (importers[i]->is(file->data, file->size))
            return importers[i]->import(graph, file->data, file->size, &settings, error);
    return -ENOENT;
}

/* Plans the graph, gives it the values named "input" and returns its first output's, which the plan holds. */
static const float *run(struct graph *graph, struct plan *plan, struct kernels *kernels)
{
    struct pipit_error error = {""};
    kernels_init(kernels, pipit_cpu_flags());
    ck_assert_msg(graph_infer(graph, kernels, &error) == 0, "%s", error.text);
    ck_assert_msg(optimise(graph, &error) == 0, "%s", error.text);
    ck_assert_msg(plan_init(plan, graph, kernels, 1, true, &error) == 0, "%s", error.text);
    int input = graph->input[0];
    named_values("input", plan->address[input], tensor_elements(&graph->tensor[input]));
    team_run(plan, NULL);
    return plan->address[graph->output[0]];
}

static void expect_logits(const float *logits, const float *expected)
{
    float low = expected[0], high = expected[0];
    for (int i = 1; i < CLASSES; i++) {
        low = fminf(low, expected[i]);
        high = fmaxf(high, expected[i]);
    }
    for (int i = 0; i < CLASSES; i++)
        ck_assert_float_eq_tol(logits[i], expected[i], 1e-5f * (high - low));
}

START_TEST(networks_answer_as_torch_does)
{
    static struct network network;
    struct bytes file = {0};
    struct graph graph;
    struct kernels kernels;
    struct plan plan;
    struct pipit_error error;
    network_make(&network, references[_i].family, references[_i].width, CLASSES, _i % 2 ? "module." : "");
    if (_i % 2)
        write_torch_zip(&file, network.tensor, network.tensors);
    else
        write_torch_old(&file, network.tensor, network.tensors);
    ck_assert_msg(import(&graph, &file, &error) == 0, "%s", error.text);
    ck_assert_str_eq(graph.network, references[_i].name);
    expect_logits(run(&graph, &plan, &kernels), references[_i].logits);
    plan_finish(&plan);
    graph_finish(&graph);
    bytes_free(&file);
    network_free(&network);
}
END_TEST

START_TEST(a_float_file_is_not_int8)
{
    static struct network network;
    struct bytes file = {0};
    struct pipit_settings settings;
    struct pipit_model *model;
    struct pipit_error error;
    pipit_settings_defaults(&settings);
    settings.precision = PIPIT_PRECISION_INT8;
    network_make(&network, NET_V2, 0.1, CLASSES, "");
    write_safetensors(&file, network.tensor, network.tensors);
    ck_assert_int_eq(pipit_model_open_memory(&model, file.data, file.size, &settings, &error), -ENOTSUP);
    ck_assert_ptr_null(model);
    ck_assert_msg(strstr(error.text, "pipit_quantizer_create") != NULL, "%s", error.text);
    bytes_free(&file);
    network_free(&network);
}
END_TEST

/* ---- what is wrong with a file is said by name
 * --------------------------------------------------------------- */

static void expect_refusal(struct network *network, int code, const char *named)
{
    struct bytes file = {0};
    struct graph graph;
    struct pipit_error error;
    write_safetensors(&file, network->tensor, network->tensors);
    ck_assert_int_eq(import(&graph, &file, &error), code);
    ck_assert_msg(strstr(error.text, named) != NULL, "%s", error.text);
    graph_finish(&graph);
    bytes_free(&file);
}

static struct float_tensor *tensor_named(struct network *network, const char *name)
{
    for (int i = 0; i < network->tensors; i++)
        if (!strcmp(network->tensor[i].name, name))
            return &network->tensor[i];
    ck_abort_msg("no tensor %s", name);
    return NULL;
}

START_TEST(odd_tensors_are_named)
{
    static struct network network;
    network_make(&network, NET_V3_SMALL, 0.25, CLASSES, "");
    struct float_tensor *tensor = tensor_named(&network, "features.3.block.1.1.running_var"), whole = *tensor;
    tensor->shape[0]--;
    expect_refusal(&network, -EINVAL, "'features.3.block.1.1.running_var'");
    *tensor = whole;
    memcpy((char *)(uintptr_t)tensor->name, "F", 1);
    expect_refusal(&network, -EINVAL, "'features.3.block.1.1.running_var' is missing");
    memcpy((char *)(uintptr_t)tensor->name, "f", 1);
    ((float *)(uintptr_t)tensor->values)[0] = -1;
    expect_refusal(&network, -EINVAL, "variance");
    tensor = tensor_named(&network, "features.5.block.0.0.weight");
    tensor->rank = 1;
    expect_refusal(&network, -EINVAL, "'features.5.block.0.0.weight'");
    tensor->rank = 4;
    network_free(&network);
}
END_TEST

START_TEST(unknown_networks_are_refused)
{
    static struct network network;
    network_make(&network, NET_V2, 0.1, CLASSES, "");
    for (int i = 0; i < network.tensors; i++)
        memcpy((char *)(uintptr_t)network.tensor[i].name, "x", 1);
    expect_refusal(&network, -ENOTSUP, "MobileNetV2");
    for (int i = 0; i < network.tensors; i++)
        memcpy((char *)(uintptr_t)network.tensor[i].name, network.tensor[i].name[1] == 'l' ? "c" : "f", 1);
    memcpy((char *)(uintptr_t)tensor_named(&network, "features.17.conv.0.0.weight")->name, "G", 1);
    expect_refusal(&network, -ENOTSUP, "16 blocks");
    network_free(&network);
}
END_TEST

/* ---- metadata
 * ------------------------------------------------------------------------------------------------ */

START_TEST(gguf_metadata_is_used)
{
    static struct network network;
    struct bytes file = {0};
    struct graph graph;
    struct pipit_error error;
    network_make(&network, NET_V3_SMALL, 0.25, 2, "");
    write_gguf(&file, network.tensor, network.tensors);
    ck_assert_msg(import(&graph, &file, &error) == 0, "%s", error.text);
    ck_assert_int_eq(graph.labels, 2);
    ck_assert_str_eq(graph.label[1], "no");
    ck_assert(graph.has_normalisation);
    ck_assert_float_eq_tol(graph.mean[1], 0.25f * 255, 1e-4f);
    ck_assert_float_eq_tol(graph.std[2], 0.5f * 255, 1e-4f);
    ck_assert_str_eq(graph.normalisation, "GGUF metadata");
    graph_finish(&graph);
    bytes_free(&file);
    network_free(&network);
}
END_TEST

/* ---- networks by name
 * ---------------------------------------------------------------------------------------- */

/* Multiply-accumulates at width 1, in millions, as the papers give them; room for what each counts. */
static const struct {
    const char *name;
    int nodes, size;
    double millions;
} named[] = {
    {"mobilenet-v1", 29, 224, 569},
    {"mobilenet-v2", 64, 224, 300},
    {"mobilenet-v2:1.4", 64, 224, 585},
    {"mobilenet-v3-small", 116, 224, 56},
    {"mobilenet-v3-large", 128, 224, 219},
    {"mobilenet-v3-small-minimalistic", 43, 224, 0}, /* no figure that counts as the others do */
    {"mobilenet-v3-large-minimalistic", 59, 224, 209},
    {"efficientnet-lite0", 60, 224, 407},
    {"efficientnet-lite4", 116, 300, 2640},
    {"mobilenet-v1:0.25@128", 29, 128, 14},
};

static double count_macs(const struct graph *graph)
{
    double macs = 0;
    for (int i = 0; i < graph->nodes; i++) {
        const struct op_info *info = op_info(graph->node[i].op);
        macs += info->macs ? (double)info->macs(graph, &graph->node[i]) : 0;
    }
    return macs;
}

START_TEST(networks_have_names)
{
    struct graph graph;
    struct kernels kernels;
    struct pipit_error error = {""};
    graph_init(&graph);
    kernels_init(&kernels, 0);
    ck_assert_msg(network_random(&graph, named[_i].name, 1, &error) == 0, "%s", error.text);
    ck_assert_int_eq(graph.nodes, named[_i].nodes);
    ck_assert_int_eq(graph.tensor[graph.input[0]].shape[1], named[_i].size);
    ck_assert_msg(graph_infer(&graph, &kernels, &error) == 0, "%s", error.text);
    if (named[_i].millions > 0)
        ck_assert_double_eq_tol(count_macs(&graph) / 1e6, named[_i].millions, 0.06 * named[_i].millions);
    graph_finish(&graph);
}
END_TEST

START_TEST(bad_names_are_refused)
{
    static const char *const names[] = {
        "mobilenet",          "mobilenet-v2:",      "mobilenet-v2:0",    "mobilenet-v2:9",   "mobilenet-v2@",
        "mobilenet-v2@12",    "mobilenet-v2@224.5", "mobilenet-v2/int4", "mobilenet-v2/",    "mobilenet-v2 ",
        "mobilenet-v2@99999", "mobilenet-v2:1.0.0", "mobilenet-v2:-1",   "mobilenet-v2:nan", "",
        "mobilenet-v2@224:1", "mobilenet-v2:1e1",   "Mobilenet-v2",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct graph graph;
        struct pipit_error error = {""};
        graph_init(&graph);
        ck_assert_msg(network_random(&graph, names[i], 1, &error) == -EINVAL, "'%s' is taken", names[i]);
        ck_assert_str_ne(error.text, "");
        graph_finish(&graph);
    }
}
END_TEST

/* The same seed gives the same network, and an int8 one answers much as its float twin does. */
static const char *const twins[] = {"mobilenet-v1:0.25@96", "mobilenet-v2:0.35@96",
                                    "mobilenet-v3-small:0.5@96", "mobilenet-v3-large-minimalistic:0.35@96",
                                    "efficientnet-lite0:0.35@96"};

static float *answer(const char *name, uint64_t seed, int *count)
{
    struct graph graph;
    struct kernels kernels;
    struct plan plan;
    struct pipit_error error = {""};
    graph_init(&graph);
    ck_assert_msg(network_random(&graph, name, seed, &error) == 0, "%s", error.text);
    struct tensor *input = &graph.tensor[graph.input[0]];
    bool int8 = input->type == PIPIT_I8;
    kernels_init(&kernels, pipit_cpu_flags());
    ck_assert_msg(graph_infer(&graph, &kernels, &error) == 0, "%s", error.text);
    ck_assert_msg(optimise(&graph, &error) == 0, "%s", error.text);
    ck_assert_msg(plan_init(&plan, &graph, &kernels, 1, true, &error) == 0, "%s", error.text);
    input = &graph.tensor[graph.input[0]];
    const struct tensor *output = &graph.tensor[graph.output[0]];
    int inputs = (int)tensor_elements(input);
    float *values = malloc((size_t)inputs * sizeof(*values));
    *count = (int)tensor_elements(output);
    ck_assert_ptr_nonnull(values);
    named_values("input", values, inputs);
    for (int i = 0; i < inputs; i++) {
        if (int8) {
            float steps = roundf(values[i] / input->quant.scale[0]) + (float)input->quant.zero[0];
            ((int8_t *)plan.address[graph.input[0]])[i] = (int8_t)fminf(fmaxf(steps, -128), 127);
        } else {
            ((float *)plan.address[graph.input[0]])[i] = values[i];
        }
    }
    team_run(&plan, NULL);
    const void *out = plan.address[graph.output[0]];
    for (int i = 0; i < *count; i++)
        values[i] = int8 ? ((const int8_t *)out)[i] - (float)output->quant.zero[0] : ((const float *)out)[i];
    plan_finish(&plan);
    graph_finish(&graph);
    return values;
}

static double correlation(const float *a, const float *b, int count)
{
    double ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < count; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

START_TEST(int8_is_close_to_float)
{
    char name[64];
    int count;
    snprintf(name, sizeof(name), "%s/int8", twins[_i]);
    float *exact = answer(twins[_i], 7, &count), *again = answer(twins[_i], 7, &count);
    float *other = answer(twins[_i], 8, &count), *int8 = answer(name, 7, &count);
    ck_assert(!memcmp(exact, again, (size_t)count * sizeof(*exact)));
    ck_assert_double_lt(fabs(correlation(exact, other, count)), 0.5);
    ck_assert_double_gt(correlation(exact, int8, count), 0.9);
    free(exact);
    free(again);
    free(other);
    free(int8);
}
END_TEST

START_TEST(detector_has_raw_heads)
{
    struct pipit_model *model;
    struct pipit_error error;
    struct pipit_settings settings;
    pipit_settings_defaults(&settings);
    settings.threads = 1;
    const char *name = _i ? "ssd-mobilenet-v2:0.35/int8" : "ssd-mobilenet-v2:0.35";
    ck_assert_msg(pipit_model_random(&model, name, 3, &settings, &error) == 0, "%s", error.text);
    const struct pipit_tensor *boxes = pipit_model_output(model, 0), *classes = pipit_model_output(model, 1);
    ck_assert_int_eq(boxes->shape[1], 1917);
    ck_assert_int_eq(boxes->shape[2], 4);
    ck_assert_int_eq(classes->shape[1], 1917);
    ck_assert_int_eq(classes->shape[2], 91);
    ck_assert_int_eq(boxes->type, _i ? PIPIT_I8 : PIPIT_F32);
    ck_assert_int_eq(pipit_model_run(model), 0);
    pipit_model_destroy(model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nets");
    TCase *tests = tcase_create("nets");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, networks_answer_as_torch_does, 0, REFERENCES);
    tcase_add_test(tests, a_float_file_is_not_int8);
    tcase_add_test(tests, odd_tensors_are_named);
    tcase_add_test(tests, unknown_networks_are_refused);
    tcase_add_test(tests, gguf_metadata_is_used);
    tcase_add_loop_test(tests, networks_have_names, 0, sizeof(named) / sizeof(named[0]));
    tcase_add_test(tests, bad_names_are_refused);
    tcase_add_loop_test(tests, int8_is_close_to_float, 0, sizeof(twins) / sizeof(twins[0]));
    tcase_add_loop_test(tests, detector_has_raw_heads, 0, 2);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
