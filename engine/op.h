/* SPDX-License-Identifier: MIT */
/*
 * What the engine knows of an operator: how shapes follow from its inputs, and how it becomes steps of a
 * plan. Each family has a file in engine/ops/.
 */
#ifndef PIPIT_ENGINE_OP_H
#define PIPIT_ENGINE_OP_H

#include "engine/graph.h"
#include "engine/plan.h"

struct op_info {
    const char *name;
    /* Checks the node (input count, types, ranks, constants that must be there) and sets its outputs' shapes,
     * and the padding of a window. Inputs have been inferred. -EINVAL: the node makes no sense; -ENOTSUP: it
     * does, but Pipit lacks this type or form. It must be safe on anything that a file can hold. */
    int (*infer)(struct graph *graph, struct node *node, struct pipit_error *error);
    /* Appends the node's steps to the plan. Only called after infer() succeeded. -ENOMEM, -ENOTSUP. */
    int (*prepare)(struct plan *plan, const struct node *node, struct pipit_error *error);
    /* Multiply-accumulates of one run; NULL: none worth counting. */
    int64_t (*macs)(const struct graph *graph, const struct node *node);
    /* Whether it can be run in float16: prepare() takes float16 data where infer() saw float32, and
     * constants, too, unless it packs them. NULL: no. */
    bool (*half)(const struct graph *graph, const struct node *node);
    bool alias;     /* the output is the first input's bytes under another shape; there is no prepare() */
    bool packs;     /* prepare() copies what it needs of constant inputs (weights); steps get NULL for them */
    int data_input; /* packs: the input that is read when the step runs; -1: none */
    int in_place;   /* element by element: the output may be over one of the first so many inputs */
};

const struct op_info *op_info(enum op op);
const char *op_name(enum op op);

/* Shared by infer() functions. */
int need_inputs(const struct graph *graph, const struct node *node, int least, int most,
                struct pipit_error *error);
int need_type(const struct graph *graph, const struct node *node, const struct tensor *tensor, unsigned types,
              struct pipit_error *error);
bool half_always(const struct graph *graph, const struct node *node); /* for op_info.half */
#define TYPE_BIT(type) (1u << (type))
/* As error_write() and fail(), with the node's name in front. */
void node_error_write(const struct graph *graph, const struct node *node, struct pipit_error *error,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
#define node_fail(graph, node, error, code, ...) (node_error_write(graph, node, error, __VA_ARGS__), (code))
void set_shape(struct tensor *tensor, int rank, const int32_t *shape);
/* Reads a constant int32 or int64 tensor of 0 or 1 dimension into values; returns the count, -EINVAL when it
 * is absent, computed or has more than `most` elements or one outside int32. */
int constant_ints(const struct graph *graph, const struct node *node, int input, int32_t *values, int most,
                  struct pipit_error *error);
/* Output size and padding along one dimension as TensorFlow defines SAME and VALID (tf.nn.convolution). */
int infer_window(struct window *window, int dimension, int input, int size, int *output);

#endif
