/* SPDX-License-Identifier: MIT */
/* What convolutions and fully connected layers share: checks of their tensors, requantisation, packed
 * weights. */
#ifndef PIPIT_ENGINE_OPS_PRODUCT_H
#define PIPIT_ENGINE_OPS_PRODUCT_H

#include "engine/op.h"

enum product_kind {
    PRODUCT_F32,    /* float32 by float32 */
    PRODUCT_I8,     /* int8 by int8, TensorFlow Lite's fixed point */
    PRODUCT_HYBRID, /* float32 by int8 weights: activations are quantised at run time */
};
enum product_kind product_kind(const struct graph *graph, const struct node *node);

/* op_info.half: all of them in float32, and an activation that kernels have. */
bool product_half(const struct graph *graph, const struct node *node);

/* Types, constant weights, bias of `channels`, scales. `axis` is the output channel's dimension of the
 * weights. */
int product_check(const struct graph *graph, const struct node *node, int channels, int axis,
                  struct pipit_error *error);
/* One factor an output channel; NULL: out of memory. */
struct requant *product_requant(struct plan *plan, const struct node *node, int channels);
int32_t product_weight_zero(const struct graph *graph, const struct node *node);
const float *product_bias_f32(const struct graph *graph, const struct node *node);
const int32_t *product_bias_i32(const struct graph *graph, const struct node *node);

/* Appends the steps of a hybrid product. Weights are [channels][taps][depth] with groups, or depthwise
 * [taps][channels] when `multiplier` is not 0. */
struct geometry;
int hybrid_prepare(struct plan *plan, const struct node *node, const struct geometry *geometry, int channels,
                   int depth, int groups, int multiplier, struct pipit_error *error);

#endif
