/* SPDX-License-Identifier: MIT */
#include "engine/ops/activation.h"

#include <math.h>

bool activation_is_clamp(enum activation act)
{
    return act == ACT_NONE || act == ACT_RELU || act == ACT_RELU6 || act == ACT_RELU_N1_TO_1;
}

void activation_range_f32(enum activation act, float *min, float *max)
{
    *min = act == ACT_RELU || act == ACT_RELU6 ? 0 : act == ACT_RELU_N1_TO_1 ? -1 : -INFINITY;
    *max = act == ACT_RELU6 ? 6 : act == ACT_RELU_N1_TO_1 ? 1 : INFINITY;
}

static int32_t quantised(const struct tensor *out, float real, int32_t lowest, int32_t highest)
{
    float value = (float)out->quant.zero[0] + roundf(real / out->quant.scale[0]);
    return value < (float)lowest ? lowest : value > (float)highest ? highest : (int32_t)value;
}

void activation_range_i8(const struct tensor *out, enum activation act, int32_t *min, int32_t *max)
{
    float low, high;
    activation_range_f32(act, &low, &high);
    *min = isinf(low) ? -128 : quantised(out, low, -128, 127);
    *max = isinf(high) ? 127 : quantised(out, high, -128, 127);
}

int need_scale(const struct graph *graph, const struct node *node, const struct tensor *tensor,
               struct pipit_error *error)
{
    if (tensor->type == PIPIT_I8 && tensor->quant.count == 1 && isfinite(tensor->quant.scale[0]) &&
        tensor->quant.scale[0] > 0)
        return 0;
    return node_fail(graph, node, error, -EINVAL, "'%.80s' needs one positive scale", tensor->name);
}

void activation_apply_f32(const struct kernels *kernels, enum activation act, float *values, int count)
{
    if (act == ACT_HARD_SWISH)
        kernels->hard_swish_f32(values, values, count);
    else if (act == ACT_HARD_SIGMOID)
        kernels->hard_sigmoid_f32(values, values, count);
    else if (act == ACT_TANH)
        for (int i = 0; i < count; i++)
            values[i] = tanhf(values[i]);
}

void activation_apply_f16(const struct kernels *kernels, enum activation act, uint16_t *values, int count)
{
    if (act == ACT_HARD_SWISH)
        kernels->hard_swish_f16(values, values, count);
    else if (act == ACT_HARD_SIGMOID)
        kernels->hard_sigmoid_f16(values, values, count);
}
