/* SPDX-License-Identifier: MIT */
/* AVERAGE_POOL_2D and MAX_POOL_2D. Padding counts for neither. */
#include "engine/ops/activation.h"
#include "engine/ops/geometry.h"

#include <math.h>
#include <string.h>

struct pool_args {
    struct geometry geometry;
    int channels;
    bool average, i8, f16, was_u8;
    float min, max;
    int32_t min_i8, max_i8;
    size_t list_bytes; /* scratch: taps, then one sum a channel */
};

/* The reference rounds halves away from zero in what the file stores, so a uint8 file rounds halves up. */
static int32_t divide(int32_t sum, int32_t count, bool was_u8)
{
    if (was_u8)
        return (sum + 128 * count + count / 2) / count - 128;
    return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
}

static int32_t clamped(int32_t value, const struct pool_args *args)
{
    return value < args->min_i8 ? args->min_i8 : value > args->max_i8 ? args->max_i8 : value;
}

/* How many of the taps follow each other in memory. */
static int side_by_side(const struct pool_args *args, const void *const *tap, int taps)
{
    int run = 1;
    while (tap[0] && run < taps && tap[run] == (const char *)tap[run - 1] + args->geometry.pixel_bytes)
        run++;
    return run;
}

static void average_i8(const struct step *step, const struct pool_args *args, const void **tap, int taps,
                       int count, int8_t *out, int32_t *sum)
{
    memset(sum, 0, (size_t)args->channels * sizeof(*sum));
    for (int t = 0, run; t < taps; t += run) {
        run = side_by_side(args, (const void *const *)tap + t, taps - t);
        if (tap[t])
            step->kernels->accumulate_i8(sum, tap[t], args->channels, run, (size_t)args->channels);
    }
    for (int c = 0; c < args->channels; c++)
        out[c] = (int8_t)clamped(divide(sum[c], count, args->was_u8), args);
}

static void average_f32(const struct step *step, const struct pool_args *args, const void **tap, int taps,
                        int count, float *out)
{
    memset(out, 0, (size_t)args->channels * sizeof(*out));
    for (int t = 0, run; t < taps; t += run) {
        run = side_by_side(args, (const void *const *)tap + t, taps - t);
        if (tap[t])
            step->kernels->accumulate_f32(out, tap[t], args->channels, run, (size_t)args->channels);
    }
    for (int c = 0; c < args->channels; c++) {
        float value = out[c] / (float)count;
        out[c] = value < args->min ? args->min : value > args->max ? args->max : value;
    }
}

static void average_f16(const struct step *step, const struct pool_args *args, const void **tap, int taps,
                        int count, uint16_t *out, float *sum)
{
    memset(sum, 0, (size_t)args->channels * sizeof(*sum));
    for (int t = 0, run; t < taps; t += run) {
        run = side_by_side(args, (const void *const *)tap + t, taps - t);
        if (tap[t])
            step->kernels->accumulate_f16(sum, tap[t], args->channels, run, (size_t)args->channels);
    }
    for (int c = 0; c < args->channels; c++)
        sum[c] /= (float)count;
    step->kernels->clamp_f32(sum, sum, args->channels, args->min, args->max);
    step->kernels->f16_from_f32(out, sum, args->channels);
}

static void max_f16(const struct step *step, const struct pool_args *args, const void **tap, int taps,
                    uint16_t *out)
{
    for (int c = 0; c < args->channels; c++)
        out[c] = 0xfc00; /* -infinity */
    for (int t = 0; t < taps; t++)
        if (tap[t])
            step->kernels->binary_f16[BINARY_MAX](out, out, 1, tap[t], 1, args->channels, -INFINITY,
                                                  INFINITY);
    step->kernels->clamp_f16(out, out, args->channels, args->min, args->max);
}

static void max_i8(const struct pool_args *args, const void **tap, int taps, int8_t *out)
{
    memset(out, -128, (size_t)args->channels);
    for (int t = 0; t < taps; t++)
        for (int c = 0; tap[t] && c < args->channels; c++)
            out[c] = ((const int8_t *)tap[t])[c] > out[c] ? ((const int8_t *)tap[t])[c] : out[c];
    for (int c = 0; c < args->channels; c++)
        out[c] = (int8_t)clamped(out[c], args);
}

static void max_f32(const struct pool_args *args, const void **tap, int taps, float *out)
{
    for (int c = 0; c < args->channels; c++)
        out[c] = -__FLT_MAX__;
    for (int t = 0; t < taps; t++)
        for (int c = 0; tap[t] && c < args->channels; c++)
            out[c] = ((const float *)tap[t])[c] > out[c] ? ((const float *)tap[t])[c] : out[c];
    for (int c = 0; c < args->channels; c++)
        out[c] = out[c] < args->min ? args->min : out[c] > args->max ? args->max : out[c];
}

static void run_pixel(const struct step *step, const struct pool_args *args, const void **tap, int pixel)
{
    int taps = args->geometry.size[0] * args->geometry.size[1], count = 0;
    size_t at = (size_t)pixel * (size_t)args->channels;
    float *out_f32 = (float *)step->out[0] + at;
    int8_t *out_i8 = (int8_t *)step->out[0] + at;
    geometry_taps(&args->geometry, step->in[0], NULL, pixel, tap, 1);
    for (int t = 0; t < taps; t++)
        count += tap[t] != NULL;
    count = count ? count : 1; /* explicit padding may leave a window without a pixel */
    void *sum = (char *)tap + args->list_bytes;
    if (args->average && args->f16)
        average_f16(step, args, tap, taps, count, (uint16_t *)step->out[0] + at, sum);
    else if (args->f16)
        max_f16(step, args, tap, taps, (uint16_t *)step->out[0] + at);
    else if (args->average && args->i8)
        average_i8(step, args, tap, taps, count, out_i8, sum);
    else if (args->average)
        average_f32(step, args, tap, taps, count, out_f32);
    else if (args->i8)
        max_i8(args, tap, taps, out_i8);
    else
        max_f32(args, tap, taps, out_f32);
}

static void run(const struct step *step, struct chunk chunk)
{
    const struct pool_args *args = step->args;
    const void **tap = (const void **)(void *)chunk_scratch(step, chunk);
    int begin, end;
    share(geometry_pixels(&args->geometry), 1, chunk, &begin, &end);
    for (int pixel = begin; pixel < end; pixel++)
        run_pixel(step, args, tap, pixel);
}

static int prepare(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0), *out = node_output(plan->graph, node, 0);
    struct pool_args *args = plan_alloc(plan, 1, sizeof(*args));
    struct step *step = plan_add_step(plan, node);
    if (!args || !step)
        return -ENOMEM;
    args->geometry = geometry_of(in, out, &node->window, node->window.size[0], node->window.size[1]);
    args->channels = in->shape[3];
    args->average = node->op == OP_AVERAGE_POOL_2D;
    args->i8 = in->type == PIPIT_I8;
    args->f16 = in->type == PIPIT_F16;
    args->was_u8 = in->was_u8;
    activation_range_f32(node->act, &args->min, &args->max);
    if (args->i8)
        activation_range_i8(out, node->act, &args->min_i8, &args->max_i8);
    size_t taps = (size_t)node->window.size[0] * (size_t)node->window.size[1];
    args->list_bytes = (taps * sizeof(void *) + 63) / 64 * 64;
    step->run = run;
    step->args = args;
    step->worker_bytes = args->list_bytes + ((size_t)args->channels * sizeof(int32_t) + 63) / 64 * 64;
    step->kernel = args->i8 ? "pool_i8" : args->f16 ? "pool_f16" : "pool_f32";
    return 0;
}

static int infer(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 1, 1, error), size[2];
    if (status)
        return status;
    const struct tensor *in = node_input(graph, node, 0);
    struct tensor *out = node_output(graph, node, 0);
    status = need_type(graph, node, in, TYPE_BIT(PIPIT_F32) | TYPE_BIT(PIPIT_I8), error);
    if (!status && (in->rank != 4 || in->type != out->type || tensor_elements(in) < 1))
        return node_fail(graph, node, error, -EINVAL, "input must have 4 dimensions and the output's type");
    if (!status && in->type == PIPIT_I8)
        status = need_scale(graph, node, in, error) ? -EINVAL : need_scale(graph, node, out, error);
    if (!status && !activation_is_clamp(node->act))
        return node_fail(graph, node, error, -ENOTSUP, "this fused activation");
    for (int d = 0; d < 2 && !status; d++)
        if (infer_window(&node->window, d, in->shape[1 + d], node->window.size[d], &size[d]))
            return node_fail(graph, node, error, -EINVAL, "window does not fit its input");
    if (!status)
        set_shape(out, 4, (int32_t[]){in->shape[0], size[0], size[1], in->shape[3]});
    return status;
}

const struct op_info op_AVERAGE_POOL_2D = {"AVERAGE_POOL_2D", infer, prepare, .half = half_always};
const struct op_info op_MAX_POOL_2D = {"MAX_POOL_2D", infer, prepare, .half = half_always};
