/* SPDX-License-Identifier: MIT */
/* SOFTMAX, LOG_SOFTMAX and L2_NORMALIZATION along the last dimension. */
#include "engine/ops/activation.h"
#include "engine/ops/fixed_point.h"
#include "engine/ops/unary.h"

#include <math.h>

struct rows_args {
    int rows, n;
    float beta;
    float in_scale, out_scale;
    int32_t in_zero, out_zero;
    bool was_u8;
    struct requant to_q26; /* int8 softmax: differences to 26 fraction bits */
    int32_t lowest;        /* differences below it have no weight */
    void (*row_f32)(const struct rows_args *args, const float *in, float *out);
    void (*row_i8)(const struct rows_args *args, const int8_t *in, int8_t *out);
};

static void softmax_f32(const struct rows_args *args, const float *in, float *out)
{
    float max = in[0], sum = 0;
    for (int i = 1; i < args->n; i++)
        max = in[i] > max ? in[i] : max;
    for (int i = 0; i < args->n; i++) {
        out[i] = expf((in[i] - max) * args->beta);
        sum += out[i];
    }
    for (int i = 0; i < args->n; i++)
        out[i] /= sum;
}

static void log_softmax_f32(const struct rows_args *args, const float *in, float *out)
{
    float max = in[0], sum = 0;
    for (int i = 1; i < args->n; i++)
        max = in[i] > max ? in[i] : max;
    for (int i = 0; i < args->n; i++)
        sum += expf(in[i] - max);
    for (int i = 0; i < args->n; i++)
        out[i] = in[i] - max - logf(sum);
}

static void l2_f32(const struct rows_args *args, const float *in, float *out)
{
    float sum = 0;
    for (int i = 0; i < args->n; i++)
        sum += in[i] * in[i];
    float length = sqrtf(sum);
    length = length > 1e-6f ? length : 1e-6f;
    for (int i = 0; i < args->n; i++)
        out[i] = in[i] / length;
}

/* ---- int8 ---- */

static int32_t exp_of(const struct rows_args *args, int32_t difference)
{
    int32_t scaled = (int32_t)((uint32_t)difference << args->to_q26.shift);
    return fixed_exp_q26(fixed_high_mul(scaled, args->to_q26.multiplier));
}

static void softmax_i8(const struct rows_args *args, const int8_t *in, int8_t *out)
{
    int32_t max = -128;
    uint32_t sum = 0; /* 12 integer bits */
    for (int i = 0; i < args->n; i++)
        max = in[i] > max ? in[i] : max;
    for (int i = 0; i < args->n; i++)
        if (in[i] - max >= args->lowest)
            sum += (uint32_t)fixed_shift_right(exp_of(args, in[i] - max), 12);
    int headroom = sum ? __builtin_clz(sum) : 31;
    int32_t fraction = (int32_t)((sum << headroom) - (UINT32_C(1) << 31));
    int32_t reciprocal = fixed_reciprocal_of_1_plus(fraction);
    int shift = 12 - headroom + 31 - 8;
    for (int i = 0; i < args->n; i++) {
        out[i] = -128;
        if (in[i] - max < args->lowest)
            continue;
        int32_t value = fixed_high_mul(reciprocal, exp_of(args, in[i] - max));
        value = fixed_shift_right(value, shift < 0 ? 0 : shift > 31 ? 31 : shift) - 128;
        out[i] = (int8_t)(value > 127 ? 127 : value < -128 ? -128 : value);
    }
}

static int8_t quantised(const struct rows_args *args, float value)
{
    float q = roundf(value / args->out_scale) + (float)args->out_zero;
    return (int8_t)(!(q > -128) ? -128 : q > 127 ? 127 : (int)q);
}

static void log_softmax_i8(const struct rows_args *args, const int8_t *in, int8_t *out)
{
    int32_t max = -128;
    float sum = 0;
    for (int i = 0; i < args->n; i++)
        max = in[i] > max ? in[i] : max;
    for (int i = 0; i < args->n; i++)
        sum += expf(args->in_scale * (float)(in[i] - max));
    for (int i = 0; i < args->n; i++)
        out[i] = quantised(args, args->in_scale * (float)(in[i] - max) - logf(sum));
}

/* The output's scale is 1/128 and its zero point 0 (128 in a uint8 file), by TensorFlow Lite's rule. Its
 * kernel for uint8 multiplies by 128 before it rounds twice, the one for int8 while it does. */
static void l2_i8(const struct rows_args *args, const int8_t *in, int8_t *out)
{
    uint32_t sum = 0;
    for (int i = 0; i < args->n; i++)
        sum += (uint32_t)((in[i] - args->in_zero) * (in[i] - args->in_zero));
    int shift;
    struct requant inverse = {0};
    inverse.multiplier = fixed_inverse_sqrt((int32_t)(sum < INT32_MAX ? sum : INT32_MAX), &shift);
    inverse.shift = args->was_u8 ? -shift : 7 - shift;
    for (int i = 0; i < args->n; i++) {
        int32_t value = requantise((in[i] - args->in_zero) * (args->was_u8 ? 128 : 1), inverse);
        out[i] = (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
    }
}

/* ---- preparing ---- */

static void run(const struct step *step, struct chunk chunk)
{
    const struct rows_args *args = step->args;
    int begin, end;
    share(args->rows, 1, chunk, &begin, &end);
    for (int row = begin; row < end; row++) {
        size_t at = (size_t)row * (size_t)args->n;
        if (args->row_i8)
            args->row_i8(args, (const int8_t *)step->in[0] + at, (int8_t *)step->out[0] + at);
        else
            args->row_f32(args, (const float *)step->in[0] + at, (float *)step->out[0] + at);
    }
}

/* PreprocessSoftmaxScaling and CalculateInputRadius of the reference, for 5 integer bits. */
static void softmax_constants(struct rows_args *args)
{
    double factor = (double)args->beta * (double)args->in_scale * (double)(1 << 26);
    double most = (double)(INT64_C(1) << 31) - 1;
    args->to_q26 = requant_from_double(factor < most ? factor : most);
    if (args->to_q26.shift <
        0) /* a difference of one step has almost no weight: the reference refuses such scales */
        args->to_q26 = (struct requant){0, 0};
    double radius = 31.0 * (double)(1 << 26) / (double)(INT64_C(1) << args->to_q26.shift);
    args->lowest = -(int32_t)floor(radius < 1e9 ? radius : 1e9);
}

static void set_functions(struct rows_args *args, enum op op, bool i8)
{
    static void (*const f32[])(const struct rows_args *, const float *, float *) = {softmax_f32,
                                                                                    log_softmax_f32, l2_f32};
    static void (*const by_i8[])(const struct rows_args *, const int8_t *,
                                 int8_t *) = {softmax_i8, log_softmax_i8, l2_i8};
    int which = op == OP_SOFTMAX ? 0 : op == OP_LOG_SOFTMAX ? 1 : 2;
    args->row_f32 = f32[which];
    args->row_i8 = i8 ? by_i8[which] : NULL;
}

static int prepare(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0), *out = node_output(plan->graph, node, 0);
    struct rows_args *args = plan_alloc(plan, 1, sizeof(*args));
    struct step *step = plan_add_step(plan, node);
    if (!args || !step)
        return -ENOMEM;
    args->n = in->rank ? in->shape[in->rank - 1] : 1;
    args->rows = (int)(tensor_elements(in) / args->n);
    args->beta = node->op == OP_SOFTMAX ? node->scalar.alpha : 1;
    if (in->type == PIPIT_I8) {
        args->in_scale = in->quant.scale[0];
        args->in_zero = in->quant.zero[0];
        args->was_u8 = in->was_u8;
        args->out_scale = out->quant.scale[0];
        args->out_zero = out->quant.zero[0];
        softmax_constants(args);
    }
    set_functions(args, node->op, in->type == PIPIT_I8);
    step->run = run;
    step->args = args;
    step->kernel = in->type == PIPIT_I8 ? "rows_i8" : "rows_f32";
    return 0;
}

static int infer(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = infer_same_shape(graph, node, TYPE_BIT(PIPIT_F32) | TYPE_BIT(PIPIT_I8), error);
    if (!status && node->op == OP_L2_NORMALIZATION && node->act != ACT_NONE)
        return node_fail(graph, node, error, -ENOTSUP, "a fused activation");
    const struct tensor *out = status ? NULL : node_output(graph, node, 0);
    if (out && node->op == OP_L2_NORMALIZATION && out->type == PIPIT_I8 &&
        (out->quant.zero[0] != 0 || out->quant.scale[0] != 1.0f / 128))
        return node_fail(graph, node, error, -ENOTSUP, "an output scale other than 1/128");
    if (out && node->op == OP_SOFTMAX && out->type == PIPIT_I8 &&
        (out->quant.zero[0] != -128 || fabsf(out->quant.scale[0] - 1.0f / 256) > 1e-6f))
        return node_fail(graph, node, error, -ENOTSUP, "an output scale other than 1/256");
    if (!status && (tensor_elements(node_input(graph, node, 0)) < 1))
        return node_fail(graph, node, error, -EINVAL, "an empty input");
    return status;
}

const struct op_info op_SOFTMAX = {"SOFTMAX", infer, prepare, .macs = NULL};
const struct op_info op_LOG_SOFTMAX = {"LOG_SOFTMAX", infer, prepare, .macs = NULL};
const struct op_info op_L2_NORMALIZATION = {"L2_NORMALIZATION", infer, prepare, .macs = NULL};
