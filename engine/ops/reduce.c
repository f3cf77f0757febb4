/* SPDX-License-Identifier: MIT */
/* MEAN, SUM, REDUCE_MAX, REDUCE_MIN and REDUCE_PROD over any axes. */
#include "engine/ops/activation.h"

#include <math.h>
#include <string.h>

/* Dimensions of 1 are gone and neighbours of one kind are merged, so kept and reduced ones alternate. */
struct reduce_args {
    enum op op;
    enum pipit_type type;
    int rank, size[PIPIT_RANK_MAX];
    bool reduced[PIPIT_RANK_MAX];
    int rows, inner; /* rows of the innermost dimension */
    int count;       /* elements behind each output */
    int outputs;
    int32_t *sum;   /* int8: one an output */
    float *sum_f16; /* float16: one an output */
    struct requant requant;
    int32_t in_zero, out_zero;
    float scale;
};

static size_t output_of_row(const struct reduce_args *args, int row)
{
    size_t at = 0, step = args->reduced[args->rank - 1] ? 1 : (size_t)args->inner;
    for (int i = args->rank - 2; i >= 0; i--) {
        int index = row % args->size[i];
        row /= args->size[i];
        if (!args->reduced[i]) {
            at += (size_t)index * step;
            step *= (size_t)args->size[i];
        }
    }
    return at;
}

/* ---- one row into its outputs ---- */

static double merged(enum op op, double a, double b)
{
    switch (op) {
    case OP_REDUCE_MAX:
        return a > b ? a : b;
    case OP_REDUCE_MIN:
        return a < b ? a : b;
    case OP_REDUCE_PROD:
        return a * b;
    default:
        return a + b;
    }
}

static void row_f32(const struct step *step, const struct reduce_args *args, float *out, const float *in,
                    int n)
{
    bool adds = args->op == OP_MEAN || args->op == OP_SUM, one = args->reduced[args->rank - 1];
    if (adds && !one) {
        step->kernels->accumulate_f32(out, in, n, 1, 0);
        return;
    }
    for (int i = 0; i < n; i++) {
        float *to = one ? out : out + i;
        *to = (float)merged(args->op, (double)*to, (double)in[i]);
    }
}

static void row_i8(const struct step *step, const struct reduce_args *args, int32_t *sum, const int8_t *in,
                   int n)
{
    bool adds = args->op == OP_MEAN || args->op == OP_SUM, one = args->reduced[args->rank - 1];
    if (adds && !one) {
        step->kernels->accumulate_i8(sum, in, n, 1, 0);
        return;
    }
    for (int i = 0; i < n; i++) {
        int32_t *to = one ? sum : sum + i;
        *to = (int32_t)merged(args->op, *to, in[i]);
    }
}

static void row_i32(const struct reduce_args *args, int32_t *out, const int32_t *in, int n)
{
    for (int i = 0; i < n; i++) {
        int32_t *to = args->reduced[args->rank - 1] ? out : out + i;
        double value = merged(args->op, *to, in[i]);
        *to = value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
    }
}

/* ---- start and finish ---- */

static double neutral(const struct reduce_args *args)
{
    bool i32 = args->type == PIPIT_I32, i8 = args->type == PIPIT_I8;
    switch (args->op) {
    case OP_REDUCE_MAX:
        return i8 ? -128 : i32 ? INT32_MIN : -INFINITY;
    case OP_REDUCE_MIN:
        return i8 ? 127 : i32 ? INT32_MAX : INFINITY;
    case OP_REDUCE_PROD:
        return 1;
    default:
        return 0;
    }
}

static void start(const struct reduce_args *args, void *out, int begin, int end)
{
    for (int i = begin; i < end; i++) {
        if (args->type == PIPIT_F32)
            ((float *)out)[i] = (float)neutral(args);
        else
            ((int32_t *)out)[i] = (int32_t)neutral(args);
    }
}

static int8_t finished_i8(const struct reduce_args *args, int32_t sum)
{
    if (args->op == OP_REDUCE_MAX || args->op == OP_REDUCE_MIN)
        return (int8_t)sum;
    float value = roundf((float)sum * args->scale - (float)args->in_zero * args->scale * (float)args->count) +
                  (float)args->out_zero;
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : (int)value);
}

static void finish_mean_i8(const struct reduce_args *args, int8_t *out, int begin, int end)
{
    const struct requant r = args->requant;
    const int32_t less = args->count * args->in_zero, zero = args->out_zero;
    for (int i = begin; i < end; i++) {
        int32_t value = requantise_to((uint32_t)(args->sum[i] - less), r, zero);
        out[i] = (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
    }
}

static void finish(const struct step *step, const struct reduce_args *args, int begin, int end)
{
    if (args->op == OP_MEAN && args->type == PIPIT_I8) {
        finish_mean_i8(args, step->out[0], begin, end);
        return;
    }
    for (int i = begin; i < end; i++) {
        if (args->type == PIPIT_I8)
            ((int8_t *)step->out[0])[i] = finished_i8(args, args->sum[i]);
        else if (args->op == OP_MEAN && args->type == PIPIT_F32)
            ((float *)step->out[0])[i] /= (float)args->count;
        else if (args->op == OP_MEAN)
            ((int32_t *)step->out[0])[i] /= args->count;
    }
}

static void run_row(const struct step *step, const struct reduce_args *args, int row, int from, int to)
{
    size_t in = (size_t)row * (size_t)args->inner + (size_t)from,
           out = output_of_row(args, row) + (size_t)from;
    if (args->type == PIPIT_F32)
        row_f32(step, args, (float *)step->out[0] + out, (const float *)step->in[0] + in, to - from);
    else if (args->type == PIPIT_I8)
        row_i8(step, args, args->sum + out, (const int8_t *)step->in[0] + in, to - from);
    else
        row_i32(args, (int32_t *)step->out[0] + out, (const int32_t *)step->in[0] + in, to - from);
}

/* MEAN or SUM of all pixels, a channel at a time. */
static void sum_channels(const struct step *step, const struct reduce_args *args, int from, int to)
{
    size_t inner = (size_t)args->inner;
    if (args->type == PIPIT_F32)
        step->kernels->accumulate_f32((float *)step->out[0] + from, (const float *)step->in[0] + from,
                                      to - from, args->rows, inner);
    else
        step->kernels->accumulate_i8(args->sum + from, (const int8_t *)step->in[0] + from, to - from,
                                     args->rows, inner);
}

static void run(const struct step *step, struct chunk chunk)
{
    const struct reduce_args *args = step->args;
    bool adds = (args->op == OP_MEAN || args->op == OP_SUM) && args->type != PIPIT_I32;
    void *target = args->type == PIPIT_I8 ? (void *)args->sum : step->out[0];
    bool by_channel = !args->reduced[args->rank - 1] && args->outputs == args->inner;
    int from = 0, to = args->inner;
    if (by_channel)
        share(args->inner, 16, chunk, &from, &to);
    else if (chunk.index > 0)
        return;
    if (from >= to)
        return;
    start(args, target, by_channel ? from : 0, by_channel ? to : args->outputs);
    if (by_channel && adds)
        sum_channels(step, args, from, to);
    for (int row = 0; row < args->rows && !(by_channel && adds); row++)
        run_row(step, args, row, from, to);
    finish(step, args, by_channel ? from : 0, by_channel ? to : args->outputs);
}

/* float16: MEAN of all pixels. */
static void run_f16(const struct step *step, struct chunk chunk)
{
    const struct reduce_args *args = step->args;
    int from, to;
    share(args->inner, 16, chunk, &from, &to);
    if (from >= to)
        return;
    float *sum = args->sum_f16 + from;
    memset(sum, 0, (size_t)(to - from) * sizeof(*sum));
    step->kernels->accumulate_f16(sum, (const uint16_t *)step->in[0] + from, to - from, args->rows,
                                  (size_t)args->inner);
    for (int i = 0; i < to - from; i++)
        sum[i] /= (float)args->count;
    step->kernels->f16_from_f32((uint16_t *)step->out[0] + from, sum, to - from);
}

/* ---- preparing ---- */

static int axis_mask(const struct graph *graph, const struct node *node, unsigned *mask,
                     struct pipit_error *error)
{
    int32_t axis[PIPIT_RANK_MAX];
    int rank = node_input(graph, node, 0)->rank;
    int count = constant_ints(graph, node, 1, axis, PIPIT_RANK_MAX, error);
    *mask = 0;
    for (int i = 0; i < count; i++) {
        int at = axis[i] < 0 ? axis[i] + rank : axis[i];
        if (at < 0 || at >= rank)
            return node_fail(graph, node, error, -EINVAL, "axis %d does not exist", (int)axis[i]);
        *mask |= 1u << at;
    }
    return count < 0 ? count : 0;
}

static void merge_dimensions(const struct tensor *in, unsigned mask, struct reduce_args *args)
{
    args->count = 1;
    for (int i = 0; i < in->rank; i++) {
        bool reduced = mask >> i & 1;
        args->count *= reduced ? in->shape[i] : 1;
        if (in->shape[i] == 1)
            continue;
        if (args->rank && args->reduced[args->rank - 1] == reduced) {
            args->size[args->rank - 1] *= in->shape[i];
        } else {
            args->reduced[args->rank] = reduced;
            args->size[args->rank++] = in->shape[i];
        }
    }
    if (!args->rank)
        args->size[args->rank++] = 1;
    args->inner = args->size[args->rank - 1];
    args->rows = (int)(tensor_elements(in) / args->inner);
}

/* The reference folds the division into the multiplier: Q31 shifted up by as many bits as the count has, then
 * divided. */
static struct requant mean_requant(float in_scale, float out_scale, int count)
{
    struct requant r = requant_from_double((double)in_scale / (double)out_scale);
    int bits = 63 - __builtin_clzll((unsigned long long)count);
    int up = bits < 32 ? bits : 32;
    if (up > 31 + r.shift)
        up = 31 + r.shift > 0 ? 31 + r.shift : 0;
    r.multiplier = (int32_t)(((int64_t)r.multiplier << up) / count);
    r.shift -= up;
    return r;
}

static int prepare(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0), *out = node_output(plan->graph, node, 0);
    unsigned mask;
    int status = axis_mask(plan->graph, node, &mask, error);
    struct reduce_args *args = status ? NULL : plan_alloc(plan, 1, sizeof(*args));
    struct step *step = args ? plan_add_step(plan, node) : NULL;
    if (!step)
        return status ? status : -ENOMEM;
    args->op = node->op;
    args->type = in->type;
    merge_dimensions(in, mask, args);
    args->outputs = (int)tensor_elements(out);
    if (in->type == PIPIT_I8) {
        args->sum = plan_alloc(plan, (size_t)args->outputs, sizeof(*args->sum));
        if (!args->sum)
            return -ENOMEM;
        args->in_zero = in->quant.zero[0];
        args->out_zero = out->quant.zero[0];
        args->scale = in->quant.scale[0] / out->quant.scale[0];
        args->requant = mean_requant(in->quant.scale[0], out->quant.scale[0], args->count);
    }
    if (in->type == PIPIT_F16) {
        args->sum_f16 = plan_alloc(plan, (size_t)args->outputs, sizeof(*args->sum_f16));
        if (!args->sum_f16)
            return -ENOMEM;
    }
    step->run = in->type == PIPIT_F16 ? run_f16 : run;
    step->args = args;
    step->kernel = in->type == PIPIT_I8 ? "reduce_i8" : in->type == PIPIT_F16 ? "reduce_f16" : "reduce_f32";
    return 0;
}

static int infer(struct graph *graph, struct node *node, struct pipit_error *error)
{
    unsigned mask, types = TYPE_BIT(PIPIT_F32) | TYPE_BIT(PIPIT_I8) | TYPE_BIT(PIPIT_I32);
    int status = need_inputs(graph, node, 2, 2, error);
    if (status)
        return status;
    const struct tensor *in = node_input(graph, node, 0);
    struct tensor *out = node_output(graph, node, 0);
    status = need_type(graph, node, in, types, error);
    if (!status && (in->type != out->type || tensor_elements(in) < 1))
        return node_fail(graph, node, error, -EINVAL, "input and output must be of one type");
    if (!status && in->type == PIPIT_I8)
        status = need_scale(graph, node, in, error) ? -EINVAL : need_scale(graph, node, out, error);
    if (!status && in->type == PIPIT_I8 && node->op == OP_REDUCE_PROD)
        return node_fail(graph, node, error, -ENOTSUP, "cannot work on int8");
    if (!status)
        status = axis_mask(graph, node, &mask, error);
    if (status)
        return status;
    int rank = 0;
    int32_t shape[PIPIT_RANK_MAX];
    for (int i = 0; i < in->rank; i++)
        if (!(mask >> i & 1) || node->reduce.keep_dims)
            shape[rank++] = mask >> i & 1 ? 1 : in->shape[i];
    set_shape(out, rank, shape);
    return 0;
}

static bool mean_of_pixels(const struct graph *graph, const struct node *node)
{
    struct pipit_error unused;
    struct reduce_args args = {0};
    unsigned mask;
    if (axis_mask(graph, node, &mask, &unused))
        return false;
    merge_dimensions(node_input(graph, node, 0), mask, &args);
    return !args.reduced[args.rank - 1] && tensor_elements(node_output(graph, node, 0)) == args.inner;
}

#define REDUCE(name) const struct op_info op_##name = {#name, infer, prepare, .macs = NULL}
const struct op_info op_MEAN = {"MEAN", infer, prepare, .half = mean_of_pixels};
REDUCE(SUM);
REDUCE(REDUCE_MAX);
REDUCE(REDUCE_MIN);
REDUCE(REDUCE_PROD);
