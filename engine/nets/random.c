/* SPDX-License-Identifier: MIT */
/* Networks by name, with seeded random weights: to judge a board, or an engine, without a file. */
#include "engine/model.h"
#include "engine/nets/net.h"

#include <math.h>
#include <string.h>

#define WIDTH_MIN      0.05
#define WIDTH_MAX      2.0
#define RESOLUTION_MIN 32
#define RESOLUTION_MAX 1024

struct request {
    enum net_family family;
    double width;
    int resolution; /* 0: the family's own */
    bool int8;
};

/* ---- names: NETWORK[:WIDTH][@RESOLUTION][/int8] ----------------------------------------------------------
 */

/* Digits, and a point if `decimals`; locales do not matter. Returns where it ended, NULL when there is none.
 */
static const char *read_number(const char *text, bool decimals, double *value)
{
    double unit = 1;
    bool point = false;
    const char *at = text;
    *value = 0;
    for (; (*at >= '0' && *at <= '9') || (decimals && !point && *at == '.'); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        *value = *value * 10 + (*at - '0');
        unit *= point ? 10 : 1;
        if (at - text > 12)
            return NULL;
    }
    *value /= unit;
    return at > text ? at : NULL;
}

static const char *read_family(const char *text, struct request *request)
{
    size_t length = strcspn(text, ":@/");
    for (int i = 0; i < NET_FAMILIES; i++) {
        const char *id = net_family_id((enum net_family)i);
        if (strlen(id) == length && !memcmp(id, text, length)) {
            request->family = (enum net_family)i;
            return text + length;
        }
    }
    return NULL;
}

static int parse(const char *name, struct request *request, struct pipit_error *error)
{
    double resolution = 0;
    *request = (struct request){.width = 1};
    const char *at = read_family(name, request);
    if (!at)
        return fail(
            error, -EINVAL,
            "no network is named '%.60s': mobilenet-v1, mobilenet-v2, mobilenet-v3-small, mobilenet-v3-large "
            "(both also as ...-minimalistic), efficientnet-lite0 to -lite4, ssd-mobilenet-v2",
            name);
    if (*at == ':' && (!(at = read_number(at + 1, true, &request->width)) || request->width < WIDTH_MIN ||
                       request->width > WIDTH_MAX))
        return fail(error, -EINVAL, "the width in '%.60s' must be a number from 0.05 to 2", name);
    if (*at == '@' && (!(at = read_number(at + 1, false, &resolution)) || resolution < RESOLUTION_MIN ||
                       resolution > RESOLUTION_MAX))
        return fail(error, -EINVAL, "the resolution in '%.60s' must be %d to %d pixels", name, RESOLUTION_MIN,
                    RESOLUTION_MAX);
    request->resolution = (int)resolution;
    request->int8 = !strcmp(at, "/int8");
    if (*at && !request->int8)
        return fail(error, -EINVAL, "'%.60s' should be written as NETWORK[:WIDTH][@RESOLUTION][/int8]", name);
    return 0;
}

/* ---- weights --------------------------------------------------------------------------------------------
 */

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void fill_uniform(float *out, size_t count, float bound, uint64_t *state)
{
    for (size_t i = 0; i < count; i++)
        out[i] = ((float)(next_random(state) >> 40) * 0x1p-23f - 1) * bound;
}

/* The variance that keeps activations in range (He et al. 2015): 2 / inputs before a rectifier, 1 / inputs
 * before none. Each layer has a seed of its own, so that the same network has the same weights at any size.
 */
static int fill_random(void *context, const struct net_layer *layer, float *weights, float *bias,
                       struct pipit_error *error)
{
    const uint64_t *seed = context;
    uint64_t state = *seed + ((uint64_t)layer->kind << 32 | (uint64_t)layer->block << 40);
    bool linear = layer->kind == NET_PROJECT || layer->kind == NET_CLASSIFIER || layer->kind == NET_EXCITE;
    int inputs = layer->kernel * layer->kernel * (layer->kind == NET_DEPTHWISE ? 1 : layer->in);
    size_t count = (size_t)layer->out * (size_t)inputs;
    next_random(&state);
    fill_uniform(weights, count, sqrtf((linear ? 3.0f : 6.0f) / (float)inputs), &state);
    fill_uniform(bias, (size_t)layer->out, 0.1f, &state);
    return 0;
}

int network_random(struct graph *graph, const char *name, uint64_t seed, struct pipit_error *error)
{
    struct request request;
    struct net net;
    int status = parse(name, &request, error);
    if (status)
        return status;
    net_describe(&net, request.family, request.width);
    if (request.resolution)
        net.resolution = request.resolution;
    const struct net_weights weights = {.fill = fill_random, .context = &seed};
    status = net_build(graph, &net, &weights, error);
    return status || !request.int8 ? status : net_quantise(graph, &net, &weights, error);
}
