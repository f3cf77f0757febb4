/* SPDX-License-Identifier: MIT */
/* CONV_2D and FULLY_CONNECTED: tiles of output pixels, or for few pixels panels of channels, go to the
 * workers. */
#include "engine/ops/activation.h"
#include "engine/ops/geometry.h"
#include "engine/ops/product.h"

#include <string.h>

struct conv_args {
    struct conv conv; /* of one group; packed is the first group's */
    const struct conv_kernel *kernel;
    struct geometry geometry;
    int groups, out_channels; /* of all groups */
    size_t packed_step;       /* bytes from one group's weights to the next */
    size_t element;           /* bytes */
    const void *outside;      /* `depth` elements of zero */
    size_t list_bytes, worker_bytes;
    enum activation act;
};

/* ---- running ---- */

static void list_taps(const struct conv_args *args, const void *in, int first, int rows, const void **list)
{
    for (int i = 0; i < rows; i++)
        geometry_taps(&args->geometry, in, args->outside, first + i, list + i, rows);
}

static void finish_tile(const struct step *step, const struct conv_args *args, const struct conv_tile *tile)
{
    if (activation_is_clamp(args->act))
        return;
    for (int i = 0; i < tile->rows; i++)
        activation_apply_f32(step->kernels, args->act,
                             (float *)tile->out + (size_t)i * tile->out_stride + tile->from,
                             tile->to - tile->from);
}

static void shift_list(const void **list, int count, size_t bytes, const void *outside)
{
    for (int i = 0; i < count; i++)
        if (list[i] != outside)
            list[i] = (const char *)list[i] + bytes;
}

static void run_tile(const struct step *step, const struct conv_args *args, char *scratch, int first,
                     int rows, int from, int to)
{
    const void **list = (const void **)scratch;
    struct conv conv = args->conv;
    char *out = (char *)step->out[0] + (size_t)first * (size_t)args->out_channels * args->element;
    list_taps(args, step->in[0], first, rows, list);
    for (int g = 0; g < args->groups; g++) {
        struct conv_tile tile = {
            .in = list,
            .rows = rows,
            .from = from,
            .to = to,
            .out = out + (size_t)g * (size_t)conv.channels * args->element,
            .out_stride = (size_t)args->out_channels,
            .scratch = scratch + args->list_bytes,
        };
        args->kernel->run(&conv, &tile);
        finish_tile(step, args, &tile);
        conv.packed = (const char *)conv.packed + args->packed_step;
        if (g + 1 < args->groups)
            shift_list(list, rows * conv.taps, (size_t)conv.depth * args->element, args->outside);
    }
}

static void run_conv(const struct step *step, int worker, int workers)
{
    const struct conv_args *args = step->args;
    int tile = args->kernel->tile, pixels = geometry_pixels(&args->geometry);
    int begin = 0, end = pixels, from = 0, to = args->conv.channels;
    if (pixels >= tile * workers || args->groups > 1)
        share(pixels, tile, worker, workers, &begin, &end);
    else
        share(args->conv.channels, args->kernel->panel, worker, workers, &from, &to);
    char *scratch = step->scratch + (size_t)worker * args->worker_bytes;
    for (int first = begin; first < end && from < to; first += tile)
        run_tile(step, args, scratch, first, end - first < tile ? end - first : tile, from, to);
}

/* ---- preparing ---- */

static int make_outside(struct plan *plan, const struct node *node, struct conv_args *args)
{
    size_t bytes = ((size_t)args->conv.depth * args->element + 127) / 64 * 64; /* kernels may read ahead */
    void *outside = plan_alloc(plan, bytes, 1);
    if (!outside)
        return -ENOMEM;
    const struct tensor *in = node_input(plan->graph, node, 0);
    if (in->type == PIPIT_I8)
        memset(outside, in->quant.zero[0], bytes);
    args->outside = outside;
    return 0;
}

static int pack_groups(struct plan *plan, const struct node *node, struct conv_args *args)
{
    const struct graph *graph = plan->graph;
    const struct tensor *in = node_input(graph, node, 0), *weights = node_input(graph, node, 1);
    const struct conv *conv = &args->conv;
    size_t each = (size_t)conv->channels * (size_t)conv->taps * (size_t)conv->depth;
    const float *bias_f32 = product_bias_f32(graph, node);
    struct conv_weights w = {.in_zero = in->type == PIPIT_I8 ? in->quant.zero[0] : 0};
    const struct requant *requant =
        in->type == PIPIT_I8 ? product_requant(plan, node, args->out_channels) : NULL;
    args->packed_step = (args->kernel->packed_bytes(conv) + 63) / 64 * 64;
    char *packed = plan_alloc(plan, args->packed_step, (size_t)args->groups);
    if (!packed || (in->type == PIPIT_I8 && !requant))
        return -ENOMEM;
    for (int g = 0; g < args->groups; g++) {
        size_t channel = (size_t)g * (size_t)conv->channels;
        w.f32 = (const float *)weights->data + (size_t)g * each;
        w.i8 = (const int8_t *)weights->data + (size_t)g * each;
        w.bias_f32 = bias_f32 ? bias_f32 + channel : NULL;
        w.bias_i32 = bias_f32 ? product_bias_i32(graph, node) + channel : NULL;
        w.requant = requant ? requant + channel : NULL;
        args->kernel->pack(conv, &w, packed + (size_t)g * args->packed_step);
    }
    args->conv.packed = packed;
    return 0;
}

static void set_ranges(const struct graph *graph, const struct node *node, struct conv *conv)
{
    const struct tensor *out = node_output(graph, node, 0);
    activation_range_f32(node->act, &conv->min_f32, &conv->max_f32);
    if (out->type != PIPIT_I8)
        return;
    activation_range_i8(out, node->act, &conv->min_i8, &conv->max_i8);
    conv->out_zero = out->quant.zero[0];
    conv->weight_zero = product_weight_zero(graph, node);
}

static int prepare_product(struct plan *plan, const struct node *node, const struct geometry *geometry,
                           int channels, int depth, int groups, struct pipit_error *error)
{
    enum product_kind kind = product_kind(plan->graph, node);
    if (kind == PRODUCT_HYBRID)
        return hybrid_prepare(plan, node, geometry, channels, depth, groups, 0, error);
    struct conv_args *args = plan_alloc(plan, 1, sizeof(*args));
    struct step *step = plan_add_step(plan, node);
    if (!args || !step)
        return -ENOMEM;
    args->kernel = kind == PRODUCT_I8 ? &plan->kernels->conv_i8 : &plan->kernels->conv_f32;
    args->geometry = *geometry;
    args->groups = groups;
    args->out_channels = channels;
    args->element = kind == PRODUCT_I8 ? 1 : sizeof(float);
    args->act = node->act;
    args->conv = (struct conv){
        .taps = geometry->size[0] * geometry->size[1], .depth = depth, .channels = channels / groups};
    set_ranges(plan->graph, node, &args->conv);
    size_t list = (size_t)args->conv.taps * (size_t)args->kernel->tile * sizeof(void *);
    args->list_bytes = (list + 63) / 64 * 64;
    args->worker_bytes =
        args->list_bytes + (args->kernel->scratch ? args->kernel->scratch(&args->conv) + 63 : 0);
    args->worker_bytes = (args->worker_bytes + 63) / 64 * 64;
    step->run = run_conv;
    step->args = args;
    step->kernel = args->kernel->name;
    step->scratch_bytes = args->worker_bytes * (size_t)plan->workers;
    int status = make_outside(plan, node, args);
    return status ? status : pack_groups(plan, node, args);
}

/* ---- CONV_2D ---- */

static int infer_conv(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 2, 3, error);
    if (status)
        return status;
    const struct tensor *in = node_input(graph, node, 0), *weights = node_input(graph, node, 1);
    if (in->rank != 4 || weights->rank != 4 || tensor_elements(in) < 1)
        return node_fail(graph, node, error, -EINVAL, "input and weights must have 4 dimensions");
    int channels = weights->shape[0], depth = weights->shape[3], out[2];
    if (depth < 1 || channels < 1 || in->shape[3] % depth || channels % (in->shape[3] / depth))
        return node_fail(graph, node, error, -EINVAL, "weights for %d channels do not fit an input of %d",
                         depth, in->shape[3]);
    for (int d = 0; d < 2; d++)
        if (infer_window(&node->window, d, in->shape[1 + d], weights->shape[1 + d], &out[d]))
            return node_fail(graph, node, error, -EINVAL, "window does not fit its input");
    set_shape(node_output(graph, node, 0), 4, (int32_t[]){in->shape[0], out[0], out[1], channels});
    return product_check(graph, node, channels, 0, error);
}

static int prepare_conv(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0), *weights = node_input(plan->graph, node, 1);
    struct geometry geometry = geometry_of(in, node_output(plan->graph, node, 0), &node->window,
                                           weights->shape[1], weights->shape[2]);
    return prepare_product(plan, node, &geometry, weights->shape[0], weights->shape[3],
                           in->shape[3] / weights->shape[3], error);
}

static int64_t macs_conv(const struct graph *graph, const struct node *node)
{
    const struct tensor *weights = node_input(graph, node, 1);
    return tensor_elements(node_output(graph, node, 0)) * tensor_elements(weights) / weights->shape[0];
}

const struct op_info op_CONV_2D = {"CONV_2D", infer_conv, prepare_conv, macs_conv, .packs = true};

/* ---- FULLY_CONNECTED ---- */

static int infer_fully_connected(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 2, 3, error);
    if (status)
        return status;
    const struct tensor *in = node_input(graph, node, 0), *weights = node_input(graph, node, 1);
    int64_t elements = tensor_elements(in);
    if (elements < 1 || weights->rank != 2 || weights->shape[0] < 1 || weights->shape[1] < 1 ||
        elements % weights->shape[1])
        return node_fail(graph, node, error, -EINVAL, "weights do not fit the input");
    int channels = weights->shape[0], depth = weights->shape[1];
    struct tensor *out = node_output(graph, node, 0);
    if (node->fc.keep_num_dims) {
        if (in->rank < 1 || in->shape[in->rank - 1] != depth)
            return node_fail(graph, node, error, -EINVAL, "the last dimension must be %d", depth);
        set_shape(out, in->rank, in->shape);
        out->shape[in->rank - 1] = channels;
    } else {
        set_shape(out, 2, (int32_t[]){(int32_t)(elements / depth), channels});
    }
    return product_check(graph, node, channels, 0, error);
}

static int prepare_fully_connected(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0), *weights = node_input(plan->graph, node, 1);
    int depth = weights->shape[1], rows = (int)(tensor_elements(in) / depth);
    struct geometry geometry = {
        .batch = rows,
        .in = {1, 1},
        .out = {1, 1},
        .size = {1, 1},
        .stride = {1, 1},
        .dilation = {1, 1},
        .pixel_bytes = (size_t)depth * pipit_type_size(in->type),
    };
    return prepare_product(plan, node, &geometry, weights->shape[0], depth, 1, error);
}

const struct op_info op_FULLY_CONNECTED = {"FULLY_CONNECTED", infer_fully_connected, prepare_fully_connected,
                                           macs_conv, .packs = true};
