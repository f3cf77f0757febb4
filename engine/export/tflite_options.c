/* SPDX-License-Identifier: MIT */
/* Options of operators; numbers of the union BuiltinOptions and fields are the schema's. */
#include "engine/export/tflite_out.h"

#include "engine/op.h"

#include <string.h>

/* By the union BuiltinOptions; operators that are not here have no options that say anything. */
static const struct {
    enum op op;
    int type;
} types[] = {
    {OP_CONV_2D, 1},
    {OP_DEPTHWISE_CONV_2D, 2},
    {OP_AVERAGE_POOL_2D, 5},
    {OP_MAX_POOL_2D, 5},
    {OP_FULLY_CONNECTED, 8},
    {OP_SOFTMAX, 9},
    {OP_CONCATENATION, 10},
    {OP_ADD, 11},
    {OP_L2_NORMALIZATION, 12},
    {OP_RESIZE_BILINEAR, 15},
    {OP_RESHAPE, 17},
    {OP_SPACE_TO_DEPTH, 19},
    {OP_MUL, 21},
    {OP_GATHER, 23},
    {OP_MEAN, 27},
    {OP_SUM, 27},
    {OP_REDUCE_MAX, 27},
    {OP_REDUCE_MIN, 27},
    {OP_REDUCE_PROD, 27},
    {OP_SUB, 28},
    {OP_DIV, 29},
    {OP_SQUEEZE, 30},
    {OP_STRIDED_SLICE, 32},
    {OP_SPLIT, 35},
    {OP_CAST, 37},
    {OP_ARG_MAX, 40},
    {OP_TRANSPOSE_CONV, 49},
    {OP_SHAPE, 55},
    {OP_ARG_MIN, 57},
    {OP_PACK, 59},
    {OP_UNPACK, 64},
    {OP_RESIZE_NEAREST_NEIGHBOR, 74},
    {OP_LEAKY_RELU, 75},
    {OP_MIRROR_PAD, 77},
    {OP_SPLIT_V, 79},
    {OP_DEPTH_TO_SPACE, 94},
};

int tflite_options_type(enum op op)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].op == op)
            return types[i].type;
    return 0;
}

int tflite_type(enum pipit_type type)
{
    static const int codes[] = {[PIPIT_F32] = 0, [PIPIT_F16] = 1, [PIPIT_I32] = 2,  [PIPIT_U8] = 3,
                                [PIPIT_I64] = 4, [PIPIT_I16] = 7, [PIPIT_BOOL] = 6, [PIPIT_I8] = 9};
    return codes[type];
}

int tflite_activation(enum activation act)
{
    static const int codes[] = {
        [ACT_NONE] = 0, [ACT_RELU] = 1, [ACT_RELU_N1_TO_1] = 2, [ACT_RELU6] = 3, [ACT_TANH] = 4};
    return act < sizeof(codes) / sizeof(codes[0]) ? codes[act] : -1;
}

static int channels_of(const struct tensor *tensor)
{
    return tensor->rank ? tensor->shape[tensor->rank - 1] : 1;
}

/* ---- windows ---- */

static size_t window(struct fb_out *out, const struct graph *graph, const struct node *node)
{
    const struct window *w = &node->window;
    int padding = w->padding == PAD_SAME ? 0 : 1, act = tflite_activation(node->act);
    int x = w->stride[1], y = w->stride[0];
    switch (node->op) {
    case OP_CONV_2D:
        return fb_out_table(out, "biibii", padding, x, y, act, w->dilation[1], w->dilation[0]);
    case OP_DEPTHWISE_CONV_2D: {
        int each = channels_of(node_output(graph, node, 0)) / channels_of(node_input(graph, node, 0));
        return fb_out_table(out, "biiibii", padding, x, y, each, act, w->dilation[1], w->dilation[0]);
    }
    case OP_TRANSPOSE_CONV:
        return fb_out_table(out, "biib", padding, x, y, act);
    default:
        return fb_out_table(out, "biiiib", padding, x, y, w->size[1], w->size[0], act);
    }
}

/* ---- lists ---- */

/* The shape that inference found, so that nothing is left open. */
static size_t reshape(struct fb_out *out, const struct tensor *shape)
{
    size_t table = fb_out_table(out, "o");
    fb_out_point(out, table, 0, fb_out_vector(out, shape->shape, (size_t)shape->rank, 4, 4));
    return table;
}

static size_t squeeze(struct fb_out *out, const struct node *node)
{
    size_t table = fb_out_table(out, "o");
    fb_out_point(out, table, 0,
                 fb_out_vector(out, node->squeeze.axis, (size_t)node->squeeze.axes, sizeof(int), 4));
    return table;
}

static size_t strided_slice(struct fb_out *out, const struct node *node)
{
    const struct strided_slice *s = &node->slice;
    return fb_out_table(out, "iiiiib", s->begin_mask, s->end_mask, s->ellipsis_mask, s->new_axis_mask,
                        s->shrink_axis_mask, (int)s->offset);
}

/* ---- TFLite_Detection_PostProcess: a FlexBuffers map, as import/tflite_detection.c tells ---- */

enum { DETECTION_KEYS = 11, FLEX_INT = 1 << 2 | 2, FLEX_FLOAT = 3 << 2 | 2, FLEX_MAP = 9 << 2 | 2 };

struct flex_entry {
    const char *key; /* in the order of strcmp() */
    bool real;
    int whole;
    float value;
};

static void flex_u32(struct fb_out *out, size_t value)
{
    uint32_t word = (uint32_t)value;
    fb_out_bytes(out, &word, sizeof(word), 1);
}

static void flex_map(struct fb_out *out, const struct flex_entry *entry, size_t count)
{
    size_t key[DETECTION_KEYS], keys, values;
    for (size_t i = 0; i < count; i++)
        key[i] = fb_out_bytes(out, entry[i].key, strlen(entry[i].key) + 1, 1);
    fb_out_bytes(out, "", 0, 4);
    flex_u32(out, count);
    keys = out->size;
    for (size_t i = 0; i < count; i++)
        flex_u32(out, out->size - key[i]);
    flex_u32(out, out->size - keys);
    flex_u32(out, 4);
    flex_u32(out, count);
    values = out->size;
    for (size_t i = 0; i < count; i++)
        fb_out_bytes(out, entry[i].real ? (const void *)&entry[i].value : &entry[i].whole, 4, 1);
    for (size_t i = 0; i < count; i++)
        fb_out_bytes(out, &(uint8_t){entry[i].real ? FLEX_FLOAT : FLEX_INT}, 1, 1);
    flex_u32(out, out->size - values);
    fb_out_bytes(out, (const uint8_t[]){FLEX_MAP, 4}, 2, 1);
}

static size_t detection(struct fb_out *out, const struct detection *d)
{
    const struct flex_entry entry[DETECTION_KEYS] = {
        {"detections_per_class", false, d->detections_per_class, 0},
        {"h_scale", true, 0, d->scale[2]},
        {"max_classes_per_detection", false, d->max_classes_per_detection, 0},
        {"max_detections", false, d->max_detections, 0},
        {"nms_iou_threshold", true, 0, d->iou_threshold},
        {"nms_score_threshold", true, 0, d->score_threshold},
        {"num_classes", false, d->classes, 0},
        {"use_regular_nms", false, d->regular_nms, 0},
        {"w_scale", true, 0, d->scale[3]},
        {"x_scale", true, 0, d->scale[1]},
        {"y_scale", true, 0, d->scale[0]},
    };
    struct fb_out map = {0};
    flex_map(&map, entry, DETECTION_KEYS);
    out->failed = out->failed || map.failed;
    size_t place = fb_out_vector(out, map.bytes, map.size, 1, 4);
    fb_out_finish(&map);
    return place;
}

/* ---- the others ---- */

static size_t arithmetic(struct fb_out *out, const struct node *node)
{
    int act = tflite_activation(node->act);
    switch (node->op) {
    case OP_FULLY_CONNECTED:
        return fb_out_table(out, "bbbb", act, 0, (int)node->fc.keep_num_dims, (int)node->fc.asymmetric);
    case OP_SOFTMAX:
    case OP_LEAKY_RELU:
        return fb_out_table(out, "f", (double)node->scalar.alpha);
    default:
        return fb_out_table(out, "b", act);
    }
}

static size_t moves(struct fb_out *out, const struct node *node)
{
    int axis = node->axis.axis, count = node->axis.count;
    switch (node->op) {
    case OP_CONCATENATION:
        return fb_out_table(out, "ib", axis, tflite_activation(node->act));
    case OP_GATHER:
        return fb_out_table(out, "ii", axis, count);
    case OP_SPLIT:
    case OP_SPLIT_V:
        return fb_out_table(out, "i", count);
    case OP_PACK:
    case OP_UNPACK:
        return fb_out_table(out, "ii", count, axis);
    case OP_MIRROR_PAD:
        return fb_out_table(out, "b", (int)node->mirror.reflect_edge);
    case OP_DEPTH_TO_SPACE:
    case OP_SPACE_TO_DEPTH:
        return fb_out_table(out, "i", node->block.block);
    case OP_RESIZE_BILINEAR:
        return fb_out_table(out, "--bb", (int)node->resize.align_corners,
                            (int)node->resize.half_pixel_centers);
    default: /* RESIZE_NEAREST_NEIGHBOR */
        return fb_out_table(out, "bb", (int)node->resize.align_corners, (int)node->resize.half_pixel_centers);
    }
}

static size_t typed(struct fb_out *out, const struct graph *graph, const struct node *node)
{
    int from = tflite_type(node_input(graph, node, 0)->type),
        to = tflite_type(node_output(graph, node, 0)->type);
    switch (node->op) {
    case OP_CAST:
        return fb_out_table(out, "bb", from, to);
    case OP_ARG_MAX:
    case OP_ARG_MIN:
    case OP_SHAPE:
        return fb_out_table(out, "b", to);
    default: /* MEAN, SUM, REDUCE_* */
        return fb_out_table(out, "b", (int)node->reduce.keep_dims);
    }
}

size_t tflite_write_options(struct fb_out *out, const struct graph *graph, const struct node *node)
{
    switch (node->op) {
    case OP_CONV_2D:
    case OP_DEPTHWISE_CONV_2D:
    case OP_TRANSPOSE_CONV:
    case OP_AVERAGE_POOL_2D:
    case OP_MAX_POOL_2D:
        return window(out, graph, node);
    case OP_RESHAPE:
        return reshape(out, node_output(graph, node, 0));
    case OP_SQUEEZE:
        return squeeze(out, node);
    case OP_STRIDED_SLICE:
        return strided_slice(out, node);
    case OP_DETECTION_POSTPROCESS:
        return detection(out, &node->detection);
    case OP_FULLY_CONNECTED:
    case OP_ADD:
    case OP_SUB:
    case OP_MUL:
    case OP_DIV:
    case OP_L2_NORMALIZATION:
    case OP_SOFTMAX:
    case OP_LEAKY_RELU:
        return arithmetic(out, node);
    case OP_CAST:
    case OP_ARG_MAX:
    case OP_ARG_MIN:
    case OP_SHAPE:
    case OP_MEAN:
    case OP_SUM:
    case OP_REDUCE_MAX:
    case OP_REDUCE_MIN:
    case OP_REDUCE_PROD:
        return typed(out, graph, node);
    default:
        return moves(out, node);
    }
}

/* ---- versions ---- */

static int version_int8(const struct node *node)
{
    switch (node->op) {
    case OP_CONV_2D:
    case OP_DEPTHWISE_CONV_2D:
        return 3;
    case OP_TRANSPOSE_CONV:
        return node->inputs > 3 ? 3 : 2; /* with a bias */
    case OP_FULLY_CONNECTED:
        return 4;
    case OP_HARD_SWISH:
    case OP_RESHAPE:
    case OP_SQUEEZE:
    case OP_EXPAND_DIMS:
    case OP_PRELU:
    case OP_QUANTIZE:
    case OP_DEPTH_TO_SPACE:
    case OP_RELU_N1_TO_1:
    case OP_RELU_0_TO_1:
    case OP_NEG:
        return 1;
    default:
        return 2;
    }
}

int tflite_version(const struct graph *graph, const struct node *node)
{
    const struct tensor *in = node_input(graph, node, node->op == OP_TRANSPOSE_CONV ? 2 : 0);
    bool resizes = node->op == OP_RESIZE_BILINEAR || node->op == OP_RESIZE_NEAREST_NEIGHBOR;
    if (resizes && (node->resize.half_pixel_centers || node->resize.align_corners))
        return 3;
    if (node->op == OP_BROADCAST_TO)
        return 2;             /* the first that was a builtin */
    if (node->op == OP_SPLIT) /* the axis comes first */
        in = node_input(graph, node, 1);
    return in && in->type == PIPIT_I8 ? version_int8(node) : 1;
}
