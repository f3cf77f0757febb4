/* SPDX-License-Identifier: MIT */
/* From a state dict to a network: which one it is, its shape, its weights, and what the file says beside
 * them. */
#ifndef PIPIT_ENGINE_NETS_STATE_H
#define PIPIT_ENGINE_NETS_STATE_H

#include "engine/import/state_dict.h"
#include "engine/nets/net.h"

#define STATE_PREFIX_MAX 256
#define STATE_NAME_MAX   512 /* prefix and a layer's own name */

enum naming {
    NAMING_TORCHVISION_V2,
    NAMING_TORCHVISION_V3,
    NAMING_EFFICIENTNET, /* EfficientNet-PyTorch */
};

struct state_net {
    const struct state_dict *dict;
    enum naming naming;
    char prefix[STATE_PREFIX_MAX];                           /* of every tensor's name, as "module." */
    char classifier[STATE_NAME_MAX], hidden[STATE_NAME_MAX]; /* names of these layers, with prefix */
    struct net net;
};

/* Finds out which network the tensors belong to and reads its shape off them. epsilon of batch normalisation:
 * 0 for the family's own. -ENOTSUP: none that is known; -EINVAL: a tensor is missing or has an odd shape. */
int state_net_init(struct state_net *state, const struct state_dict *dict, float epsilon,
                   struct pipit_error *error);

/* net_weights.check and .fill, with a struct state_net for context. */
int state_net_check(void *context, const struct net_layer *layer, struct pipit_error *error);
int state_net_fill(void *context, const struct net_layer *layer, float *weights, float *bias,
                   struct pipit_error *error);

/* Names of a layer's convolution and of its batch normalisation ("" if it has none), without ".weight". */
void state_layer_names(const struct state_net *state, const struct net_layer *layer, char *conv, char *norm);

/* Labels (if there are as many as classes), normalisation and description; input size and epsilon, 0:
 * unknown. */
int state_metadata(struct graph *graph, const struct state_dict *dict, int classes);
int state_metadata_size(const struct state_dict *dict);
float state_metadata_epsilon(const struct state_dict *dict);

#endif
