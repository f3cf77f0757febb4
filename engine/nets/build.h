/* SPDX-License-Identifier: MIT */
/* Between net_build() and what it is made of. */
#ifndef PIPIT_ENGINE_NETS_BUILD_H
#define PIPIT_ENGINE_NETS_BUILD_H

#include "engine/nets/net.h"

struct build {
    struct graph *graph;
    const struct net *net;
    const struct net_weights *weights;
    struct pipit_error *error;
    int channels;     /* of the tensor that is built upon */
    int ssd_map;      /* tensor of a detector's first feature map */
    int ssd_layers;   /* NET_SSD layers so far */
    int ssd_channels; /* of the first feature map */
};

/* Each adds nodes that work on tensor `in` and returns the resulting tensor, or an error. */
int build_node(struct build *build, enum op op, const char *name, const int *input, int inputs);
int build_conv(struct build *build, const char *name, struct net_layer layer, int in, int stride,
               enum activation act);
int build_constant(struct build *build, const char *name, enum pipit_type type, int rank,
                   const int32_t *shape, void **data);
/* The node that was added last, for its attributes. */
struct node *build_last(struct build *build);
int build_detector(struct build *build, int in);

#endif
