/* SPDX-License-Identifier: MIT */
#include "engine/nets/state.h"

#include <stdio.h>
#include <string.h>

#define CHANNELS_MAX 65536

/* A tensor that each naming has, and no other; what stands before it in the name is a prefix of all names. */
static const struct {
    const char *name;
    enum naming naming;
} signatures[] = {
    {"features.1.conv.0.0.weight", NAMING_TORCHVISION_V2},
    {"features.1.block.0.0.weight", NAMING_TORCHVISION_V3},
    {"_blocks.0._depthwise_conv.weight", NAMING_EFFICIENTNET},
};

/* ---- names ----------------------------------------------------------------------------------------------
 */

static void write_pair(const struct state_net *state, char *conv, char *norm, const char *stem,
                       const char *first, const char *second)
{
    snprintf(conv, STATE_NAME_MAX, "%s%s%s", state->prefix, stem, first);
    if (second)
        snprintf(norm, STATE_NAME_MAX, "%s%s%s", state->prefix, stem, second);
    else
        norm[0] = 0;
}

static void torchvision_block(const struct state_net *state, const struct net_layer *layer, char *conv,
                              char *norm)
{
    const struct net_block *block = &state->net.block[layer->block];
    bool v3 = state->naming == NAMING_TORCHVISION_V3;
    int place = block->expand > 0; /* of the depthwise convolution in the block */
    char stem[64], next[16];
    if (layer->kind == NET_EXPAND)
        place = 0;
    else if (layer->kind != NET_DEPTHWISE)
        place += layer->kind == NET_PROJECT && block->squeeze ? 2 : 1;
    snprintf(stem, sizeof(stem), "features.%d.%s.%d", layer->block + 1, v3 ? "block" : "conv", place);
    if (layer->kind == NET_SQUEEZE || layer->kind == NET_EXCITE)
        write_pair(state, conv, norm, stem, layer->kind == NET_SQUEEZE ? ".fc1" : ".fc2", NULL);
    else if (v3 || layer->kind != NET_PROJECT)
        write_pair(state, conv, norm, stem, ".0", ".1");
    else { /* MobileNetV2's projection and its normalisation are the block's own children */
        write_pair(state, conv, norm, stem, "", NULL);
        snprintf(next, sizeof(next), "%d", place + 1);
        snprintf(stem, sizeof(stem), "features.%d.conv.", layer->block + 1);
        snprintf(norm, STATE_NAME_MAX, "%s%s%s", state->prefix, stem, next);
    }
}

static void torchvision_names(const struct state_net *state, const struct net_layer *layer, char *conv,
                              char *norm)
{
    char stem[64];
    if (layer->kind != NET_STEM && layer->kind != NET_HEAD) {
        torchvision_block(state, layer, conv, norm);
        return;
    }
    snprintf(stem, sizeof(stem), "features.%d", layer->kind == NET_STEM ? 0 : state->net.blocks + 1);
    write_pair(state, conv, norm, stem, ".0", ".1");
}

static void efficientnet_names(const struct state_net *state, const struct net_layer *layer, char *conv,
                               char *norm)
{
    char stem[64];
    snprintf(stem, sizeof(stem), "_blocks.%d.", layer->block);
    switch (layer->kind) {
    case NET_STEM:
        write_pair(state, conv, norm, "", "_conv_stem", "_bn0");
        break;
    case NET_EXPAND:
        write_pair(state, conv, norm, stem, "_expand_conv", "_bn0");
        break;
    case NET_DEPTHWISE:
        write_pair(state, conv, norm, stem, "_depthwise_conv", "_bn1");
        break;
    case NET_PROJECT:
        write_pair(state, conv, norm, stem, "_project_conv", "_bn2");
        break;
    default:
        write_pair(state, conv, norm, "", "_conv_head", "_bn1");
    }
}

void state_layer_names(const struct state_net *state, const struct net_layer *layer, char *conv, char *norm)
{
    norm[0] = 0;
    if (layer->kind == NET_CLASSIFIER || layer->kind == NET_HIDDEN)
        snprintf(conv, STATE_NAME_MAX, "%s", layer->kind == NET_HIDDEN ? state->hidden : state->classifier);
    else if (state->naming == NAMING_EFFICIENTNET)
        efficientnet_names(state, layer, conv, norm);
    else
        torchvision_names(state, layer, conv, norm);
}

/* ---- which network --------------------------------------------------------------------------------------
 */

static int unknown_network(const struct state_dict *dict, struct pipit_error *error)
{
    return fail(error, -ENOTSUP,
                "tensors such as '%.80s' and '%.80s' belong to no network that Pipit knows: MobileNetV2 and "
                "MobileNetV3 "
                "by torchvision's names, EfficientNet-Lite by EfficientNet-PyTorch's",
                dict->tensor[0].name, dict->tensor[dict->tensors / 2].name);
}

static int recognise(struct state_net *state, struct pipit_error *error)
{
    const struct state_dict *dict = state->dict;
    if (dict->tensors == 0)
        return fail(error, -EINVAL, "it holds no tensors");
    for (int i = 0; i < dict->tensors; i++) {
        const char *name = dict->tensor[i].name;
        size_t length = strlen(name);
        for (size_t s = 0; s < sizeof(signatures) / sizeof(signatures[0]); s++) {
            size_t own = strlen(signatures[s].name);
            if (length < own || strcmp(name + length - own, signatures[s].name) ||
                (length > own && name[length - own - 1] != '.'))
                continue;
            state->naming = signatures[s].naming;
            snprintf(state->prefix, sizeof(state->prefix), "%.*s", (int)(length - own), name);
            return 0;
        }
    }
    return unknown_network(dict, error);
}

static const struct state_tensor *find(const struct state_net *state, const char *format, int number)
{
    char own[64], name[STATE_NAME_MAX];
    snprintf(own, sizeof(own), format, number);
    snprintf(name, sizeof(name), "%s%s", state->prefix, own);
    return state_dict_find(state->dict, name);
}

static const char *block_signature(const struct state_net *state)
{
    static const char *const first[] = {
        [NAMING_TORCHVISION_V2] = "features.%d.conv.0.0.weight",
        [NAMING_TORCHVISION_V3] = "features.%d.block.0.0.weight",
        [NAMING_EFFICIENTNET] = "_blocks.%d._depthwise_conv.weight",
    };
    return first[state->naming];
}

static int count_blocks(const struct state_net *state)
{
    int from = state->naming != NAMING_EFFICIENTNET, blocks = 0;
    while (blocks < NET_BLOCKS_MAX && find(state, block_signature(state), from + blocks))
        blocks++;
    return blocks;
}

/* Lite1 and Lite2 are equally deep; the last block has 320 channels in one and 352 in the other. */
static enum net_family lite_family(const struct state_net *state, int blocks)
{
    const struct state_tensor *last = find(state, "_blocks.%d._project_conv.weight", blocks - 1);
    switch (blocks) {
    case 16:
        return NET_LITE0;
    case 21:
        return last && last->rank == 4 && last->shape[0] >= 336 ? NET_LITE2 : NET_LITE1;
    case 24:
        return NET_LITE3;
    default:
        return blocks == 30 ? NET_LITE4 : NET_FAMILIES;
    }
}

static int choose_family(struct state_net *state, struct pipit_error *error)
{
    int blocks = count_blocks(state);
    enum net_family family = NET_FAMILIES;
    const char *expected = "17 in MobileNetV2";
    if (state->naming == NAMING_TORCHVISION_V2) {
        family = blocks == 17 ? NET_V2 : NET_FAMILIES;
    } else if (state->naming == NAMING_TORCHVISION_V3) {
        family = blocks == 11 ? NET_V3_SMALL : blocks == 15 ? NET_V3_LARGE : NET_FAMILIES;
        expected = "11 in MobileNetV3-Small, 15 in -Large";
    } else {
        if (find(state, "_blocks.%d._se_reduce.weight", 0))
            return fail(error, -ENOTSUP, "an EfficientNet with squeeze-excite; Pipit runs the Lite networks");
        family = lite_family(state, blocks);
        expected = "16, 21, 24 or 30 in EfficientNet-Lite";
    }
    if (family == NET_FAMILIES)
        return fail(error, -ENOTSUP, "its network has %d blocks; there are %s", blocks, expected);
    net_describe(&state->net, family, 1);
    state->net.padding = state->naming == NAMING_EFFICIENTNET ? PAD_SAME : PAD_EXPLICIT;
    return 0;
}

/* ---- its shape ------------------------------------------------------------------------------------------
 */

/* The weights of a layer whose place in the names is known; *tensor has four dimensions of sane size. */
static int layer_weights(const struct state_net *state, enum net_layer_kind kind, int block,
                         const struct state_tensor **tensor, struct pipit_error *error)
{
    char conv[STATE_NAME_MAX], norm[STATE_NAME_MAX], name[STATE_NAME_MAX + 8], shape[128];
    state_layer_names(state, &(struct net_layer){.kind = kind, .block = block}, conv, norm);
    snprintf(name, sizeof(name), "%s.weight", conv);
    const struct state_tensor *found = state_dict_find(state->dict, name);
    if (!found)
        return fail(error, -EINVAL, "tensor '%.200s' is missing", name);
    bool sane = found->rank == 4;
    for (int i = 0; i < found->rank && sane; i++)
        sane = found->shape[i] > 0 && found->shape[i] < CHANNELS_MAX;
    *tensor = found;
    if (!sane)
        return fail(error, -EINVAL, "tensor '%.200s' is %s, not a convolution's weights", name,
                    state_shape_format(found, shape, sizeof(shape)));
    return 0;
}

/* A block's first convolution is depthwise, with one input channel, when there is no expansion. */
static bool has_expansion(const struct state_net *state, int index)
{
    if (state->naming == NAMING_EFFICIENTNET)
        return find(state, "_blocks.%d._expand_conv.weight", index) != NULL;
    const struct state_tensor *first = find(state, block_signature(state), index + 1);
    return first && first->rank == 4 && first->shape[1] != 1;
}

static bool has_squeeze(const struct state_net *state, int index, bool expansion)
{
    if (state->naming != NAMING_TORCHVISION_V3)
        return false;
    return find(state, expansion ? "features.%d.block.2.fc1.weight" : "features.%d.block.1.fc1.weight",
                index + 1) != NULL;
}

static int read_block(struct state_net *state, int index, struct pipit_error *error)
{
    struct net_block *block = &state->net.block[index];
    const struct state_tensor *tensor;
    int status = 0;
    block->expand = has_expansion(state, index); /* for the names; its size follows */
    block->squeeze = has_squeeze(state, index, block->expand);
    if (block->squeeze && !(status = layer_weights(state, NET_SQUEEZE, index, &tensor, error)))
        block->squeeze = (int)tensor->shape[0];
    if (!status && !(status = layer_weights(state, NET_PROJECT, index, &tensor, error)))
        block->out = (int)tensor->shape[0];
    if (!status && !(status = layer_weights(state, NET_DEPTHWISE, index, &tensor, error)))
        block->kernel = (int)tensor->shape[2];
    if (!status && block->expand && !(status = layer_weights(state, NET_EXPAND, index, &tensor, error)))
        block->expand = (int)tensor->shape[0];
    return status;
}

static bool is_linear(const struct state_net *state, const char *name, char *layer)
{
    const char *wanted = state->naming == NAMING_EFFICIENTNET ? "_fc" : "classifier";
    size_t prefix = strlen(state->prefix), length = strlen(name), end = strlen(".weight");
    if (length < prefix + end || strncmp(name, state->prefix, prefix) ||
        strncmp(name + prefix, wanted, strlen(wanted)) || strcmp(name + length - end, ".weight"))
        return false;
    snprintf(layer, STATE_NAME_MAX, "%.*s", (int)(length - end), name);
    return true;
}

/* The classifier is one linear layer under any name that fine-tuning gave it, or MobileNetV3's own two. */
static int read_classifier(struct state_net *state, struct pipit_error *error)
{
    const struct state_tensor *hidden = find(state, "classifier.%d.weight", 0);
    const struct state_tensor *second = find(state, "classifier.%d.weight", 3);
    const struct state_tensor *last = NULL;
    char name[STATE_NAME_MAX];
    int layers = 0;
    for (int i = 0; i < state->dict->tensors; i++) {
        const struct state_tensor *tensor = &state->dict->tensor[i];
        if (tensor->rank != 2 || !is_linear(state, tensor->name, name))
            continue;
        last = tensor;
        layers++;
    }
    bool two = layers == 2 && state->naming == NAMING_TORCHVISION_V3 && hidden && second;
    if (!two && layers != 1)
        return fail(error, layers ? -ENOTSUP : -EINVAL, "its classifier has %d layers, and %s has %s", layers,
                    state->net.name,
                    state->net.hidden ? "two, 'classifier.0' and 'classifier.3', or one" : "one");
    if (two)
        last = second;
    if (last->shape[0] < 1 || last->shape[0] >= CHANNELS_MAX || (two && hidden->shape[0] >= CHANNELS_MAX))
        return fail(error, -EINVAL, "its classifier has %lld classes", (long long)last->shape[0]);
    is_linear(state, last->name, state->classifier);
    if (two)
        is_linear(state, hidden->name, state->hidden);
    state->net.hidden = two ? (int)hidden->shape[0] : 0;
    state->net.classes = (int)last->shape[0];
    return 0;
}

int state_net_init(struct state_net *state, const struct state_dict *dict, float epsilon,
                   struct pipit_error *error)
{
    const struct state_tensor *tensor;
    *state = (struct state_net){.dict = dict};
    int status = recognise(state, error);
    if (!status)
        status = choose_family(state, error);
    if (!status && !(status = layer_weights(state, NET_STEM, 0, &tensor, error)))
        state->net.stem = (int)tensor->shape[0];
    for (int i = 0; i < state->net.blocks && !status; i++)
        status = read_block(state, i, error);
    if (!status && !(status = layer_weights(state, NET_HEAD, 0, &tensor, error)))
        state->net.head = (int)tensor->shape[0];
    if (!status)
        status = read_classifier(state, error);
    if (epsilon > 0)
        state->net.epsilon = epsilon;
    return status;
}
