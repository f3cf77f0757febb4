/* SPDX-License-Identifier: MIT */
/* ARG_MAX and ARG_MIN along one axis; the first of equals wins. */
#include "engine/ops/activation.h"

struct arg_args {
    enum pipit_type type, out_type;
    bool max;
    int outer, size, inner;
};

static bool better(const struct arg_args *args, const void *in, size_t a, size_t b)
{
    double x, y;
    if (args->type == PIPIT_F32) {
        x = (double)((const float *)in)[a];
        y = (double)((const float *)in)[b];
    } else if (args->type == PIPIT_I32) {
        x = ((const int32_t *)in)[a];
        y = ((const int32_t *)in)[b];
    } else {
        x = ((const int8_t *)in)[a];
        y = ((const int8_t *)in)[b];
    }
    return args->max ? x > y : x < y;
}

static void run(const struct step *step, struct chunk chunk)
{
    const struct arg_args *args = step->args;
    int begin, end;
    share(args->outer * args->inner, 64, chunk, &begin, &end);
    for (int i = begin; i < end; i++) {
        size_t base =
            (size_t)(i / args->inner) * (size_t)args->size * (size_t)args->inner + (size_t)(i % args->inner);
        int best = 0;
        for (int k = 1; k < args->size; k++)
            if (better(args, step->in[0], base + (size_t)k * (size_t)args->inner,
                       base + (size_t)best * (size_t)args->inner))
                best = k;
        if (args->out_type == PIPIT_I64)
            ((int64_t *)step->out[0])[i] = best;
        else
            ((int32_t *)step->out[0])[i] = best;
    }
}

static int axis_of(const struct graph *graph, const struct node *node, struct pipit_error *error)
{
    int32_t axis;
    int count = constant_ints(graph, node, 1, &axis, 1, error), rank = node_input(graph, node, 0)->rank;
    if (count < 0)
        return count;
    axis += count == 1 && axis < 0 ? rank : 0;
    if (count != 1 || axis < 0 || axis >= rank)
        return node_fail(graph, node, error, -EINVAL, "its axis does not exist");
    return axis;
}

static int prepare(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0);
    struct arg_args *args = plan_alloc(plan, 1, sizeof(*args));
    struct step *step = plan_add_step(plan, node);
    int axis = axis_of(plan->graph, node, error);
    if (!args || !step)
        return -ENOMEM;
    *args = (struct arg_args){.type = in->type,
                              .out_type = node_output(plan->graph, node, 0)->type,
                              .max = node->op == OP_ARG_MAX,
                              .outer = 1,
                              .size = in->shape[axis],
                              .inner = 1};
    for (int i = 0; i < in->rank; i++) {
        args->outer *= i < axis ? in->shape[i] : 1;
        args->inner *= i > axis ? in->shape[i] : 1;
    }
    step->run = run;
    step->args = args;
    step->kernel = "arg";
    return 0;
}

static int infer(struct graph *graph, struct node *node, struct pipit_error *error)
{
    unsigned types = TYPE_BIT(PIPIT_F32) | TYPE_BIT(PIPIT_I8) | TYPE_BIT(PIPIT_I32);
    int status = need_inputs(graph, node, 2, 2, error);
    if (!status)
        status = need_type(graph, node, node_input(graph, node, 0), types, error);
    if (!status)
        status = need_type(graph, node, node_output(graph, node, 0),
                           TYPE_BIT(PIPIT_I32) | TYPE_BIT(PIPIT_I64), error);
    int axis = status ? status : axis_of(graph, node, error);
    if (axis < 0)
        return axis;
    const struct tensor *in = node_input(graph, node, 0);
    int32_t shape[PIPIT_RANK_MAX];
    int rank = 0;
    for (int i = 0; i < in->rank; i++)
        if (i != axis)
            shape[rank++] = in->shape[i];
    set_shape(node_output(graph, node, 0), rank, shape);
    return 0;
}

const struct op_info op_ARG_MAX = {"ARG_MAX", infer, prepare, .macs = NULL};
const struct op_info op_ARG_MIN = {"ARG_MIN", infer, prepare, .macs = NULL};
