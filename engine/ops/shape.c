/* SPDX-License-Identifier: MIT */
/* Operators that give the same bytes another shape, and SHAPE itself. */
#include "engine/ops/move.h"

#include <string.h>

/* ---- RESHAPE ---- */

static int wanted_shape(const struct graph *graph, const struct node *node, int32_t *shape,
                        struct pipit_error *error)
{
    const struct tensor *list = node_input(graph, node, 1);
    if (list && list->data)
        return constant_ints(graph, node, 1, shape, PIPIT_RANK_MAX, error);
    if (node->reshape.rank >= 0) {
        memcpy(shape, node->reshape.shape, sizeof(node->reshape.shape));
        return node->reshape.rank;
    }
    const struct tensor *out = node_output(graph, node, 0); /* what the file says of its output */
    memcpy(shape, out->shape, sizeof(out->shape));
    return out->rank;
}

static int infer_reshape(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int32_t shape[PIPIT_RANK_MAX] = {0};
    int status = need_inputs(graph, node, 1, 2, error);
    int rank = status ? status : wanted_shape(graph, node, shape, error);
    if (rank < 0)
        return rank;
    int64_t elements = tensor_elements(node_input(graph, node, 0)), known = 1;
    int open = -1;
    for (int i = 0; i < rank; i++) {
        if (shape[i] == -1 && open < 0)
            open = i;
        else if (shape[i] < 1 || (known *= shape[i]) > elements)
            return node_fail(graph, node, error, -EINVAL, "cannot make this shape of %lld elements",
                             (long long)elements);
    }
    if (open >= 0)
        shape[open] = (int32_t)(elements / known);
    if (known * (open >= 0 ? shape[open] : 1) != elements)
        return node_fail(graph, node, error, -EINVAL, "cannot make this shape of %lld elements",
                         (long long)elements);
    struct tensor *out = node_output(graph, node, 0);
    if (out->type != node_input(graph, node, 0)->type)
        return node_fail(graph, node, error, -EINVAL, "input and output must be of one type");
    set_shape(out, rank, shape);
    return 0;
}

/* ---- SQUEEZE ---- */

static int infer_squeeze(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 1, 1, error);
    if (status)
        return status;
    const struct tensor *in = node_input(graph, node, 0);
    unsigned mask = 0;
    for (int i = 0; i < node->squeeze.axes; i++) {
        int axis = checked_axis(graph, node, node->squeeze.axis[i], in->rank, error);
        if (axis < 0)
            return axis;
        if (in->shape[axis] != 1)
            return node_fail(graph, node, error, -EINVAL, "dimension %d is %d, not 1", axis,
                             (int)in->shape[axis]);
        mask |= 1u << axis;
    }
    int32_t shape[PIPIT_RANK_MAX];
    int rank = 0;
    for (int i = 0; i < in->rank; i++)
        if (node->squeeze.axes ? !(mask >> i & 1) : in->shape[i] != 1)
            shape[rank++] = in->shape[i];
    set_shape(node_output(graph, node, 0), rank, shape);
    return 0;
}

/* ---- EXPAND_DIMS ---- */

static int infer_expand_dims(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int32_t axis = 0, shape[PIPIT_RANK_MAX];
    int status = need_inputs(graph, node, 2, 2, error);
    if (!status)
        status = constant_ints(graph, node, 1, &axis, 1, error);
    if (status < 0)
        return status;
    const struct tensor *in = node_input(graph, node, 0);
    if (status != 1 || in->rank == PIPIT_RANK_MAX)
        return node_fail(graph, node, error, -EINVAL, "cannot add this dimension");
    int at = checked_axis(graph, node, axis, in->rank + 1, error);
    if (at < 0)
        return at;
    for (int i = 0; i <= in->rank; i++)
        shape[i] = i < at ? in->shape[i] : i == at ? 1 : in->shape[i - 1];
    set_shape(node_output(graph, node, 0), in->rank + 1, shape);
    return 0;
}

const struct op_info op_RESHAPE = {"RESHAPE", infer_reshape, .half = half_always, .alias = true};
const struct op_info op_SQUEEZE = {"SQUEEZE", infer_squeeze, .half = half_always, .alias = true};
const struct op_info op_EXPAND_DIMS = {"EXPAND_DIMS", infer_expand_dims, .half = half_always, .alias = true};

/* ---- SHAPE: its answer is known before anything runs ---- */

struct shape_args {
    int rank;
    int64_t size[PIPIT_RANK_MAX];
    bool i64;
};

static void run_shape(const struct step *step, struct chunk chunk)
{
    const struct shape_args *args = step->args;
    for (int i = 0; chunk.index == 0 && i < args->rank; i++) {
        if (args->i64)
            ((int64_t *)step->out[0])[i] = args->size[i];
        else
            ((int32_t *)step->out[0])[i] = (int32_t)args->size[i];
    }
}

static int prepare_shape(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0);
    struct shape_args *args = plan_alloc(plan, 1, sizeof(*args));
    struct step *step = args ? plan_add_step(plan, node) : NULL;
    if (!step)
        return -ENOMEM;
    args->rank = in->rank;
    args->i64 = node_output(plan->graph, node, 0)->type == PIPIT_I64;
    for (int i = 0; i < in->rank; i++)
        args->size[i] = in->shape[i];
    step->run = run_shape;
    step->args = args;
    step->kernel = "shape";
    return 0;
}

static int infer_shape(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 1, 1, error);
    struct tensor *out = status ? NULL : node_output(graph, node, 0);
    if (!status)
        status = need_type(graph, node, out, TYPE_BIT(PIPIT_I32) | TYPE_BIT(PIPIT_I64), error);
    if (!status && node_input(graph, node, 0)->rank < 1)
        return node_fail(graph, node, error, -ENOTSUP, "the shape of a scalar");
    if (!status)
        set_shape(out, 1, &(int32_t){node_input(graph, node, 0)->rank});
    return status;
}

const struct op_info op_SHAPE = {"SHAPE", infer_shape, prepare_shape, .packs = true, .data_input = -1};
