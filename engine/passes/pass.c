/* SPDX-License-Identifier: MIT */
#include "engine/passes/pass.h"

#include <stdlib.h>
#include <string.h>

int uses_init(struct uses *uses, const struct graph *graph)
{
    size_t count = (size_t)graph->tensors + 1;
    uses->producer = calloc(3 * count, sizeof(int));
    if (!uses->producer)
        return -ENOMEM;
    uses->readers = uses->producer + count;
    uses->reader = uses->readers + count;
    for (int i = 0; i < graph->tensors; i++)
        uses->producer[i] = -1;
    for (int n = 0; n < graph->nodes; n++) {
        const struct node *node = &graph->node[n];
        if (node_removed(node))
            continue;
        for (int i = 0; i < node->outputs; i++)
            uses->producer[node->output[i]] = n;
        for (int i = 0; i < node->inputs; i++)
            if (node->input[i] >= 0) {
                uses->readers[node->input[i]]++;
                uses->reader[node->input[i]] = n;
            }
    }
    for (int i = 0; i < graph->outputs; i++)
        uses->readers[graph->output[i]]++;
    return 0;
}

void uses_finish(struct uses *uses)
{
    free(uses->producer);
}

struct node *sole_producer(struct graph *graph, const struct uses *uses, const struct node *node, int index,
                           enum op op)
{
    if (index >= node->inputs || node->input[index] < 0)
        return NULL;
    int tensor = node->input[index], producer = uses->producer[tensor];
    if (producer < 0 || uses->readers[tensor] != 1)
        return NULL;
    struct node *made_by = &graph->node[producer];
    return made_by->op == op && made_by->outputs == 1 && !node_removed(made_by) ? made_by : NULL;
}

const int *list_with(struct graph *graph, const int *list, int count, int place, int value)
{
    int *copy = pool_alloc(&graph->pool, (size_t)count, sizeof(*copy));
    if (copy) {
        memcpy(copy, list, (size_t)count * sizeof(*copy));
        copy[place] = value;
    }
    return copy;
}

bool constant_f32(const struct tensor *tensor, float *value)
{
    if (!tensor || !tensor->data || tensor->type != PIPIT_F32 || tensor_elements(tensor) != 1)
        return false;
    *value = *(const float *)tensor->data;
    return true;
}

void node_remove(struct node *node)
{
    node->outputs = 0;
}

bool node_removed(const struct node *node)
{
    return node->outputs == 0;
}

int node_append(struct graph *graph, const struct node *node)
{
    int index = graph_add_node(graph, node->op, node->input, node->inputs, node->output, node->outputs);
    if (index < 0)
        return index;
    const int *input = graph->node[index].input, *output = graph->node[index].output;
    graph->node[index] = *node;
    graph->node[index].input = input;
    graph->node[index].output = output;
    return 0;
}

static bool is_read(const struct node *node, const bool *wanted)
{
    for (int i = 0; i < node->outputs; i++)
        if (wanted[node->output[i]])
            return true;
    return false;
}

int graph_sweep(struct graph *graph)
{
    bool *wanted = calloc((size_t)graph->tensors + 1, sizeof(*wanted));
    if (!wanted)
        return -ENOMEM;
    for (int i = 0; i < graph->outputs; i++)
        wanted[graph->output[i]] = true;
    for (int n = graph->nodes - 1; n >= 0; n--) {
        struct node *node = &graph->node[n];
        if (!is_read(node, wanted)) {
            node_remove(node);
            continue;
        }
        for (int i = 0; i < node->inputs; i++)
            if (node->input[i] >= 0)
                wanted[node->input[i]] = true;
    }
    int kept = 0;
    for (int n = 0; n < graph->nodes; n++)
        if (!node_removed(&graph->node[n]))
            graph->node[kept++] = graph->node[n];
    graph->nodes = kept;
    free(wanted);
    return 0;
}

static int run_passes(struct graph *graph, int (*const *passes)(struct graph *), size_t count,
                      struct pipit_error *error)
{
    for (size_t i = 0; i < count; i++) {
        int status = passes[i](graph);
        if (status)
            return fail(error, status, "out of memory while optimising");
    }
    return 0;
}

int optimise(struct graph *graph, struct pipit_error *error)
{
    static int (*const passes[])(struct graph *) = {
        graph_sweep,     pass_space_to_batch, pass_pad,    pass_batch_norm,
        pass_hard_swish, pass_activation,     graph_sweep,
    };
    return run_passes(graph, passes, sizeof(passes) / sizeof(passes[0]), error);
}

int optimise_for_export(struct graph *graph, struct pipit_error *error)
{
    static int (*const passes[])(struct graph *) = {
        graph_sweep, pass_batch_norm, pass_hard_swish, pass_lower, pass_clamp, graph_sweep,
    };
    return run_passes(graph, passes, sizeof(passes) / sizeof(passes[0]), error);
}
