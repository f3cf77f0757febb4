/* SPDX-License-Identifier: MIT */
/*
 * State dicts of whole networks with values that follow from the tensors' names, so that another program
 * (torch, with the networks' usual sources) can make the same ones and say what they answer.
 */
#ifndef PIPIT_TESTS_UNIT_NETWORKS_H
#define PIPIT_TESTS_UNIT_NETWORKS_H

#include "engine/nets/net.h"
#include "tests/unit/files.h"

#define NETWORK_TENSORS_MAX 800

struct network {
    struct float_tensor tensor[NETWORK_TENSORS_MAX];
    int tensors;
};

/* The family's tensors by torchvision's or EfficientNet-PyTorch's names, each with `prefix` in front. */
void network_make(struct network *network, enum net_family family, double width, int classes,
                  const char *prefix);
void network_free(struct network *network);

/* count floats in [-1, 1) that follow from the name: SplitMix64 on its FNV-1a hash, the upper 24 bits of
 * each. */
void named_values(const char *name, float *values, int64_t count);

#endif
