/* SPDX-License-Identifier: MIT */
/* TRANSPOSE_CONV: inputs are the output's shape, weights [channels, height, width, depth], the input and a
 * bias. Each output pixel gathers what would have been scattered to it. Of dynamic-range models the input is
 * quantised row by row, always with a zero point. */
#include "engine/ops/activation.h"
#include "engine/ops/product.h"
#include "engine/ops/quantise_rows.h"

#include <string.h>

enum { SHAPE, WEIGHTS, INPUT, BIAS };

struct transpose_args {
    int in[4], out[4], size[2], stride[2], before[2];
    size_t each; /* weights of a channel */
    const void *weights;
    const float *bias_f32;
    const int32_t *bias_i32;
    const struct requant *requant;
    int32_t in_zero, weight_zero, out_zero, min_i8, max_i8;
    float min, max;
    enum product_kind kind;
    struct quantised_rows rows; /* hybrid */
    const float *weight_scale;
    int weight_scales;
};

/* Row or column of the input that tap `k` of output place `at` reads, -1 if none. */
static int source(const struct transpose_args *a, int d, int at, int k)
{
    int place = at + a->before[d] - k;
    if (place < 0 || place % a->stride[d])
        return -1;
    place /= a->stride[d];
    return place < a->in[1 + d] ? place : -1;
}

static float dot_f32(const struct transpose_args *a, const float *in, const float *weight, int y, int x)
{
    float sum = 0;
    for (int ky = 0; ky < a->size[0]; ky++)
        for (int kx = 0; kx < a->size[1]; kx++, weight += a->in[3]) {
            int sy = source(a, 0, y, ky), sx = source(a, 1, x, kx);
            for (int c = 0; sy >= 0 && sx >= 0 && c < a->in[3]; c++)
                sum += in[((size_t)sy * (size_t)a->in[2] + (size_t)sx) * (size_t)a->in[3] + (size_t)c] *
                       weight[c];
        }
    return sum;
}

static int32_t dot_i8(const struct transpose_args *a, const int8_t *in, int32_t in_zero, const int8_t *weight,
                      int y, int x)
{
    uint32_t sum = 0;
    for (int ky = 0; ky < a->size[0]; ky++)
        for (int kx = 0; kx < a->size[1]; kx++, weight += a->in[3]) {
            int sy = source(a, 0, y, ky), sx = source(a, 1, x, kx);
            for (int c = 0; sy >= 0 && sx >= 0 && c < a->in[3]; c++) {
                size_t at = ((size_t)sy * (size_t)a->in[2] + (size_t)sx) * (size_t)a->in[3] + (size_t)c;
                sum += (uint32_t)((in[at] - in_zero) * (weight[c] - a->weight_zero));
            }
        }
    return (int32_t)sum;
}

static int8_t value_i8(const struct transpose_args *a, const int8_t *in, int channel, int y, int x)
{
    const int8_t *weight = (const int8_t *)a->weights + (size_t)channel * a->each;
    uint32_t sum = (uint32_t)dot_i8(a, in, a->in_zero, weight, y, x);
    sum += a->bias_i32 ? (uint32_t)a->bias_i32[channel] : 0;
    int32_t value = requantise_to(sum, a->requant[channel], a->out_zero);
    return (int8_t)(value < a->min_i8 ? a->min_i8 : value > a->max_i8 ? a->max_i8 : value);
}

static float clamp(const struct transpose_args *a, float value, int channel)
{
    value += a->bias_f32 ? a->bias_f32[channel] : 0;
    return value < a->min ? a->min : value > a->max ? a->max : value;
}

static float value_hybrid(const struct transpose_args *a, int image, int channel, int y, int x)
{
    const int8_t *in = a->rows.data + (size_t)image * (size_t)a->rows.elements;
    const int8_t *weight = (const int8_t *)a->weights + (size_t)channel * a->each;
    float scale = a->weight_scale[a->weight_scales > 1 ? channel : 0] * a->rows.scale[image];
    return clamp(a, (float)dot_i8(a, in, a->rows.zero[image], weight, y, x) * scale, channel);
}

static void run_pixel(const struct step *step, const struct transpose_args *a, int image, int y, int x)
{
    size_t in_at = (size_t)image * (size_t)a->in[1] * (size_t)a->in[2] * (size_t)a->in[3];
    size_t at =
        (((size_t)image * (size_t)a->out[1] + (size_t)y) * (size_t)a->out[2] + (size_t)x) * (size_t)a->out[3];
    float *out = (float *)step->out[0] + at;
    for (int j = 0; j < a->out[3]; j++)
        switch (a->kind) {
        case PRODUCT_I8:
            ((int8_t *)step->out[0])[at + (size_t)j] =
                value_i8(a, (const int8_t *)step->in[INPUT] + in_at, j, y, x);
            break;
        case PRODUCT_HYBRID:
            out[j] = value_hybrid(a, image, j, y, x);
            break;
        default:
            out[j] = clamp(a,
                           dot_f32(a, (const float *)step->in[INPUT] + in_at,
                                   (const float *)a->weights + (size_t)j * a->each, y, x),
                           j);
        }
}

static void run(const struct step *step, struct chunk chunk)
{
    const struct transpose_args *a = step->args;
    int begin, end;
    share(a->out[0] * a->out[1], 1, chunk, &begin, &end);
    for (int row = begin; row < end; row++)
        for (int x = 0; x < a->out[2]; x++)
            run_pixel(step, a, row / a->out[1], row % a->out[1], x);
}

/* product_check() and its kin count inputs as a convolution does: input, weights, bias. */
static struct node as_product(const struct node *node, int list[3])
{
    struct node product = *node;
    list[0] = node->input[INPUT];
    list[1] = node->input[WEIGHTS];
    list[2] = node->inputs > BIAS ? node->input[BIAS] : -1;
    product.input = list;
    product.inputs = 3;
    return product;
}

static int infer(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int32_t shape[4] = {0};
    int status = need_inputs(graph, node, 3, 4, error), list[3];
    if (!status)
        status = constant_ints(graph, node, SHAPE, shape, 4, error);
    if (status < 0)
        return status;
    const struct tensor *in = node_input(graph, node, INPUT), *weights = node_input(graph, node, WEIGHTS);
    if (status != 4 || in->rank != 4 || weights->rank != 4 || tensor_elements(in) < 1 ||
        tensor_elements(weights) < 1 || weights->shape[3] != in->shape[3] || weights->shape[0] != shape[3] ||
        shape[0] != in->shape[0])
        return node_fail(graph, node, error, -EINVAL, "shapes of input, weights and output do not fit");
    for (int d = 0; d < 2; d++) { /* the padding is that of the convolution that goes the other way */
        int back;
        if (infer_window(&node->window, d, shape[1 + d], weights->shape[1 + d], &back) ||
            back != in->shape[1 + d])
            return node_fail(graph, node, error, -EINVAL,
                             "window does not lead from its input to its output");
    }
    set_shape(node_output(graph, node, 0), 4, shape);
    struct node product = as_product(node, list);
    status = product_check(graph, &product, shape[3], 0, error);
    if (!status && !activation_is_clamp(node->act))
        return node_fail(graph, node, error, -ENOTSUP, "this fused activation");
    return status;
}

static const void *copy(struct plan *plan, const struct tensor *tensor)
{
    size_t bytes = tensor ? (size_t)tensor_bytes(tensor) : 0;
    void *to = tensor ? plan_alloc(plan, bytes, 1) : NULL;
    return to ? memcpy(to, tensor->data, bytes) : NULL;
}

static void set_ranges(const struct graph *graph, const struct node *node, struct transpose_args *a)
{
    const struct tensor *in = node_input(graph, node, INPUT), *out = node_output(graph, node, 0);
    int list[3];
    struct node product = as_product(node, list);
    activation_range_f32(node->act, &a->min, &a->max);
    a->weight_zero = a->kind == PRODUCT_F32 ? 0 : product_weight_zero(graph, &product);
    if (a->kind != PRODUCT_I8)
        return;
    activation_range_i8(out, node->act, &a->min_i8, &a->max_i8);
    a->in_zero = in->quant.zero[0];
    a->out_zero = out->quant.zero[0];
}

static void set_shape_of(struct transpose_args *a, const struct tensor *in, const struct tensor *out,
                         const struct tensor *weights, const struct window *window)
{
    for (int i = 0; i < 4; i++) {
        a->in[i] = in->shape[i];
        a->out[i] = out->shape[i];
    }
    for (int d = 0; d < 2; d++) {
        a->size[d] = weights->shape[1 + d];
        a->stride[d] = window->stride[d];
        a->before[d] = window->before[d];
    }
    a->each = (size_t)a->size[0] * (size_t)a->size[1] * (size_t)a->in[3];
    a->weight_scale = weights->quant.scale;
    a->weight_scales = weights->quant.count;
    a->rows = (struct quantised_rows){
        .rows = a->in[0], .elements = a->in[1] * a->in[2] * a->in[3], .input = INPUT, .asymmetric = true};
}

static int prepare(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    static const char *const kernels[] = {[PRODUCT_F32] = "transpose_conv_f32_c",
                                          [PRODUCT_I8] = "transpose_conv_i8_c",
                                          [PRODUCT_HYBRID] = "transpose_conv_hybrid_c"};
    const struct graph *graph = plan->graph;
    const struct tensor *in = node_input(graph, node, INPUT), *out = node_output(graph, node, 0);
    const struct tensor *weights = node_input(graph, node, WEIGHTS), *bias = node_input(graph, node, BIAS);
    int list[3];
    struct node product = as_product(node, list);
    struct transpose_args *a = plan_alloc(plan, 1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->kind = product_kind(graph, &product);
    set_shape_of(a, in, out, weights, &node->window);
    set_ranges(graph, node, a);
    a->weights = copy(plan, weights);
    a->bias_f32 = copy(plan, bias);
    a->bias_i32 = (const int32_t *)(const void *)a->bias_f32;
    a->requant = a->kind == PRODUCT_I8 ? product_requant(plan, &product, out->shape[3]) : NULL;
    int status = a->kind == PRODUCT_HYBRID ? quantised_rows_prepare(plan, node, &a->rows) : 0;
    struct step *step = status ? NULL : plan_add_step(plan, node);
    if (!step || !a->weights || (!a->bias_f32 && bias) || (!a->requant && a->kind == PRODUCT_I8))
        return -ENOMEM;
    step->run = run;
    step->args = a;
    step->kernel = kernels[a->kind];
    return 0;
}

static int64_t macs(const struct graph *graph, const struct node *node)
{
    const struct tensor *weights = node_input(graph, node, WEIGHTS);
    return tensor_elements(node_input(graph, node, INPUT)) * (tensor_elements(weights) / weights->shape[3]);
}

const struct op_info op_TRANSPOSE_CONV = {"TRANSPOSE_CONV",   infer, prepare, macs, .packs = true,
                                          .data_input = INPUT};
