/* SPDX-License-Identifier: MIT */
#include "engine/infer.h"

#include "engine/op.h"

#include <string.h>

/* What works on activations is not worth its time while a model is loaded; a file has no reason to want it.
 */
static bool is_costly(const struct node *node)
{
    return op_info(node->op)->macs || node->op == OP_AVERAGE_POOL_2D || node->op == OP_MAX_POOL_2D ||
           node->op == OP_DETECTION_POSTPROCESS;
}

/* A constant may grow when it is computed (float16 to float32: twice), but a small file must not fill the
 * memory. */
static bool worth_folding(const struct graph *graph, const struct node *node)
{
    int64_t in = 1 << 16, out = 0;
    for (int i = 0; i < node->inputs; i++) {
        const struct tensor *tensor = node_input(graph, node, i);
        if (tensor && !tensor->data && node->op != OP_SHAPE)
            return false;
        in += tensor ? 4 * tensor_bytes(tensor) : 0;
    }
    for (int i = 0; i < node->outputs; i++)
        out += tensor_bytes(node_output(graph, node, i));
    return !is_costly(node) && out <= in && (int64_t)graph->data.bytes + out <= graph_budget(graph);
}

static int compute(struct graph *graph, struct plan *plan, const struct node *node, struct pipit_error *error)
{
    for (int i = 0; i < node->outputs; i++) {
        struct tensor *out = node_output(graph, node, i);
        plan->address[node->output[i]] = graph_alloc_data(graph, tensor_bytes(out));
        if (!plan->address[node->output[i]])
            return fail(error, -ENOMEM, "out of memory for constants");
    }
    int status = op_info(node->op)->prepare(plan, node, error);
    if (!status)
        status = plan_run_once(plan);
    for (int i = 0; i < node->outputs && !status; i++)
        node_output(graph, node, i)->data = plan->address[node->output[i]];
    return status;
}

static int fold(struct graph *graph, struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct op_info *info = op_info(node->op);
    if (info->alias) {
        node_output(graph, node, 0)->data = node_input(graph, node, 0)->data;
        return 0;
    }
    int status = compute(graph, plan, node, error);
    plan_reset(plan, node);
    return status;
}

static int check_outputs(const struct graph *graph, const struct node *node, struct pipit_error *error)
{
    for (int i = 0; i < node->outputs; i++) {
        const struct tensor *out = node_output(graph, node, i);
        if (tensor_bytes(out) <= 0 || tensor_bytes(out) > graph_budget(graph))
            return node_fail(graph, node, error, -EINVAL, "has an output that is empty or far too large");
    }
    return 0;
}

static int infer_node(struct graph *graph, struct plan *plan, struct node *node, bool *folded,
                      struct pipit_error *error)
{
    const struct op_info *info = op_info(node->op);
    int status = info->infer(graph, node, error);
    if (!status)
        status = check_outputs(graph, node, error);
    *folded = !status && worth_folding(graph, node);
    return *folded ? fold(graph, plan, node, error) : status;
}

static int check_inputs(const struct graph *graph, struct pipit_error *error)
{
    for (int i = 0; i < graph->inputs; i++) {
        const struct tensor *input = &graph->tensor[graph->input[i]];
        int64_t bytes = tensor_bytes(input);
        if (bytes <= 0 || bytes > graph_budget(graph))
            return fail(error, -EINVAL, "input '%.100s' has no size, or far too large a one", input->name);
    }
    return 0;
}

int graph_infer(struct graph *graph, const struct kernels *kernels, struct pipit_error *error)
{
    struct plan plan;
    int status = check_inputs(graph, error);
    if (status)
        return status;
    status = plan_init_empty(&plan, graph, kernels, 1, error);
    int kept = 0;
    for (int i = 0; i < graph->nodes && !status; i++) {
        bool folded = false;
        status = infer_node(graph, &plan, &graph->node[i], &folded, error);
        if (!folded)
            graph->node[kept++] = graph->node[i];
    }
    if (!status)
        graph->nodes = kept;
    plan_finish(&plan);
    return status;
}
