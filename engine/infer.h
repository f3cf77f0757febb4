/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_INFER_H
#define PIPIT_ENGINE_INFER_H

#include "engine/graph.h"
#include "engine/kernels/kernels.h"

/* Infers every shape, in node order, and computes what depends on constants only with the operators' own
 * kernels (dequantised weights, shapes computed from shapes); such nodes are removed. -EINVAL, -ENOTSUP,
 * -ENOMEM, -E2BIG. */
int graph_infer(struct graph *graph, const struct kernels *kernels, struct pipit_error *error);

#endif
