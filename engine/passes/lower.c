/* SPDX-License-Identifier: MIT */
/* From what the engine has of its own to operators of TensorFlow Lite. The float answers stay the same. */
#include "engine/op.h"
#include "engine/passes/pass.h"

#include <stdio.h>
#include <string.h>

static int new_constant(struct graph *graph, const char *name, enum pipit_type type, int rank,
                        const int32_t *shape, const void *data)
{
    struct tensor like = {.type = type, .rank = rank};
    for (int i = 0; i < rank; i++)
        like.shape[i] = shape[i];
    void *copy = graph_alloc_data(graph, tensor_bytes(&like));
    if (!copy)
        return -ENOMEM;
    memcpy(copy, data, (size_t)tensor_bytes(&like));
    return graph_add_constant(graph, name, type, rank, shape, copy);
}

static int new_activation(struct graph *graph, const char *name, const char *suffix, int rank,
                          const int32_t *shape)
{
    char text[256];
    snprintf(text, sizeof(text), "%.200s/%s", name, suffix);
    return graph_add_tensor(graph, text, PIPIT_F32, rank, shape);
}

/* ---- relu6(x + 3) / 6 ---- */

static int lower_hard_sigmoid(struct graph *graph, const struct node *node)
{
    static const int32_t one[] = {1};
    static const float three = 3, sixth = 1.0f / 6;
    const struct tensor out = *node_output(graph, node, 0);
    int moved = new_activation(graph, out.name, "plus3", out.rank, out.shape);
    int plus = new_constant(graph, "three", PIPIT_F32, 1, one, &three);
    int times = new_constant(graph, "sixth", PIPIT_F32, 1, one, &sixth);
    if (moved < 0 || plus < 0 || times < 0)
        return -ENOMEM;
    int add = graph_add_node(graph, OP_ADD, (const int[]){node->input[0], plus}, 2, &moved, 1);
    if (add < 0)
        return add;
    graph->node[add].act = ACT_RELU6;
    int mul = graph_add_node(graph, OP_MUL, (const int[]){moved, times}, 2, node->output, 1);
    return mul < 0 ? mul : 0;
}

/* ---- explicit padding ---- */

static bool same_padding(const struct graph *graph, const struct node *node)
{
    const struct tensor *in = node_input(graph, node, 0), *weights = node_input(graph, node, 1);
    struct window same = node->window;
    int out[2];
    same.padding = PAD_SAME;
    for (int d = 0; d < 2; d++)
        if (infer_window(&same, d, in->shape[1 + d], weights->shape[1 + d], &out[d]) ||
            same.before[d] != node->window.before[d] || same.after[d] != node->window.after[d])
            return false;
    return true;
}

static bool pads(const struct window *w)
{
    return w->before[0] || w->before[1] || w->after[0] || w->after[1];
}

static int lower_padding(struct graph *graph, struct node node)
{
    struct window *w = &node.window;
    int to = node.input[0];
    if (same_padding(graph, &node)) {
        w->padding = PAD_SAME;
        return node_append(graph, &node);
    }
    if (pads(w)) {
        const struct tensor *in = node_input(graph, &node, 0);
        const int32_t list[8] = {0, 0, w->before[0], w->after[0], w->before[1], w->after[1], 0, 0};
        const int32_t shape[4] = {in->shape[0], in->shape[1] + w->before[0] + w->after[0],
                                  in->shape[2] + w->before[1] + w->after[1], in->shape[3]};
        to = new_activation(graph, node_output(graph, &node, 0)->name, "pad", 4, shape);
        int amounts = new_constant(graph, "padding", PIPIT_I32, 2, (const int32_t[]){4, 2}, list);
        if (to < 0 || amounts < 0)
            return -ENOMEM;
        int pad = graph_add_node(graph, OP_PAD, (const int[]){node.input[0], amounts}, 2, &to, 1);
        if (pad < 0)
            return pad;
    }
    w->padding = PAD_VALID;
    memset(w->before, 0, sizeof(w->before));
    memset(w->after, 0, sizeof(w->after));
    node.input = list_with(graph, node.input, node.inputs, 0, to);
    return node.input ? node_append(graph, &node) : -ENOMEM;
}

int pass_lower(struct graph *graph)
{
    struct node *old = graph->node;
    int nodes = graph->nodes, status = 0;
    graph->node = NULL;
    graph->nodes = graph->node_room = 0;
    for (int n = 0; n < nodes && !status; n++) {
        const struct node *node = &old[n];
        bool windowed = node->op == OP_CONV_2D || node->op == OP_DEPTHWISE_CONV_2D;
        if (node_removed(node))
            continue;
        if (node->op == OP_HARD_SIGMOID)
            status = lower_hard_sigmoid(graph, node);
        else if (windowed && node->window.padding == PAD_EXPLICIT)
            status = lower_padding(graph, *node);
        else
            status = node_append(graph, node);
    }
    return status;
}
