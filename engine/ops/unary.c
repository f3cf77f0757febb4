/* SPDX-License-Identifier: MIT */
/* Functions of one element: in float directly, in int8 by a table of all 256 answers, made with the
 * arithmetic of TensorFlow Lite's reference kernels. */
#include "engine/ops/unary.h"

#include "engine/ops/activation.h"

#include <math.h>
#include <string.h>

struct unary_args {
    enum op op;
    enum pipit_type type;
    int count;
    float alpha, min, max;
    int8_t table[256];
};

/* ---- float ---- */

static float of_float(enum op op, float x, float alpha)
{
    switch (op) {
    case OP_LEAKY_RELU:
        return x >= 0 ? x : x * alpha;
    case OP_ELU:
        return x < 0 ? expm1f(x) : x;
    case OP_LOGISTIC:
        return 1 / (1 + expf(-x));
    case OP_TANH:
        return tanhf(x);
    case OP_EXP:
        return expf(x);
    case OP_LOG:
        return logf(x);
    case OP_SQRT:
        return sqrtf(x);
    case OP_RSQRT:
        return 1 / sqrtf(x);
    case OP_SQUARE:
        return x * x;
    case OP_ABS:
        return fabsf(x);
    case OP_NEG:
        return -x;
    case OP_FLOOR:
        return floorf(x);
    case OP_CEIL:
        return ceilf(x);
    case OP_ROUND: /* halves to even */
        return x - remainderf(x, 1);
    default:
        return x;
    }
}

static void run_f32(const struct step *step, const struct unary_args *args, int begin, int end)
{
    const float *in = (const float *)step->in[0] + begin;
    float *out = (float *)step->out[0] + begin;
    int count = end - begin;
    if (args->op == OP_HARD_SWISH)
        step->kernels->hard_swish_f32(out, in, count);
    else if (args->op == OP_HARD_SIGMOID)
        step->kernels->hard_sigmoid_f32(out, in, count);
    else if (args->min < args->max)
        step->kernels->clamp_f32(out, in, count, args->min, args->max);
    else
        for (int i = 0; i < count; i++)
            out[i] = of_float(args->op, in[i], args->alpha);
}

static void run_f16(const struct step *step, const struct unary_args *args, int begin, int end)
{
    const uint16_t *in = (const uint16_t *)step->in[0] + begin;
    uint16_t *out = (uint16_t *)step->out[0] + begin;
    if (args->op == OP_HARD_SWISH)
        step->kernels->hard_swish_f16(out, in, end - begin);
    else if (args->op == OP_HARD_SIGMOID)
        step->kernels->hard_sigmoid_f16(out, in, end - begin);
    else
        step->kernels->clamp_f16(out, in, end - begin, args->min, args->max);
}

static void run_i32(const struct unary_args *args, const int32_t *in, int32_t *out, int count)
{
    for (int i = 0; i < count; i++) {
        uint32_t x = (uint32_t)in[i];
        out[i] = (int32_t)(args->op == OP_SQUARE ? x * x : args->op == OP_NEG || in[i] < 0 ? 0 - x : x);
    }
}

static void run(const struct step *step, struct chunk chunk)
{
    const struct unary_args *args = step->args;
    int begin, end;
    share(args->count, 64, chunk, &begin, &end);
    if (begin >= end)
        return;
    if (args->type == PIPIT_I8)
        step->kernels->lookup_i8((int8_t *)step->out[0] + begin, (const int8_t *)step->in[0] + begin,
                                 end - begin, args->table);
    else if (args->type == PIPIT_I32)
        run_i32(args, (const int32_t *)step->in[0] + begin, (int32_t *)step->out[0] + begin, end - begin);
    else if (args->type == PIPIT_F16)
        run_f16(step, args, begin, end);
    else
        run_f32(step, args, begin, end);
}

/* ---- int8 tables ---- */

static int8_t saturated(int32_t value)
{
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

/* The reference fills its own tables this way (LUTPopulate): in float, halves away from zero. */
static void table_of_float(int8_t *table, const struct tensor *in, const struct tensor *out, enum op op,
                           float alpha)
{
    float inverse = 1 / out->quant.scale[0];
    for (int q = -128; q < 128; q++) {
        float x = in->quant.scale[0] * (float)(q - in->quant.zero[0]);
        float steps = of_float(op, x, alpha) * inverse; /* the reference's SQRT cuts off */
        float value = (op == OP_SQRT ? floorf(steps) : roundf(steps)) + (float)out->quant.zero[0];
        table[(uint8_t)q] = (int8_t)(!(value > -128) ? -128 : value > 127 ? 127 : (int)value);
    }
}

static void table_of_relu(int8_t *table, const struct tensor *in, const struct tensor *out, float low,
                          float high)
{
    struct requant r = requant_from_double((double)(in->quant.scale[0] / out->quant.scale[0]));
    float zero = (float)out->quant.zero[0], scale = out->quant.scale[0];
    float from = zero + roundf(low / scale), to = isinf(high) ? 127 : zero + roundf(high / scale);
    int32_t min = from < -128  ? -128
                  : from > 127 ? 127
                               : (int32_t)from,
            max = to > 127    ? 127
                  : to < -128 ? -128
                              : (int32_t)to;
    for (int q = -128; q < 128; q++) {
        int32_t value = requantise_to((uint32_t)(q - in->quant.zero[0]), r, out->quant.zero[0]);
        table[(uint8_t)q] = (int8_t)(value < min ? min : value > max ? max : value);
    }
}

static void table_of_leaky_relu(int8_t *table, const struct tensor *in, const struct tensor *out, float alpha)
{
    struct requant above = requant_from_double((double)(in->quant.scale[0] / out->quant.scale[0]));
    double slope = (double)(in->quant.scale[0] * alpha / out->quant.scale[0]);
    struct requant below = requant_from_double(fabs(slope));
    for (int q = -128; q < 128; q++) {
        int32_t x = q - in->quant.zero[0];
        if (x < 0 && slope < 0)
            x = -x;
        struct requant r = q - in->quant.zero[0] >= 0 ? above : below;
        table[(uint8_t)q] = saturated(requantise_to((uint32_t)x, r, out->quant.zero[0]));
    }
}

/* gemmlowp's 16-bit fixed point. */
static int16_t high_mul_16(int32_t a, int32_t b)
{
    int32_t product = a * b;
    int32_t high = (product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15);
    return (int16_t)(high > INT16_MAX ? INT16_MAX : high);
}

static int32_t shift_right_rounding(int32_t value, int shift)
{
    int32_t mask = (int32_t)((1u << shift) - 1), rest = value & mask;
    return (value >> shift) + (rest > (mask >> 1) + (value < 0));
}

static int16_t shift_left_saturating(int32_t value, int shift)
{
    int64_t shifted = (int64_t)value * (INT64_C(1) << (shift < 31 ? shift : 31));
    return (int16_t)(shifted > INT16_MAX ? INT16_MAX : shifted < INT16_MIN ? INT16_MIN : shifted);
}

struct multiplier_16 {
    int32_t value; /* Q15 */
    int exponent;
};

static struct multiplier_16 multiplier_16(float factor)
{
    struct requant r = requant_from_double((double)factor);
    int32_t value = r.multiplier >= INT32_MAX - (1 << 15) ? INT16_MAX : (r.multiplier + (1 << 15)) >> 16;
    return (struct multiplier_16){value, r.shift < -31 ? -31 : r.shift};
}

/* relu6(x + 3) / 6 in Q15, as tensorflow/lite/kernels/internal/reference/hard_swish.h computes it. */
static int32_t reluish(int32_t x, struct multiplier_16 m)
{
    if (m.exponent > 0)
        x = shift_left_saturating(x, m.exponent - 1);
    x = high_mul_16(x, m.value);
    if (m.exponent > 0)
        x = shift_left_saturating(x, 1);
    else
        x = shift_right_rounding(x, -m.exponent);
    return (x + (1 << 15)) >> 1;
}

static void table_of_hard_swish(int8_t *table, const struct tensor *in, const struct tensor *out)
{
    float hires = 1.0f / 128 * in->quant.scale[0];
    struct multiplier_16 to_out = multiplier_16(hires / out->quant.scale[0]);
    struct multiplier_16 to_reluish = multiplier_16(hires / (3.0f / 32768));
    for (int q = -128; q < 128; q++) {
        int32_t x = (q - in->quant.zero[0]) * 128;
        int32_t scaled = high_mul_16(x, to_out.value);
        int32_t product = reluish(x, to_reluish) * scaled / (1 << 15);
        int32_t value = to_out.exponent > 0 ? shift_left_saturating(product, to_out.exponent)
                                            : shift_right_rounding(product, -to_out.exponent);
        table[(uint8_t)q] = saturated(value + out->quant.zero[0]);
    }
}

static void fill_table(struct unary_args *args, const struct tensor *in, const struct tensor *out)
{
    switch (args->op) {
    case OP_RELU:
    case OP_RELU6:
    case OP_RELU_N1_TO_1:
    case OP_RELU_0_TO_1:
        table_of_relu(args->table, in, out, args->min, args->max);
        break;
    case OP_LEAKY_RELU:
        table_of_leaky_relu(args->table, in, out, args->alpha);
        break;
    case OP_HARD_SWISH:
        table_of_hard_swish(args->table, in, out);
        break;
    default:
        table_of_float(args->table, in, out, args->op, args->alpha);
    }
}

/* ---- the operators ---- */

static void set_clamp(struct unary_args *args)
{
    args->min = args->op == OP_RELU_N1_TO_1 ? -1 : 0;
    if (args->op == OP_RELU)
        args->max = INFINITY;
    else if (args->op == OP_RELU6)
        args->max = 6;
    else if (args->op == OP_RELU_N1_TO_1 || args->op == OP_RELU_0_TO_1)
        args->max = 1;
}

static int prepare(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0), *out = node_output(plan->graph, node, 0);
    struct unary_args *args = plan_alloc(plan, 1, sizeof(*args));
    struct step *step = plan_add_step(plan, node);
    if (!args || !step)
        return -ENOMEM;
    *args = (struct unary_args){.op = node->op, .type = in->type, .count = (int)tensor_elements(in)};
    args->alpha = node->op == OP_LEAKY_RELU ? node->scalar.alpha : 0;
    set_clamp(args);
    if (in->type == PIPIT_I8)
        fill_table(args, in, out);
    step->run = run;
    step->args = args;
    step->kernel = in->type == PIPIT_I8 ? "lookup_i8" : in->type == PIPIT_F16 ? "unary_f16" : "unary_f32";
    return 0;
}

int infer_same_shape(struct graph *graph, struct node *node, unsigned types, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 1, 1, error);
    const struct tensor *in = status ? NULL : node_input(graph, node, 0);
    struct tensor *out = status ? NULL : node_output(graph, node, 0);
    if (!status)
        status = need_type(graph, node, in, types, error);
    if (!status && in->type != out->type)
        return node_fail(graph, node, error, -EINVAL, "input and output must be of one type");
    if (!status && in->type == PIPIT_I8)
        status = need_scale(graph, node, in, error) ? -EINVAL : need_scale(graph, node, out, error);
    if (!status)
        set_shape(out, in->rank, in->shape);
    return status;
}

static int infer(struct graph *graph, struct node *node, struct pipit_error *error)
{
    return infer_same_shape(graph, node, TYPE_BIT(PIPIT_F32) | TYPE_BIT(PIPIT_I8), error);
}

static int infer_with_ints(struct graph *graph, struct node *node, struct pipit_error *error)
{
    return infer_same_shape(graph, node, TYPE_BIT(PIPIT_F32) | TYPE_BIT(PIPIT_I8) | TYPE_BIT(PIPIT_I32),
                            error);
}

#define UNARY_WITH_HALF(name)                                                                                \
    const struct op_info op_##name = {#name, infer, prepare, .half = half_always, .in_place = 1}
UNARY_WITH_HALF(RELU);
UNARY_WITH_HALF(RELU6);
UNARY_WITH_HALF(RELU_N1_TO_1);
UNARY_WITH_HALF(RELU_0_TO_1);
UNARY_WITH_HALF(HARD_SWISH);
UNARY_WITH_HALF(HARD_SIGMOID);

#define UNARY(name) const struct op_info op_##name = {#name, infer, prepare, .in_place = 1}
UNARY(LEAKY_RELU);
UNARY(ELU);
UNARY(LOGISTIC);
UNARY(TANH);
UNARY(EXP);
UNARY(LOG);
UNARY(SQRT);
UNARY(RSQRT);
UNARY(FLOOR);
UNARY(CEIL);
UNARY(ROUND);
const struct op_info op_SQUARE = {"SQUARE", infer_with_ints, prepare, .in_place = 1};
const struct op_info op_ABS = {"ABS", infer_with_ints, prepare, .in_place = 1};
const struct op_info op_NEG = {"NEG", infer_with_ints, prepare, .in_place = 1};

/* ---- FLIP_SIGN ---- */

static void run_flip(const struct step *step, struct chunk chunk)
{
    const struct unary_args *args = step->args;
    int begin, end;
    share(args->count, 64, chunk, &begin, &end);
    step->kernels->flip_sign((uint8_t *)step->out[0] + begin, (const uint8_t *)step->in[0] + begin,
                             end - begin);
}

static int prepare_flip(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    int status = prepare(plan, node, error);
    if (status)
        return status;
    plan->step[plan->steps - 1].run = run_flip;
    plan->step[plan->steps - 1].kernel = "flip_sign";
    return 0;
}

static int infer_flip(struct graph *graph, struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(graph, node, 0);
    set_shape(node_output(graph, node, 0), in->rank, in->shape);
    return 0;
}

const struct op_info op_FLIP_SIGN = {"FLIP_SIGN", infer_flip, prepare_flip, .in_place = 1};
