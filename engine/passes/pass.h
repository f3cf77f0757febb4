/* SPDX-License-Identifier: MIT */
/*
 * The optimiser: each pass rewrites one pattern of the graph into fewer or simpler nodes that give the same
 * answer. All but unsign() want an inferred graph and leave one.
 */
#ifndef PIPIT_ENGINE_PASS_H
#define PIPIT_ENGINE_PASS_H

#include "engine/graph.h"

/* Every quantised uint8 tensor becomes int8 with its zero point moved by -128; the graph's own inputs and
 * outputs stay, behind FLIP_SIGN. After it, kernels know one 8-bit type. Before inference. */
int pass_unsign(struct graph *graph, struct pipit_error *error);

int pass_space_to_batch(
    struct graph *graph);                 /* SPACE_TO_BATCH_ND, convolution, BATCH_TO_SPACE_ND: a dilation */
int pass_pad(struct graph *graph);        /* PAD before a window without padding: explicit padding */
int pass_batch_norm(struct graph *graph); /* MUL, ADD, SUB by a constant a channel: into weights and bias */
int pass_hard_swish(struct graph *graph); /* relu6(x + 3) / 6 and x times that, however spelled: one node */
int pass_activation(struct graph *graph); /* an activation after its only producer: fused */
int pass_clamp(struct graph *graph);      /* the same, but only those that TensorFlow Lite can fuse */
/* What TensorFlow Lite lacks, by what it has: explicit padding becomes a PAD, HARD_SIGMOID an ADD and a MUL.
 * -ENOMEM, -E2BIG. */
int pass_lower(struct graph *graph);

/* Those for running, but unsign, in the right order, then removes what nothing reads. */
int optimise(struct graph *graph, struct pipit_error *error);
/* Those after which the graph can still be written as a TensorFlow Lite file. */
int optimise_for_export(struct graph *graph, struct pipit_error *error);

/* Runs what can be in float16, after all others; *any: there was something. Inputs and outputs stay float32.
 */
int pass_float16(struct graph *graph, bool *any, struct pipit_error *error);

/* ---- for passes ---- */

struct uses {      /* who makes and who reads each tensor */
    int *producer; /* node, -1: none */
    int *readers;  /* number of node inputs; a graph output counts as one more */
    int *reader;   /* the last node that reads it */
};
int uses_init(struct uses *uses, const struct graph *graph); /* -ENOMEM */
void uses_finish(struct uses *uses);

/* The node that makes this node's input `index` and is read by nobody else, if it is of this kind; else NULL.
 */
struct node *sole_producer(struct graph *graph, const struct uses *uses, const struct node *node, int index,
                           enum op op);
/* A list of tensor indices that differs from `list` in one place. NULL: no memory. */
const int *list_with(struct graph *graph, const int *list, int count, int place, int value);
/* True for a float32 constant of one element; *value is set. */
bool constant_f32(const struct tensor *tensor, float *value);
void node_remove(struct node *node); /* marks it; removed for good by graph_sweep() */
bool node_removed(const struct node *node);
int node_append(struct graph *graph, const struct node *node); /* a copy at the end; -ENOMEM, -E2BIG */
int graph_sweep(struct graph *graph); /* drops removed nodes and those whose outputs nothing reads; -ENOMEM */

#endif
