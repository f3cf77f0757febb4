/* SPDX-License-Identifier: MIT */
/* Dynamic-range models: float activations times int8 weights. As TensorFlow Lite's reference does it, each
 * batch row of the input is quantised when it is known, multiplied in integers and scaled back to float. */
#include "engine/ops/activation.h"
#include "engine/ops/geometry.h"
#include "engine/ops/product.h"
#include "engine/ops/quantise_rows.h"

#include <string.h>

struct hybrid_args {
    struct geometry geometry;                /* of the quantised input: pixel_bytes is its channels */
    int channels, depth, groups, multiplier; /* multiplier: depthwise when not 0 */
    struct quantised_rows rows;              /* one a batch */
    const int8_t *weights;
    const float *weight_scale, *bias;
    int weight_scales;
    float min, max;
    enum activation act;
    size_t list_bytes;
};

static int32_t dot_dense(const struct hybrid_args *args, const void *const *tap, int channel, int32_t zero)
{
    int taps = args->geometry.size[0] * args->geometry.size[1], depth = args->depth;
    int group = channel / (args->channels / args->groups);
    const int8_t *weight = args->weights + (size_t)channel * (size_t)taps * (size_t)depth;
    int32_t sum = 0;
    for (int t = 0; t < taps; t++, weight += depth) {
        const int8_t *in = tap[t];
        for (int c = 0; in && c < depth; c++)
            sum += (in[group * depth + c] - zero) * weight[c];
    }
    return sum;
}

static int32_t dot_depthwise(const struct hybrid_args *args, const void *const *tap, int channel,
                             int32_t zero)
{
    int taps = args->geometry.size[0] * args->geometry.size[1];
    int32_t sum = 0;
    for (int t = 0; t < taps; t++) {
        const int8_t *in = tap[t];
        if (in)
            sum += (in[channel / args->multiplier] - zero) *
                   args->weights[(size_t)t * (size_t)args->channels + (size_t)channel];
    }
    return sum;
}

static void run_pixel(const struct step *step, const struct hybrid_args *args, int pixel,
                      const void *const *tap)
{
    int row = pixel / (args->geometry.out[0] * args->geometry.out[1]);
    float *out = (float *)step->out[0] + (size_t)pixel * (size_t)args->channels,
          scale = args->rows.scale[row];
    for (int j = 0; j < args->channels; j++) {
        int32_t sum = args->multiplier ? dot_depthwise(args, tap, j, args->rows.zero[row])
                                       : dot_dense(args, tap, j, args->rows.zero[row]);
        float value = (float)sum * (args->weight_scale[args->weight_scales > 1 ? j : 0] * scale);
        value += args->bias ? args->bias[j] : 0;
        out[j] = value < args->min ? args->min : value > args->max ? args->max : value;
    }
    activation_apply_f32(step->kernels, args->act, out, args->channels);
}

static void run(const struct step *step, struct chunk chunk)
{
    const struct hybrid_args *args = step->args;
    const void **tap = (const void **)(void *)chunk_scratch(step, chunk);
    int begin, end;
    share(geometry_pixels(&args->geometry), 1, chunk, &begin, &end);
    for (int pixel = begin; pixel < end; pixel++) {
        geometry_taps(&args->geometry, args->rows.data, NULL, pixel, tap, 1);
        run_pixel(step, args, pixel, tap);
    }
}

static int copy_constants(struct plan *plan, const struct node *node, struct hybrid_args *args)
{
    const struct tensor *weights = node_input(plan->graph, node, 1);
    size_t bytes = (size_t)tensor_bytes(weights), channels = (size_t)args->channels;
    int8_t *copy = plan_alloc(plan, bytes, 1);
    float *bias = plan_alloc(plan, channels, sizeof(*bias));
    if (!copy || !bias)
        return -ENOMEM;
    memcpy(copy, weights->data, bytes);
    int8_t zero = (int8_t)product_weight_zero(plan->graph, node);
    for (size_t i = 0; zero && i < bytes;
         i++) /* a weight's zero point is 0 in every file a converter makes */
        copy[i] = (int8_t)(copy[i] - zero);
    args->weights = copy;
    args->weight_scale = weights->quant.scale;
    args->weight_scales = weights->quant.count;
    if (product_bias_f32(plan->graph, node)) {
        memcpy(bias, product_bias_f32(plan->graph, node), channels * sizeof(*bias));
        args->bias = bias;
    }
    return 0;
}

int hybrid_prepare(struct plan *plan, const struct node *node, const struct geometry *geometry, int channels,
                   int depth, int groups, int multiplier, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0);
    struct hybrid_args *args = plan_alloc(plan, 1, sizeof(*args));
    if (!args)
        return -ENOMEM;
    *args = (struct hybrid_args){.geometry = *geometry,
                                 .channels = channels,
                                 .depth = depth,
                                 .groups = groups,
                                 .multiplier = multiplier,
                                 .rows.rows = geometry->batch,
                                 .rows.elements = (int)(tensor_elements(in) / geometry->batch),
                                 .act = node->act};
    args->geometry.pixel_bytes = geometry->pixel_bytes / sizeof(float);
    args->rows.asymmetric =
        node->op != OP_FULLY_CONNECTED && node_input(plan->graph, node, 1)->quant.count > 1;
    if (node->op == OP_FULLY_CONNECTED)
        args->rows.asymmetric = node->fc.asymmetric;
    activation_range_f32(node->act, &args->min, &args->max);
    args->list_bytes =
        ((size_t)geometry->size[0] * (size_t)geometry->size[1] * sizeof(void *) + 63) / 64 * 64;
    int status = copy_constants(plan, node, args);
    if (!status)
        status = quantised_rows_prepare(plan, node, &args->rows);
    struct step *multiply = status ? NULL : plan_add_step(plan, node);
    if (!multiply)
        return -ENOMEM;
    multiply->run = run;
    multiply->args = args;
    multiply->kernel = "hybrid_c";
    multiply->worker_bytes = args->list_bytes;
    return 0;
}
