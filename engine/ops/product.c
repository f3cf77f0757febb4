/* SPDX-License-Identifier: MIT */
#include "engine/ops/product.h"

#include "engine/ops/activation.h"

#include <math.h>

enum { INPUT, WEIGHTS, BIAS };

enum product_kind product_kind(const struct graph *graph, const struct node *node)
{
    if (node_input(graph, node, INPUT)->type == PIPIT_I8)
        return PRODUCT_I8;
    return node_input(graph, node, WEIGHTS)->type == PIPIT_I8 ? PRODUCT_HYBRID : PRODUCT_F32;
}

bool product_half(const struct graph *graph, const struct node *node)
{
    return product_kind(graph, node) == PRODUCT_F32 && node->act != ACT_TANH;
}

static int check_weight_scales(const struct graph *graph, const struct node *node, int channels, int axis,
                               struct pipit_error *error)
{
    const struct quant *quant = &node_input(graph, node, WEIGHTS)->quant;
    bool each = quant->count == channels && (quant->axis == axis || channels == 1);
    if (quant->count != 1 && !each)
        return node_fail(graph, node, error, -EINVAL, "weights have %d scales for %d channels", quant->count,
                         channels);
    for (int i = 0; i < quant->count; i++)
        if (!isfinite(quant->scale[i]) || quant->scale[i] < 0 || (quant->count > 1 && quant->zero[i]))
            return node_fail(graph, node, error, -EINVAL,
                             "weights have a scale or zero point that makes no sense");
    return 0;
}

static int check_bias(const struct graph *graph, const struct node *node, int channels,
                      enum product_kind kind, struct pipit_error *error)
{
    const struct tensor *bias = node_input(graph, node, BIAS);
    if (!bias)
        return 0;
    if (!bias->data || tensor_elements(bias) != channels)
        return node_fail(graph, node, error, bias->data ? -EINVAL : -ENOTSUP,
                         "the bias must be a constant of %d elements", channels);
    return need_type(graph, node, bias, TYPE_BIT(kind == PRODUCT_I8 ? PIPIT_I32 : PIPIT_F32), error);
}

int product_check(const struct graph *graph, const struct node *node, int channels, int axis,
                  struct pipit_error *error)
{
    const struct tensor *in = node_input(graph, node, INPUT), *weights = node_input(graph, node, WEIGHTS);
    const struct tensor *out = node_output(graph, node, 0);
    int status = need_type(graph, node, in, TYPE_BIT(PIPIT_F32) | TYPE_BIT(PIPIT_I8), error);
    if (status)
        return status;
    enum product_kind kind = product_kind(graph, node);
    unsigned weight_types = TYPE_BIT(PIPIT_I8) | (kind == PRODUCT_F32 ? TYPE_BIT(PIPIT_F32) : 0);
    status = need_type(graph, node, weights, weight_types, error);
    if (!status && !weights->data)
        return node_fail(graph, node, error, -ENOTSUP, "weights that are computed, not constant");
    if (!status && out->type != in->type)
        status = need_type(graph, node, out, TYPE_BIT(in->type), error);
    if (!status && kind == PRODUCT_I8)
        status = need_scale(graph, node, in, error);
    if (!status && kind == PRODUCT_I8)
        status = need_scale(graph, node, out, error);
    if (!status && kind == PRODUCT_I8 && !activation_is_clamp(node->act))
        return node_fail(graph, node, error, -ENOTSUP, "this activation is not fused into int8 operators");
    if (!status && kind != PRODUCT_F32)
        status = check_weight_scales(graph, node, channels, axis, error);
    return status ? status : check_bias(graph, node, channels, kind, error);
}

/* uint8 files were made for one product of two floats, int8 files for doubles; the reference keeps both ways.
 */
static double real_factor(const struct tensor *in, const struct tensor *weights, const struct tensor *out,
                          int channel)
{
    float in_scale = in->quant.scale[0],
          weight_scale = weights->quant.scale[weights->quant.count > 1 ? channel : 0];
    double product = in->was_u8 ? (double)(in_scale * weight_scale) : (double)in_scale * (double)weight_scale;
    return product / (double)out->quant.scale[0];
}

struct requant *product_requant(struct plan *plan, const struct node *node, int channels)
{
    const struct tensor *in = node_input(plan->graph, node, INPUT),
                        *weights = node_input(plan->graph, node, WEIGHTS);
    struct requant *list = plan_alloc(plan, (size_t)channels, sizeof(*list));
    for (int c = 0; list && c < channels; c++)
        list[c] = requant_from_double(real_factor(in, weights, node_output(plan->graph, node, 0), c));
    return list;
}

int32_t product_weight_zero(const struct graph *graph, const struct node *node)
{
    const struct quant *quant = &node_input(graph, node, WEIGHTS)->quant;
    return quant->count == 1 ? quant->zero[0] : 0;
}

static const void *bias_data(const struct graph *graph, const struct node *node)
{
    const struct tensor *bias = node_input(graph, node, BIAS);
    return bias ? bias->data : NULL;
}

const float *product_bias_f32(const struct graph *graph, const struct node *node)
{
    return bias_data(graph, node);
}

const int32_t *product_bias_i32(const struct graph *graph, const struct node *node)
{
    return bias_data(graph, node);
}
