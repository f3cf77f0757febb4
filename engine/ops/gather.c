/* SPDX-License-Identifier: MIT */
/* GATHER: slices of one axis, chosen by indices. */
#include "engine/ops/move.h"

#include <string.h>

struct gather_args {
    int batches, outer, size, indices; /* indices: of each batch */
    size_t inner_bytes;
    bool i64;
};

static void run(const struct step *step, struct chunk chunk)
{
    const struct gather_args *a = step->args;
    int begin, end;
    share(a->batches * a->outer, 1, chunk, &begin, &end);
    for (int row = begin; row < end; row++) {
        const char *in = (const char *)step->in[0] + (size_t)row * (size_t)a->size * a->inner_bytes;
        char *out = (char *)step->out[0] + (size_t)row * (size_t)a->indices * a->inner_bytes;
        for (int i = 0; i < a->indices; i++, out += a->inner_bytes) {
            size_t at = (size_t)(row / a->outer) * (size_t)a->indices + (size_t)i;
            int64_t index = a->i64 ? ((const int64_t *)step->in[1])[at] : ((const int32_t *)step->in[1])[at];
            if (index >= 0 && index < a->size)
                memcpy(out, in + (size_t)index * a->inner_bytes, a->inner_bytes);
            else /* the reference refuses to run; zeros are what a GPU gives */
                memset(out, 0, a->inner_bytes);
        }
    }
}

static int infer(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 2, 2, error), batch = node->axis.count;
    if (status)
        return status;
    const struct tensor *in = node_input(graph, node, 0), *index = node_input(graph, node, 1);
    struct tensor *out = node_output(graph, node, 0);
    int axis = checked_axis(graph, node, node->axis.axis, in->rank, error);
    if (axis >= 0)
        status = need_type(graph, node, index, TYPE_BIT(PIPIT_I32) | TYPE_BIT(PIPIT_I64), error);
    if (axis < 0 || status)
        return axis < 0 ? axis : status;
    batch += batch < 0 ? index->rank : 0;
    if (batch < 0 || batch > axis || batch > index->rank || in->type != out->type ||
        tensor_elements(in) < 1 || tensor_elements(index) < 1 ||
        in->rank - 1 + index->rank - batch > PIPIT_RANK_MAX)
        return node_fail(graph, node, error, -EINVAL, "input, indices and output do not fit");
    int32_t shape[2 * PIPIT_RANK_MAX];
    int rank = 0;
    for (int i = 0; i < axis; i++) {
        if (i < batch && in->shape[i] != index->shape[i])
            return node_fail(graph, node, error, -EINVAL, "batches of input and indices differ");
        shape[rank++] = in->shape[i];
    }
    for (int i = batch; i < index->rank; i++)
        shape[rank++] = index->shape[i];
    for (int i = axis + 1; i < in->rank; i++)
        shape[rank++] = in->shape[i];
    set_shape(out, rank, shape);
    return 0;
}

static int prepare(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0), *index = node_input(plan->graph, node, 1);
    int axis = checked_axis(plan->graph, node, node->axis.axis, in->rank, error);
    int batch = node->axis.count + (node->axis.count < 0 ? index->rank : 0);
    struct gather_args *a = plan_alloc(plan, 1, sizeof(*a));
    struct step *step = plan_add_step(plan, node);
    if (!a || !step)
        return -ENOMEM;
    *a = (struct gather_args){1, 1, in->shape[axis], 1, pipit_type_size(in->type), index->type == PIPIT_I64};
    for (int i = 0; i < batch; i++)
        a->batches *= in->shape[i];
    for (int i = batch; i < axis; i++)
        a->outer *= in->shape[i];
    for (int i = batch; i < index->rank; i++)
        a->indices *= index->shape[i];
    for (int i = axis + 1; i < in->rank; i++)
        a->inner_bytes *= (size_t)in->shape[i];
    step->run = run;
    step->args = a;
    step->kernel = "gather";
    return 0;
}

const struct op_info op_GATHER = {"GATHER", infer, prepare, .macs = NULL};
