/* SPDX-License-Identifier: MIT */
/* TensorFlow 1 spells a dilated convolution as SPACE_TO_BATCH_ND, a dense convolution, BATCH_TO_SPACE_ND. */
#include "engine/passes/pass.h"

static bool ints(const struct tensor *tensor, int count, int32_t *value)
{
    if (!tensor || !tensor->data || tensor->type != PIPIT_I32 || tensor_elements(tensor) != count)
        return false;
    for (int i = 0; i < count; i++)
        value[i] = ((const int32_t *)tensor->data)[i];
    return true;
}

static bool is_dense(const struct node *node)
{
    const struct window *w = &node->window;
    return w->stride[0] == 1 && w->stride[1] == 1 && w->dilation[0] == 1 && w->dilation[1] == 1 &&
           !w->before[0] && !w->before[1] && !w->after[0] && !w->after[1];
}

/* Padding goes in before the batches are made and crops come off after, so the difference is the
 * convolution's. */
static bool dilate(const struct graph *graph, struct node *conv, const struct node *split,
                   const struct node *merge)
{
    int32_t block[2], merge_block[2], pad[4], crop[4];
    if (!ints(node_input(graph, split, 1), 2, block) || !ints(node_input(graph, split, 2), 4, pad) ||
        !ints(node_input(graph, merge, 1), 2, merge_block) || !ints(node_input(graph, merge, 2), 4, crop) ||
        node_input(graph, split, 0)->rank != 4 || block[0] != merge_block[0] || block[1] != merge_block[1])
        return false;
    for (int i = 0; i < 4; i++)
        if (pad[i] < crop[i])
            return false;
    for (int d = 0; d < 2; d++) {
        conv->window.dilation[d] = block[d];
        conv->window.before[d] = pad[2 * d] - crop[2 * d];
        conv->window.after[d] = pad[2 * d + 1] - crop[2 * d + 1];
    }
    conv->window.padding = PAD_EXPLICIT;
    return true;
}

/* The reference quantises the activations of a float convolution with int8 weights one batch at a time, so
 * there the batches count. */
static bool quantises_batches(const struct graph *graph, const struct node *conv)
{
    return node_input(graph, conv, 0)->type == PIPIT_F32 && node_input(graph, conv, 1)->type != PIPIT_F32;
}

static struct node *sole_convolution(struct graph *graph, const struct uses *uses, const struct node *merge)
{
    struct node *conv = sole_producer(graph, uses, merge, 0, OP_DEPTHWISE_CONV_2D);
    return conv ? conv : sole_producer(graph, uses, merge, 0, OP_CONV_2D);
}

int pass_space_to_batch(struct graph *graph)
{
    struct uses uses;
    int status = uses_init(&uses, graph);
    if (status)
        return status;
    for (int n = 0; n < graph->nodes && !status; n++) {
        struct node *merge = &graph->node[n];
        struct node *conv = merge->op == OP_BATCH_TO_SPACE_ND ? sole_convolution(graph, &uses, merge) : NULL;
        struct node *split = conv ? sole_producer(graph, &uses, conv, 0, OP_SPACE_TO_BATCH_ND) : NULL;
        if (!split || !is_dense(conv) || quantises_batches(graph, conv) ||
            !same_quantisation(node_input(graph, split, 0), node_input(graph, conv, 0)) ||
            !same_quantisation(node_output(graph, conv, 0), node_output(graph, merge, 0)) ||
            !dilate(graph, conv, split, merge))
            continue;
        conv->input = list_with(graph, conv->input, conv->inputs, 0, split->input[0]);
        if (!conv->input)
            status = -ENOMEM;
        conv->output = merge->output;
        node_remove(merge);
        node_remove(split);
    }
    uses_finish(&uses);
    return status;
}
