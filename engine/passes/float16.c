/* SPDX-License-Identifier: MIT */
/* float16 arithmetic: convolutions and fully connected layers work in it, and what lies between two of them
 * follows. The graph's inputs and outputs, and what has no float16 form, stay float32, behind CAST. */
#include "engine/passes/pass.h"

#include "engine/float16.h"
#include "engine/op.h"

#include <stdlib.h>

struct versions { /* of each tensor: its index in that type, -1: not there (yet) */
    int *half, *full;
};

static int new_version(struct graph *graph, int *version, int tensor, enum pipit_type type)
{
    const struct tensor *old = &graph->tensor[tensor];
    int index = graph_add_tensor(graph, old->name, type, old->rank, old->shape);
    version[tensor] = index;
    return index;
}

/* The tensor in the other type, made by a CAST where it is wanted for the first time. */
static int cast(struct graph *graph, int *version, int tensor, enum pipit_type type)
{
    if (version[tensor] >= 0)
        return version[tensor];
    int index = new_version(graph, version, tensor, type);
    int status = index < 0 ? index : graph_add_node(graph, OP_CAST, &tensor, 1, &index, 1);
    return status < 0 ? status : index;
}

static int half_constant(struct graph *graph, int *half, int tensor)
{
    if (half[tensor] >= 0)
        return half[tensor];
    int64_t count = tensor_elements(&graph->tensor[tensor]);
    uint16_t *data = graph_alloc_data(graph, count * (int64_t)sizeof(*data));
    int index = data ? new_version(graph, half, tensor, PIPIT_F16) : -ENOMEM;
    if (index < 0)
        return index;
    const float *from = graph->tensor[tensor].data;
    for (int64_t i = 0; i < count; i++)
        data[i] = float16_from_float(from[i]);
    graph->tensor[index].data = data;
    return index;
}

static bool is_float(const struct tensor *tensor)
{
    return tensor && (tensor->type == PIPIT_F32 || tensor->type == PIPIT_F16);
}

/* Types of tensors that earlier nodes made are already what they will be. */
static bool runs_in_half(const struct graph *graph, const struct node *node)
{
    const struct op_info *info = op_info(node->op);
    if (!info->half || !info->half(graph, node) || !is_float(node_output(graph, node, 0)))
        return false;
    bool any = false, all = true;
    for (int i = 0; i < node->inputs; i++) {
        const struct tensor *tensor = node_input(graph, node, i);
        if (!is_float(tensor) || tensor->data)
            continue;
        any = true;
        all = all && tensor->type == PIPIT_F16;
    }
    return any && (all || info->macs);
}

static int input_version(struct graph *graph, const struct node *node, int place, bool half,
                         struct versions *versions)
{
    int index = node->input[place];
    if (index < 0 || !is_float(&graph->tensor[index]))
        return index;
    const struct tensor *tensor = &graph->tensor[index];
    if (!half)
        return tensor->type == PIPIT_F32 ? index : cast(graph, versions->full, index, PIPIT_F32);
    if (tensor->data)
        return op_info(node->op)->packs ? index : half_constant(graph, versions->half, index);
    return tensor->type == PIPIT_F16 ? index : cast(graph, versions->half, index, PIPIT_F16);
}

static int append(struct graph *graph, struct node node, struct versions *versions)
{
    bool half = runs_in_half(graph, &node);
    for (int i = 0; i < node.inputs; i++) {
        int index = input_version(graph, &node, i, half, versions);
        if (index < -1)
            return index;
        if (index == node.input[i])
            continue;
        node.input = list_with(graph, node.input, node.inputs, i, index);
        if (!node.input)
            return -ENOMEM;
    }
    for (int i = 0; half && i < node.outputs; i++)
        graph->tensor[node.output[i]].type = PIPIT_F16;
    return node_append(graph, &node);
}

static int rebuild(struct graph *graph, struct versions *versions)
{
    struct node *old = graph->node;
    int nodes = graph->nodes, status = 0;
    graph->node = NULL;
    graph->nodes = graph->node_room = 0;
    for (int n = 0; n < nodes && !status; n++)
        status = append(graph, old[n], versions);
    for (int i = 0; i < graph->outputs && !status; i++) {
        if (graph->tensor[graph->output[i]].type != PIPIT_F16)
            continue;
        int index = cast(graph, versions->full, graph->output[i], PIPIT_F32);
        if (index < 0)
            status = index;
        else
            graph->output[i] = index;
    }
    return status;
}

int pass_float16(struct graph *graph, bool *any, struct pipit_error *error)
{
    size_t count = (size_t)graph->tensors;
    int *lists = malloc((2 * count + 1) * sizeof(*lists));
    int status = lists ? 0 : -ENOMEM;
    for (size_t i = 0; lists && i < 2 * count; i++)
        lists[i] = -1;
    struct versions versions = {lists, lists ? lists + count : NULL};
    if (!status)
        status = rebuild(graph, &versions);
    free(lists);
    *any = false;
    for (int i = 0; i < graph->nodes; i++) {
        const struct tensor *out = node_output(graph, &graph->node[i], 0);
        *any = *any || (out && out->type == PIPIT_F16 && op_info(graph->node[i].op)->macs);
    }
    return status ? fail(error, status, "cannot bring the network to float16: too many nodes or no memory")
                  : 0;
}
