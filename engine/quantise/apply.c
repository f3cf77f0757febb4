/* SPDX-License-Identifier: MIT */
/* From a float graph and a scheme to an int8 graph. */
#include "engine/quantise/scheme.h"

#include "engine/passes/pass.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A bias counts steps of input scale times weight scale; this many are always enough room for the sums. */
#define BIAS_STEPS_MAX 1e9f

struct applying {
    const struct scheme *scheme;
    const struct graph *from;
    struct graph *to;
    int *twin; /* of each old tensor, in the type that it is not made in; -1: none yet */
};

/* ---- tensors ---- */

static int set_quant(struct graph *graph, int index, int count, int axis, float **scale, int32_t **zero)
{
    *zero = pool_alloc(&graph->pool, (size_t)count, sizeof(**zero));
    *scale = pool_alloc(&graph->pool, (size_t)count, sizeof(**scale));
    graph->tensor[index].quant = (struct quant){.count = count, .axis = axis, .scale = *scale, .zero = *zero};
    return *zero && *scale ? 0 : -ENOMEM;
}

static int set_affine(struct graph *graph, int index, struct affine affine)
{
    float *scale;
    int32_t *zero;
    if (set_quant(graph, index, 1, 0, &scale, &zero))
        return -ENOMEM;
    *scale = affine.scale;
    *zero = affine.zero;
    return 0;
}

static int add_tensors(struct applying *a)
{
    for (int t = 0; t < a->from->tensors; t++) {
        const struct tensor *old = &a->from->tensor[t];
        bool int8 = a->scheme->is_int8[t];
        int index = graph_add_tensor(a->to, old->name, int8 ? PIPIT_I8 : old->type, old->rank, old->shape),
            status;
        if (index < 0)
            return index;
        a->to->tensor[index].data = old->data;
        a->to->tensor[index].quant = old->quant;
        status = int8 ? set_affine(a->to, index, a->scheme->affine[t]) : 0;
        if (status)
            return status;
    }
    return 0;
}

/* The tensor in the type that is asked for, converted when it is first needed. */
static int as_type(struct applying *a, int tensor, bool int8)
{
    const struct tensor *old = &a->from->tensor[tensor];
    char name[256];
    if (a->scheme->is_int8[tensor] == int8)
        return tensor;
    if (a->twin[tensor] >= 0)
        return a->twin[tensor];
    snprintf(name, sizeof(name), "%.240s/%s", old->name, int8 ? "int8" : "float");
    int index = graph_add_tensor(a->to, name, int8 ? PIPIT_I8 : PIPIT_F32, old->rank, old->shape);
    int status = index >= 0 && int8 ? set_affine(a->to, index, a->scheme->affine[tensor]) : 0;
    if (index >= 0 && !status)
        status = graph_add_node(a->to, int8 ? OP_QUANTIZE : OP_DEQUANTIZE, &tensor, 1, &index, 1);
    if (index < 0 || status < 0)
        return index < 0 ? index : status;
    return a->twin[tensor] = index;
}

/* ---- constants ---- */

static int8_t to_int8(float real, struct affine affine, int least)
{
    float value = roundf(real / affine.scale) + (float)affine.zero;
    return (int8_t)(!(value > (float)least) ? least : value > 127 ? 127 : (int)value);
}

static int new_constant(struct applying *a, const struct tensor *old, enum pipit_type type, void **data)
{
    struct tensor like = *old;
    like.type = type;
    *data = graph_alloc_data(a->to, tensor_bytes(&like));
    return *data ? graph_add_constant(a->to, old->name, type, old->rank, old->shape, *data) : -ENOMEM;
}

static int add_constant(struct applying *a, int tensor)
{
    const struct tensor *old = &a->from->tensor[tensor];
    const float *from = old->data;
    void *data;
    int index = new_constant(a, old, PIPIT_I8, &data);
    int status = index < 0 ? index : set_affine(a->to, index, a->scheme->affine[tensor]);
    for (int64_t i = 0; !status && i < tensor_elements(old); i++)
        ((int8_t *)data)[i] = to_int8(from[i], a->scheme->affine[tensor], -128);
    return status ? status : index;
}

/* Where the output channel of each weight is found: index / inner % channels. */
struct channels {
    int count;
    int64_t inner;
};

static struct channels channels_of(const struct tensor *weights, int axis)
{
    struct channels c = {1, tensor_elements(weights)};
    if (axis < 0)
        return c;
    c = (struct channels){weights->shape[axis], 1};
    for (int i = axis + 1; i < weights->rank; i++)
        c.inner *= weights->shape[i];
    return c;
}

/* Symmetric, -127 to 127. A channel of tiny weights takes a scale at which its bias can be counted. */
static void weight_scales(const struct tensor *weights, const struct tensor *bias, struct channels channels,
                          float in_scale, float *scale)
{
    const float *w = weights->data, *b = bias ? bias->data : NULL;
    for (int64_t i = 0; i < tensor_elements(weights); i++) {
        float *s = &scale[i / channels.inner % channels.count];
        *s = fmaxf(*s, fabsf(w[i]) / 127);
    }
    for (int64_t i = 0; b && i < tensor_elements(bias); i++) {
        float *s = &scale[channels.count > 1 ? i : 0];
        *s = fmaxf(*s, fabsf(b[i]) / (BIAS_STEPS_MAX * in_scale));
    }
    for (int c = 0; c < channels.count; c++)
        scale[c] = fmaxf(scale[c], 1e-9f);
}

static int add_weights(struct applying *a, const struct node *node, const struct operator_rule *rule)
{
    const struct tensor *old = node_input(a->from, node, rule->weights);
    const float *from = old->data;
    float *scale;
    int32_t *zero;
    void *data;
    struct channels channels = channels_of(old, rule->axis);
    int index = new_constant(a, old, PIPIT_I8, &data);
    int status = index < 0 ? index
                           : set_quant(a->to, index, channels.count, channels.count > 1 ? rule->axis : 0,
                                       &scale, &zero);
    if (status)
        return status;
    weight_scales(old, node_input(a->from, node, rule->bias), channels,
                  a->scheme->affine[node->input[rule->data]].scale, scale);
    for (int64_t i = 0; i < tensor_elements(old); i++)
        ((int8_t *)data)[i] =
            to_int8(from[i], (struct affine){scale[i / channels.inner % channels.count], 0}, -127);
    return index;
}

static int add_bias(struct applying *a, const struct node *node, const struct operator_rule *rule,
                    int weights)
{
    const struct tensor *old = node_input(a->from, node, rule->bias);
    const struct quant w = a->to->tensor[weights].quant; /* before the tensors move */
    const float *from = old->data;
    float *scale, in_scale = a->scheme->affine[node->input[rule->data]].scale;
    int32_t *zero;
    void *data;
    int index = new_constant(a, old, PIPIT_I32, &data);
    int status = index < 0 ? index : set_quant(a->to, index, w.count, 0, &scale, &zero);
    if (status)
        return status;
    for (int c = 0; c < w.count; c++)
        scale[c] = in_scale * w.scale[c];
    for (int64_t i = 0; i < tensor_elements(old); i++) {
        double steps = nearbyint((double)from[i] / (double)scale[w.count > 1 ? i : 0]);
        ((int32_t *)data)[i] = (int32_t)(steps > 2e9 ? 2e9 : steps < -2e9 ? -2e9 : steps);
    }
    return index;
}

/* ---- nodes ---- */

static int product_inputs(struct applying *a, const struct node *node, int *input)
{
    const struct operator_rule *rule = operator_rule(node->op);
    for (int i = 0; i < node->inputs; i++)
        input[i] = node->input[i];
    input[rule->data] = as_type(a, node->input[rule->data], true);
    input[rule->weights] = add_weights(a, node, rule);
    if (input[rule->data] < 0 || input[rule->weights] < 0)
        return -ENOMEM;
    if (!node_input(a->from, node, rule->bias))
        return 0;
    input[rule->bias] = add_bias(a, node, rule, input[rule->weights]);
    return input[rule->bias] < 0 ? input[rule->bias] : 0;
}

static int other_inputs(struct applying *a, const struct node *node, bool int8, int *input)
{
    for (int i = 0; i < node->inputs; i++) {
        const struct tensor *old = node_input(a->from, node, i);
        input[i] = node->input[i];
        if (!old || old->type != PIPIT_F32)
            continue;
        if (!old->data)
            input[i] = as_type(a, node->input[i], int8);
        else if (int8)
            input[i] = add_constant(a, node->input[i]);
        if (input[i] < 0)
            return input[i];
    }
    return 0;
}

static int add_node(struct applying *a, const struct node *old, bool int8)
{
    int input[NODE_INPUTS_MAX];
    bool product = int8 && operator_rule(old->op)->rule == RULE_PRODUCT;
    int status = product ? product_inputs(a, old, input) : other_inputs(a, old, int8, input);
    struct node node = *old;
    node.input = input;
    return status ? status : node_append(a->to, &node);
}

static int add_ends(struct applying *a)
{
    a->to->inputs = a->from->inputs;
    a->to->outputs = a->from->outputs;
    for (int i = 0; i < a->from->inputs; i++)
        a->to->input[i] = a->from->input[i];
    for (int i = 0; i < a->from->outputs; i++) {
        int tensor = a->from->output[i];
        a->to->output[i] = a->scheme->is_int8[tensor] ? as_type(a, tensor, false) : tensor;
        if (a->to->output[i] < 0)
            return a->to->output[i];
    }
    return 0;
}

int scheme_apply(const struct scheme *scheme, const struct graph *from, struct graph *to)
{
    struct applying a = {scheme, from, to, malloc(((size_t)from->tensors + 1) * sizeof(int))};
    int status = a.twin ? add_tensors(&a) : -ENOMEM;
    for (int t = 0; t < from->tensors && a.twin; t++)
        a.twin[t] = -1;
    for (int n = 0; n < from->nodes && !status; n++)
        status = add_node(&a, &from->node[n], !scheme->why[n]);
    if (!status)
        status = add_ends(&a);
    free(a.twin);
    return status;
}
