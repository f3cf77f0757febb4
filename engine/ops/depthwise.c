/* SPDX-License-Identifier: MIT */
#include "engine/ops/activation.h"
#include "engine/ops/product.h"
#include "engine/ops/window.h"

struct depthwise_args {
    struct depthwise depthwise;
    const struct depthwise_kernel *kernel;
    struct geometry geometry;
    size_t element, list_bytes, blank_bytes, ring_bytes; /* scratch: its state, rows, blank row, ring */
    int outside;                                         /* byte */
    enum pads pads;                                      /* what the kernel makes of it */
    enum activation act;
};

struct depthwise_rows {
    struct rows rows;
    const struct step *step;
    struct window_rows window;
    const void **list;
};

static size_t row_elements(const struct depthwise_args *args)
{
    return (size_t)args->geometry.out[1] * (size_t)(args->depthwise.channels * args->depthwise.multiplier);
}

static void run_tile(const struct step *step, const struct depthwise_args *args, const void *const *row,
                     char *out, int rows)
{
    int columns = args->geometry.out[1];
    struct depthwise_tile tile = {.in = row,
                                  .rows = rows,
                                  .columns = columns,
                                  .out = out,
                                  .out_row = row_elements(args),
                                  .before = args->pads ? args->geometry.before[1] : 0,
                                  .after = args->pads ? window_after(&args->geometry) : 0};
    args->kernel->run(&args->depthwise, &tile);
    if (activation_is_clamp(args->act) || args->depthwise.hard_swish)
        return;
    int elements = rows * (int)tile.out_row;
    if (args->element == sizeof(float))
        activation_apply_f32(step->kernels, args->act, tile.out, elements);
    else
        activation_apply_f16(step->kernels, args->act, tile.out, elements);
}

static void make_rows(struct rows *rows, int at, int count, char *to)
{
    struct depthwise_rows *own = (struct depthwise_rows *)rows;
    const struct depthwise_args *args = own->step->args;
    const int height = args->geometry.out[0], most = args->kernel->rows;
    for (int end = at + count, together; at < end; at += together) {
        int y = at % height, left = height - y < end - at ? height - y : end - at;
        together = left < most ? left : most;
        if (y == 0)
            window_start(&own->window);
        if (args->pads)
            window_list_rows(&own->window, at / height, y, together, own->list);
        else
            window_read(&own->window, at / height, y, together, own->list);
        run_tile(own->step, args, own->list, to, together);
        to += (size_t)together * row_elements(args) * args->element;
    }
}

static struct rows *begin_rows(const struct step *step, char *scratch)
{
    const struct depthwise_args *args = step->args;
    struct depthwise_rows *own = (struct depthwise_rows *)(void *)scratch;
    char *list = scratch + align64(sizeof(*own)), *blank = list + args->list_bytes,
         *ring = blank + args->blank_bytes;
    *own = (struct depthwise_rows){.rows.make = make_rows, .step = step, .list = (const void **)(void *)list};
    own->window = (struct window_rows){.geometry = &args->geometry,
                                       .in = step->in[0],
                                       .ring = ring,
                                       .blank = args->pads == PADS_ALL ? NULL : blank,
                                       .outside = args->outside,
                                       .together = args->kernel->rows,
                                       .source = rows_begin(step->source, ring + args->ring_bytes)};
    if (args->pads == PADS_COLUMNS)
        window_blank(&own->window);
    return &own->rows;
}

static void run_depthwise(const struct step *step, struct chunk chunk)
{
    const struct depthwise_args *args = step->args;
    const struct geometry *g = &args->geometry;
    int begin, end;
    share(g->batch * g->out[0], 1, chunk, &begin, &end);
    struct rows *rows = begin_rows(step, chunk_scratch(step, chunk));
    rows->make(rows, begin, end - begin,
               (char *)step->out[0] + (size_t)begin * row_elements(args) * args->element);
}

struct packing {
    const struct depthwise_args *args;
    struct conv_weights weights;
    void *packed;
};

static void pack_all(const struct plan_part *part)
{
    const struct packing *packing = part->args;
    packing->args->kernel->pack(&packing->args->depthwise, &packing->weights, packing->packed);
}

static int pack(struct plan *plan, const struct node *node, struct depthwise_args *args)
{
    const struct graph *graph = plan->graph;
    const struct tensor *in = node_input(graph, node, 0), *weights = node_input(graph, node, 1);
    bool i8 = in->type == PIPIT_I8;
    int channels = args->depthwise.channels * args->depthwise.multiplier;
    struct packing *packing = plan_alloc(plan, 1, sizeof(*packing));
    void *packed = plan_alloc_weights(plan, args->kernel->packed_bytes(&args->depthwise), 1);
    const struct requant *requant = i8 ? product_requant(plan, node, channels) : NULL;
    if (!packing || !packed || (i8 && !requant))
        return -ENOMEM;
    args->depthwise.packed = packed;
    *packing = (struct packing){
        .args = args,
        .weights = {.f32 = weights->data,
                    .i8 = weights->data,
                    .bias_f32 = product_bias_f32(graph, node),
                    .bias_i32 = product_bias_i32(graph, node),
                    .requant = requant,
                    .in_zero = i8 ? in->quant.zero[0] : 0},
        .packed = packed,
    };
    return plan_pack_later(plan, &(struct plan_part){.pack = pack_all, .args = packing});
}

static void set_ranges(const struct graph *graph, const struct node *node, struct depthwise *d)
{
    const struct tensor *in = node_input(graph, node, 0), *out = node_output(graph, node, 0);
    activation_range_f32(node->act, &d->min_f32, &d->max_f32);
    if (out->type != PIPIT_I8)
        return;
    activation_range_i8(out, node->act, &d->min_i8, &d->max_i8);
    d->in_zero = in->quant.zero[0];
    d->out_zero = out->quant.zero[0];
    d->weight_zero = product_weight_zero(graph, node);
}

static enum pads padding_by_kernel(const struct depthwise_args *args)
{
    const struct geometry *g = &args->geometry;
    enum pads pads = args->kernel->pads ? args->kernel->pads(&args->depthwise) : PADS_NOTHING;
    for (int d = 0; d < 2 && pads == PADS_ALL; d++) {
        int behind = (g->out[d] - 1) * g->stride[d] + window_reach(g, d) - g->before[d] - g->in[d];
        if (g->before[d] > g->size[d] / 2 || behind > g->size[d] / 2)
            pads = PADS_NOTHING;
    }
    return pads;
}

static void set_scratch(struct depthwise_args *args, struct step *step)
{
    const struct geometry *g = &args->geometry;
    const int together = args->kernel->rows;
    const bool made = step->source != NULL;
    args->list_bytes = align64((size_t)window_list(g, together) * sizeof(void *));
    args->blank_bytes = args->pads == PADS_COLUMNS ? align64(window_blank_bytes(g)) : 0;
    args->ring_bytes = !args->pads ? window_bytes(g, together, made)
                       : made      ? window_made_bytes(g, together)
                                   : 0;
    step->worker_bytes = align64(sizeof(struct depthwise_rows)) + args->list_bytes + args->blank_bytes +
                         args->ring_bytes + rows_scratch(step->source);
}

static int prepare_depthwise(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0), *weights = node_input(plan->graph, node, 1);
    struct geometry geometry = geometry_of(in, node_output(plan->graph, node, 0), &node->window,
                                           weights->shape[1], weights->shape[2]);
    int multiplier = weights->shape[3] / in->shape[3];
    enum product_kind kind = product_kind(plan->graph, node);
    if (kind == PRODUCT_HYBRID)
        return hybrid_prepare(plan, node, &geometry, weights->shape[3], 1, 1, multiplier, error);
    struct depthwise_args *args = plan_alloc(plan, 1, sizeof(*args));
    struct step *step = plan_add_step(plan, node);
    if (!args || !step)
        return -ENOMEM;
    args->depthwise = (struct depthwise){
        .size = {geometry.size[0], geometry.size[1]},
        .stride = {geometry.stride[0], geometry.stride[1]},
        .dilation = {geometry.dilation[0], geometry.dilation[1]},
        .channels = in->shape[3],
        .multiplier = multiplier,
        .hard_swish = node->act == ACT_HARD_SWISH,
    };
    set_ranges(plan->graph, node, &args->depthwise);
    args->kernel = in->type == PIPIT_I8    ? &plan->kernels->depthwise_i8
                   : in->type == PIPIT_F16 ? &plan->kernels->depthwise_f16
                                           : &plan->kernels->depthwise_f32;
    args->geometry = geometry;
    args->element = pipit_type_size(in->type);
    args->act = node->act;
    args->outside = kind == PRODUCT_I8 ? in->quant.zero[0] : 0;
    args->pads = padding_by_kernel(args);
    set_scratch(args, step);
    step->run = run_depthwise;
    step->grains = rows_grains(step, geometry.batch * geometry.out[0]);
    step->rows = begin_rows;
    step->args = args;
    step->kernel = args->kernel->name;
    return pack(plan, node, args);
}

static int infer_depthwise(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 2, 3, error);
    if (status)
        return status;
    const struct tensor *in = node_input(graph, node, 0), *weights = node_input(graph, node, 1);
    if (in->rank != 4 || weights->rank != 4 || weights->shape[0] != 1 || tensor_elements(in) < 1)
        return node_fail(graph, node, error, -EINVAL, "input and weights must have 4 dimensions");
    int channels = weights->shape[3], out[2];
    if (channels < 1 || channels % in->shape[3])
        return node_fail(graph, node, error, -EINVAL, "weights for %d channels do not fit an input of %d",
                         channels, in->shape[3]);
    for (int d = 0; d < 2; d++)
        if (infer_window(&node->window, d, in->shape[1 + d], weights->shape[1 + d], &out[d]))
            return node_fail(graph, node, error, -EINVAL, "window does not fit its input");
    set_shape(node_output(graph, node, 0), 4, (int32_t[]){in->shape[0], out[0], out[1], channels});
    return product_check(graph, node, channels, 3, error);
}

static int64_t macs_depthwise(const struct graph *graph, const struct node *node)
{
    const struct tensor *weights = node_input(graph, node, 1);
    return tensor_elements(node_output(graph, node, 0)) * weights->shape[1] * weights->shape[2];
}

const struct op_info op_DEPTHWISE_CONV_2D = {"DEPTHWISE_CONV_2D", infer_depthwise,      prepare_depthwise,
                                             macs_depthwise,      .half = product_half, .packs = true};
