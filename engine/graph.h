/* SPDX-License-Identifier: MIT */
/*
 * The one graph that every importer makes and that the optimiser, the plan and the operators read.
 * Layouts are TensorFlow Lite's: activations NHWC, convolution weights OHWI, depthwise weights 1HWC, fully
 * connected weights [out, in]. Nodes stand in an order in which they can run. Operators mean what the
 * TensorFlow Lite operator of that name means (tensorflow/lite/schema/schema.fbs), so that its reference
 * kernels are the specification of the arithmetic, quantised types included.
 */
#ifndef PIPIT_ENGINE_GRAPH_H
#define PIPIT_ENGINE_GRAPH_H

#include "engine/error.h"
#include "engine/ops.def.h"
#include "engine/options.h"
#include "engine/pool.h"

struct quant {
    int count; /* 0: none; 1: for the whole tensor; else one for each index of dimension `axis` */
    int axis;
    const float *scale; /* real = scale * (value - zero) */
    const int32_t *zero;
};

struct tensor {
    const char *name; /* never NULL */
    enum pipit_type type;
    int rank;
    int32_t shape[PIPIT_RANK_MAX]; /* each >= 1 once inferred (0 is allowed in one dimension of a constant) */
    struct quant quant;
    const void *data; /* a constant's elements (aligned to its type), else NULL */
    bool was_u8;      /* an int8 tensor that is uint8 in the file; zero point and data moved by -128 */
};

#define NODE_INPUTS_MAX  64
#define NODE_OUTPUTS_MAX 64

struct node {
    enum op op;
    enum activation act; /* of the output, fused */
    const int *input;    /* tensor indices; -1: an optional input that is absent */
    int inputs;
    const int *output;
    int outputs;
    union {
        struct window window;
        struct strided_slice slice;
        struct detection detection;
        struct {
            int axis, count; /* CONCATENATION, PACK, UNPACK, SPLIT, GATHER (count: batch_dims) */
        } axis;
        struct {
            bool keep_dims; /* MEAN, SUM, REDUCE_MAX, ... */
        } reduce;
        struct {
            bool align_corners, half_pixel_centers;
        } resize;
        struct {
            int block; /* DEPTH_TO_SPACE, SPACE_TO_DEPTH */
        } block;
        struct {
            int rank;
            int32_t shape[PIPIT_RANK_MAX]; /* RESHAPE without a second input; -1: the rest. rank -1: absent */
        } reshape;
        struct {
            int axes, axis[PIPIT_RANK_MAX]; /* SQUEEZE; none: every dimension of 1 */
        } squeeze;
        struct {
            float alpha; /* LEAKY_RELU: slope below 0; SOFTMAX: beta */
        } scalar;
        struct {
            bool reflect_edge; /* MIRROR_PAD: true for SYMMETRIC */
        } mirror;
        struct {
            bool asymmetric; /* FULLY_CONNECTED (and hybrid convolutions): asymmetric_quantize_inputs */
            bool keep_num_dims;
        } fc;
    };
};

#define GRAPH_IO_MAX      32
#define GRAPH_TENSORS_MAX 20000 /* the arena is laid out in quadratic time */
#define GRAPH_NODES_MAX   10000

struct graph {
    struct pool pool; /* names, lists, labels: everything that lives as long as the graph */
    struct pool data; /* constants that importers and passes made; released once a plan has packed them */
    struct tensor *tensor;
    int tensors, tensor_room;
    struct node *node;
    int nodes, node_room;
    int input[GRAPH_IO_MAX], inputs;
    int output[GRAPH_IO_MAX], outputs;

    const char *format, *network, *description; /* for people; "" when unknown */
    const char **label;                         /* the file's own labels */
    int labels;
    bool has_normalisation;    /* from the file */
    float mean[3], std[3];     /* of bytes 0..255 */
    const char *normalisation; /* where it comes from: "metadata", "GGUF metadata" */
    int operators;             /* in the file, before anything was added or removed */
    size_t file_bytes;         /* size of the file, to which memory is kept in proportion */
    const struct file *file;   /* where constants may lie; NULL: they are elsewhere */
    bool forgets;              /* the memory of constants may go as they are packed */
};

void graph_init(struct graph *graph);
void graph_finish(struct graph *graph);

/* Each returns an index, or -ENOMEM / -E2BIG. Names are copied; shape has `rank` elements. */
int graph_add_tensor(struct graph *graph, const char *name, enum pipit_type type, int rank,
                     const int32_t *shape);
/* A constant; data is borrowed (from the file's bytes or graph->data) until the graph has been planned. */
int graph_add_constant(struct graph *graph, const char *name, enum pipit_type type, int rank,
                       const int32_t *shape, const void *data);
/* A node at the end, zeroed but for these. The index lists are copied. */
int graph_add_node(struct graph *graph, enum op op, const int *input, int inputs, const int *output,
                   int outputs);

/* Bytes that activations, or constants, or packed weights may take: 256 MiB and 64 times the file. */
int64_t graph_budget(const struct graph *graph);
/* Constants may share a file's bytes. */
bool tensors_overlap(const struct tensor *a, const struct tensor *b);
/* A part of the file or of graph->data that is not read again: its memory may go. Of less than FORGET_LEAST
 * bytes that is not worth finding out. */
enum { FORGET_LEAST = 16 << 10 };
void graph_forget(const struct graph *graph, const void *data, size_t size);
/* Zeroed memory in graph->data. NULL: none, or more than the graph's budget: many tensors may share a file's
 * bytes. */
void *graph_alloc_data(struct graph *graph, int64_t bytes);

/* Equal types, and one equal scale and zero point or none: one tensor may stand for the other. */
bool same_quantisation(const struct tensor *a, const struct tensor *b);
/* Elements (1 for a scalar), or -EOVERFLOW beyond 2^31 - 1. */
int64_t tensor_elements(const struct tensor *tensor);
int64_t tensor_bytes(const struct tensor *tensor);
bool tensor_is_quantised(const struct tensor *tensor); /* int8 with a scale */
bool graph_is_quantised(const struct graph *graph);    /* wholly or in part: some integers have a scale */
bool tensor_same_shape(const struct tensor *a, const struct tensor *b);
/* The tensor of a node's input or output, NULL when it is absent or the node has fewer. */
struct tensor *node_input(const struct graph *graph, const struct node *node, int index);
struct tensor *node_output(const struct graph *graph, const struct node *node, int index);
/* "CONV_2D 'MobilenetV2/Conv'", for messages; written to text and returned. */
const char *node_describe(const struct graph *graph, const struct node *node, char *text, size_t size);

#endif
