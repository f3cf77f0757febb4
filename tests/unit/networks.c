/* SPDX-License-Identifier: MIT */
#include "tests/unit/networks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void named_values(const char *name, float *values, int64_t count)
{
    uint64_t state = 0xcbf29ce484222325u;
    for (const char *c = name; *c; c++)
        state = (state ^ (uint8_t)*c) * 0x100000001b3u;
    for (int64_t i = 0; i < count; i++) {
        uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        values[i] = (float)((z ^ z >> 31) >> 40) * 0x1p-23f - 1;
    }
}

static bool ends_in(const char *name, const char *end)
{
    size_t length = strlen(name), own = strlen(end);
    return length >= own && !strcmp(name + length - own, end);
}

/* Values that keep a network's activations in range: variances and scales around 1, weights by their inputs.
 */
static float *make_values(const char *name, int rank, const int64_t *shape)
{
    int64_t count = 1, inputs = 1;
    for (int i = 0; i < rank; i++) {
        count *= shape[i];
        inputs *= i ? shape[i] : 1;
    }
    float *values = malloc((size_t)count * sizeof(*values));
    if (!values)
        exit(70);
    named_values(name, values, count);
    bool around_one = ends_in(name, "running_var") || (rank == 1 && ends_in(name, "weight"));
    float bound = rank > 1 ? (float)sqrt(6.0 / (double)inputs) : 0.25f;
    for (int64_t i = 0; i < count; i++)
        values[i] = values[i] * bound + (around_one ? 1 : 0);
    return values;
}

/* The values follow from the name without the prefix. */
static void add(struct network *network, const char *prefix, const char *layer, const char *part, int rank,
                const int64_t *shape)
{
    struct float_tensor *tensor = &network->tensor[network->tensors++];
    char *name = malloc(256);
    if (!name || network->tensors == NETWORK_TENSORS_MAX)
        exit(70);
    snprintf(name, 256, "%s%s.%s", prefix, layer, part);
    *tensor = (struct float_tensor){.name = name, .rank = rank};
    memcpy(tensor->shape, shape, (size_t)rank * sizeof(*shape));
    tensor->values = make_values(name + strlen(prefix), rank, shape);
}

struct writer {
    struct network *network;
    const struct net *net;
    const char *prefix;
    bool efficientnet, v3;
};

static void conv(const struct writer *w, const char *layer, int out, int in, int kernel)
{
    add(w->network, w->prefix, layer, "weight", 4, (int64_t[]){out, in, kernel, kernel});
}

static void norm(const struct writer *w, const char *layer, int channels)
{
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    for (int i = 0; i < 4; i++)
        add(w->network, w->prefix, layer, parts[i], 1, (int64_t[]){channels});
}

static void linear(const struct writer *w, const char *layer, int out, int in)
{
    add(w->network, w->prefix, layer, "weight", 2, (int64_t[]){out, in});
    add(w->network, w->prefix, layer, "bias", 1, (int64_t[]){out});
}

/* A convolution LAYER.0 and its normalisation LAYER.1. */
static void conv_norm(const struct writer *w, const char *layer, int out, int in, int kernel)
{
    char name[128];
    snprintf(name, sizeof(name), "%s.0", layer);
    conv(w, name, out, in, kernel);
    snprintf(name, sizeof(name), "%s.1", layer);
    norm(w, name, out);
}

static void torchvision_block(const struct writer *w, int index, int in)
{
    const struct net_block *block = &w->net->block[index];
    int between = block->expand ? block->expand : in, place = 0;
    char base[32], name[96];
    snprintf(base, sizeof(base), "features.%d.%s", index + 1, w->v3 ? "block" : "conv");
    if (block->expand) {
        snprintf(name, sizeof(name), "%s.%d", base, place++);
        conv_norm(w, name, between, in, 1);
    }
    snprintf(name, sizeof(name), "%s.%d", base, place++);
    conv_norm(w, name, between, 1, block->kernel);
    if (block->squeeze) {
        for (int i = 0; i < 2; i++) {
            snprintf(name, sizeof(name), "%s.%d.fc%d", base, place, i + 1);
            conv(w, name, i ? between : block->squeeze, i ? block->squeeze : between, 1);
            add(w->network, w->prefix, name, "bias", 1, (int64_t[]){i ? between : block->squeeze});
        }
        place++;
    }
    snprintf(name, sizeof(name), "%s.%d", base, place);
    if (w->v3) {
        conv_norm(w, name, block->out, between, 1);
        return;
    }
    conv(w, name, block->out, between, 1);
    snprintf(name, sizeof(name), "%s.%d", base, place + 1);
    norm(w, name, block->out);
}

static void efficientnet_block(const struct writer *w, int index, int in)
{
    const struct net_block *block = &w->net->block[index];
    const struct {
        const char *conv, *norm;
        int out, in, kernel;
    } layers[3] = {
        {"_expand_conv", "_bn0", block->expand, in, 1},
        {"_depthwise_conv", "_bn1", block->expand ? block->expand : in, 1, block->kernel},
        {"_project_conv", "_bn2", block->out, block->expand ? block->expand : in, 1},
    };
    for (int i = block->expand ? 0 : 1; i < 3; i++) {
        char name[96];
        snprintf(name, sizeof(name), "_blocks.%d.%s", index, layers[i].conv);
        conv(w, name, layers[i].out, layers[i].in, layers[i].kernel);
        snprintf(name, sizeof(name), "_blocks.%d.%s", index, layers[i].norm);
        norm(w, name, layers[i].out);
    }
}

static void ends(const struct writer *w, int last, int classes)
{
    const struct net *net = w->net;
    char name[32];
    if (w->efficientnet) {
        conv(w, "_conv_head", net->head, last, 1);
        norm(w, "_bn1", net->head);
        linear(w, "_fc", classes, net->head);
        return;
    }
    snprintf(name, sizeof(name), "features.%d", net->blocks + 1);
    conv_norm(w, name, net->head, last, 1);
    if (w->v3)
        linear(w, "classifier.0", net->hidden, net->head);
    linear(w, w->v3 ? "classifier.3" : "classifier.1", classes, w->v3 ? net->hidden : net->head);
}

void network_make(struct network *network, enum net_family family, double width, int classes,
                  const char *prefix)
{
    struct net net;
    net_describe(&net, family, width);
    struct writer w = {.network = network, .net = &net, .prefix = prefix};
    w.efficientnet = family >= NET_LITE0 && family <= NET_LITE4;
    w.v3 = net.hidden > 0;
    network->tensors = 0;
    if (w.efficientnet) {
        conv(&w, "_conv_stem", net.stem, 3, 3);
        norm(&w, "_bn0", net.stem);
    } else {
        conv_norm(&w, "features.0", net.stem, 3, 3);
    }
    int in = net.stem;
    for (int i = 0; i < net.blocks; in = net.block[i++].out) {
        if (w.efficientnet)
            efficientnet_block(&w, i, in);
        else
            torchvision_block(&w, i, in);
    }
    ends(&w, in, classes);
}

void network_free(struct network *network)
{
    for (int i = 0; i < network->tensors; i++) {
        free((void *)(uintptr_t)network->tensor[i].name);
        free((void *)(uintptr_t)network->tensor[i].values);
    }
    network->tensors = 0;
}
