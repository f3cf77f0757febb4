/* SPDX-License-Identifier: MIT */
/* PRELU: x below 0 is multiplied by its slope, which broadcasts over the leading dimensions. */
#include "engine/ops/activation.h"

struct prelu_args {
    int count, slopes; /* slope of element i is i % slopes */
    bool i8;
    int32_t in_zero, slope_zero, out_zero;
    struct requant above, below;
};

static int8_t saturated(int32_t value)
{
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

static int8_t of_i8(const struct prelu_args *args, int8_t in, int8_t slope)
{
    int32_t x = in - args->in_zero;
    if (x >= 0)
        return saturated(requantise_to((uint32_t)x, args->above, args->out_zero));
    return saturated(requantise_to((uint32_t)(x * (slope - args->slope_zero)), args->below, args->out_zero));
}

static void run(const struct step *step, struct chunk chunk)
{
    const struct prelu_args *args = step->args;
    int begin, end;
    share(args->count, 64, chunk, &begin, &end);
    for (int i = begin; i < end; i++) {
        int s = i % args->slopes;
        if (args->i8) {
            ((int8_t *)step->out[0])[i] = of_i8(args, ((int8_t *)step->in[0])[i], ((int8_t *)step->in[1])[s]);
        } else {
            float x = ((float *)step->in[0])[i];
            ((float *)step->out[0])[i] = x >= 0 ? x : x * ((float *)step->in[1])[s];
        }
    }
}

static int prepare(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0), *slope = node_input(plan->graph, node, 1);
    const struct tensor *out = node_output(plan->graph, node, 0);
    struct prelu_args *args = plan_alloc(plan, 1, sizeof(*args));
    struct step *step = plan_add_step(plan, node);
    if (!args || !step)
        return -ENOMEM;
    *args = (struct prelu_args){
        .count = (int)tensor_elements(in), .slopes = (int)tensor_elements(slope), .i8 = in->type == PIPIT_I8};
    if (args->i8) {
        float s = in->quant.scale[0], t = slope->quant.scale[0], u = out->quant.scale[0];
        args->in_zero = in->quant.zero[0];
        args->slope_zero = slope->quant.zero[0];
        args->out_zero = out->quant.zero[0];
        args->above = requant_from_double((double)(s / u));
        args->below = requant_from_double((double)(s * t / u));
    }
    step->run = run;
    step->args = args;
    step->kernel = args->i8 ? "prelu_i8" : "prelu_f32";
    return 0;
}

static int infer(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 2, 2, error);
    if (status)
        return status;
    const struct tensor *in = node_input(graph, node, 0), *slope = node_input(graph, node, 1);
    struct tensor *out = node_output(graph, node, 0);
    status = need_type(graph, node, in, TYPE_BIT(PIPIT_F32) | TYPE_BIT(PIPIT_I8), error);
    const struct tensor *all[3] = {in, slope, out};
    for (int i = 0; i < 3 && !status && in->type == PIPIT_I8; i++)
        status = need_scale(graph, node, all[i], error);
    if (!status && (slope->type != in->type || out->type != in->type))
        return node_fail(graph, node, error, -EINVAL, "inputs and output must be of one type");
    if (status)
        return status;
    bool tail = true; /* leading dimensions of 1, then the input's own */
    for (int i = 1; i <= slope->rank; i++) {
        int size = slope->shape[slope->rank - i];
        if (size != 1 && (!tail || i > in->rank || size != in->shape[in->rank - i]))
            return node_fail(graph, node, error, -ENOTSUP, "slopes of this shape");
        tail = tail && i <= in->rank && size == in->shape[in->rank - i];
    }
    if (tensor_elements(slope) < 1)
        return node_fail(graph, node, error, -EINVAL, "no slopes");
    set_shape(out, in->rank, in->shape);
    return 0;
}

const struct op_info op_PRELU = {"PRELU", infer, prepare, .macs = NULL};
