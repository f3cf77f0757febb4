/* SPDX-License-Identifier: MIT */
/*
 * What becomes int8, and with which scales: TensorFlow Lite's 8-bit quantisation specification
 * (tensorflow.org/lite/performance/quantization_spec). Activations have one scale and zero point, weights a
 * scale for each output channel (FULLY_CONNECTED: one) and no zero point, a bias that of input times weights.
 */
#ifndef PIPIT_ENGINE_QUANTISE_SCHEME_H
#define PIPIT_ENGINE_QUANTISE_SCHEME_H

#include "engine/graph.h"
#include "engine/quantise/histogram.h"

enum rule {
    RULE_FLOAT,   /* it has no int8 form, or the reference's is not worth having */
    RULE_PRODUCT, /* weights and a bias */
    RULE_OWN,     /* the output has a scale of its own; constants are quantised as activations */
    RULE_SAME,    /* values only move: all inputs and outputs have one scale */
    RULE_FIXED,   /* the output's scale is the operator's */
};

struct affine {
    float scale; /* real = scale * (value - zero), value int8; 0: none */
    int32_t zero;
};

struct operator_rule {
    enum op op;
    enum rule rule;
    int data, weights, bias,
        axis;            /* RULE_PRODUCT: which inputs; the weights' output channel, -1: one scale */
    struct affine fixed; /* RULE_FIXED */
};

const struct operator_rule *operator_rule(enum op op); /* RULE_FLOAT for those that the table lacks */

struct scheme {
    const char **why;      /* each node stays in float; NULL: it does not */
    struct affine *affine; /* of each tensor that is int8 somewhere; of constants when they are used as one */
    bool *is_int8;         /* tensors that are made so */
};

/* Range of each tensor, and nodes that are to stay in float, by index. input: the scale that the first input
 * has if it is int8, 0: it stays in float. -ENOMEM. */
int scheme_init(struct scheme *scheme, const struct graph *graph, const struct range *range,
                const bool *keep_float, struct affine input);
void scheme_finish(struct scheme *scheme);

/* Fills an empty graph: tensors of the old one keep their index, and are as they are made; twins in the other
 * type, with QUANTIZE and DEQUANTIZE, stand behind them. Outputs stay in float. Constants that stay in float
 * are borrowed. -ENOMEM, -E2BIG. */
int scheme_apply(const struct scheme *scheme, const struct graph *from, struct graph *to);

#endif
