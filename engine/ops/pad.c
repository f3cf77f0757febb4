/* SPDX-License-Identifier: MIT */
/* PAD, PADV2, MIRROR_PAD, FILL. */
#include "engine/ops/move.h"

#include <string.h>

static int amounts(const struct graph *graph, const struct node *node, int32_t amount[2 * PIPIT_RANK_MAX],
                   struct pipit_error *error)
{
    const struct tensor *in = node_input(graph, node, 0), *list = node_input(graph, node, 1);
    if (!list || !list->data || (list->type != PIPIT_I32 && list->type != PIPIT_I64) ||
        tensor_elements(list) != 2 * in->rank)
        return node_fail(graph, node, error, -ENOTSUP, "wants a constant list of two numbers a dimension");
    for (int i = 0; i < 2 * in->rank; i++) {
        int64_t value =
            list->type == PIPIT_I32 ? ((const int32_t *)list->data)[i] : ((const int64_t *)list->data)[i];
        if (value < 0 || value > 1 << 24)
            return node_fail(graph, node, error, -EINVAL, "cannot pad by %lld", (long long)value);
        amount[i] = (int32_t)value;
    }
    return 0;
}

static int infer_pad(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int32_t amount[2 * PIPIT_RANK_MAX], shape[PIPIT_RANK_MAX];
    int status = need_inputs(graph, node, 2, node->op == OP_PADV2 ? 3 : 2, error);
    if (!status)
        status = amounts(graph, node, amount, error);
    if (status)
        return status;
    const struct tensor *in = node_input(graph, node, 0), *value = node_input(graph, node, 2);
    struct tensor *out = node_output(graph, node, 0);
    if (in->type != out->type ||
        (value && (value->type != in->type || tensor_elements(value) != 1 || !value->data)))
        return node_fail(graph, node, error, -EINVAL, "input, output and padding must be of one type");
    for (int i = 0; i < in->rank; i++) {
        int64_t size = (int64_t)in->shape[i] + amount[2 * i] + amount[2 * i + 1];
        if (node->op == OP_MIRROR_PAD) {
            int most = in->shape[i] - (node->mirror.reflect_edge ? 0 : 1);
            if (amount[2 * i] > most || amount[2 * i + 1] > most)
                return node_fail(graph, node, error, -EINVAL, "mirrors more than there is");
        }
        shape[i] = (int32_t)(size > INT32_MAX ? INT32_MAX : size);
    }
    set_shape(out, in->rank, shape);
    return 0;
}

static int prepare_pad(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    int32_t amount[2 * PIPIT_RANK_MAX];
    char element[8];
    int status = amounts(plan->graph, node, amount, error);
    if (status)
        return status;
    const struct tensor *in = node_input(plan->graph, node, 0), *out = node_output(plan->graph, node, 0);
    const struct tensor *value = node_input(plan->graph, node, 2);
    zero_element(in, element);
    status = fill_prepare(plan, node, value ? value->data : element);
    struct copy copy = copy_of(in);
    steps_of(out, copy.out_step);
    for (int i = 0; i < in->rank; i++)
        copy.out_at += amount[2 * i] * copy.out_step[i];
    return status ? status : move_prepare(plan, node, &copy, 1);
}

const struct op_info op_PAD = {"PAD", infer_pad, prepare_pad, .half = half_always};
const struct op_info op_PADV2 = {"PADV2", infer_pad, prepare_pad, .macs = NULL};

/* ---- MIRROR_PAD ---- */

struct mirror_args {
    int rank, in[PIPIT_RANK_MAX], out[PIPIT_RANK_MAX], before[PIPIT_RANK_MAX], edge, count;
    size_t element;
};

static void run_mirror(const struct step *step, struct chunk chunk)
{
    const struct mirror_args *args = step->args;
    int begin, end;
    share(args->count, 64, chunk, &begin, &end);
    for (int at = begin; at < end; at++) {
        size_t from = 0, pace = 1;
        for (int i = args->rank - 1, rest = at; i >= 0; i--) {
            int x = rest % args->out[i] - args->before[i];
            rest /= args->out[i];
            if (x < 0)
                x = -x - args->edge;
            else if (x >= args->in[i])
                x = 2 * args->in[i] - 2 - x + args->edge;
            from += (size_t)x * pace;
            pace *= (size_t)args->in[i];
        }
        memcpy((char *)step->out[0] + (size_t)at * args->element,
               (const char *)step->in[0] + from * args->element, args->element);
    }
}

static int prepare_mirror(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    int32_t amount[2 * PIPIT_RANK_MAX] = {0};
    int status = amounts(plan->graph, node, amount, error);
    struct mirror_args *args = status ? NULL : plan_alloc(plan, 1, sizeof(*args));
    struct step *step = args ? plan_add_step(plan, node) : NULL;
    if (!step)
        return status ? status : -ENOMEM;
    const struct tensor *in = node_input(plan->graph, node, 0), *out = node_output(plan->graph, node, 0);
    args->rank = in->rank;
    args->edge = node->mirror.reflect_edge ? 1 : 0;
    args->count = (int)tensor_elements(out);
    args->element = pipit_type_size(in->type);
    for (int i = 0; i < in->rank; i++) {
        args->in[i] = in->shape[i];
        args->out[i] = out->shape[i];
        args->before[i] = amount[2 * i];
    }
    step->run = run_mirror;
    step->args = args;
    step->kernel = "mirror_pad";
    return 0;
}

const struct op_info op_MIRROR_PAD = {"MIRROR_PAD", infer_pad, prepare_mirror, .macs = NULL};

/* ---- FILL ---- */

static int infer_fill(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int32_t shape[PIPIT_RANK_MAX];
    int status = need_inputs(graph, node, 2, 2, error);
    int rank = status ? status : constant_ints(graph, node, 0, shape, PIPIT_RANK_MAX, error);
    if (rank < 0)
        return rank;
    const struct tensor *value = node_input(graph, node, 1);
    if (tensor_elements(value) != 1 || !value->data || value->type != node_output(graph, node, 0)->type)
        return node_fail(graph, node, error, -ENOTSUP, "wants one constant value of the output's type");
    set_shape(node_output(graph, node, 0), rank, shape);
    return 0;
}

static int prepare_fill(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    return fill_prepare(plan, node, node_input(plan->graph, node, 1)->data);
}

const struct op_info op_FILL = {"FILL", infer_fill, prepare_fill, .macs = NULL};
