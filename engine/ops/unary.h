/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_OPS_UNARY_H
#define PIPIT_ENGINE_OPS_UNARY_H

#include "engine/op.h"

/* One input, one output of the same type (of `types`, TYPE_BIT or'ed) and shape; int8 ones have a scale. */
int infer_same_shape(struct graph *graph, struct node *node, unsigned types, struct pipit_error *error);

#endif
