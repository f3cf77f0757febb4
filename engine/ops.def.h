/* SPDX-License-Identifier: MIT */
/* Every operator of the graph: X(name), named as in TensorFlow Lite's schema. */
#ifndef PIPIT_ENGINE_OPS_DEF_H
#define PIPIT_ENGINE_OPS_DEF_H

/* clang-format off */
#define PIPIT_OPERATORS(X)                                                                           \
    X(CONV_2D) X(DEPTHWISE_CONV_2D) X(TRANSPOSE_CONV) X(FULLY_CONNECTED) X(AVERAGE_POOL_2D)          \
    X(MAX_POOL_2D) X(MEAN) X(SUM) X(REDUCE_MAX) X(REDUCE_MIN) X(REDUCE_PROD) X(ADD) X(SUB) X(MUL)    \
    X(DIV) X(FLOOR_DIV) X(MAXIMUM) X(MINIMUM) X(SQUARED_DIFFERENCE) X(POW) X(RELU) X(RELU6)          \
    X(RELU_N1_TO_1) X(RELU_0_TO_1) X(PRELU) X(LEAKY_RELU) X(ELU) X(HARD_SWISH) X(LOGISTIC) X(TANH)   \
    X(EXP) X(LOG) X(SQRT) X(RSQRT) X(SQUARE) X(ABS) X(NEG) X(FLOOR) X(CEIL) X(ROUND) X(SOFTMAX)      \
    X(LOG_SOFTMAX) X(L2_NORMALIZATION) X(ARG_MAX) X(ARG_MIN) X(QUANTIZE) X(DEQUANTIZE) X(CAST)       \
    X(RESHAPE) X(SQUEEZE) X(EXPAND_DIMS) X(TRANSPOSE) X(CONCATENATION) X(SPLIT) X(SPLIT_V) X(PACK)   \
    X(UNPACK) X(SLICE) X(STRIDED_SLICE) X(GATHER) X(PAD) X(PADV2) X(MIRROR_PAD) X(SHAPE) X(FILL)     \
    X(TILE) X(BROADCAST_TO) X(RESIZE_BILINEAR) X(RESIZE_NEAREST_NEIGHBOR) X(DEPTH_TO_SPACE)          \
    X(SPACE_TO_DEPTH) X(SPACE_TO_BATCH_ND) X(BATCH_TO_SPACE_ND) X(DETECTION_POSTPROCESS)             \
    X(FLIP_SIGN)    /* byte ^ 0x80: uint8 <-> int8, the zero point moved by 128; the engine's own */ \
    X(HARD_SIGMOID) /* relu6(x + 3) / 6; the engine's own, for float */

enum op {
#define X(name) OP_##name,
    PIPIT_OPERATORS(X)
#undef X
    OP_COUNT
};
/* clang-format on */

#endif
