/* SPDX-License-Identifier: MIT */
/*
 * The MobileNet families as descriptions: one table of inverted-bottleneck rows a family, from which both
 * networks of random weights and those of state dicts are built.
 *
 * MobileNetV1: Howard et al. 2017. MobileNetV2: Sandler et al. 2018, table 2. MobileNetV3: Howard et al.
 * 2019, tables 1 and 2. EfficientNet-Lite: Tan and Le 2019, table 1, without squeeze-excite and with ReLU6.
 * SSD: Liu et al. 2016, on MobileNetV2 as in TensorFlow's object detection API.
 */
#ifndef PIPIT_ENGINE_NETS_NET_H
#define PIPIT_ENGINE_NETS_NET_H

#include "engine/graph.h"

#define NET_BLOCKS_MAX 64

struct net_block { /* [expand 1x1], depthwise, [squeeze-excite], project 1x1 */
    int kernel, stride;
    int expand;  /* channels between; 0: no expansion, they are the input's */
    int squeeze; /* channels of the squeeze; 0: none */
    int out;
    enum activation act, project_act;
};

struct net {
    char name[64];        /* for people */
    int resolution;       /* of the square input */
    enum padding padding; /* PAD_SAME, or PAD_EXPLICIT: (kernel - 1) / 2 on all sides, as PyTorch spells it */
    float epsilon;        /* of batch normalisation */
    int stem;             /* channels of the first convolution, 3x3, stride 2 */
    enum activation stem_act;
    struct net_block block[NET_BLOCKS_MAX];
    int blocks;
    bool residuals; /* around blocks that keep the shape */
    int head;       /* channels of the last convolution, 1x1; 0: none */
    enum activation head_act;
    int hidden;    /* channels of a layer between pooling and classifier, with h-swish; 0: none */
    int classes;   /* of a classifier; also of a detector, background included */
    int ssd_block; /* block whose expansion is a detector's first feature map; -1: a classifier */
};

/* ---- tables -------------------------------------------------------------------------------------------- */

enum net_family {
    NET_V1,
    NET_V2,
    NET_V3_SMALL,
    NET_V3_LARGE,
    NET_V3_SMALL_MINIMALISTIC, /* ReLU, 3x3 and no squeeze-excite throughout */
    NET_V3_LARGE_MINIMALISTIC,
    NET_LITE0,
    NET_LITE1,
    NET_LITE2,
    NET_LITE3,
    NET_LITE4,
    NET_SSD_V2,
    NET_FAMILIES,
};

const char *net_family_id(enum net_family family); /* "mobilenet-v3-small" */
/* The family's network; width multiplies channels, which are rounded to multiples of 8. 1000 classes, or 91.
 */
void net_describe(struct net *net, enum net_family family, double width);
int net_round(double channels); /* to a multiple of 8, not more than 10 % down */

/* ---- building ------------------------------------------------------------------------------------------ */

enum net_layer_kind {
    NET_STEM,
    NET_EXPAND,
    NET_DEPTHWISE,
    NET_SQUEEZE,
    NET_EXCITE,
    NET_PROJECT,
    NET_HEAD,
    NET_HIDDEN,
    NET_CLASSIFIER,
    NET_SSD, /* a detector's further convolutions; `block` counts them */
};

struct net_layer {
    enum net_layer_kind kind;
    int block; /* of the kinds that blocks have */
    int kernel, in, out;
};

struct net_weights {
    /* Says whether the layer's weights are there, before memory is taken for them; NULL: they always are. */
    int (*check)(void *context, const struct net_layer *layer, struct pipit_error *error);
    /* Writes a layer's weights, batch normalisation folded: [out][kernel][kernel][in] (depthwise:
     * [kernel][kernel][out]), and `out` biases. */
    int (*fill)(void *context, const struct net_layer *layer, float *weights, float *bias,
                struct pipit_error *error);
    void *context;
};

/* Adds the network to an empty graph: a float input [1, resolution, resolution, 3], logits [1, classes]; a
 * detector's box regressions [1, N, 4] and class logits [1, N, classes]. */
int net_build(struct graph *graph, const struct net *net, const struct net_weights *weights,
              struct pipit_error *error);

/* Makes a graph of net_build() int8 throughout, weights per channel, activations in the ranges that they have
 * on random input. */
int net_quantise(struct graph *graph, const struct net *net, const struct net_weights *weights,
                 struct pipit_error *error);

#endif
