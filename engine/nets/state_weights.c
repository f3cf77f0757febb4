/* SPDX-License-Identifier: MIT */
/* A layer's tensors: found, checked, turned from PyTorch's order to the graph's, batch normalisation folded.
 */
#include "engine/nets/state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Batch normalisation (Ioffe and Szegedy 2015) of one layer. */
struct norm {
    const struct state_tensor *gamma, *beta, *mean, *variance;
};

struct layer_tensors {
    const struct state_tensor *weight, *bias; /* bias may be NULL */
    struct norm norm;                         /* all NULL when the layer has none, or it was folded before */
};

static const struct state_tensor *find(const struct state_net *state, const char *layer, const char *part)
{
    char name[STATE_NAME_MAX + 20];
    snprintf(name, sizeof(name), "%s.%s", layer, part);
    return state_dict_find(state->dict, name);
}

static int missing(struct pipit_error *error, const char *layer, const char *part)
{
    return fail(error, -EINVAL, "tensor '%.200s.%s' is missing", layer, part);
}

static int check_shape(const struct state_tensor *tensor, int rank, const int64_t *shape,
                       struct pipit_error *error)
{
    struct state_tensor wanted = {.rank = rank};
    char is[128], needed[128];
    memcpy(wanted.shape, shape, (size_t)rank * sizeof(*shape));
    if (tensor->rank != rank || memcmp(tensor->shape, shape, (size_t)rank * sizeof(*shape)))
        return fail(error, -EINVAL, "tensor '%.200s' is %s, and the network needs %s", tensor->name,
                    state_shape_format(tensor, is, sizeof(is)),
                    state_shape_format(&wanted, needed, sizeof(needed)));
    if (tensor->type == STATE_OTHER)
        return fail(error, -ENOTSUP,
                    "tensor '%.200s' has values of type %s; float32, float16 and bfloat16 are read",
                    tensor->name, tensor->type_name);
    return 0;
}

static int check_weight(const struct net_layer *layer, const struct state_tensor *tensor,
                        struct pipit_error *error)
{
    bool linear = layer->kind == NET_HIDDEN || layer->kind == NET_CLASSIFIER;
    const int64_t shape[4] = {layer->out, layer->kind == NET_DEPTHWISE ? 1 : layer->in, layer->kernel,
                              layer->kernel};
    return check_shape(tensor, linear ? 2 : 4, shape, error);
}

static int find_norm(const struct state_net *state, const char *name, struct norm *norm, int channels,
                     struct pipit_error *error)
{
    static const char *const parts[4] = {"weight", "bias", "running_mean", "running_var"};
    const struct state_tensor **tensors[4] = {&norm->gamma, &norm->beta, &norm->mean, &norm->variance};
    const int64_t shape[1] = {channels};
    for (int i = 0; i < 4; i++) {
        *tensors[i] = find(state, name, parts[i]);
        if (!*tensors[i])
            return missing(error, name, parts[i]);
        int status = check_shape(*tensors[i], 1, shape, error);
        if (status)
            return status;
    }
    return 0;
}

static int find_tensors(const struct state_net *state, const struct net_layer *layer,
                        struct layer_tensors *tensors, struct pipit_error *error)
{
    char conv[STATE_NAME_MAX], norm[STATE_NAME_MAX];
    const int64_t shape[1] = {layer->out};
    *tensors = (struct layer_tensors){0};
    state_layer_names(state, layer, conv, norm);
    tensors->weight = find(state, conv, "weight");
    tensors->bias = find(state, conv, "bias");
    if (!tensors->weight)
        return missing(error, conv, "weight");
    int status = check_weight(layer, tensors->weight, error);
    if (!status && tensors->bias)
        status = check_shape(tensors->bias, 1, shape, error);
    bool folded = !norm[0] || (tensors->bias && !find(state, norm, "running_mean"));
    return status || folded ? status : find_norm(state, norm, &tensors->norm, layer->out, error);
}

int state_net_check(void *context, const struct net_layer *layer, struct pipit_error *error)
{
    struct layer_tensors tensors;
    return find_tensors(context, layer, &tensors, error);
}

/* [out, in, row, column] to [out, row, column, in]; depthwise [channel, 1, row, column] to [row, column,
 * channel]. */
static void reorder(const struct net_layer *layer, const float *from, float *to)
{
    bool depthwise = layer->kind == NET_DEPTHWISE;
    int taps = layer->kernel * layer->kernel;
    int outer = depthwise ? 1 : layer->out;
    size_t inner = (size_t)layer->in; /* a depthwise layer has as many inputs as outputs */
    for (int o = 0; o < outer; o++)
        for (size_t i = 0; i < inner; i++)
            for (int t = 0; t < taps; t++)
                to[((size_t)o * (size_t)taps + (size_t)t) * inner + i] = *from++;
}

static int read_weights(const struct net_layer *layer, const struct state_tensor *tensor, float *weights,
                        struct pipit_error *error)
{
    if (layer->kernel == 1)
        return state_tensor_read(tensor, weights);
    float *read = malloc((size_t)tensor->elements * sizeof(*read));
    if (!read)
        return fail(error, -ENOMEM, "no memory for tensor '%.200s'", tensor->name);
    int status = state_tensor_read(tensor, read);
    if (!status)
        reorder(layer, read, weights);
    free(read);
    return status;
}

/* Scales output channel c of the weights. */
static void scale_channel(const struct net_layer *layer, float *weights, int c, double scale)
{
    bool depthwise = layer->kind == NET_DEPTHWISE;
    int taps = layer->kernel * layer->kernel;
    size_t count = (size_t)taps * (size_t)(depthwise ? 1 : layer->in),
           step = depthwise ? (size_t)layer->out : 1;
    float *channel = weights + (depthwise ? (size_t)c : (size_t)c * count);
    for (size_t i = 0; i < count; i++)
        channel[i * step] = (float)((double)channel[i * step] * scale);
}

/* y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, where x includes the convolution's bias. */
static int fold(const struct state_net *state, const struct net_layer *layer, const struct norm *norm,
                float *weights, float *bias, struct pipit_error *error)
{
    size_t n = (size_t)layer->out;
    float *values = malloc(4 * n * sizeof(*values));
    if (!values)
        return fail(error, -ENOMEM, "no memory for tensor '%.200s'", norm->gamma->name);
    const float *gamma = values, *beta = values + n, *mean = values + 2 * n, *variance = values + 3 * n;
    state_tensor_read(norm->gamma, values);
    state_tensor_read(norm->beta, values + n);
    state_tensor_read(norm->mean, values + 2 * n);
    state_tensor_read(norm->variance, values + 3 * n);
    int status = 0;
    for (int c = 0; c < layer->out && !status; c++) {
        double width = (double)variance[c] + (double)state->net.epsilon;
        if (!(width > 0))
            status = fail(error, -EINVAL, "tensor '%.200s' has a variance of %g", norm->variance->name,
                          (double)variance[c]);
        double scale = status ? 0 : (double)gamma[c] / sqrt(width);
        scale_channel(layer, weights, c, scale);
        bias[c] = (float)((double)beta[c] + ((double)bias[c] - (double)mean[c]) * scale);
    }
    free(values);
    return status;
}

int state_net_fill(void *context, const struct net_layer *layer, float *weights, float *bias,
                   struct pipit_error *error)
{
    const struct state_net *state = context;
    struct layer_tensors tensors;
    int status = find_tensors(state, layer, &tensors, error);
    if (!status)
        status = read_weights(layer, tensors.weight, weights, error);
    if (!status && tensors.bias)
        status = state_tensor_read(tensors.bias, bias); /* else the constant's own zeros */
    if (status || !tensors.norm.gamma)
        return status;
    return fold(state, layer, &tensors.norm, weights, bias, error);
}
