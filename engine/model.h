/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_MODEL_H
#define PIPIT_ENGINE_MODEL_H

#include "engine/plan.h"
#include "engine/tasks/tasks.h"

struct pipit_model {
    struct graph graph;
    struct kernels kernels;
    struct plan plan;
    struct pipit_settings settings; /* decoder and fit resolved */
    struct pipit_tensor *input, *output;
    struct pool pool; /* labels set by the user, tensor lists */
    const char *const *label;
    int labels;
    struct preprocess preprocess; /* picture to input tensor */
    struct detector detector;     /* anchors and room for candidates; empty for other tasks */
    struct pipit_times times;
    struct pipit_info info;
    bool unlike;       /* the processors that its threads run on */
    uint64_t *step_ns; /* of the last timed run */
};

/* A file format: recognised by its first bytes, read into a graph. */
struct importer {
    const char *name;
    bool (*is)(const void *bytes, size_t size);
    int (*import)(struct graph *graph, const void *bytes, size_t size, const struct pipit_settings *settings,
                  struct pipit_error *error);
    /* Kinds of operators with what stands against each, as pipit_file_operators(). NULL: all can be run. */
    int (*operators)(const void *bytes, size_t size, struct pipit_operator *operators, int max,
                     struct pipit_error *error);
    bool copies; /* the graph holds none of the bytes when import() has returned */
};
extern const struct importer importer_tflite, importer_torch, importer_safetensors, importer_gguf;

/* Fills `graph` with a network of random weights; see pipit_model_random(). */
int network_random(struct graph *graph, const char *name, uint64_t seed, struct pipit_error *error);
/* As pipit_model_open_memory(), float32 throughout, but the graph keeps its constants and holds nothing that
 * a TensorFlow Lite file cannot say. The bytes must outlive the model. */
int model_open_for_export(struct pipit_model **model, const void *bytes, size_t size,
                          const struct pipit_settings *settings, struct pipit_error *error);
const char *node_operation(const struct node *node); /* "CONV_2D+RELU6" */
/* Fills model->info when the plan stands. */
void model_describe(struct pipit_model *model);

#endif
