/* SPDX-License-Identifier: MIT */
/* Attributes of operators that several files share. */
#ifndef PIPIT_ENGINE_OPTIONS_H
#define PIPIT_ENGINE_OPTIONS_H

#include <stdbool.h>

enum activation {
    ACT_NONE,
    ACT_RELU,
    ACT_RELU6,
    ACT_RELU_N1_TO_1,
    ACT_TANH,
    ACT_HARD_SWISH,
    ACT_HARD_SIGMOID
};
enum padding { PAD_SAME, PAD_VALID, PAD_EXPLICIT };

struct window { /* convolutions and pools; [0] is vertical, [1] horizontal */
    int stride[2], dilation[2];
    int size[2]; /* pools; convolutions have it in their weights' shape */
    enum padding padding;
    int before[2], after[2]; /* rows and columns of padding; given for PAD_EXPLICIT, else set by inference */
};

struct strided_slice {
    int begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask;
    bool offset; /* end is begin + end */
};

struct detection { /* TFLite_Detection_PostProcess */
    int max_detections, max_classes_per_detection, detections_per_class, classes;
    float score_threshold, iou_threshold;
    float scale[4]; /* y, x, h, w */
    bool regular_nms;
};

#endif
