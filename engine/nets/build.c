/* SPDX-License-Identifier: MIT */
#include "engine/nets/build.h"

#include <stdio.h>
#include <string.h>

static int no_memory(struct build *build)
{
    return fail(build->error, -ENOMEM, "no memory for the network");
}

/* A constant of the graph's own, to be filled by the caller. */
int build_constant(struct build *build, const char *name, enum pipit_type type, int rank,
                   const int32_t *shape, void **data)
{
    struct tensor like = {.type = type, .rank = rank};
    for (int i = 0; i < rank; i++)
        like.shape[i] = shape[i];
    int64_t bytes = tensor_bytes(&like);
    *data = bytes < 0 ? NULL : pool_alloc(&build->graph->data, (size_t)bytes, 1);
    int index = *data ? graph_add_constant(build->graph, name, type, rank, shape, *data) : -ENOMEM;
    return index < 0 ? no_memory(build) : index;
}

struct node *build_last(struct build *build)
{
    return &build->graph->node[build->graph->nodes - 1];
}

int build_node(struct build *build, enum op op, const char *name, const int *input, int inputs)
{
    int out = graph_add_tensor(build->graph, name, PIPIT_F32, 0, NULL);
    if (out < 0 || graph_add_node(build->graph, op, input, inputs, &out, 1) < 0)
        return no_memory(build);
    return out;
}

static void set_window(const struct build *build, int kernel, int stride)
{
    struct window *window = &build->graph->node[build->graph->nodes - 1].window;
    window->padding = build->net->padding;
    for (int d = 0; d < 2; d++) {
        window->stride[d] = stride;
        window->dilation[d] = 1;
        window->before[d] = window->after[d] = (kernel - 1) / 2;
    }
}

/* A clamp is the convolution's own; other activations are nodes, as exporters write them. */
static int activate(struct build *build, const char *name, int in, enum activation act)
{
    char text[64];
    if (act == ACT_RELU || act == ACT_RELU6)
        build_last(build)->act = act;
    if (act != ACT_HARD_SWISH)
        return in;
    snprintf(text, sizeof(text), "%s/hard_swish", name);
    return build_node(build, OP_HARD_SWISH, text, &in, 1);
}

static int add_weights(struct build *build, const char *name, const struct net_layer *layer, int rank,
                       const int32_t *shape, int *weights, int *bias)
{
    const struct net_weights *source = build->weights;
    char text[64];
    void *w, *b;
    int error = source->check ? source->check(source->context, layer, build->error) : 0;
    if (error)
        return error;
    snprintf(text, sizeof(text), "%s/weights", name);
    *weights = build_constant(build, text, PIPIT_F32, rank, shape, &w);
    if (*weights < 0)
        return *weights;
    snprintf(text, sizeof(text), "%s/bias", name);
    *bias = build_constant(build, text, PIPIT_F32, 1, &layer->out, &b);
    return *bias < 0 ? *bias : source->fill(source->context, layer, w, b, build->error);
}

int build_conv(struct build *build, const char *name, struct net_layer layer, int in, int stride,
               enum activation act)
{
    bool depthwise = layer.kind == NET_DEPTHWISE;
    const int32_t shape[4] = {depthwise ? 1 : layer.out, layer.kernel, layer.kernel, layer.in};
    int input[3] = {in, -1, -1};
    int error = add_weights(build, name, &layer, 4, shape, &input[1], &input[2]);
    if (error)
        return error;
    int out = build_node(build, depthwise ? OP_DEPTHWISE_CONV_2D : OP_CONV_2D, name, input, 3);
    if (out < 0)
        return out;
    set_window(build, layer.kernel, stride);
    build->channels = layer.out;
    return activate(build, name, out, act);
}

/* relu6(x + 3) / 6, in the two steps that a quantised graph can have as well. */
static int hard_sigmoid(struct build *build, const char *name, int in)
{
    const struct {
        const char *name;
        enum op op;
        float value;
        enum activation act;
    } steps[] = {{"plus3", OP_ADD, 3, ACT_RELU6}, {"gate", OP_MUL, 1.0f / 6, ACT_NONE}};
    for (int i = 0; i < 2 && in >= 0; i++) {
        char text[64];
        void *value;
        snprintf(text, sizeof(text), "%s/%s", name, steps[i].name);
        int input[2] = {in, build_constant(build, text, PIPIT_F32, 1, (const int32_t[]){1}, &value)};
        if (input[1] < 0)
            return input[1];
        memcpy(value, &steps[i].value, sizeof(steps[i].value));
        in = build_node(build, steps[i].op, text, input, 2);
        if (in >= 0)
            build_last(build)->act = steps[i].act;
    }
    return in;
}

/* The mean over height and width. */
static int pool(struct build *build, const char *name, int in, bool keep_dims)
{
    char text[64];
    void *axes;
    snprintf(text, sizeof(text), "%s/axes", name);
    int input[2] = {in, build_constant(build, text, PIPIT_I32, 1, (const int32_t[]){2}, &axes)};
    if (input[1] < 0)
        return input[1];
    memcpy(axes, (const int32_t[]){1, 2}, 2 * sizeof(int32_t));
    int out = build_node(build, OP_MEAN, name, input, 2);
    if (out >= 0)
        build_last(build)->reduce.keep_dims = keep_dims;
    return out;
}

static int squeeze_excite(struct build *build, int index, int in)
{
    const struct net_block *block = &build->net->block[index];
    int channels = build->channels;
    char pooled[32], first[32], second[32], scaled[32];
    snprintf(pooled, sizeof(pooled), "block%d/mean", index);
    snprintf(first, sizeof(first), "block%d/squeeze", index);
    snprintf(second, sizeof(second), "block%d/excite", index);
    snprintf(scaled, sizeof(scaled), "block%d/scale", index);
    int x = pool(build, pooled, in, true);
    if (x >= 0)
        x = build_conv(build, first, (struct net_layer){NET_SQUEEZE, index, 1, channels, block->squeeze}, x,
                       1, ACT_RELU);
    if (x >= 0)
        x = build_conv(build, second, (struct net_layer){NET_EXCITE, index, 1, block->squeeze, channels}, x,
                       1, ACT_NONE);
    if (x >= 0)
        x = hard_sigmoid(build, second, x);
    return x < 0 ? x : build_node(build, OP_MUL, scaled, (const int[]){in, x}, 2);
}

static int expand(struct build *build, int index, int in)
{
    const struct net_block *block = &build->net->block[index];
    char name[32];
    if (!block->expand)
        return in;
    snprintf(name, sizeof(name), "block%d/expand", index);
    int x = build_conv(build, name, (struct net_layer){NET_EXPAND, index, 1, build->channels, block->expand},
                       in, 1, block->act);
    if (index == build->net->ssd_block) {
        build->ssd_map = x;
        build->ssd_channels = block->expand;
    }
    return x;
}

static int add_block(struct build *build, int index, int in)
{
    const struct net_block *block = &build->net->block[index];
    int before = build->channels;
    char name[32];
    int x = expand(build, index, in), channels = build->channels;
    snprintf(name, sizeof(name), "block%d/depthwise", index);
    if (x >= 0)
        x = build_conv(build, name,
                       (struct net_layer){NET_DEPTHWISE, index, block->kernel, channels, channels}, x,
                       block->stride, block->act);
    if (x >= 0 && block->squeeze)
        x = squeeze_excite(build, index, x);
    snprintf(name, sizeof(name), "block%d/project", index);
    if (x >= 0)
        x = build_conv(build, name, (struct net_layer){NET_PROJECT, index, 1, channels, block->out}, x, 1,
                       block->project_act);
    if (x < 0 || !build->net->residuals || block->stride != 1 || before != block->out)
        return x;
    snprintf(name, sizeof(name), "block%d/add", index);
    return build_node(build, OP_ADD, name, (const int[]){in, x}, 2);
}

static int fully_connected(struct build *build, const char *name, struct net_layer layer, int in,
                           enum activation act)
{
    int input[3] = {in, -1, -1};
    int error =
        add_weights(build, name, &layer, 2, (const int32_t[]){layer.out, layer.in}, &input[1], &input[2]);
    if (error)
        return error;
    int out = build_node(build, OP_FULLY_CONNECTED, name, input, 3);
    build->channels = layer.out;
    return out < 0 ? out : activate(build, name, out, act);
}

static int classify(struct build *build, int in)
{
    const struct net *net = build->net;
    int x = pool(build, "pool", in, false);
    if (x >= 0 && net->hidden)
        x = fully_connected(build, "hidden",
                            (struct net_layer){NET_HIDDEN, 0, 1, build->channels, net->hidden}, x,
                            net->stem_act);
    if (x >= 0)
        x = fully_connected(build, "logits",
                            (struct net_layer){NET_CLASSIFIER, 0, 1, build->channels, net->classes}, x,
                            ACT_NONE);
    if (x >= 0)
        build->graph->output[build->graph->outputs++] = x;
    return x;
}

static int features(struct build *build, int in)
{
    const struct net *net = build->net;
    int x = build_conv(build, "stem", (struct net_layer){NET_STEM, 0, 3, 3, net->stem}, in, 2, net->stem_act);
    for (int i = 0; i < net->blocks && x >= 0; i++)
        x = add_block(build, i, x);
    if (x >= 0 && net->head)
        x = build_conv(build, "head", (struct net_layer){NET_HEAD, 0, 1, build->channels, net->head}, x, 1,
                       net->head_act);
    return x;
}

int net_build(struct graph *graph, const struct net *net, const struct net_weights *weights,
              struct pipit_error *error)
{
    struct build build = {.graph = graph, .net = net, .weights = weights, .error = error, .ssd_map = -1};
    const int32_t shape[4] = {1, net->resolution, net->resolution, 3};
    int x = graph_add_tensor(graph, "input", PIPIT_F32, 4, shape);
    graph->network = pool_strndup(&graph->pool, net->name, strlen(net->name));
    if (x < 0 || !graph->network)
        return no_memory(&build);
    graph->input[graph->inputs++] = x;
    x = features(&build, x);
    if (x >= 0)
        x = net->ssd_block >= 0 ? build_detector(&build, x) : classify(&build, x);
    graph->operators = graph->nodes;
    return x < 0 ? x : 0;
}
