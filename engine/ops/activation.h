/* SPDX-License-Identifier: MIT */
/* Fused activations as clamps, and scales into fixed point. */
#ifndef PIPIT_ENGINE_OPS_ACTIVATION_H
#define PIPIT_ENGINE_OPS_ACTIVATION_H

#include "engine/op.h"

bool activation_is_clamp(enum activation act); /* NONE and the RELUs */
void activation_range_f32(enum activation act, float *min, float *max);
/* In the output's quantised values, as TensorFlow Lite's CalculateActivationRangeQuantized. */
void activation_range_i8(const struct tensor *out, enum activation act, int32_t *min, int32_t *max);
/* -EINVAL unless the tensor is int8 with one finite positive scale. */
int need_scale(const struct graph *graph, const struct node *node, const struct tensor *tensor,
               struct pipit_error *error);
/* Applies HARD_SWISH, HARD_SIGMOID or TANH in place; clamps are the kernels' own work. */
void activation_apply_f32(const struct kernels *kernels, enum activation act, float *values, int count);
/* The same of float16, without TANH. */
void activation_apply_f16(const struct kernels *kernels, enum activation act, uint16_t *values, int count);

#endif
