/* SPDX-License-Identifier: MIT */
#include "engine/passes/pass.h"

#include <stdlib.h>
#include <string.h>

static bool moves(const struct tensor *tensor)
{
    return tensor->type == PIPIT_U8 && tensor->quant.count > 0;
}

static int unsign_quant(struct graph *graph, struct tensor *tensor)
{
    int count = tensor->quant.count;
    int32_t *zero = pool_alloc(&graph->pool, (size_t)count, sizeof(*zero));
    if (!zero)
        return -ENOMEM;
    for (int i = 0; i < count; i++)
        zero[i] = tensor->quant.zero[i] - 128;
    tensor->quant.zero = zero;
    tensor->type = PIPIT_I8;
    tensor->was_u8 = true;
    return 0;
}

static bool shared(const struct graph *graph, const struct tensor *tensor)
{
    for (int i = 0; i < graph->tensors; i++)
        if (tensor != &graph->tensor[i] && tensors_overlap(tensor, &graph->tensor[i]))
            return true;
    return false;
}

static int unsign_data(struct graph *graph, struct tensor *tensor)
{
    if (!tensor->data)
        return 0;
    int64_t bytes = tensor_bytes(tensor);
    const uint8_t *data = tensor->data;
    uint8_t *moved = graph_alloc_data(graph, bytes);
    if (!moved)
        return -ENOMEM;
    for (int64_t i = 0; i < bytes; i++)
        moved[i] = data[i] ^ 0x80;
    if (bytes >= FORGET_LEAST && !shared(graph, tensor))
        graph_forget(graph, tensor->data, (size_t)bytes);
    tensor->data = moved;
    return 0;
}

/* A tensor that must keep its bytes gets a twin that the rest of the graph uses. Returns the twin. */
static int twin_of(struct graph *graph, int *twin, int tensor)
{
    if (twin[tensor] >= 0)
        return twin[tensor];
    const struct tensor *old = &graph->tensor[tensor];
    int index = graph_add_tensor(graph, old->name, old->type, old->rank, old->shape);
    if (index < 0)
        return index;
    old = &graph->tensor[tensor];
    graph->tensor[index].quant = old->quant;
    int status = unsign_quant(graph, &graph->tensor[index]);
    if (status)
        return status;
    return twin[tensor] = index;
}

/* CAST reads and writes numbers, not quantised values, so it keeps uint8 on both sides. */
static int find_twins(struct graph *graph, int *twin)
{
    int status = 0;
    for (int i = 0; i < graph->inputs && status >= 0; i++)
        if (moves(&graph->tensor[graph->input[i]]))
            status = twin_of(graph, twin, graph->input[i]);
    for (int i = 0; i < graph->outputs && status >= 0; i++)
        if (moves(&graph->tensor[graph->output[i]]) && !graph->tensor[graph->output[i]].data)
            status = twin_of(graph, twin, graph->output[i]);
    for (int n = 0; n < graph->nodes && status >= 0; n++) {
        const struct node *node = &graph->node[n];
        const struct tensor *in = node_input(graph, node, 0), *out = node_output(graph, node, 0);
        if (node->op != OP_CAST || !in || !out)
            continue;
        if (moves(in) && !in->data)
            status = twin_of(graph, twin, node->input[0]);
        if (status >= 0 && moves(out))
            status = twin_of(graph, twin, node->output[0]);
    }
    return status < 0 ? status : 0;
}

static int flip(struct graph *graph, int from, int to)
{
    int index = graph_add_node(graph, OP_FLIP_SIGN, &from, 1, &to, 1);
    return index < 0 ? index : 0;
}

static int replace(struct graph *graph, const int **list, int count, const int *twin, int tensors)
{
    for (int i = 0; i < count; i++) {
        int index = (*list)[i];
        if (index < 0 || index >= tensors || twin[index] < 0)
            continue;
        *list = list_with(graph, *list, count, i, twin[index]);
        if (!*list)
            return -ENOMEM;
    }
    return 0;
}

/* Appends one old node, with flips to the twin of what it makes in uint8 and from the twin of what it reads
 * so. */
static int append(struct graph *graph, struct node node, const int *twin, bool *original, int tensors)
{
    bool cast = node.op == OP_CAST;
    int status = 0;
    if (cast && node.input[0] >= 0 && twin[node.input[0]] >= 0 && !original[node.input[0]]) {
        status = flip(graph, twin[node.input[0]], node.input[0]);
        original[node.input[0]] = true;
    }
    if (!status && !cast)
        status = replace(graph, &node.input, node.inputs, twin, tensors);
    if (!status && !cast)
        status = replace(graph, &node.output, node.outputs, twin, tensors);
    if (status)
        return status;
    status = node_append(graph, &node);
    if (!status && cast && twin[node.output[0]] >= 0) {
        original[node.output[0]] = true;
        status = flip(graph, node.output[0], twin[node.output[0]]);
    }
    return status;
}

static int rebuild(struct graph *graph, const int *twin, bool *original, int tensors)
{
    struct node *old = graph->node;
    int nodes = graph->nodes, status = 0;
    graph->node = NULL;
    graph->nodes = graph->node_room = 0;
    for (int i = 0; i < graph->inputs && !status; i++) {
        int input = graph->input[i];
        original[input] = true;
        if (twin[input] >= 0)
            status = flip(graph, input, twin[input]);
    }
    for (int n = 0; n < nodes && !status; n++)
        status = append(graph, old[n], twin, original, tensors);
    for (int i = 0; i < graph->outputs && !status; i++) {
        int output = graph->output[i];
        if (twin[output] >= 0 && !original[output]) {
            status = flip(graph, twin[output], output);
            original[output] = true;
        }
    }
    return status;
}

static void expect_data(struct graph *graph)
{
    int64_t bytes = 0;
    for (int i = 0; i < graph->tensors; i++)
        if (moves(&graph->tensor[i]) && graph->tensor[i].data)
            bytes += tensor_bytes(&graph->tensor[i]);
    if (bytes < graph_budget(graph))
        pool_expect(&graph->data, (size_t)bytes);
}

int pass_unsign(struct graph *graph, struct pipit_error *error)
{
    int tensors = graph->tensors;
    int *twin = malloc(((size_t)tensors + 1) * sizeof(*twin));
    bool *original = calloc((size_t)tensors + 1, sizeof(*original)); /* the uint8 one has been made */
    int status = twin && original ? 0 : -ENOMEM;
    for (int i = 0; i < tensors && !status; i++)
        twin[i] = -1;
    if (!status)
        status = find_twins(graph, twin);
    if (!status)
        status = rebuild(graph, twin, original, tensors);
    expect_data(graph);
    for (int i = 0; i < tensors && !status; i++) {
        struct tensor *tensor = &graph->tensor[i];
        if (!moves(tensor) || twin[i] >= 0)
            continue;
        status = unsign_quant(graph, tensor);
        if (!status)
            status = unsign_data(graph, tensor);
    }
    free(twin);
    free(original);
    return status ? fail(error, status,
                         "cannot bring the file's uint8 tensors to int8: too many nodes or no memory")
                  : 0;
}
