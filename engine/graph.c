/* SPDX-License-Identifier: MIT */
#include "engine/graph.h"

#include "engine/file.h"
#include "engine/op.h"

#include <stdio.h>
#include <string.h>

void graph_init(struct graph *graph)
{
    memset(graph, 0, sizeof(*graph));
    graph->format = graph->network = graph->description = graph->normalisation = "";
}

void graph_finish(struct graph *graph)
{
    pool_finish(&graph->data);
    pool_finish(&graph->pool);
    graph_init(graph);
}

/* Growing by doubling inside the pool wastes at most as much as the final array holds. */
static void *grown(struct pool *pool, void *array, int used, int *room, size_t size)
{
    if (used < *room)
        return array;
    int wanted = *room ? *room * 2 : 64;
    void *bigger = pool_alloc(pool, (size_t)wanted, size);
    if (!bigger)
        return NULL;
    if (used)
        memcpy(bigger, array, (size_t)used * size);
    *room = wanted;
    return bigger;
}

int graph_add_tensor(struct graph *graph, const char *name, enum pipit_type type, int rank,
                     const int32_t *shape)
{
    if (graph->tensors >= GRAPH_TENSORS_MAX || rank < 0 || rank > PIPIT_RANK_MAX)
        return -E2BIG;
    void *array =
        grown(&graph->pool, graph->tensor, graph->tensors, &graph->tensor_room, sizeof(struct tensor));
    if (!array)
        return -ENOMEM;
    graph->tensor = array;
    struct tensor *tensor = &graph->tensor[graph->tensors];
    *tensor = (struct tensor){.type = type, .rank = rank};
    tensor->name = pool_strndup(&graph->pool, name, strlen(name));
    if (!tensor->name)
        return -ENOMEM;
    if (rank)
        memcpy(tensor->shape, shape, (size_t)rank * sizeof(*shape));
    return graph->tensors++;
}

int graph_add_constant(struct graph *graph, const char *name, enum pipit_type type, int rank,
                       const int32_t *shape, const void *data)
{
    int index = graph_add_tensor(graph, name, type, rank, shape);
    if (index >= 0)
        graph->tensor[index].data = data;
    return index;
}

static const int *copied(struct pool *pool, const int *list, int count)
{
    int *copy = pool_alloc(pool, (size_t)count, sizeof(*copy));
    if (copy && count)
        memcpy(copy, list, (size_t)count * sizeof(*copy));
    return copy;
}

int graph_add_node(struct graph *graph, enum op op, const int *input, int inputs, const int *output,
                   int outputs)
{
    if (graph->nodes >= GRAPH_NODES_MAX || inputs > NODE_INPUTS_MAX || outputs > NODE_OUTPUTS_MAX)
        return -E2BIG;
    void *array = grown(&graph->pool, graph->node, graph->nodes, &graph->node_room, sizeof(struct node));
    if (!array)
        return -ENOMEM;
    graph->node = array;
    struct node *node = &graph->node[graph->nodes];
    *node = (struct node){.op = op, .inputs = inputs, .outputs = outputs};
    node->input = copied(&graph->pool, input, inputs);
    node->output = copied(&graph->pool, output, outputs);
    if (!node->input || !node->output)
        return -ENOMEM;
    return graph->nodes++;
}

int64_t graph_budget(const struct graph *graph)
{
    return ((int64_t)256 << 20) + 64 * (int64_t)graph->file_bytes;
}

void *graph_alloc_data(struct graph *graph, int64_t bytes)
{
    if (bytes < 0 || (int64_t)graph->data.bytes + bytes > graph_budget(graph))
        return NULL;
    return pool_alloc(&graph->data, (size_t)bytes, 1);
}

bool tensors_overlap(const struct tensor *a, const struct tensor *b)
{
    const char *x = a->data, *y = b->data;
    return x && y && x < y + tensor_bytes(b) && y < x + tensor_bytes(a);
}

void graph_forget(const struct graph *graph, const void *data, size_t size)
{
    if (!graph->forgets)
        return;
    if (graph->file)
        file_forget(graph->file, data, size);
    pool_forget(&graph->data, data, size);
}

bool same_quantisation(const struct tensor *a, const struct tensor *b)
{
    if (a->type != b->type || a->quant.count != b->quant.count || a->quant.count > 1)
        return false;
    return !a->quant.count ||
           (a->quant.scale[0] == b->quant.scale[0] && a->quant.zero[0] == b->quant.zero[0]);
}

int64_t tensor_elements(const struct tensor *tensor)
{
    int64_t count = 1;
    for (int i = 0; i < tensor->rank; i++) {
        if (tensor->shape[i] < 0)
            return -EOVERFLOW;
        count *= tensor->shape[i];
        if (count > INT32_MAX)
            return -EOVERFLOW;
    }
    return count;
}

int64_t tensor_bytes(const struct tensor *tensor)
{
    int64_t elements = tensor_elements(tensor);
    return elements < 0 ? elements : elements * (int64_t)pipit_type_size(tensor->type);
}

bool tensor_is_quantised(const struct tensor *tensor)
{
    return tensor->type == PIPIT_I8 && tensor->quant.count > 0;
}

bool graph_is_quantised(const struct graph *graph)
{
    for (int t = 0; t < graph->tensors; t++)
        if (graph->tensor[t].quant.count > 0 && graph->tensor[t].type != PIPIT_F32)
            return true;
    return false;
}

bool tensor_same_shape(const struct tensor *a, const struct tensor *b)
{
    return a->rank == b->rank && !memcmp(a->shape, b->shape, (size_t)a->rank * sizeof(a->shape[0]));
}

struct tensor *node_input(const struct graph *graph, const struct node *node, int index)
{
    if (index >= node->inputs || node->input[index] < 0)
        return NULL;
    return &graph->tensor[node->input[index]];
}

struct tensor *node_output(const struct graph *graph, const struct node *node, int index)
{
    return index < node->outputs ? &graph->tensor[node->output[index]] : NULL;
}

const char *node_describe(const struct graph *graph, const struct node *node, char *text, size_t size)
{
    const struct tensor *out = node_output(graph, node, 0);
    snprintf(text, size, "%s '%.120s'", op_name(node->op), out ? out->name : "");
    return text;
}
