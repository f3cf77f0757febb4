/* SPDX-License-Identifier: MIT */
#include "engine/passes/pass.h"

#include <string.h>

/* ---- PAD before a window ---- */

static bool pads_height_and_width(const struct graph *graph, const struct node *pad, int32_t amount[8])
{
    const struct tensor *in = node_input(graph, pad, 0), *list = node_input(graph, pad, 1);
    if (in->rank != 4 || !list || !list->data || list->type != PIPIT_I32 || tensor_elements(list) != 8)
        return false;
    memcpy(amount, list->data, 8 * sizeof(*amount));
    return !amount[0] && !amount[1] && !amount[6] && !amount[7] && amount[2] >= 0 && amount[3] >= 0 &&
           amount[4] >= 0 && amount[5] >= 0;
}

/* A pool leaves its padding out of the average, and a PAD does not, so only convolutions qualify. */
static bool takes_padding(const struct node *node)
{
    return (node->op == OP_CONV_2D || node->op == OP_DEPTHWISE_CONV_2D) && node->window.padding != PAD_SAME;
}

static void move_padding(struct node *node, const int32_t amount[8])
{
    node->window.padding = PAD_EXPLICIT;
    for (int d = 0; d < 2; d++) {
        node->window.before[d] += amount[2 + 2 * d];
        node->window.after[d] += amount[3 + 2 * d];
    }
}

int pass_pad(struct graph *graph)
{
    struct uses uses;
    int status = uses_init(&uses, graph);
    if (status)
        return status;
    for (int n = 0; n < graph->nodes && !status; n++) {
        struct node *node = &graph->node[n], *pad = sole_producer(graph, &uses, node, 0, OP_PAD);
        int32_t amount[8];
        if (!pad || !takes_padding(node) || !pads_height_and_width(graph, pad, amount) ||
            !same_quantisation(node_input(graph, pad, 0), node_input(graph, node, 0)))
            continue;
        node->input = list_with(graph, node->input, node->inputs, 0, pad->input[0]);
        if (!node->input)
            status = -ENOMEM;
        move_padding(node, amount);
        node_remove(pad);
    }
    uses_finish(&uses);
    return status;
}

/* ---- activations ---- */

static bool activation_of(enum op op, enum activation *act)
{
    switch (op) {
    case OP_RELU:
        *act = ACT_RELU;
        return true;
    case OP_RELU6:
        *act = ACT_RELU6;
        return true;
    case OP_RELU_N1_TO_1:
        *act = ACT_RELU_N1_TO_1;
        return true;
    case OP_HARD_SWISH:
        *act = ACT_HARD_SWISH;
        return true;
    case OP_HARD_SIGMOID:
        *act = ACT_HARD_SIGMOID;
        return true;
    default:
        return false;
    }
}

static bool is_clamp(enum activation act)
{
    return act == ACT_RELU || act == ACT_RELU6 || act == ACT_RELU_N1_TO_1;
}

static bool can_fuse(const struct node *node, enum activation act)
{
    bool product =
        node->op == OP_CONV_2D || node->op == OP_DEPTHWISE_CONV_2D || node->op == OP_FULLY_CONNECTED;
    return node->act == ACT_NONE &&
           (product || (is_clamp(act) && (node->op == OP_ADD || node->op == OP_MUL || node->op == OP_SUB)));
}

/* Float only: a quantised activation may change the scale, and is then no clamp. */
static int fuse_activations(struct graph *graph, bool only_clamps)
{
    struct uses uses;
    int status = uses_init(&uses, graph);
    if (status)
        return status;
    for (int n = 0; n < graph->nodes; n++) {
        struct node *node = &graph->node[n];
        enum activation act;
        if (node_removed(node) || !activation_of(node->op, &act) || (only_clamps && !is_clamp(act)))
            continue;
        int made_by = uses.producer[node->input[0]];
        struct node *producer =
            made_by < 0 ? NULL : sole_producer(graph, &uses, node, 0, graph->node[made_by].op);
        if (!producer || !can_fuse(producer, act) || node_output(graph, node, 0)->type != PIPIT_F32)
            continue;
        producer->act = act;
        producer->output = node->output;
        uses.producer[node->output[0]] = made_by;
        node_remove(node);
    }
    uses_finish(&uses);
    return 0;
}

int pass_activation(struct graph *graph)
{
    return fuse_activations(graph, false);
}

int pass_clamp(struct graph *graph)
{
    return fuse_activations(graph, true);
}
