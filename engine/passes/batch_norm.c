/* SPDX-License-Identifier: MIT */
/* A batch normalisation that the exporter left behind its convolution: per-channel MUL and ADD (or SUB) by
 * constants go into the weights and the bias. Float only. */
#include "engine/passes/pass.h"

#include <string.h>

struct affine {
    const float *value;
    int step; /* 0: one value for all channels */
};

static bool channel_constant(const struct tensor *tensor, int channels, struct affine *affine)
{
    if (!tensor || !tensor->data || tensor->type != PIPIT_F32)
        return false;
    int64_t count = tensor_elements(tensor);
    bool last = tensor->rank > 0 && tensor->shape[tensor->rank - 1] == channels;
    if (count != 1 && !(count == channels && last))
        return false;
    *affine = (struct affine){tensor->data, count == 1 ? 0 : 1};
    return true;
}

static struct tensor *new_constant(struct graph *graph, const struct tensor *like, float **data, int *index)
{
    struct tensor copy = *like;
    *data = graph_alloc_data(graph, tensor_bytes(&copy));
    *index = *data ? graph_add_constant(graph, copy.name, PIPIT_F32, copy.rank, copy.shape, *data) : -ENOMEM;
    return *index < 0 ? NULL : &graph->tensor[*index];
}

static int channels_of(const struct graph *graph, const struct node *node)
{
    const struct tensor *out = node_output(graph, node, 0);
    return out->rank ? out->shape[out->rank - 1] : 1;
}

static int scale_weights(struct graph *graph, struct node *node, struct affine factor)
{
    const struct tensor *old = node_input(graph, node, 1);
    const float *from = old->data;
    int channels = channels_of(graph, node), index;
    int64_t count = tensor_elements(old), each = count / channels;
    bool last =
        node->op == OP_DEPTHWISE_CONV_2D; /* the output channel is the last dimension, else the first */
    float *to;
    if (!new_constant(graph, old, &to, &index))
        return -ENOMEM;
    for (int64_t i = 0; i < count; i++)
        to[i] = from[i] * factor.value[(last ? i % channels : i / each) * factor.step];
    node->input = list_with(graph, node->input, node->inputs, 1, index);
    return node->input ? 0 : -ENOMEM;
}

/* bias = bias * factor + shift * sign; either may be absent (value NULL). */
static int change_bias(struct graph *graph, struct node *node, struct affine factor, struct affine shift,
                       float sign)
{
    int channels = channels_of(graph, node), index;
    const struct tensor *old = node_input(graph, node, 2);
    const float *from = old ? old->data : NULL;
    struct tensor shape = {.name = node_output(graph, node, 0)->name, .rank = 1, .shape = {channels}};
    float *to;
    if (!new_constant(graph, &shape, &to, &index))
        return -ENOMEM;
    for (int c = 0; c < channels; c++) {
        to[c] = from ? from[c] : 0;
        to[c] *= factor.value ? factor.value[c * factor.step] : 1;
        to[c] += shift.value ? sign * shift.value[c * shift.step] : 0;
    }
    int list[3] = {node->input[0], node->input[1], index};
    node->input = list_with(graph, list, 3, 2, index);
    node->inputs = 3;
    return node->input ? 0 : -ENOMEM;
}

static bool is_affine(const struct graph *graph, const struct node *node, int constant, int channels,
                      struct affine *affine)
{
    bool commutes = node->op == OP_MUL || node->op == OP_ADD;
    if (!(commutes || (node->op == OP_SUB && constant == 1)) || node->inputs != 2)
        return false;
    return channel_constant(node_input(graph, node, constant), channels, affine) &&
           tensor_same_shape(node_input(graph, node, 1 - constant), node_output(graph, node, 0));
}

static struct node *plain_product(struct graph *graph, const struct uses *uses, const struct node *node,
                                  int input)
{
    static const enum op products[] = {OP_CONV_2D, OP_DEPTHWISE_CONV_2D, OP_FULLY_CONNECTED};
    for (int i = 0; i < 3; i++) {
        struct node *made_by = sole_producer(graph, uses, node, input, products[i]);
        if (!made_by)
            continue;
        const struct tensor *weights = node_input(graph, made_by, 1), *bias = node_input(graph, made_by, 2);
        bool constant = weights && weights->data && weights->type == PIPIT_F32 &&
                        (!bias || (bias->data && bias->type == PIPIT_F32));
        return constant && made_by->act == ACT_NONE ? made_by : NULL;
    }
    return NULL;
}

static int absorb(struct graph *graph, struct uses *uses, struct node *node, struct node *product,
                  struct affine affine)
{
    const struct affine none = {NULL, 0};
    int status = 0;
    if (node->op == OP_MUL) {
        status = scale_weights(graph, product, affine);
        if (!status && node_input(graph, product, 2))
            status = change_bias(graph, product, affine, none, 1);
    } else {
        status = change_bias(graph, product, none, affine, node->op == OP_SUB ? -1 : 1);
    }
    product->output = node->output;
    product->act = node->act;
    uses->producer[node->output[0]] = (int)(product - graph->node);
    node_remove(node);
    return status;
}

int pass_batch_norm(struct graph *graph)
{
    struct uses uses;
    int status = uses_init(&uses, graph);
    if (status)
        return status;
    for (int n = 0; n < graph->nodes && !status; n++) {
        struct node *node = &graph->node[n];
        for (int constant = 1; constant >= 0 && !status && !node_removed(node); constant--) {
            struct node *product = plain_product(graph, &uses, node, 1 - constant);
            struct affine affine;
            if (product && is_affine(graph, node, constant, channels_of(graph, product), &affine))
                status = absorb(graph, &uses, node, product, affine);
        }
    }
    uses_finish(&uses);
    return status;
}
