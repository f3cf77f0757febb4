/* SPDX-License-Identifier: MIT */
/* Operators that only move elements are lists of strided copies, after an optional fill. */
#ifndef PIPIT_ENGINE_OPS_MOVE_H
#define PIPIT_ENGINE_OPS_MOVE_H

#include "engine/op.h"

#define COPY_RANK_MAX (2 * PIPIT_RANK_MAX)

struct copy {
    int input, output; /* of the node */
    int rank, size[COPY_RANK_MAX];
    ptrdiff_t in_step[COPY_RANK_MAX], out_step[COPY_RANK_MAX]; /* elements; may be 0 or negative */
    ptrdiff_t in_at, out_at;                                   /* of the first element */
};

/* Row-major steps of a tensor's dimensions. */
void steps_of(const struct tensor *tensor, ptrdiff_t *step);
/* The tensor's elements in order, to be bent by the caller. */
struct copy copy_of(const struct tensor *tensor);

/* Room for `count` copies in the plan; NULL: out of memory. */
struct copy *copies_alloc(struct plan *plan, int count);
/* Appends the step. Copies with an empty dimension are passed over. */
int move_prepare(struct plan *plan, const struct node *node, const struct copy *copies, int count);
/* Appends a step that fills output 0 with one element, given as bytes. */
int fill_prepare(struct plan *plan, const struct node *node, const void *element);
/* The bytes of 0, or of the zero point in an int8 tensor with a scale. */
void zero_element(const struct tensor *tensor, char element[8]);

/* Each returns the tensor's axis for a possibly negative one, or -EINVAL with a message. */
int checked_axis(const struct graph *graph, const struct node *node, int axis, int rank,
                 struct pipit_error *error);

#endif
