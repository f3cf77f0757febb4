/* SPDX-License-Identifier: MIT */
#include "engine/chain.h"

#include "engine/ops/product.h"
#include "engine/ops/rows.h"

#include <stdlib.h>

enum {
    OUTPUT_LEAST = 512 << 10, /* bytes; less stays in the second cache until the next step reads it */
    WEIGHTS_MOST = 32 << 10,  /* bytes; more would not stay in the first */
};

static int *count_uses(const struct graph *graph)
{
    int *uses = calloc((size_t)graph->tensors + 1, sizeof(*uses));
    for (int n = 0; uses && n < graph->nodes; n++)
        for (int i = 0; i < graph->node[n].inputs; i++)
            if (graph->node[n].input[i] >= 0)
                uses[graph->node[n].input[i]]++;
    for (int i = 0; uses && i < graph->outputs; i++)
        uses[graph->output[i]]++;
    return uses;
}

static bool makes_rows(const struct graph *graph, const struct node *node)
{
    if ((node->op != OP_CONV_2D && node->op != OP_DEPTHWISE_CONV_2D) ||
        product_kind(graph, node) == PRODUCT_HYBRID)
        return false;
    const struct tensor *in = node_input(graph, node, 0), *weights = node_input(graph, node, 1);
    bool grouped = node->op == OP_CONV_2D && weights->shape[3] != in->shape[3];
    return !grouped && tensor_bytes(weights) <= WEIGHTS_MOST;
}

static bool is_pointwise(const struct graph *graph, const struct node *node)
{
    const struct tensor *weights = node_input(graph, node, 1);
    const struct window *w = &node->window;
    bool moves =
        w->stride[0] > 1 || w->stride[1] > 1 || w->before[0] || w->before[1] || w->after[0] || w->after[1];
    return node->op == OP_CONV_2D && weights->shape[1] == 1 && weights->shape[2] == 1 && !moves;
}

static bool takes_rows(const struct graph *graph, const struct node *node, int tensor)
{
    return makes_rows(graph, node) && node->input[0] == tensor &&
           (node->op == OP_DEPTHWISE_CONV_2D || is_pointwise(graph, node));
}

int chain_nodes(const struct graph *graph, int workers, bool *chained)
{
    int *uses = count_uses(graph);
    if (!uses)
        return -ENOMEM;
    for (int n = 0; n + 1 < graph->nodes; n++) {
        const struct node *node = &graph->node[n], *next = node + 1;
        const struct tensor *out = node_output(graph, node, 0);
        chained[n] = uses[node->output[0]] == 1 && makes_rows(graph, node) &&
                     takes_rows(graph, next, node->output[0]) && tensor_bytes(out) >= OUTPUT_LEAST &&
                     node_output(graph, next, 0)->shape[1] >= ROWS_LEAST * workers;
    }
    free(uses);
    return 0;
}
