/* SPDX-License-Identifier: MIT */
/* Chained nodes answer what they answer one after the other: integers to the bit, floats but for the order in
 * which some kernels add up the last pixels of a row. */
#include "engine/infer.h"
#include "engine/plan.h"
#include "engine/team.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 72, THIN = 7, WIDE = 120 }; /* an output of WIDE channels is more than the cache holds */

struct shape { /* of the network: a convolution, depthwise, pointwise */
    int batch, first, size, stride, dilation;
    enum padding padding;
    enum activation act;
};

static const struct shape shapes[] = {
    {1, 1, 3, 1, 1, PAD_SAME, ACT_RELU6},      {1, 1, 3, 2, 1, PAD_SAME, ACT_RELU6},
    {2, 1, 3, 2, 1, PAD_SAME, ACT_NONE},       {1, 3, 3, 1, 1, PAD_SAME, ACT_RELU},
    {2, 3, 5, 1, 1, PAD_SAME, ACT_HARD_SWISH}, {1, 1, 5, 2, 1, PAD_SAME, ACT_HARD_SWISH},
    {1, 1, 3, 1, 1, PAD_VALID, ACT_RELU6},     {1, 1, 3, 2, 1, PAD_VALID, ACT_NONE},
    {1, 1, 3, 1, 2, PAD_SAME, ACT_TANH},       {2, 1, 3, 3, 1, PAD_SAME, ACT_RELU6},
    {1, 1, 1, 2, 1, PAD_VALID, ACT_NONE},      {1, 3, 4, 2, 1, PAD_SAME, ACT_RELU},
};
enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]), WORKERS = 3, EACH = 3 };

static uint32_t state;

static int number(int low, int high)
{
    state = state * 1664525u + 1013904223u; /* Numerical Recipes */
    return low + (int)((state >> 8) % (uint32_t)(high - low + 1));
}

static void fill(void *to, enum pipit_type type, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (type == PIPIT_F32)
            ((float *)to)[i] = (float)number(-1000, 1000) / 1000;
        else if (type == PIPIT_I8)
            ((int8_t *)to)[i] = (int8_t)number(-127, 127);
        else
            ((int32_t *)to)[i] = number(-1000, 1000);
}

static int constant(struct graph *graph, enum pipit_type type, int rank, const int32_t *shape,
                    const struct quant *quant)
{
    int64_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= shape[i];
    void *data = graph_alloc_data(graph, count * (int64_t)pipit_type_size(type));
    fill(data, type, count);
    int index = graph_add_constant(graph, "", type, rank, shape, data);
    graph->tensor[index].quant = *quant;
    return index;
}

static const float scales[] = {0.02f, 0.003f, 6e-5f};
static const int32_t zeros[] = {-5, 0, 0};

static struct quant quant_of(enum pipit_type type, int which)
{
    return type == PIPIT_F32 ? (struct quant){0} : (struct quant){1, 0, &scales[which], &zeros[which]};
}

static int add_layer(struct graph *graph, enum op op, int in, const int32_t weights[4], int channels,
                     const struct window *window, enum activation act)
{
    enum pipit_type type = graph->tensor[in].type, bias = type == PIPIT_F32 ? PIPIT_F32 : PIPIT_I32;
    struct quant of[3] = {quant_of(type, 0), quant_of(type, 1), quant_of(type, 2)};
    int w = constant(graph, type, 4, weights, &of[1]),
        b = constant(graph, bias, 1, &(int32_t){channels}, &of[2]);
    int out = graph_add_tensor(graph, "", type, 4, (int32_t[]){1, 1, 1, channels});
    graph->tensor[out].quant = of[0];
    int node = graph_add_node(graph, op, (int[]){in, w, b}, 3, &out, 1);
    graph->node[node].window = *window;
    graph->node[node].act = act;
    return out;
}

static void build(struct graph *graph, const struct shape *shape, enum pipit_type type)
{
    struct window plain = {.stride = {1, 1}, .dilation = {1, 1}, .padding = PAD_SAME},
                  window = {.stride = {shape->stride, shape->stride},
                            .dilation = {shape->dilation, shape->dilation},
                            .padding = shape->padding};
    enum activation act = type == PIPIT_I8 && shape->act > ACT_RELU6 ? ACT_NONE : shape->act;
    int side = type == PIPIT_I8 ? 2 * SIDE + 1 : SIDE + 1, size = shape->size;
    graph_init(graph);
    graph->file_bytes = 1 << 20;
    int at = graph_add_tensor(graph, "", type, 4, (int32_t[]){shape->batch, side, side - 2, THIN});
    graph->tensor[at].quant = quant_of(type, 0);
    graph->input[graph->inputs++] = at;
    at = add_layer(graph, OP_CONV_2D, at, (int32_t[]){WIDE, shape->first, shape->first, THIN}, WIDE, &plain,
                   act);
    at = add_layer(graph, OP_DEPTHWISE_CONV_2D, at, (int32_t[]){1, size, size, WIDE}, WIDE, &window, act);
    at = add_layer(graph, OP_CONV_2D, at, (int32_t[]){THIN, 1, 1, WIDE}, THIN, &plain, ACT_NONE);
    graph->output[graph->outputs++] = at;
}

/* Returns the answer, which is to be freed. */
static char *answer(struct graph *graph, const struct kernels *kernels, int workers, int each, bool whole,
                    int steps)
{
    struct plan plan;
    struct pipit_error error = {""};
    ck_assert_msg(plan_init(&plan, graph, kernels, workers, whole, &error) == 0, "%s", error.text);
    ck_assert_int_eq(plan.steps, steps);
    plan_cut(&plan, each);
    const struct tensor *in = &graph->tensor[graph->input[0]], *out = &graph->tensor[graph->output[0]];
    state = 1;
    fill(plan.address[graph->input[0]], in->type, tensor_elements(in));
    team_run(&plan, NULL);
    char *copy = malloc((size_t)tensor_bytes(out));
    memcpy(copy, plan.address[graph->output[0]], (size_t)tensor_bytes(out));
    plan_finish(&plan);
    return copy;
}

static void check_f32(const float *got, const float *expected, size_t count)
{
    float most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmaxf(most, fabsf(expected[i]));
    for (size_t i = 0; i < count; i++)
        ck_assert_float_le(fabsf(got[i] - expected[i]), 2e-6F * most);
}

static void compare(const struct shape *shape, enum pipit_type type, unsigned flags)
{
    struct graph graph;
    struct kernels kernels;
    struct pipit_error error = {""};
    state = 7;
    build(&graph, shape, type);
    kernels_init(&kernels, flags);
    ck_assert_msg(graph_infer(&graph, &kernels, &error) == 0, "%s", error.text);
    char *expected = answer(&graph, &kernels, 1, 1, true, 3);
    size_t bytes = (size_t)tensor_bytes(&graph.tensor[graph.output[0]]);
    for (int i = 0; i < 2 * WORKERS; i++) {
        int workers = 1 + i % WORKERS, each = i < WORKERS ? 1 : EACH;
        /* What the depthwise layer makes is small with a stride. */
        const struct tensor *middle = node_output(&graph, &graph.node[1], 0);
        char *got = answer(&graph, &kernels, workers, each, false, tensor_bytes(middle) >= 512 << 10 ? 1 : 2);
        if (type == PIPIT_F32)
            check_f32((const float *)(void *)got, (const float *)(void *)expected, bytes / sizeof(float));
        else
            ck_assert_mem_eq(got, expected, bytes);
        free(got);
    }
    free(expected);
    graph_finish(&graph);
}

START_TEST(chained_nodes_answer_the_same)
{
    compare(&shapes[_i], PIPIT_F32, pipit_cpu_flags());
    compare(&shapes[_i], PIPIT_I8, pipit_cpu_flags());
    compare(&shapes[_i], PIPIT_F32, 0);
    compare(&shapes[_i], PIPIT_I8, 0);
}
END_TEST

/* Two readers, or one that wants all of it. */
START_TEST(what_is_read_elsewhere_is_not_chained)
{
    struct graph graph;
    struct kernels kernels;
    struct pipit_error error = {""};
    build(&graph, &shapes[0], PIPIT_F32);
    graph.output[graph.outputs++] = graph.node[0].output[0];
    kernels_init(&kernels, 0);
    ck_assert_msg(graph_infer(&graph, &kernels, &error) == 0, "%s", error.text);
    free(answer(&graph, &kernels, 1, 1, false, 2));
    graph.output[graph.outputs++] = graph.node[1].output[0];
    free(answer(&graph, &kernels, 1, 1, false, 3));
    graph_finish(&graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chain");
    TCase *tests = tcase_create("chain");
    tcase_set_timeout(tests, 600);
    tcase_add_loop_test(tests, chained_nodes_answer_the_same, 0, SHAPES);
    tcase_add_test(tests, what_is_read_elsewhere_is_not_chained);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
