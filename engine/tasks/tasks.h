/* SPDX-License-Identifier: MIT */
/* From a picture to the input tensor, and from output tensors to classes and objects. */
#ifndef PIPIT_ENGINE_TASKS_H
#define PIPIT_ENGINE_TASKS_H

#include "engine/graph.h"

/* What turns a picture into the first input. Memory grows when a larger picture comes, never per frame. */
struct preprocess {
    int width, height, channels;   /* of the input; 0: it is no picture */
    bool channels_first;
    bool known;                    /* mean and std are; a uint8 or int8 input with a scale needs none */
    float mean[3], std[3];         /* of bytes: real = (byte - mean) / std */
    const char *source;            /* "settings", "metadata", "GGUF metadata", "input quantisation", "none" */
    enum pipit_fit fit;
    int resize;                    /* PIPIT_FIT_CROP */
    float view[4];                 /* left, top, right, bottom of the last picture that the network saw, as fractions */
    void *work;                    /* the resampler's tables and rows */
    size_t work_bytes;
};

/* Resolves normalisation and fit from the settings, the graph's metadata and the input's quantisation. Never fails:
 * an input that is no picture, or has no normalisation, is an error when a picture is set. */
void preprocess_init(struct preprocess *preprocess, const struct graph *graph, const struct pipit_settings *settings);
void preprocess_finish(struct preprocess *preprocess);
int preprocess_run(struct preprocess *preprocess, const struct pipit_image *image, const struct pipit_tensor *input,
                   struct pipit_error *error);

struct detector {
    enum pipit_decoder decoder;
    int boxes, classes;                     /* N and C of the outputs */
    int boxes_at, classes_at, scores_at, count_at; /* which outputs they are; -1: none */
    float (*anchor)[4];                     /* center y, center x, height, width; SSD_RAW */
    struct candidate *candidate;            /* `boxes` of them */
};

/* Finds out what the outputs mean. Sets detector->decoder; PIPIT_DECODER_NONE when they are neither classes nor boxes.
 * -EINVAL: the settings ask for a decoder that does not fit the outputs; -ENOMEM. */
int detector_init(struct detector *detector, const struct graph *graph, const struct pipit_settings *settings,
                  struct pipit_error *error);
void detector_finish(struct detector *detector);

#endif
