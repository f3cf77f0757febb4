/* SPDX-License-Identifier: MIT */
/* The parts of the TensorFlow Lite importer (format: tensorflow/lite/schema/schema.fbs, file identifier
 * TFL3). */
#ifndef PIPIT_ENGINE_IMPORT_TFLITE_H
#define PIPIT_ENGINE_IMPORT_TFLITE_H

#include "engine/graph.h"
#include "engine/import/flatbuffer.h"

#define TFLITE_CUSTOM 32

struct tflite_code { /* an entry of the model's operator_codes */
    int builtin;
    const char *custom; /* in the graph's pool; NULL unless builtin is TFLITE_CUSTOM */
    enum op op;
    const char *name; /* of the operator, for people */
    const char *why;  /* NULL: can be run */
};

/* Finds op, name and why from builtin and custom. */
void tflite_code_resolve(struct tflite_code *code);
int tflite_builtin(enum op op); /* its code in the schema's enum BuiltinOperator; -1: it has none */
/* Reads an Operator table's options into the node. The tensors' types and shapes are known. */
int tflite_options(struct fb *fb, struct fb_table operator_table, struct graph *graph, struct node *node,
                   struct pipit_error *error);
/* Labels, normalisation and description from the metadata; absent or broken metadata is no error. */
void tflite_metadata(struct graph *graph, struct fb *fb, struct fb_table model);
int tflite_detection_options(struct fb_vector bytes, struct detection *detection);

#endif
