/* SPDX-License-Identifier: MIT */
/* SSD's further feature maps and its predictors, as TensorFlow's ssd_mobilenet_v2 has them. */
#include "engine/nets/build.h"

#include <stdio.h>
#include <string.h>

enum { MAPS = 6 };
static const int extra_depth[MAPS] = {0, 0, 512, 256, 256, 128}; /* of the maps behind the backbone's two */
static const int anchors[MAPS] = {3, 6, 6, 6, 6, 6};             /* in every cell */

static int next_conv(struct build *build, const char *name, int kernel, int in_channels, int out_channels,
                     int in, int stride, enum activation act)
{
    return build_conv(build, name,
                      (struct net_layer){NET_SSD, build->ssd_layers++, kernel, in_channels, out_channels}, in,
                      stride, act);
}

/* Half as many channels by 1x1, then half the size by 3x3. */
static int next_map(struct build *build, int map, int in)
{
    char name[32];
    snprintf(name, sizeof(name), "map%d/reduce", map);
    int x = next_conv(build, name, 1, build->channels, extra_depth[map] / 2, in, 1, ACT_RELU6);
    snprintf(name, sizeof(name), "map%d", map);
    return x < 0 ? x : next_conv(build, name, 3, build->channels, extra_depth[map], x, 2, ACT_RELU6);
}

/* A 1x1 predictor of `values` numbers an anchor, as rows of them: [1, cells * anchors, values]. */
static int predict(struct build *build, const char *what, int map, int in, int channels, int values)
{
    char name[32];
    snprintf(name, sizeof(name), "map%d/%s", map, what);
    int x = next_conv(build, name, 1, channels, anchors[map] * values, in, 1, ACT_NONE);
    if (x < 0)
        return x;
    snprintf(name, sizeof(name), "map%d/%s/rows", map, what);
    x = build_node(build, OP_RESHAPE, name, &x, 1);
    if (x >= 0) {
        struct node *node = build_last(build);
        node->reshape.rank = 3;
        memcpy(node->reshape.shape, (const int32_t[]){1, -1, values}, 3 * sizeof(int32_t));
    }
    return x;
}

static int join(struct build *build, const char *name, const int *maps)
{
    int x = build_node(build, OP_CONCATENATION, name, maps, MAPS);
    if (x < 0)
        return x;
    build_last(build)->axis.axis = 1;
    build->graph->output[build->graph->outputs++] = x;
    return x;
}

int build_detector(struct build *build, int in)
{
    int boxes[MAPS], scores[MAPS], x = in;
    for (int map = 0; map < MAPS && x >= 0; map++) {
        if (extra_depth[map])
            x = next_map(build, map, x);
        if (x < 0)
            return x;
        int from = map ? x : build->ssd_map, channels = map ? build->channels : build->ssd_channels;
        int behind = build->channels;
        boxes[map] = predict(build, "boxes", map, from, channels, 4);
        scores[map] =
            boxes[map] < 0 ? boxes[map] : predict(build, "classes", map, from, channels, build->net->classes);
        if (scores[map] < 0)
            return scores[map];
        build->channels = behind;
    }
    x = join(build, "boxes", boxes);
    return x < 0 ? x : join(build, "classes", scores);
}
