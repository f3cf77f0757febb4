/* SPDX-License-Identifier: MIT */
/*
 * From a float network to an int8 one, as TensorFlow Lite's post-training quantisation does it: the float
 * network runs once on random input and shows its ranges. It does so at a small size and on the C kernels, so
 * that it takes little time and gives the same numbers on every machine.
 */
#include "engine/infer.h"
#include "engine/nets/net.h"
#include "engine/plan.h"

#include <math.h>
#include <stdlib.h>

#define CALIBRATION_SIZE 64 /* pixels a side */

struct range {
    float low, high;
};

/* ---- ranges ---------------------------------------------------------------------------------------------
 */

static void observe(struct range *range, const float *values, int64_t count)
{
    *range = (struct range){0, 0}; /* zero is always in the range, for padding */
    for (int64_t i = 0; i < count; i++) {
        range->low = values[i] < range->low ? values[i] : range->low;
        range->high = values[i] > range->high ? values[i] : range->high;
    }
    if (range->high - range->low < 1e-6f)
        range->high = range->low + 1e-6f;
}

static void fill_input(float *input, int64_t count)
{
    uint32_t state = 1;
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u; /* Numerical Recipes */
        input[i] = (float)(state >> 8) * 0x1p-23f - 1;
    }
}

static void run_and_observe(const struct graph *graph, struct plan *plan, struct range *range)
{
    int input = graph->input[0];
    int64_t count = tensor_elements(&graph->tensor[input]);
    fill_input(plan->address[input], count);
    observe(&range[input], plan->address[input], count);
    for (int i = 0; i < plan->steps; i++) {
        const struct step *step = &plan->step[i];
        step->run(step, (struct chunk){.count = 1});
        if (i + 1 < plan->steps && plan->step[i + 1].node == step->node)
            continue;
        int out = step->node->output[0];
        observe(&range[out], step->out[0], tensor_elements(&graph->tensor[out]));
    }
}

static int calibrate(const struct net *net, const struct net_weights *weights, struct range *range,
                     struct pipit_error *error)
{
    struct net small = *net;
    struct graph graph;
    struct kernels kernels;
    struct plan plan = {0};
    small.resolution = CALIBRATION_SIZE;
    kernels_init(&kernels, 0);
    graph_init(&graph);
    int status = net_build(&graph, &small, weights, error);
    if (!status)
        status = graph_infer(&graph, &kernels, error);
    if (!status)
        status = plan_init(&plan, &graph, &kernels, 1, true, error);
    if (!status) {
        run_and_observe(&graph, &plan, range);
        plan_finish(&plan);
    }
    graph_finish(&graph);
    return status;
}

/* What only moves values has one scale from end to end. */
static void unify(const struct graph *graph, struct range *range)
{
    for (int n = graph->nodes; n-- > 0;) {
        const struct node *node = &graph->node[n];
        struct range *out = &range[node->output[0]];
        if (node->op != OP_CONCATENATION && node->op != OP_RESHAPE)
            continue;
        for (int i = 0; i < node->inputs; i++)
            range[node->input[i]] = *out;
    }
}

/* ---- tensors --------------------------------------------------------------------------------------------
 */

static int set_quant(struct graph *graph, struct tensor *tensor, int count, int axis, float **scale,
                     int32_t **zero)
{
    *scale = pool_alloc(&graph->pool, (size_t)count, sizeof(**scale));
    *zero = pool_alloc(&graph->pool, (size_t)count, sizeof(**zero));
    tensor->quant = (struct quant){.count = count, .axis = axis, .scale = *scale, .zero = *zero};
    return *scale && *zero ? 0 : -ENOMEM;
}

static int quantise_activation(struct graph *graph, struct tensor *tensor, const struct range *range)
{
    float *scale;
    int32_t *zero;
    if (set_quant(graph, tensor, 1, 0, &scale, &zero))
        return -ENOMEM;
    tensor->type = PIPIT_I8;
    scale[0] = (range->high - range->low) / 255;
    zero[0] = (int32_t)lrintf(-128 - range->low / scale[0]);
    return 0;
}

static int8_t to_int8(float value)
{
    long rounded = lrintf(value);
    return (int8_t)(rounded > 127 ? 127 : rounded < -127 ? -127 : rounded);
}

/* Symmetric, one scale for each index of dimension `axis`. */
static int quantise_weights(struct graph *graph, struct tensor *tensor, int axis)
{
    const float *from = tensor->data;
    int64_t count = tensor_elements(tensor), inner = 1;
    int channels = tensor->shape[axis];
    float *scale;
    int32_t *zero;
    int8_t *to = pool_alloc(&graph->data, (size_t)count, 1);
    if (!to || set_quant(graph, tensor, channels, axis, &scale, &zero))
        return -ENOMEM;
    for (int i = axis + 1; i < tensor->rank; i++)
        inner *= tensor->shape[i];
    for (int64_t i = 0; i < count; i++)
        scale[i / inner % channels] = fmaxf(scale[i / inner % channels], fabsf(from[i]));
    for (int c = 0; c < channels; c++)
        scale[c] = fmaxf(scale[c], 1e-9f) / 127;
    for (int64_t i = 0; i < count; i++)
        to[i] = to_int8(from[i] / scale[i / inner % channels]);
    tensor->type = PIPIT_I8;
    tensor->data = to;
    return 0;
}

/* A bias counts in units of input scale times weight scale. */
static int quantise_bias(struct graph *graph, struct tensor *bias, const struct tensor *in,
                         const struct tensor *weights)
{
    const float *from = bias->data;
    int count = (int)tensor_elements(bias);
    float *scale;
    int32_t *zero, *to = pool_alloc(&graph->data, (size_t)count, sizeof(*to));
    if (!to || set_quant(graph, bias, count, 0, &scale, &zero))
        return -ENOMEM;
    for (int i = 0; i < count; i++) {
        scale[i] = in->quant.scale[0] * weights->quant.scale[i];
        double value = (double)from[i] / (double)scale[i];
        to[i] = (int32_t)(value > 1e9 ? 1e9 : value < -1e9 ? -1e9 : nearbyint(value));
    }
    bias->type = PIPIT_I32;
    bias->data = to;
    return 0;
}

static int quantise_constants(struct graph *graph, const struct node *node)
{
    bool product =
        node->op == OP_CONV_2D || node->op == OP_DEPTHWISE_CONV_2D || node->op == OP_FULLY_CONNECTED;
    for (int i = 1; i < node->inputs; i++) {
        struct tensor *tensor = node_input(graph, node, i);
        int status = 0;
        if (!tensor->data || tensor->type != PIPIT_F32)
            continue;
        if (product && i == 2)
            status = quantise_bias(graph, tensor, node_input(graph, node, 0), node_input(graph, node, 1));
        else
            status = quantise_weights(graph, tensor, node->op == OP_DEPTHWISE_CONV_2D ? 3 : 0);
        if (status)
            return status;
    }
    return 0;
}

int net_quantise(struct graph *graph, const struct net *net, const struct net_weights *weights,
                 struct pipit_error *error)
{
    struct range *range = calloc((size_t)graph->tensors, sizeof(*range));
    int status = range ? calibrate(net, weights, range, error) : -ENOMEM;
    if (!status)
        unify(graph, range);
    for (int i = 0; i < graph->tensors && !status; i++)
        if (!graph->tensor[i].data)
            status = quantise_activation(graph, &graph->tensor[i], &range[i]);
    for (int n = 0; n < graph->nodes && !status; n++)
        status = quantise_constants(graph, &graph->node[n]);
    free(range);
    return status == -ENOMEM ? fail(error, status, "no memory for the network") : status;
}
