/* SPDX-License-Identifier: MIT */
/* CONCATENATION, PACK, UNPACK, SPLIT, SPLIT_V: one copy for each part. */
#include "engine/ops/activation.h"
#include "engine/ops/move.h"

#include <math.h>

/* ---- CONCATENATION ---- */

struct concat_args { /* int8 parts whose scale is not the output's are brought to it */
    int parts, outer;
    int part_size[NODE_INPUTS_MAX];
    int8_t table[NODE_INPUTS_MAX][256];
};

static void run_concat_i8(const struct step *step, struct chunk chunk)
{
    const struct concat_args *args = step->args;
    int begin, end, row_size = 0;
    share(args->outer, 1, chunk, &begin, &end);
    for (int p = 0; p < args->parts; p++)
        row_size += args->part_size[p];
    for (int row = begin; row < end; row++) {
        int8_t *out = (int8_t *)step->out[0] + (size_t)row * (size_t)row_size;
        for (int p = 0; p < args->parts; out += args->part_size[p++])
            step->kernels->lookup_i8(out,
                                     (const int8_t *)step->in[p] + (size_t)row * (size_t)args->part_size[p],
                                     args->part_size[p], args->table[p]);
    }
}

/* ConcatenationWithScaling of the reference: in float, halves away from zero. */
static void fill_table(int8_t table[256], const struct tensor *in, const struct tensor *out)
{
    bool same =
        in->quant.count != 1 || same_quantisation(in, out); /* without a scale: the bytes as they are */
    float inverse = 1 / out->quant.scale[0], scale = same ? 1 : in->quant.scale[0] * inverse;
    float bias = same ? 0 : -(float)in->quant.zero[0] * scale;
    for (int q = -128; q < 128; q++) {
        float value = roundf((float)q * scale + bias) + (float)out->quant.zero[0];
        table[(uint8_t)q] = (int8_t)(same ? q : !(value > -128) ? -128 : value > 127 ? 127 : (int)value);
    }
}

static bool needs_scaling(const struct graph *graph, const struct node *node)
{
    const struct tensor *out = node_output(graph, node, 0);
    for (int i = 0; i < node->inputs; i++) {
        const struct quant *in = &node_input(graph, node, i)->quant;
        if (out->type == PIPIT_I8 && in->count == 1 && out->quant.count == 1 &&
            (in->scale[0] != out->quant.scale[0] || in->zero[0] != out->quant.zero[0]))
            return true;
    }
    return false;
}

static int prepare_concat_i8(struct plan *plan, const struct node *node, int axis)
{
    const struct tensor *out = node_output(plan->graph, node, 0);
    struct concat_args *args = plan_alloc(plan, 1, sizeof(*args));
    struct step *step = plan_add_step(plan, node);
    if (!args || !step)
        return -ENOMEM;
    args->parts = node->inputs;
    args->outer = 1;
    for (int i = 0; i < axis; i++)
        args->outer *= out->shape[i];
    for (int p = 0; p < node->inputs; p++) {
        const struct tensor *in = node_input(plan->graph, node, p);
        args->part_size[p] = (int)(tensor_elements(in) / args->outer);
        fill_table(args->table[p], in, out);
    }
    step->run = run_concat_i8;
    step->args = args;
    step->kernel = "lookup_i8";
    return 0;
}

static int infer_concat(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 1, NODE_INPUTS_MAX, error);
    if (status)
        return status;
    const struct tensor *first = node_input(graph, node, 0);
    int axis = checked_axis(graph, node, node->axis.axis, first->rank, error);
    if (axis < 0)
        return axis;
    int64_t total = 0;
    for (int i = 0; i < node->inputs; i++) {
        const struct tensor *in = node_input(graph, node, i);
        if (!in || in->rank != first->rank || in->type != node_output(graph, node, 0)->type ||
            tensor_elements(in) < 1)
            return node_fail(graph, node, error, -EINVAL, "input %d is of another type or rank", i);
        for (int d = 0; d < in->rank; d++)
            if (d != axis && in->shape[d] != first->shape[d])
                return node_fail(graph, node, error, -EINVAL, "input %d does not fit the others", i);
        total += in->shape[axis];
    }
    if (node->act != ACT_NONE)
        return node_fail(graph, node, error, -ENOTSUP, "a fused activation");
    struct tensor *out = node_output(graph, node, 0);
    set_shape(out, first->rank, first->shape);
    out->shape[axis] = (int32_t)(total > INT32_MAX ? INT32_MAX : total);
    return 0;
}

static int prepare_concat(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct graph *graph = plan->graph;
    const struct tensor *out = node_output(graph, node, 0);
    int axis = checked_axis(graph, node, node->axis.axis, out->rank, error);
    if (needs_scaling(graph, node))
        return prepare_concat_i8(plan, node, axis);
    struct copy *copies = copies_alloc(plan, node->inputs);
    ptrdiff_t at = 0, out_step[PIPIT_RANK_MAX];
    steps_of(out, out_step);
    for (int p = 0; copies && p < node->inputs; p++) {
        const struct tensor *in = node_input(graph, node, p);
        copies[p] = copy_of(in);
        steps_of(out, copies[p].out_step);
        copies[p].input = p;
        copies[p].out_at = at;
        at += in->shape[axis] * out_step[axis];
    }
    return copies ? move_prepare(plan, node, copies, node->inputs) : -ENOMEM;
}

const struct op_info op_CONCATENATION = {"CONCATENATION", infer_concat, prepare_concat, .half = half_always};

/* ---- PACK and UNPACK ---- */

static int infer_pack(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 1, NODE_INPUTS_MAX, error);
    if (status)
        return status;
    const struct tensor *first = node_input(graph, node, 0);
    int axis = checked_axis(graph, node, node->axis.axis, first->rank + 1, error);
    if (axis < 0 || first->rank == PIPIT_RANK_MAX)
        return axis < 0 ? axis : node_fail(graph, node, error, -ENOTSUP, "too many dimensions");
    for (int i = 0; i < node->inputs; i++) {
        const struct tensor *in = node_input(graph, node, i);
        if (!in || !tensor_same_shape(in, first) || in->type != node_output(graph, node, 0)->type)
            return node_fail(graph, node, error, -EINVAL, "input %d does not fit the others", i);
    }
    int32_t shape[PIPIT_RANK_MAX];
    for (int i = 0; i <= first->rank; i++)
        shape[i] = i < axis ? first->shape[i] : i == axis ? node->inputs : first->shape[i - 1];
    set_shape(node_output(graph, node, 0), first->rank + 1, shape);
    return 0;
}

/* Steps of the larger tensor without the packed dimension. */
static void steps_without(const struct tensor *tensor, int axis, ptrdiff_t *step, ptrdiff_t *skipped)
{
    ptrdiff_t all[PIPIT_RANK_MAX];
    steps_of(tensor, all);
    for (int i = 0, to = 0; i < tensor->rank; i++)
        if (i != axis)
            step[to++] = all[i];
    *skipped = all[axis];
}

static int prepare_pack(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *out = node_output(plan->graph, node, 0);
    int axis = checked_axis(plan->graph, node, node->axis.axis, out->rank, error);
    struct copy *copies = copies_alloc(plan, node->inputs);
    ptrdiff_t skipped;
    for (int p = 0; copies && p < node->inputs; p++) {
        copies[p] = copy_of(node_input(plan->graph, node, p));
        steps_without(out, axis, copies[p].out_step, &skipped);
        copies[p].input = p;
        copies[p].out_at = p * skipped;
    }
    return copies ? move_prepare(plan, node, copies, node->inputs) : -ENOMEM;
}

static int infer_unpack(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 1, 1, error);
    if (status)
        return status;
    const struct tensor *in = node_input(graph, node, 0);
    int axis = checked_axis(graph, node, node->axis.axis, in->rank, error), rank = 0;
    if (axis < 0)
        return axis;
    int32_t shape[PIPIT_RANK_MAX];
    for (int i = 0; i < in->rank; i++)
        if (i != axis)
            shape[rank++] = in->shape[i];
    if (in->shape[axis] != node->outputs)
        return node_fail(graph, node, error, -EINVAL, "%d outputs for a dimension of %d", node->outputs,
                         (int)in->shape[axis]);
    for (int i = 0; i < node->outputs; i++) {
        if (node_output(graph, node, i)->type != in->type)
            return node_fail(graph, node, error, -EINVAL, "input and output must be of one type");
        set_shape(node_output(graph, node, i), rank, shape);
    }
    return 0;
}

static int prepare_unpack(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0);
    int axis = checked_axis(plan->graph, node, node->axis.axis, in->rank, error);
    struct copy *copies = copies_alloc(plan, node->outputs);
    ptrdiff_t skipped;
    for (int p = 0; copies && p < node->outputs; p++) {
        copies[p] = copy_of(node_output(plan->graph, node, p));
        steps_without(in, axis, copies[p].in_step, &skipped);
        copies[p].output = p;
        copies[p].in_at = p * skipped;
    }
    return copies ? move_prepare(plan, node, copies, node->outputs) : -ENOMEM;
}

const struct op_info op_PACK = {"PACK", infer_pack, prepare_pack, .macs = NULL};
const struct op_info op_UNPACK = {"UNPACK", infer_unpack, prepare_unpack, .macs = NULL};

/* ---- SPLIT (axis, input) and SPLIT_V (input, sizes, axis) ---- */

static int split_axis(const struct graph *graph, const struct node *node, int input, int axis_input,
                      struct pipit_error *error)
{
    int32_t axis;
    int count = constant_ints(graph, node, axis_input, &axis, 1, error);
    if (count != 1)
        return count < 0 ? count : -EINVAL;
    return checked_axis(graph, node, axis, node_input(graph, node, input)->rank, error);
}

static int set_part(struct graph *graph, struct node *node, int part, const struct tensor *in, int axis,
                    int32_t size, struct pipit_error *error)
{
    struct tensor *out = node_output(graph, node, part);
    if (out->type != in->type || size < 1)
        return node_fail(graph, node, error, -EINVAL, "part %d is empty or of another type", part);
    set_shape(out, in->rank, in->shape);
    out->shape[axis] = size;
    return 0;
}

static int infer_split(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 2, 2, error);
    int axis = status ? status : split_axis(graph, node, 1, 0, error);
    if (axis < 0)
        return axis;
    const struct tensor *in = node_input(graph, node, 1);
    if (in->shape[axis] % node->outputs)
        return node_fail(graph, node, error, -EINVAL, "cannot make %d equal parts of %d", node->outputs,
                         (int)in->shape[axis]);
    for (int p = 0; p < node->outputs && !status; p++)
        status = set_part(graph, node, p, in, axis, in->shape[axis] / node->outputs, error);
    return status;
}

static int infer_split_v(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int32_t size[NODE_OUTPUTS_MAX];
    int status = need_inputs(graph, node, 3, 3, error);
    int axis = status ? status : split_axis(graph, node, 0, 2, error);
    int count = axis < 0 ? axis : constant_ints(graph, node, 1, size, NODE_OUTPUTS_MAX, error);
    if (count < 0)
        return count;
    const struct tensor *in = node_input(graph, node, 0);
    int64_t known = 0;
    int open = -1;
    for (int p = 0; p < count; p++) {
        if (size[p] == -1 && open < 0)
            open = p;
        else
            known += size[p];
    }
    if (open >= 0)
        size[open] = (int32_t)(in->shape[axis] - known);
    if (count != node->outputs || (open < 0 && known != in->shape[axis]) || known > in->shape[axis])
        return node_fail(graph, node, error, -EINVAL, "sizes of the parts do not add up");
    for (int p = 0; p < count && !status; p++)
        status = set_part(graph, node, p, in, axis, size[p], error);
    return status;
}

static int prepare_split(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    bool sizes = node->op == OP_SPLIT_V;
    int input = sizes ? 0 : 1, axis = split_axis(plan->graph, node, input, sizes ? 2 : 0, error);
    const struct tensor *in = node_input(plan->graph, node, input);
    struct copy *copies = copies_alloc(plan, node->outputs);
    ptrdiff_t in_step[PIPIT_RANK_MAX], at = 0;
    steps_of(in, in_step);
    for (int p = 0; copies && p < node->outputs; p++) {
        const struct tensor *out = node_output(plan->graph, node, p);
        copies[p] = copy_of(out);
        steps_of(in, copies[p].in_step);
        copies[p].input = input;
        copies[p].output = p;
        copies[p].in_at = at;
        at += out->shape[axis] * in_step[axis];
    }
    return copies ? move_prepare(plan, node, copies, node->outputs) : -ENOMEM;
}

const struct op_info op_SPLIT = {"SPLIT", infer_split, prepare_split, .macs = NULL};
const struct op_info op_SPLIT_V = {"SPLIT_V", infer_split_v, prepare_split, .macs = NULL};
