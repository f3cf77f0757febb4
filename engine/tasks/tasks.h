/* SPDX-License-Identifier: MIT */
/* From a picture to the input tensor, and from output tensors to classes and objects. */
#ifndef PIPIT_ENGINE_TASKS_H
#define PIPIT_ENGINE_TASKS_H

#include "base/convert.h"
#include "engine/graph.h"

/* What turns a picture into the first input. Memory grows when a larger picture comes, never per frame. */
struct preprocess {
    int width, height, channels; /* of the input; 0: it is no picture */
    bool channels_first;
    bool known;            /* mean and std are; a uint8 or int8 input with a scale needs none */
    float mean[3], std[3]; /* of bytes: real = (byte - mean) / std */
    const char *source;    /* "settings", "metadata", "GGUF metadata", "input quantisation", "none" */
    enum pipit_fit fit;
    int resize;           /* PIPIT_FIT_CROP */
    enum pipit_type type; /* of the input */
    union {
        float f32[3][256]; /* what a byte becomes, for each channel */
        uint8_t bytes[3][256];
    } table;
    bool as_is;    /* the input's bytes are a picture's, but for `flip` */
    uint8_t flip;  /* 128: all less 128; 0: as they are */
    float view[4]; /* left, top, right, bottom of the last picture that the network saw, as fractions */
    struct resampler *resampler; /* of the last picture's size */
    struct converter *converter; /* of cameras' formats */
    uint8_t *rgb;                /* the resampled picture, width * height * 3 */
    uint8_t *row;                /* of a converted one, width * 3 */
};

/* Hands over a part of a turned picture (left, top, right, bottom as fractions) as width x height pixels, a
 * few rows at a time: base/convert.h. */
int image_convert(struct converter *converter, const struct pipit_image *image, const float view[4],
                  int width, int height, convert_put *put, void *data);

/* Resolves normalisation and fit from the settings, the graph's metadata and the input's quantisation. Never
 * fails: an input that is no picture, or has no normalisation, is an error when a picture is set. */
void preprocess_init(struct preprocess *preprocess, const struct graph *graph,
                     const struct pipit_settings *settings);
void preprocess_finish(struct preprocess *preprocess);
int preprocess_run(struct preprocess *preprocess, const struct pipit_image *image,
                   const struct pipit_tensor *input, struct pipit_error *error);

struct candidate {
    int index; /* class */
    float score;
    float box[4]; /* left, top, right, bottom, fractions of the input */
};

struct detector {
    enum pipit_decoder decoder;
    int boxes, classes;                            /* N and C of the outputs */
    int boxes_at, classes_at, scores_at, count_at; /* which outputs they are; -1: none */
    bool softmax;                                  /* CLASSES: the network ends without one */
    float (*anchor)[4];                            /* center y, center x, height, width; SSD_RAW */
    struct candidate *candidate, *kept;            /* `boxes` and twice max_objects of them */
    float *scores;                                 /* `classes` of them */
};

/* Finds out what the outputs mean. Sets detector->decoder; PIPIT_DECODER_NONE when they are neither classes
 * nor boxes. -EINVAL: the settings ask for a decoder that does not fit the outputs; -ENOMEM. */
int detector_init(struct detector *detector, const struct graph *graph, const struct pipit_settings *settings,
                  struct pipit_error *error);
void detector_finish(struct detector *detector);

/* An output's element as a real number. */
float tensor_real(const struct pipit_tensor *tensor, size_t index);
/* SSD anchors in the order of the outputs; returns how many there are, at most `most` are written. */
int ssd_anchors(const struct pipit_ssd *ssd, float (*anchor)[4], int most);
/* Greedy suppression (Girshick et al., 2014) of what overlaps a better one by more than iou. Sorts the
 * candidates, best first, and moves what stays to the front; returns how many. */
int suppress(struct candidate *candidates, int count, float iou);
void sort_candidates(struct candidate *candidates, int count);

#endif
