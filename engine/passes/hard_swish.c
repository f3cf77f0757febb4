/* SPDX-License-Identifier: MIT */
/* Exporters without a HARD_SWISH operator spell x * relu6(x + 3) / 6 in several orders of the same steps. */
#include "engine/passes/pass.h"

#include <math.h>

static const struct node *producer(const struct graph *graph, const struct uses *uses, int tensor)
{
    return tensor >= 0 && uses->producer[tensor] >= 0 ? &graph->node[uses->producer[tensor]] : NULL;
}

/* A node that adds or multiplies by one constant: returns the other input, or -1. */
static int with_constant(const struct graph *graph, const struct node *node, enum op op, float wanted)
{
    for (int i = 0; node && node->op == op && node->inputs == 2 && i < 2; i++) {
        float value;
        if (node->input[0] >= 0 && node->input[1] >= 0 && constant_f32(node_input(graph, node, i), &value) &&
            fabsf(value - wanted) <= 1e-5f * wanted)
            return node->input[1 - i];
    }
    return -1;
}

static int over_six(const struct graph *graph, const struct node *node)
{
    float value;
    if (!node || node->act != ACT_NONE)
        return -1;
    if (node->op == OP_DIV && node->inputs == 2 && constant_f32(node_input(graph, node, 1), &value) &&
        value == 6)
        return node->input[0];
    return with_constant(graph, node, OP_MUL, 1.0f / 6);
}

/* x of relu6(x + 3), or -1. */
static int of_relu6(const struct graph *graph, const struct uses *uses, int tensor)
{
    const struct node *node = producer(graph, uses, tensor);
    if (node && node->op == OP_ADD && node->act == ACT_RELU6)
        return with_constant(graph, node, OP_ADD, 3);
    if (!node || node->op != OP_RELU6)
        return -1;
    const struct node *add = producer(graph, uses, node->input[0]);
    return add && add->act == ACT_NONE ? with_constant(graph, add, OP_ADD, 3) : -1;
}

static int of_hard_sigmoid(const struct graph *graph, const struct uses *uses, int tensor)
{
    const struct node *node = producer(graph, uses, tensor);
    if (node && node->op == OP_HARD_SIGMOID)
        return node->input[0];
    int six_times = over_six(graph, node);
    return six_times < 0 ? -1 : of_relu6(graph, uses, six_times);
}

/* x of x * relu6(x + 3), or -1. */
static int of_product(const struct graph *graph, const struct uses *uses, const struct node *node,
                      int (*of)(const struct graph *, const struct uses *, int))
{
    if (!node || node->op != OP_MUL || node->act != ACT_NONE || node->inputs != 2)
        return -1;
    for (int i = 0; i < 2; i++) {
        int x = of(graph, uses, node->input[i]);
        if (x >= 0 && x == node->input[1 - i])
            return x;
    }
    return -1;
}

/* (x / 6) * relu6(x + 3) */
static int of_sixth(const struct graph *graph, const struct uses *uses, const struct node *node)
{
    if (node->op != OP_MUL || node->act != ACT_NONE || node->inputs != 2)
        return -1;
    for (int i = 0; i < 2; i++) {
        int x = of_relu6(graph, uses, node->input[i]);
        if (x >= 0 && x == over_six(graph, producer(graph, uses, node->input[1 - i])))
            return x;
    }
    return -1;
}

static int swish_input(const struct graph *graph, const struct uses *uses, const struct node *node)
{
    int x = of_product(graph, uses, node, of_hard_sigmoid);
    if (x < 0)
        x = of_sixth(graph, uses, node);
    int whole = x < 0 ? over_six(graph, node) : -1;
    return whole < 0 ? x : of_product(graph, uses, producer(graph, uses, whole), of_relu6);
}

static int rewrite(struct graph *graph, struct node *node, enum op op, int x)
{
    int index = x;
    node->input = list_with(graph, &index, 1, 0, x);
    node->inputs = 1;
    node->op = op;
    return node->input ? 0 : -ENOMEM;
}

int pass_hard_swish(struct graph *graph)
{
    struct uses uses;
    int status = uses_init(&uses, graph);
    if (status)
        return status;
    for (int n = 0; n < graph->nodes && !status; n++) {
        struct node *node = &graph->node[n];
        if (node_removed(node) || node_output(graph, node, 0)->type != PIPIT_F32)
            continue;
        int x = swish_input(graph, &uses, node);
        int six_times = x < 0 ? over_six(graph, node) : -1;
        int y = six_times < 0 ? -1 : of_relu6(graph, &uses, six_times);
        if (x >= 0)
            status = rewrite(graph, node, OP_HARD_SWISH, x);
        else if (y >= 0)
            status = rewrite(graph, node, OP_HARD_SIGMOID, y);
    }
    uses_finish(&uses);
    return status ? status : graph_sweep(graph);
}
