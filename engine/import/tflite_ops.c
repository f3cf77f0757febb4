/* SPDX-License-Identifier: MIT */
#include "engine/import/tflite.h"

#include "engine/op.h"

#include <string.h>

/* Builtin codes that Pipit has, by the schema's enum BuiltinOperator. */
static const struct {
    int builtin;
    enum op op;
} supported[] = {
    {0, OP_ADD},
    {1, OP_AVERAGE_POOL_2D},
    {2, OP_CONCATENATION},
    {3, OP_CONV_2D},
    {4, OP_DEPTHWISE_CONV_2D},
    {5, OP_DEPTH_TO_SPACE},
    {6, OP_DEQUANTIZE},
    {8, OP_FLOOR},
    {9, OP_FULLY_CONNECTED},
    {11, OP_L2_NORMALIZATION},
    {14, OP_LOGISTIC},
    {17, OP_MAX_POOL_2D},
    {18, OP_MUL},
    {19, OP_RELU},
    {20, OP_RELU_N1_TO_1},
    {21, OP_RELU6},
    {22, OP_RESHAPE},
    {23, OP_RESIZE_BILINEAR},
    {25, OP_SOFTMAX},
    {26, OP_SPACE_TO_DEPTH},
    {28, OP_TANH},
    {34, OP_PAD},
    {36, OP_GATHER},
    {37, OP_BATCH_TO_SPACE_ND},
    {38, OP_SPACE_TO_BATCH_ND},
    {39, OP_TRANSPOSE},
    {40, OP_MEAN},
    {41, OP_SUB},
    {42, OP_DIV},
    {43, OP_SQUEEZE},
    {45, OP_STRIDED_SLICE},
    {47, OP_EXP},
    {49, OP_SPLIT},
    {50, OP_LOG_SOFTMAX},
    {53, OP_CAST},
    {54, OP_PRELU},
    {55, OP_MAXIMUM},
    {56, OP_ARG_MAX},
    {57, OP_MINIMUM},
    {59, OP_NEG},
    {60, OP_PADV2},
    {65, OP_SLICE},
    {67, OP_TRANSPOSE_CONV},
    {69, OP_TILE},
    {70, OP_EXPAND_DIMS},
    {73, OP_LOG},
    {74, OP_SUM},
    {75, OP_SQRT},
    {76, OP_RSQRT},
    {77, OP_SHAPE},
    {78, OP_POW},
    {79, OP_ARG_MIN},
    {81, OP_REDUCE_PROD},
    {82, OP_REDUCE_MAX},
    {83, OP_PACK},
    {88, OP_UNPACK},
    {89, OP_REDUCE_MIN},
    {90, OP_FLOOR_DIV},
    {92, OP_SQUARE},
    {94, OP_FILL},
    {97, OP_RESIZE_NEAREST_NEIGHBOR},
    {98, OP_LEAKY_RELU},
    {99, OP_SQUARED_DIFFERENCE},
    {100, OP_MIRROR_PAD},
    {101, OP_ABS},
    {102, OP_SPLIT_V},
    {104, OP_CEIL},
    {111, OP_ELU},
    {114, OP_QUANTIZE},
    {116, OP_ROUND},
    {117, OP_HARD_SWISH},
    {130, OP_BROADCAST_TO},
    {152, OP_RELU_0_TO_1},
};

/* Names of the others, so that a message can say what a file needs. */
static const char *const other_names[] = {
    [7] = "EMBEDDING_LOOKUP",
    [10] = "HASHTABLE_LOOKUP",
    [12] = "L2_POOL_2D",
    [13] = "LOCAL_RESPONSE_NORMALIZATION",
    [15] = "LSH_PROJECTION",
    [16] = "LSTM",
    [24] = "RNN",
    [27] = "SVDF",
    [29] = "CONCAT_EMBEDDINGS",
    [30] = "SKIP_GRAM",
    [31] = "CALL",
    [33] = "EMBEDDING_LOOKUP_SPARSE",
    [35] = "UNIDIRECTIONAL_SEQUENCE_RNN",
    [44] = "UNIDIRECTIONAL_SEQUENCE_LSTM",
    [46] = "BIDIRECTIONAL_SEQUENCE_RNN",
    [48] = "TOPK_V2",
    [51] = "DELEGATE",
    [52] = "BIDIRECTIONAL_SEQUENCE_LSTM",
    [58] = "LESS",
    [61] = "GREATER",
    [62] = "GREATER_EQUAL",
    [63] = "LESS_EQUAL",
    [64] = "SELECT",
    [66] = "SIN",
    [68] = "SPARSE_TO_DENSE",
    [71] = "EQUAL",
    [72] = "NOT_EQUAL",
    [80] = "FAKE_QUANT",
    [84] = "LOGICAL_OR",
    [85] = "ONE_HOT",
    [86] = "LOGICAL_AND",
    [87] = "LOGICAL_NOT",
    [91] = "REDUCE_ANY",
    [93] = "ZEROS_LIKE",
    [95] = "FLOOR_MOD",
    [96] = "RANGE",
    [103] = "UNIQUE",
    [105] = "REVERSE_V2",
    [106] = "ADD_N",
    [107] = "GATHER_ND",
    [108] = "COS",
    [109] = "WHERE",
    [110] = "RANK",
    [112] = "REVERSE_SEQUENCE",
    [113] = "MATRIX_DIAG",
    [115] = "MATRIX_SET_DIAG",
    [118] = "IF",
    [119] = "WHILE",
    [120] = "NON_MAX_SUPPRESSION_V4",
    [121] = "NON_MAX_SUPPRESSION_V5",
    [122] = "SCATTER_ND",
    [123] = "SELECT_V2",
    [124] = "DENSIFY",
    [125] = "SEGMENT_SUM",
    [126] = "BATCH_MATMUL",
    [128] = "CUMSUM",
    [129] = "CALL_ONCE",
    [131] = "RFFT2D",
    [132] = "CONV_3D",
    [140] = "REDUCE_ALL",
    [141] = "CONV_3D_TRANSPOSE",
    [142] = "VAR_HANDLE",
    [143] = "READ_VARIABLE",
    [144] = "ASSIGN_VARIABLE",
    [145] = "BROADCAST_ARGS",
    [150] = "GELU",
    [151] = "DYNAMIC_UPDATE_SLICE",
    [156] = "ATAN2",
    [158] = "SIGN",
    [159] = "BITCAST",
    [203] = "DILATE",
};

void tflite_code_resolve(struct tflite_code *code)
{
    code->name = "an operator of a newer schema";
    code->why = "Pipit does not have this operator";
    if (code->builtin == TFLITE_CUSTOM) {
        code->name = code->custom;
        code->op = OP_DETECTION_POSTPROCESS;
        code->why = strcmp(code->custom, "TFLite_Detection_PostProcess")
                        ? "a custom operator that Pipit does not have"
                        : NULL;
        return;
    }
    for (size_t i = 0; i < sizeof(supported) / sizeof(supported[0]); i++)
        if (supported[i].builtin == code->builtin) {
            code->op = supported[i].op;
            code->name = op_name(code->op);
            code->why = NULL;
            return;
        }
    if (code->builtin >= 0 && (size_t)code->builtin < sizeof(other_names) / sizeof(other_names[0]) &&
        other_names[code->builtin])
        code->name = other_names[code->builtin];
}

int tflite_builtin(enum op op)
{
    for (size_t i = 0; i < sizeof(supported) / sizeof(supported[0]); i++)
        if (supported[i].op == op)
            return supported[i].builtin;
    return -1;
}

/* ---- options; field numbers are the schema's ---- */

static int activation(struct fb *fb, struct fb_table options, int field, struct node *node)
{
    static const enum activation known[] = {ACT_NONE, ACT_RELU, ACT_RELU_N1_TO_1, ACT_RELU6, ACT_TANH};
    int64_t value = fb_u8(fb, options, field, 0);
    if (value >= (int64_t)(sizeof(known) / sizeof(known[0])))
        return -ENOTSUP;
    node->act = known[value];
    return 0;
}

static int window(struct fb *fb, struct fb_table options, struct node *node)
{
    struct window *w = &node->window;
    w->padding = fb_u8(fb, options, 0, 0) == 0 ? PAD_SAME : PAD_VALID;
    w->stride[1] = (int)fb_i32(fb, options, 1, 0);
    w->stride[0] = (int)fb_i32(fb, options, 2, 0);
    w->dilation[0] = w->dilation[1] = 1;
    return fb_u8(fb, options, 0, 0) > 1 ? -EINVAL : 0;
}

static int convolution(struct fb *fb, struct fb_table options, struct node *node, int first)
{
    int status = window(fb, options, node);
    node->window.dilation[1] = (int)fb_i32(fb, options, first + 1, 1);
    node->window.dilation[0] = (int)fb_i32(fb, options, first + 2, 1);
    return status ? status : activation(fb, options, first, node);
}

static int pool(struct fb *fb, struct fb_table options, struct node *node)
{
    int status = window(fb, options, node);
    node->window.size[1] = (int)fb_i32(fb, options, 3, 0);
    node->window.size[0] = (int)fb_i32(fb, options, 4, 0);
    return status ? status : activation(fb, options, 5, node);
}

static int fully_connected(struct fb *fb, struct fb_table options, struct node *node)
{
    node->fc.keep_num_dims = fb_u8(fb, options, 2, 0) != 0;
    node->fc.asymmetric = fb_u8(fb, options, 3, 0) != 0;
    if (fb_u8(fb, options, 1, 0)) /* shuffled weights */
        return -ENOTSUP;
    return activation(fb, options, 0, node);
}

static int int_list(struct fb_vector list, int *count, int32_t *values)
{
    if (list.count > PIPIT_RANK_MAX)
        return -EINVAL;
    *count = (int)list.count;
    for (uint32_t i = 0; i < list.count; i++)
        values[i] = fb_i32_at(list, i);
    return 0;
}

static int reshape(struct fb *fb, struct fb_table options, struct node *node)
{
    node->reshape.rank = -1;
    if (!fb_has(fb, options, 0))
        return 0;
    return int_list(fb_vector(fb, options, 0, 4), &node->reshape.rank, node->reshape.shape);
}

static int strided_slice(struct fb *fb, struct fb_table options, struct node *node)
{
    node->slice = (struct strided_slice){
        .begin_mask = (int)fb_i32(fb, options, 0, 0),
        .end_mask = (int)fb_i32(fb, options, 1, 0),
        .ellipsis_mask = (int)fb_i32(fb, options, 2, 0),
        .new_axis_mask = (int)fb_i32(fb, options, 3, 0),
        .shrink_axis_mask = (int)fb_i32(fb, options, 4, 0),
        .offset = fb_u8(fb, options, 5, 0) != 0,
    };
    return 0;
}

static void axis_and_count(struct fb *fb, struct fb_table options, struct node *node, int axis, int count)
{
    node->axis.axis = axis < 0 ? 0 : (int)fb_i32(fb, options, axis, 0);
    node->axis.count = count < 0 ? 0 : (int)fb_i32(fb, options, count, 0);
}

static void resize(struct fb *fb, struct fb_table options, struct node *node, int field)
{
    node->resize.align_corners = fb_u8(fb, options, field, 0) != 0;
    node->resize.half_pixel_centers = fb_u8(fb, options, field + 1, 0) != 0;
}

static int with_options(struct fb *fb, struct fb_table options, struct node *node)
{
    switch (node->op) {
    case OP_CONV_2D:
        return convolution(fb, options, node, 3);
    case OP_DEPTHWISE_CONV_2D:
        return convolution(fb, options, node, 4);
    case OP_TRANSPOSE_CONV:
        return window(fb, options, node) ? -EINVAL : activation(fb, options, 3, node);
    case OP_AVERAGE_POOL_2D:
    case OP_MAX_POOL_2D:
        return pool(fb, options, node);
    case OP_FULLY_CONNECTED:
        return fully_connected(fb, options, node);
    case OP_ADD:
    case OP_SUB:
    case OP_MUL:
    case OP_DIV:
    case OP_L2_NORMALIZATION:
        return activation(fb, options, 0, node);
    case OP_CONCATENATION:
        axis_and_count(fb, options, node, 0, -1);
        return activation(fb, options, 1, node);
    case OP_RESHAPE:
        return reshape(fb, options, node);
    case OP_SQUEEZE:
        return int_list(fb_vector(fb, options, 0, 4), &node->squeeze.axes, node->squeeze.axis);
    case OP_STRIDED_SLICE:
        return strided_slice(fb, options, node);
    default:
        return 0;
    }
}

static void simple_options(struct fb *fb, struct fb_table options, struct node *node)
{
    switch (node->op) {
    case OP_SOFTMAX:
    case OP_LEAKY_RELU:
        node->scalar.alpha = fb_float(fb, options, 0, 0);
        break;
    case OP_SPLIT:
    case OP_SPLIT_V:
        axis_and_count(fb, options, node, -1, 0);
        break;
    case OP_PACK:
    case OP_UNPACK:
        axis_and_count(fb, options, node, 1, 0);
        break;
    case OP_GATHER:
        axis_and_count(fb, options, node, 0, 1);
        break;
    case OP_MEAN:
    case OP_SUM:
    case OP_REDUCE_MAX:
    case OP_REDUCE_MIN:
    case OP_REDUCE_PROD:
        node->reduce.keep_dims = fb_u8(fb, options, 0, 0) != 0;
        break;
    case OP_RESIZE_BILINEAR:
        resize(fb, options, node, 2);
        break;
    case OP_RESIZE_NEAREST_NEIGHBOR:
        resize(fb, options, node, 0);
        break;
    case OP_DEPTH_TO_SPACE:
    case OP_SPACE_TO_DEPTH:
        node->block.block = (int)fb_i32(fb, options, 0, 0);
        break;
    case OP_MIRROR_PAD:
        node->mirror.reflect_edge = fb_u8(fb, options, 0, 0) == 1;
        break;
    default:
        break;
    }
}

int tflite_options(struct fb *fb, struct fb_table operator_table, struct graph *graph, struct node *node,
                   struct pipit_error *error)
{
    struct fb_table options = fb_child(fb, operator_table, 4);
    int status;
    if (node->op == OP_DETECTION_POSTPROCESS) {
        status = tflite_detection_options(fb_vector(fb, operator_table, 5, 1), &node->detection);
    } else {
        simple_options(fb, options, node);
        status = with_options(fb, options, node);
    }
    if (fb->broken)
        return node_fail(graph, node, error, -EINVAL, "its options lie outside the file");
    if (status)
        return node_fail(graph, node, error, status, "has options that %s",
                         status == -ENOTSUP ? "Pipit does not know" : "make no sense");
    return 0;
}
