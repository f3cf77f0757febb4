/* SPDX-License-Identifier: MIT */
/* From a graph to a TensorFlow Lite file (format: tensorflow/lite/schema/schema.fbs, file identifier TFL3).
 */
#ifndef PIPIT_ENGINE_EXPORT_TFLITE_OUT_H
#define PIPIT_ENGINE_EXPORT_TFLITE_OUT_H

#include "engine/export/fb_out.h"
#include "engine/graph.h"

/* Writes an inferred graph, with its labels, normalisation and description as metadata where it has them.
 * *bytes is to be freed. -ENOTSUP: an operator, type or fused activation that the format lacks (the sentence
 * names it); -ENOMEM. */
int tflite_write(const struct graph *graph, uint8_t **bytes, size_t *size, struct pipit_error *error);

/* ---- its parts ---- */

int tflite_type(enum pipit_type type);      /* by the enum TensorType */
int tflite_activation(enum activation act); /* by the enum ActivationFunctionType; -1: it has no such */
int tflite_options_type(enum op op);        /* by the union BuiltinOptions; 0: no options */
/* Writes the options of a node that has some, or of a custom operator; returns their place. */
size_t tflite_write_options(struct fb_out *out, const struct graph *graph, const struct node *node);
/* The version of the operator that has this node's types, by tensorflow/lite/tools/versioning/op_version.cc.
 */
int tflite_version(const struct graph *graph, const struct node *node);

/* The metadata's own FlatBuffer (metadata_schema.fbs), to be freed by fb_out_finish(). False: there is
 * nothing to tell. */
bool tflite_write_metadata(struct fb_out *meta, const struct graph *graph);
/* Appends the archive with the label file that the metadata names, if there are labels. */
void tflite_append_labels(struct fb_out *out, const struct graph *graph);

#endif
