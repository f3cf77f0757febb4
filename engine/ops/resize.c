/* SPDX-License-Identifier: MIT */
/* RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR with TensorFlow's three ideas of where a pixel is: at its
 * corner, at its centre (half_pixel_centers), or such that the corner pixels of both pictures meet
 * (align_corners). */
#include "engine/ops/activation.h"

#include <math.h>
#include <string.h>

struct tap { /* along one dimension */
    int low, high;
    float value;   /* position in the input, float */
    int32_t fixed; /* position with 10 fraction bits, int8 */
};

struct resize_args {
    int batch, in[2], out[2], channels;
    size_t element;
    bool nearest, i8, was_u8;
    struct tap *tap[2];
};

/* ---- running ---- */

static void mix_f32(const struct resize_args *a, const float *in, float *out, const struct tap *y,
                    const struct tap *x)
{
    size_t row = (size_t)a->in[1] * (size_t)a->channels, n = (size_t)a->channels;
    const float *p00 = in + (size_t)y->low * row + (size_t)x->low * n,
                *p01 = in + (size_t)y->low * row + (size_t)x->high * n;
    const float *p10 = in + (size_t)y->high * row + (size_t)x->low * n,
                *p11 = in + (size_t)y->high * row + (size_t)x->high * n;
    float dy = y->value - (float)y->low, dx = x->value - (float)x->low;
    for (int c = 0; c < a->channels; c++)
        out[c] =
            p00[c] * (1 - dy) * (1 - dx) + p10[c] * dy * (1 - dx) + p01[c] * (1 - dy) * dx + p11[c] * dy * dx;
}

/* uint8 files are mixed in float and cut off, int8 ones in fixed point, as the reference has it for each. */
static void mix_u8(const struct resize_args *a, const int8_t *in, int8_t *out, const struct tap *y,
                   const struct tap *x)
{
    size_t row = (size_t)a->in[1] * (size_t)a->channels, n = (size_t)a->channels;
    size_t p00 = (size_t)y->low * row + (size_t)x->low * n, p01 = (size_t)y->low * row + (size_t)x->high * n;
    size_t p10 = (size_t)y->high * row + (size_t)x->low * n,
           p11 = (size_t)y->high * row + (size_t)x->high * n;
    float dy = y->value - (float)y->low, dx = x->value - (float)x->low;
    for (size_t c = 0; c < n; c++) {
        float value = (float)(in[p00 + c] + 128) * (1 - dy) * (1 - dx) +
                      (float)(in[p10 + c] + 128) * dy * (1 - dx) +
                      (float)(in[p01 + c] + 128) * (1 - dy) * dx + (float)(in[p11 + c] + 128) * dy * dx;
        out[c] = (int8_t)((int)(value + 0.5f) - 128);
    }
}

static void mix_i8(const struct resize_args *a, const int8_t *in, int8_t *out, const struct tap *y,
                   const struct tap *x)
{
    size_t row = (size_t)a->in[1] * (size_t)a->channels, n = (size_t)a->channels;
    size_t p00 = (size_t)y->low * row + (size_t)x->low * n, p01 = (size_t)y->low * row + (size_t)x->high * n;
    size_t p10 = (size_t)y->high * row + (size_t)x->low * n,
           p11 = (size_t)y->high * row + (size_t)x->high * n;
    int64_t dy = y->fixed - (1 << 10) * y->low, dx = x->fixed - (1 << 10) * x->low, one = 1 << 10;
    for (size_t c = 0; c < n; c++) {
        int64_t sum = in[p00 + c] * (one - dy) * (one - dx) + in[p10 + c] * dy * (one - dx) +
                      in[p01 + c] * (one - dy) * dx + in[p11 + c] * dy * dx;
        int64_t half = sum > 0 ? 1 << 19 : -(1 << 19);
        out[c] = (int8_t)((sum + half) / (1 << 20));
    }
}

static void run_pixel(const struct step *step, const struct resize_args *a, int image, const struct tap *y,
                      const struct tap *x, size_t to)
{
    size_t n = (size_t)a->channels, from = (size_t)image * (size_t)a->in[0] * (size_t)a->in[1] * n;
    const char *in = (const char *)step->in[0] + from * a->element;
    char *out = (char *)step->out[0] + to * n * a->element;
    if (a->nearest)
        memcpy(out, in + ((size_t)y->low * (size_t)a->in[1] + (size_t)x->low) * n * a->element,
               n * a->element);
    else if (!a->i8)
        mix_f32(a, (const float *)(const void *)in, (float *)(void *)out, y, x);
    else if (a->was_u8)
        mix_u8(a, (const int8_t *)in, (int8_t *)out, y, x);
    else
        mix_i8(a, (const int8_t *)in, (int8_t *)out, y, x);
}

static void run(const struct step *step, struct chunk chunk)
{
    const struct resize_args *a = step->args;
    int begin, end;
    share(a->batch * a->out[0], 1, chunk, &begin, &end);
    for (int row = begin; row < end; row++)
        for (int x = 0; x < a->out[1]; x++)
            run_pixel(step, a, row / a->out[0], &a->tap[0][row % a->out[0]], &a->tap[1][x],
                      (size_t)row * (size_t)a->out[1] + (size_t)x);
}

/* ---- preparing ---- */

static float scale_of(int in, int out, bool align)
{
    return align && out > 1 ? (float)(in - 1) / (float)(out - 1) : (float)in / (float)out;
}

static struct tap nearest_tap(int in, int out, int at, const struct node *node)
{
    float scale = scale_of(in, out, node->resize.align_corners),
          offset = node->resize.half_pixel_centers ? 0.5f : 0;
    float place = ((float)at + offset) * scale;
    int low = (int)(node->resize.align_corners ? roundf(place) : floorf(place));
    low = low > in - 1 ? in - 1 : low;
    return (struct tap){.low = node->resize.half_pixel_centers && low < 0 ? 0 : low};
}

static struct tap bilinear_tap(int in, int out, int at, const struct node *node, bool fixed)
{
    float scale = scale_of(in, out, node->resize.align_corners);
    bool half = node->resize.half_pixel_centers;
    struct tap tap = {.value = half ? ((float)at + 0.5f) * scale - 0.5f : (float)at * scale};
    tap.low = (int)floorf(tap.value);
    tap.high = (int)ceilf(tap.value);
    if (fixed) {
        int32_t pace = ((1 << 10) * in + out / 2) / out;
        if (node->resize.align_corners && out > 1)
            pace = ((1 << 10) * (in - 1) + (out - 1) / 2) / (out - 1);
        tap.fixed = half ? at * pace + pace / 2 - (1 << 9) : at * pace;
        tap.low = tap.fixed / (1 << 10);
        tap.high = (tap.fixed + (1 << 10) - 1) / (1 << 10);
    }
    tap.low = tap.low < 0 ? 0 : tap.low > in - 1 ? in - 1 : tap.low;
    tap.high = tap.high < 0 ? 0 : tap.high > in - 1 ? in - 1 : tap.high;
    return tap;
}

static int make_taps(struct plan *plan, const struct node *node, struct resize_args *a)
{
    for (int d = 0; d < 2; d++) {
        a->tap[d] = plan_alloc(plan, (size_t)a->out[d], sizeof(*a->tap[d]));
        if (!a->tap[d])
            return -ENOMEM;
        for (int i = 0; i < a->out[d]; i++)
            a->tap[d][i] = a->nearest ? nearest_tap(a->in[d], a->out[d], i, node)
                                      : bilinear_tap(a->in[d], a->out[d], i, node, a->i8 && !a->was_u8);
    }
    return 0;
}

static int prepare(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0), *out = node_output(plan->graph, node, 0);
    struct resize_args *a = plan_alloc(plan, 1, sizeof(*a));
    struct step *step = plan_add_step(plan, node);
    if (!a || !step)
        return -ENOMEM;
    *a = (struct resize_args){
        .batch = in->shape[0],
        .in = {in->shape[1], in->shape[2]},
        .out = {out->shape[1], out->shape[2]},
        .channels = in->shape[3],
        .element = pipit_type_size(in->type),
        .nearest = node->op == OP_RESIZE_NEAREST_NEIGHBOR,
        .i8 = in->type == PIPIT_I8,
        .was_u8 = in->was_u8,
    };
    step->run = run;
    step->args = a;
    step->kernel = a->nearest ? "nearest" : a->i8 ? "bilinear_i8" : "bilinear_f32";
    return make_taps(plan, node, a);
}

static int infer(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int32_t size[2] = {0};
    int status = need_inputs(graph, node, 2, 2, error);
    int count = status ? status : constant_ints(graph, node, 1, size, 2, error);
    if (count < 0)
        return count;
    const struct tensor *in = node_input(graph, node, 0);
    struct tensor *out = node_output(graph, node, 0);
    bool nearest = node->op == OP_RESIZE_NEAREST_NEIGHBOR;
    if (!nearest)
        status = need_type(graph, node, in, TYPE_BIT(PIPIT_F32) | TYPE_BIT(PIPIT_I8), error);
    if (status)
        return status;
    if (count != 2 || in->rank != 4 || in->type != out->type || tensor_elements(in) < 1 || size[0] < 1 ||
        size[1] < 1 || size[0] > 1 << 16 || size[1] > 1 << 16 || in->shape[1] > 1 << 16 ||
        in->shape[2] > 1 << 16)
        return node_fail(graph, node, error, -EINVAL, "cannot resize to that");
    set_shape(out, 4, (int32_t[]){in->shape[0], size[0], size[1], in->shape[3]});
    return 0;
}

const struct op_info op_RESIZE_BILINEAR = {"RESIZE_BILINEAR", infer, prepare, .macs = NULL};
const struct op_info op_RESIZE_NEAREST_NEIGHBOR = {"RESIZE_NEAREST_NEIGHBOR", infer, prepare, .macs = NULL};
