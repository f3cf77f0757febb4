/* SPDX-License-Identifier: MIT */
/* CONV_2D and FULLY_CONNECTED: tiles of output pixels, or for few pixels panels of channels, go to the
 * workers. */
#include "engine/ops/activation.h"
#include "engine/ops/product.h"
#include "engine/ops/window.h"

struct conv_args {
    struct conv conv; /* of one group; packed is the first group's */
    const struct conv_kernel *kernel;
    struct geometry geometry;
    int groups, out_channels;                 /* of all groups */
    size_t packed_step;                       /* bytes from one group's weights to the next */
    size_t element;                           /* bytes */
    bool flat;                                /* pointwise: all pixels of all images in one row */
    bool merged;                              /* a kernel row is one tap */
    int outside;                              /* byte */
    size_t list_bytes, ring_bytes, own_bytes; /* scratch: its state, rows, a row's taps, a block's taps,
                                                 ring, kernel's */
    int together;                             /* rows of a source's at a time */
    enum activation act;
};

struct conv_rows {
    struct rows rows;
    const struct step *step;
    struct window_rows window;
    struct conv_tile tile;
};

enum { TILE_BYTES = 24 << 10, SOURCE_PIXELS = 96 };

/* ---- running ---- */

static void finish_tile(const struct step *step, const struct conv_args *args, const struct conv_tile *tile)
{
    if (activation_is_clamp(args->act) || args->conv.hard_swish)
        return;
    for (int i = 0; i < tile->pixels; i++) {
        size_t at = (size_t)i * tile->out_stride + (size_t)tile->from;
        if (args->element == sizeof(float))
            activation_apply_f32(step->kernels, args->act, (float *)tile->out + at, tile->to - tile->from);
        else
            activation_apply_f16(step->kernels, args->act, (uint16_t *)tile->out + at, tile->to - tile->from);
    }
}

/* All groups of `tile`, whose `in`, pixels and channels are set; `pixel` is its first from `tile.out` on. */
static void run_groups(const struct step *step, const struct conv_args *args, struct conv_tile tile,
                       const void **tap, size_t pixel)
{
    struct conv conv = args->conv;
    tile.out = (char *)tile.out + pixel * (size_t)args->out_channels * args->element;
    tile.out_stride = (size_t)args->out_channels;
    tile.in_step = (size_t)args->geometry.stride[1] * args->geometry.pixel_bytes;
    tile.in = tap;
    for (int g = 0; g < args->groups; g++) {
        args->kernel->run(&conv, &tile);
        finish_tile(step, args, &tile);
        conv.packed = (const char *)conv.packed + args->packed_step;
        tile.out = (char *)tile.out + (size_t)conv.channels * args->element;
        for (int t = 0; t < conv.taps && args->groups > 1; t++)
            tap[t] = (const char *)tap[t] + (size_t)conv.depth * args->element;
    }
}

/* Pixels of a tile: as many as leave their inputs in the first cache, even tiles of whole blocks. */
static int tile_pixels(const struct conv_args *args, int pixels)
{
    const size_t bytes = (size_t)args->conv.taps * (size_t)args->conv.depth * args->element;
    int most = args->kernel->pixels ? args->kernel->pixels : CONV_PIXELS, grain = args->kernel->tile;
    while (most > CONV_PIXELS && (size_t)most * bytes > TILE_BYTES)
        most /= 2;
    int tiles = (pixels + most - 1) / most, each = (pixels + tiles - 1) / tiles;
    each = (each + grain - 1) / grain * grain;
    return each < most ? each : most;
}

static void run_blocks(const struct step *step, const struct conv_args *args, struct conv_tile tile,
                       const void *const *first, int pixels, size_t pixel)
{
    const void **tap = (const void **)(void *)((char *)tile.scratch - args->ring_bytes - args->list_bytes);
    size_t apart = (size_t)args->geometry.stride[1] * args->geometry.pixel_bytes;
    const int each = tile_pixels(args, pixels);
    for (int begin = 0; begin < pixels; begin += each) {
        tile.pixels = pixels - begin < each ? pixels - begin : each;
        for (int t = 0; t < args->conv.taps; t++)
            tap[t] = (const char *)first[t] + (size_t)begin * apart;
        run_groups(step, args, tile, tap, pixel + (size_t)begin);
    }
}

static void list_taps(const struct conv_args *args, const void *const *row, const void **tap)
{
    const struct geometry *g = &args->geometry;
    int columns = args->merged ? 1 : g->size[1];
    for (int ky = 0; ky < g->size[0]; ky++)
        for (int kx = 0; kx < columns; kx++)
            tap[ky * columns + kx] =
                (const char *)row[ky * g->dilation[0]] + (size_t)(kx * g->dilation[1]) * g->pixel_bytes;
}

/* From what the source made, a few rows at a time. */
static void make_from_source(struct conv_rows *own, int at, int count)
{
    const struct conv_args *args = own->step->args;
    const int width = args->geometry.out[1], most = args->together;
    const void *ring = own->window.ring;
    for (int made = 0; made < count; made += most) {
        int rows = count - made < most ? count - made : most;
        own->window.source->make(own->window.source, at + made, rows, own->window.ring);
        run_blocks(own->step, args, own->tile, &ring, rows * width, (size_t)made * (size_t)width);
    }
}

static void make_windows(struct conv_rows *own, int at, int count)
{
    const struct conv_args *args = own->step->args;
    const struct geometry *g = &args->geometry;
    char *lists = (char *)own->tile.scratch - args->ring_bytes - 3 * args->list_bytes;
    const void **row = (const void **)(void *)lists,
               **tap = (const void **)(void *)(lists + args->list_bytes);
    for (int i = 0; i < count; i++) {
        if ((at + i) % g->out[0] == 0)
            window_start(&own->window);
        window_read(&own->window, (at + i) / g->out[0], (at + i) % g->out[0], 1, row);
        list_taps(args, row, tap);
        run_blocks(own->step, args, own->tile, tap, g->out[1], (size_t)i * (size_t)g->out[1]);
    }
}

static void make_rows(struct rows *rows, int at, int count, char *to)
{
    struct conv_rows *own = (struct conv_rows *)rows;
    const struct conv_args *args = own->step->args;
    const size_t pixels = (size_t)args->geometry.out[1];
    own->tile.out = to;
    if (!args->flat) {
        make_windows(own, at, count);
    } else if (own->window.source) {
        make_from_source(own, at, count);
    } else {
        const void *first = (const char *)own->step->in[0] + (size_t)at * pixels * args->geometry.pixel_bytes;
        run_blocks(own->step, args, own->tile, &first, count * (int)pixels, 0);
    }
}

static struct rows *begin_rows(const struct step *step, char *scratch)
{
    const struct conv_args *args = step->args;
    struct conv_rows *own = (struct conv_rows *)(void *)scratch;
    char *ring = scratch + align64(sizeof(*own)) + 3 * args->list_bytes, *kernels = ring + args->ring_bytes;
    *own = (struct conv_rows){
        .rows.make = make_rows, .step = step, .tile = {.to = args->conv.channels, .scratch = kernels}};
    own->window = (struct window_rows){.geometry = &args->geometry,
                                       .in = step->in[0],
                                       .ring = ring,
                                       .outside = args->outside,
                                       .together = 1,
                                       .source = rows_begin(step->source, kernels + args->own_bytes)};
    return &own->rows;
}

/* The most that a chunk has to do, in grains. */
static int64_t longest(int count, int grain, int chunks)
{
    int each = (count + chunks - 1) / chunks;
    return (each + grain - 1) / grain;
}

/* Units are pixels, or rows of them. Workers that share these read all weights each; those that share
 * channels read all pixels, half of which are in another's cache, as half of what they make will be for the
 * next step: that costs twice as much, unless units cannot be shared fairly, or some chunk would be a mere
 * rest. */
static bool shares_channels(const struct conv_args *args, int units, int grain, int chunks)
{
    const struct conv *conv = &args->conv;
    if (args->groups > 1)
        return false;
    const int64_t by_units = longest(units, grain, chunks) * grain * conv->channels;
    const int64_t by_channels =
        longest(conv->channels, args->kernel->panel, chunks) * args->kernel->panel * units;
    const bool rest = chunks > units / grain && chunks <= conv->channels / args->kernel->panel;
    const int64_t weights = (int64_t)conv->taps * conv->depth * conv->channels;
    const int64_t activations = (int64_t)geometry_pixels(&args->geometry) * (conv->depth + conv->channels);
    return rest || (by_channels < by_units && (weights > 2 * activations || 4 * by_channels < 3 * by_units));
}

/* Pixels of all rows where they lie side by side, else rows. */
static bool shares_pixels(const struct step *step)
{
    const struct conv_args *args = step->args;
    return args->flat && !step->source;
}

/* Whole tiles, or panels. */
static int count_grains(const struct step *step)
{
    const struct conv_args *args = step->args;
    const struct geometry *g = &args->geometry;
    int by_units = shares_pixels(step) ? geometry_pixels(g) / args->kernel->tile
                                       : rows_grains(step, g->batch * g->out[0]);
    int by_channels = step->source || args->groups > 1 ? 0 : args->conv.channels / args->kernel->panel;
    return by_units > by_channels ? by_units : by_channels;
}

static void run_conv(const struct step *step, struct chunk chunk)
{
    const struct conv_args *args = step->args;
    const struct geometry *g = &args->geometry;
    const bool pixels = shares_pixels(step);
    int units = pixels ? geometry_pixels(g) : g->batch * g->out[0], grain = pixels ? args->kernel->tile : 1;
    int begin = 0, end = units, from = 0, to = args->conv.channels;
    if (!step->source && shares_channels(args, units, grain, chunk.count))
        share(to, args->kernel->panel, chunk, &from, &to);
    else
        share(units, args->kernel->even ? 1 : grain, chunk, &begin, &end);
    if (begin >= end || from >= to)
        return;
    struct conv_rows *own = (struct conv_rows *)begin_rows(step, chunk_scratch(step, chunk));
    own->tile.from = from;
    own->tile.to = to;
    const size_t out_pixel = (size_t)args->out_channels * args->element;
    if (!pixels) {
        make_rows(&own->rows, begin, end - begin,
                  (char *)step->out[0] + (size_t)begin * (size_t)g->out[1] * out_pixel);
        return;
    }
    const void *first = (const char *)step->in[0] + (size_t)begin * g->pixel_bytes;
    own->tile.out = (char *)step->out[0] + (size_t)begin * out_pixel;
    run_blocks(step, args, own->tile, &first, end - begin, 0);
}

/* ---- preparing ---- */

/* Of one group. */
struct packing {
    const struct plan *plan;
    const struct node *node;
    const struct conv_args *args;
    struct conv_weights weights;
    char *packed;
    size_t start, row; /* bytes of the weights: where the group begins, and of a channel */
};

static void pack_slice(const struct plan_part *part)
{
    const struct packing *packing = part->args;
    const size_t start = packing->start, row = packing->row;
    packing->args->kernel->pack(&packing->args->conv, &packing->weights, packing->packed, part->from,
                                part->to);
    plan_packed(packing->plan, packing->node, 1, start + (size_t)part->from * row,
                start + (size_t)part->to * row);
}

/* In slices, which workers share, and so that the file's memory goes as the packed weights come. */
static int pack_group(struct plan *plan, const struct packing *group)
{
    enum { SLICE = 256 << 10 }; /* bytes */
    const int channels = group->args->conv.channels, most = (int)(SLICE / group->row);
    struct packing *packing = plan_alloc(plan, 1, sizeof(*packing));
    int status = packing ? 0 : -ENOMEM;
    if (packing)
        *packing = *group;
    for (int from = 0, to; from < channels && !status; from = to) {
        to = channels - from > most ? conv_cut(group->args->kernel, channels, from + most) : channels;
        to = to > from ? to : channels;
        status = plan_pack_later(plan, &(struct plan_part){pack_slice, packing, from, to});
    }
    return status;
}

static int pack_groups(struct plan *plan, const struct node *node, struct conv_args *args)
{
    const struct graph *graph = plan->graph;
    const struct tensor *in = node_input(graph, node, 0), *weights = node_input(graph, node, 1);
    const struct conv *conv = &args->conv;
    size_t values = (size_t)conv->taps * (size_t)conv->depth, each = (size_t)conv->channels * values;
    const float *bias_f32 = product_bias_f32(graph, node);
    struct packing packing = {
        .plan = plan, .node = node, .args = args, .row = values * pipit_type_size(weights->type)};
    struct conv_weights *w = &packing.weights;
    const struct requant *requant =
        in->type == PIPIT_I8 ? product_requant(plan, node, args->out_channels) : NULL;
    int status = 0;
    w->in_zero = in->type == PIPIT_I8 ? in->quant.zero[0] : 0;
    args->packed_step = (args->kernel->packed_bytes(conv) + 63) / 64 * 64;
    char *packed = plan_alloc_weights(plan, args->packed_step, (size_t)args->groups);
    if (!packed || (in->type == PIPIT_I8 && !requant))
        return -ENOMEM;
    for (int g = 0; g < args->groups && !status; g++) {
        size_t channel = (size_t)g * (size_t)conv->channels;
        w->f32 = (const float *)weights->data + (size_t)g * each;
        w->i8 = (const int8_t *)weights->data + (size_t)g * each;
        w->bias_f32 = bias_f32 ? bias_f32 + channel : NULL;
        w->bias_i32 = bias_f32 ? product_bias_i32(graph, node) + channel : NULL;
        w->requant = requant ? requant + channel : NULL;
        packing.packed = packed + (size_t)g * args->packed_step;
        packing.start = channel * packing.row;
        status = pack_group(plan, &packing);
    }
    args->conv.packed = packed;
    return status;
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

static void set_shape_of_conv(struct conv_args *args, int depth)
{
    const struct geometry *g = &args->geometry;
    args->merged = args->groups == 1 && g->dilation[1] == 1;
    args->flat = g->size[0] * g->size[1] == 1 && g->stride[0] == 1 && g->stride[1] == 1 && !window_pads(g);
    args->conv = (struct conv){
        .taps = args->merged ? g->size[0] : g->size[0] * g->size[1],
        .depth = args->merged ? g->size[1] * depth : depth,
        .channels = args->out_channels / args->groups,
        .hard_swish = args->act == ACT_HARD_SWISH,
    };
}

static void set_scratch(struct conv_args *args, struct step *step)
{
    const struct geometry *g = &args->geometry;
    int rows = window_list(g, 1), taps = args->conv.taps;
    args->list_bytes = align64((size_t)(rows > taps ? rows : taps) * sizeof(void *));
    args->together = (SOURCE_PIXELS + g->out[1] - 1) / g->out[1];
    args->ring_bytes = step->source ? align64((size_t)(args->together * g->out[1]) * g->pixel_bytes + 64)
                                    : window_bytes(g, 1, false);
    args->own_bytes = align64(args->kernel->scratch ? args->kernel->scratch(&args->conv) : 0);
    step->worker_bytes = align64(sizeof(struct conv_rows)) + 3 * args->list_bytes + args->ring_bytes +
                         args->own_bytes + rows_scratch(step->source);
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
    enum pipit_type type = node_input(plan->graph, node, 0)->type;
    args->kernel = type == PIPIT_I8    ? &plan->kernels->conv_i8
                   : type == PIPIT_F16 ? &plan->kernels->conv_f16
                                       : &plan->kernels->conv_f32;
    args->geometry = *geometry;
    args->groups = groups;
    args->out_channels = channels;
    args->element = pipit_type_size(type);
    args->act = node->act;
    set_shape_of_conv(args, depth);
    set_ranges(plan->graph, node, &args->conv);
    args->outside = kind == PRODUCT_I8 ? node_input(plan->graph, node, 0)->quant.zero[0] : 0;
    set_scratch(args, step);
    step->run = run_conv;
    step->rows = begin_rows;
    step->args = args;
    step->grains = count_grains(step);
    step->kernel = args->kernel->name;
    return pack_groups(plan, node, args);
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

const struct op_info op_CONV_2D = {"CONV_2D", infer_conv,           prepare_conv,
                                   macs_conv, .half = product_half, .packs = true};

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
                                           macs_conv,         .half = product_half,  .packs = true};
