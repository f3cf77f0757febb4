/* SPDX-License-Identifier: MIT */
/* QUANTIZE, DEQUANTIZE and CAST. */
#include "engine/ops/activation.h"
#include "engine/float16.h"

#include <math.h>
#include <string.h>

struct convert_args {
    int count, inner, channels; /* per channel: channel of element i is i / inner % channels */
    enum pipit_type from, to;
    const float *scale;
    const int32_t *zero;
    int32_t out_zero;
    float out_scale;
    int8_t table[256]; /* from int8 to int8, by the byte */
};

/* ---- QUANTIZE ---- */

static void quantise(const struct convert_args *args, const float *in, int8_t *out, int begin, int end)
{
    for (int i = begin; i < end; i++) {
        float value = roundf(in[i] / args->out_scale) + (float)args->out_zero;
        out[i] = (int8_t)(!(value > -128) ? -128 : value > 127 ? 127 : (int)value);
    }
}

static void fill_table(struct convert_args *args, const struct quant *in, const struct quant *out)
{
    const struct requant r = requant_from_double((double)in->scale[0] / (double)out->scale[0]);
    for (int q = -128; q < 128; q++) {
        int32_t value = requantise_to((uint32_t)(q - in->zero[0]), r, out->zero[0]);
        args->table[(uint8_t)q] = (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
    }
}

static void run_quantize(const struct step *step, struct chunk chunk)
{
    const struct convert_args *args = step->args;
    int begin, end;
    share(args->count, 64, chunk, &begin, &end);
    if (args->from == PIPIT_F32)
        quantise(args, step->in[0], step->out[0], begin, end);
    else
        step->kernels->lookup_i8((int8_t *)step->out[0] + begin, (const int8_t *)step->in[0] + begin,
                                 end - begin, args->table);
}

/* ---- DEQUANTIZE ---- */

static void run_dequantize(const struct step *step, struct chunk chunk)
{
    const struct convert_args *args = step->args;
    float *out = step->out[0];
    int begin, end;
    share(args->count, 64, chunk, &begin, &end);
    for (int i = begin; i < end; i++) {
        int c = args->channels > 1 ? i / args->inner % args->channels : 0;
        if (args->from == PIPIT_F16)
            out[i] = float16_to_float(((const uint16_t *)step->in[0])[i]);
        else if (args->from == PIPIT_I8)
            out[i] = args->scale[c] * (float)(((const int8_t *)step->in[0])[i] - args->zero[c]);
        else
            out[i] = args->scale[c] * (float)((int64_t)((const int32_t *)step->in[0])[i] - args->zero[c]);
    }
}

/* ---- CAST ---- */

static double load(enum pipit_type type, const void *data, int i)
{
    switch (type) {
    case PIPIT_F32:
        return (double)((const float *)data)[i];
    case PIPIT_F16:
        return (double)float16_to_float(((const uint16_t *)data)[i]);
    case PIPIT_U8:
    case PIPIT_BOOL:
        return ((const uint8_t *)data)[i];
    case PIPIT_I8:
        return ((const int8_t *)data)[i];
    case PIPIT_I16:
        return ((const int16_t *)data)[i];
    case PIPIT_I32:
        return ((const int32_t *)data)[i];
    default:
        return (double)((const int64_t *)data)[i];
    }
}

static int64_t whole(double value)
{
    return !(value > -9.2e18) ? INT64_MIN : value > 9.2e18 ? INT64_MAX : (int64_t)value;
}

static void store(enum pipit_type type, void *data, int i, double value)
{
    if (type == PIPIT_F32)
        ((float *)data)[i] = (float)value;
    else if (type == PIPIT_BOOL)
        ((uint8_t *)data)[i] = value != 0;
    else if (type == PIPIT_U8 || type == PIPIT_I8)
        ((uint8_t *)data)[i] = (uint8_t)whole(value);
    else if (type == PIPIT_I16)
        ((int16_t *)data)[i] = (int16_t)whole(value);
    else if (type == PIPIT_I32)
        ((int32_t *)data)[i] = (int32_t)whole(value);
    else
        ((int64_t *)data)[i] = whole(value);
}

static void run_cast(const struct step *step, struct chunk chunk)
{
    const struct convert_args *args = step->args;
    int begin, end;
    share(args->count, 64, chunk, &begin, &end);
    for (int i = begin; i < end; i++)
        store(args->to, step->out[0], i, load(args->from, step->in[0], i));
}

/* Between float32 and float16, by the kernels: float16 networks begin and end so. */
static void run_cast_f16(const struct step *step, struct chunk chunk)
{
    const struct convert_args *args = step->args;
    int begin, end;
    share(args->count, 64, chunk, &begin, &end);
    if (begin >= end)
        return;
    if (args->to == PIPIT_F16)
        step->kernels->f16_from_f32((uint16_t *)step->out[0] + begin, (const float *)step->in[0] + begin,
                                    end - begin);
    else
        step->kernels->f32_from_f16((float *)step->out[0] + begin, (const uint16_t *)step->in[0] + begin,
                                    end - begin);
}

/* ---- preparing ---- */

static bool is_half_cast(const struct convert_args *args)
{
    return (args->from == PIPIT_F32 && args->to == PIPIT_F16) ||
           (args->from == PIPIT_F16 && args->to == PIPIT_F32);
}

static void set_scales(const struct tensor *in, struct convert_args *args)
{
    args->channels = in->quant.count;
    args->scale = in->quant.scale;
    args->zero = in->quant.zero;
    args->inner = 1;
    for (int i = in->quant.axis + 1; i < in->rank; i++)
        args->inner *= in->shape[i];
}

static int prepare(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0), *out = node_output(plan->graph, node, 0);
    struct convert_args *args = plan_alloc(plan, 1, sizeof(*args));
    struct step *step = plan_add_step(plan, node);
    if (!args || !step)
        return -ENOMEM;
    *args = (struct convert_args){.count = (int)tensor_elements(in), .from = in->type, .to = out->type};
    if (node->op == OP_QUANTIZE) {
        args->out_scale = out->quant.scale[0];
        args->out_zero = out->quant.zero[0];
        if (in->type == PIPIT_I8)
            fill_table(args, &in->quant, &out->quant);
    }
    if (node->op == OP_DEQUANTIZE)
        set_scales(in, args);
    step->run = node->op == OP_QUANTIZE     ? run_quantize
                : node->op == OP_DEQUANTIZE ? run_dequantize
                : is_half_cast(args)        ? run_cast_f16
                                            : run_cast;
    step->args = args;
    step->kernel = node->op == OP_QUANTIZE     ? in->type == PIPIT_I8 ? "lookup_i8" : "quantize"
                   : node->op == OP_DEQUANTIZE ? "dequantize"
                                               : "cast";
    return 0;
}

static int infer(struct graph *graph, struct node *node, unsigned from, unsigned to,
                 struct pipit_error *error)
{
    int status = need_inputs(graph, node, 1, 1, error);
    if (status)
        return status;
    const struct tensor *in = node_input(graph, node, 0);
    struct tensor *out = node_output(graph, node, 0);
    status = need_type(graph, node, in, from, error);
    if (!status)
        status = need_type(graph, node, out, to, error);
    if (!status)
        set_shape(out, in->rank, in->shape);
    return status;
}

static int infer_quantize(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = infer(graph, node, TYPE_BIT(PIPIT_F32) | TYPE_BIT(PIPIT_I8), TYPE_BIT(PIPIT_I8), error);
    if (!status)
        status = need_scale(graph, node, node_output(graph, node, 0), error);
    if (!status && node_input(graph, node, 0)->type == PIPIT_I8)
        status = need_scale(graph, node, node_input(graph, node, 0), error);
    return status;
}

static int infer_dequantize(struct graph *graph, struct node *node, struct pipit_error *error)
{
    unsigned from = TYPE_BIT(PIPIT_I8) | TYPE_BIT(PIPIT_F16) | TYPE_BIT(PIPIT_I32);
    int status = infer(graph, node, from, TYPE_BIT(PIPIT_F32), error);
    const struct tensor *in = status ? NULL : node_input(graph, node, 0);
    if (in && in->type != PIPIT_F16 && in->quant.count < 1)
        return node_fail(graph, node, error, -EINVAL, "'%.80s' has no scale", in->name);
    return status;
}

static int infer_cast(struct graph *graph, struct node *node, struct pipit_error *error)
{
    unsigned all = (1u << (PIPIT_BOOL + 1)) - 1;
    return infer(graph, node, all, all & ~TYPE_BIT(PIPIT_F16), error);
}

const struct op_info op_QUANTIZE = {"QUANTIZE", infer_quantize, prepare, .macs = NULL};
const struct op_info op_DEQUANTIZE = {"DEQUANTIZE", infer_dequantize, prepare, .macs = NULL};
const struct op_info op_CAST = {"CAST", infer_cast, prepare, .macs = NULL};
