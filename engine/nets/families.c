/* SPDX-License-Identifier: MIT */
#include "engine/nets/net.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct row {
    int repeat, kernel;
    int factor; /* expansion by this; 0: to `expand` channels */
    int expand, out;
    bool squeeze;
    enum activation act;
    int stride; /* of the first; the others have 1 */
};

static const struct row v1_rows[] = {
    {1, 3, 1, 0, 64, false, ACT_RELU6, 1},   {1, 3, 1, 0, 128, false, ACT_RELU6, 2},
    {1, 3, 1, 0, 128, false, ACT_RELU6, 1},  {1, 3, 1, 0, 256, false, ACT_RELU6, 2},
    {1, 3, 1, 0, 256, false, ACT_RELU6, 1},  {6, 3, 1, 0, 512, false, ACT_RELU6, 2},
    {2, 3, 1, 0, 1024, false, ACT_RELU6, 2},
};

static const struct row v2_rows[] = {
    {1, 3, 1, 0, 16, false, ACT_RELU6, 1},  {2, 3, 6, 0, 24, false, ACT_RELU6, 2},
    {3, 3, 6, 0, 32, false, ACT_RELU6, 2},  {4, 3, 6, 0, 64, false, ACT_RELU6, 2},
    {3, 3, 6, 0, 96, false, ACT_RELU6, 1},  {3, 3, 6, 0, 160, false, ACT_RELU6, 2},
    {1, 3, 6, 0, 320, false, ACT_RELU6, 1},
};

static const struct row v3_small_rows[] = {
    {1, 3, 0, 16, 16, true, ACT_RELU, 2},        {1, 3, 0, 72, 24, false, ACT_RELU, 2},
    {1, 3, 0, 88, 24, false, ACT_RELU, 1},       {1, 5, 0, 96, 40, true, ACT_HARD_SWISH, 2},
    {2, 5, 0, 240, 40, true, ACT_HARD_SWISH, 1}, {1, 5, 0, 120, 48, true, ACT_HARD_SWISH, 1},
    {1, 5, 0, 144, 48, true, ACT_HARD_SWISH, 1}, {1, 5, 0, 288, 96, true, ACT_HARD_SWISH, 2},
    {2, 5, 0, 576, 96, true, ACT_HARD_SWISH, 1},
};

static const struct row v3_large_rows[] = {
    {1, 3, 0, 16, 16, false, ACT_RELU, 1},        {1, 3, 0, 64, 24, false, ACT_RELU, 2},
    {1, 3, 0, 72, 24, false, ACT_RELU, 1},        {1, 5, 0, 72, 40, true, ACT_RELU, 2},
    {2, 5, 0, 120, 40, true, ACT_RELU, 1},        {1, 3, 0, 240, 80, false, ACT_HARD_SWISH, 2},
    {1, 3, 0, 200, 80, false, ACT_HARD_SWISH, 1}, {2, 3, 0, 184, 80, false, ACT_HARD_SWISH, 1},
    {1, 3, 0, 480, 112, true, ACT_HARD_SWISH, 1}, {1, 3, 0, 672, 112, true, ACT_HARD_SWISH, 1},
    {1, 5, 0, 672, 160, true, ACT_HARD_SWISH, 2}, {2, 5, 0, 960, 160, true, ACT_HARD_SWISH, 1},
};

static const struct row lite_rows[] = {
    {1, 3, 1, 0, 16, false, ACT_RELU6, 1},  {2, 3, 6, 0, 24, false, ACT_RELU6, 2},
    {2, 5, 6, 0, 40, false, ACT_RELU6, 2},  {3, 3, 6, 0, 80, false, ACT_RELU6, 2},
    {3, 5, 6, 0, 112, false, ACT_RELU6, 1}, {4, 5, 6, 0, 192, false, ACT_RELU6, 2},
    {1, 3, 6, 0, 320, false, ACT_RELU6, 1},
};

#define ROWS(list) (list), sizeof(list) / sizeof((list)[0])

static const struct family {
    const char *id, *name;
    const struct row *row;
    size_t rows;
    int resolution, stem, head, hidden;
    enum activation act; /* of stem and head */
    float epsilon;
    double width, depth; /* of the lite family's scaling */
    bool minimalistic;
} families[NET_FAMILIES] = {
    [NET_V1] = {"mobilenet-v1", "MobileNetV1", ROWS(v1_rows), 224, 32, 0, 0, ACT_RELU6, 1e-3f, 1, 1, false},
    [NET_V2] = {"mobilenet-v2", "MobileNetV2", ROWS(v2_rows), 224, 32, 1280, 0, ACT_RELU6, 1e-5f, 1, 1,
                false},
    [NET_V3_SMALL] = {"mobilenet-v3-small", "MobileNetV3-Small", ROWS(v3_small_rows), 224, 16, 576, 1024,
                      ACT_HARD_SWISH, 1e-3f, 1, 1, false},
    [NET_V3_LARGE] = {"mobilenet-v3-large", "MobileNetV3-Large", ROWS(v3_large_rows), 224, 16, 960, 1280,
                      ACT_HARD_SWISH, 1e-3f, 1, 1, false},
    [NET_V3_SMALL_MINIMALISTIC] = {"mobilenet-v3-small-minimalistic", "MobileNetV3-Small minimalistic",
                                   ROWS(v3_small_rows), 224, 16, 576, 1024, ACT_RELU, 1e-3f, 1, 1, true},
    [NET_V3_LARGE_MINIMALISTIC] = {"mobilenet-v3-large-minimalistic", "MobileNetV3-Large minimalistic",
                                   ROWS(v3_large_rows), 224, 16, 960, 1280, ACT_RELU, 1e-3f, 1, 1, true},
    [NET_LITE0] = {"efficientnet-lite0", "EfficientNet-Lite0", ROWS(lite_rows), 224, 32, 1280, 0, ACT_RELU6,
                   1e-3f, 1.0, 1.0, false},
    [NET_LITE1] = {"efficientnet-lite1", "EfficientNet-Lite1", ROWS(lite_rows), 240, 32, 1280, 0, ACT_RELU6,
                   1e-3f, 1.0, 1.1, false},
    [NET_LITE2] = {"efficientnet-lite2", "EfficientNet-Lite2", ROWS(lite_rows), 260, 32, 1280, 0, ACT_RELU6,
                   1e-3f, 1.1, 1.2, false},
    [NET_LITE3] = {"efficientnet-lite3", "EfficientNet-Lite3", ROWS(lite_rows), 280, 32, 1280, 0, ACT_RELU6,
                   1e-3f, 1.2, 1.4, false},
    [NET_LITE4] = {"efficientnet-lite4", "EfficientNet-Lite4", ROWS(lite_rows), 300, 32, 1280, 0, ACT_RELU6,
                   1e-3f, 1.4, 1.8, false},
    [NET_SSD_V2] = {"ssd-mobilenet-v2", "SSD MobileNetV2", ROWS(v2_rows), 300, 32, 1280, 0, ACT_RELU6, 1e-3f,
                    1, 1, false},
};

#define SSD_BLOCK   13 /* the expansion of the first block of stride 32, seen at stride 16 */
#define SSD_CLASSES 91

const char *net_family_id(enum net_family family)
{
    return families[family].id;
}

int net_round(double channels)
{
    int rounded = (int)(channels + 4) / 8 * 8;
    if (rounded < 8)
        rounded = 8;
    return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

static bool is_lite(enum net_family family)
{
    return family >= NET_LITE0 && family <= NET_LITE4;
}

static bool is_v3(const struct family *family)
{
    return family->hidden > 0;
}

static void add_block(struct net *net, const struct family *family, const struct row *row, double width,
                      int stride)
{
    if (net->blocks == NET_BLOCKS_MAX)
        return;
    int in = net->blocks ? net->block[net->blocks - 1].out : net->stem;
    int expand = row->factor ? in * row->factor : net_round(row->expand * width);
    int quarter = expand / 4;
    struct net_block *block = &net->block[net->blocks++];
    *block = (struct net_block){
        .kernel = family->minimalistic ? 3 : row->kernel,
        .stride = stride,
        .expand = expand == in ? 0 : expand,
        .squeeze = row->squeeze && !family->minimalistic ? net_round(quarter) : 0,
        .out = net_round(row->out * width),
        .act = family->minimalistic ? ACT_RELU : row->act,
        .project_act = net->residuals ? ACT_NONE : row->act,
    };
}

/* EfficientNet's depth multiplies the repeats, but the lite variants leave the first and last stage alone. */
static int repeats(const struct family *family, size_t row)
{
    int repeat = family->row[row].repeat;
    if (row == 0 || row + 1 == family->rows)
        return repeat;
    return (int)ceil(repeat * family->depth - 1e-9);
}

static void set_ends(struct net *net, enum net_family which, double width)
{
    const struct family *family = &families[which];
    int last = net->block[net->blocks - 1].out;
    if (is_v3(family)) {
        net->head = 6 * last;
        net->hidden = net_round(family->hidden * width);
    } else if (family->head) {
        net->head = is_lite(which) || width < 1 ? family->head : net_round(family->head * width);
    }
    net->classes = which == NET_SSD_V2 ? SSD_CLASSES : 1000;
    net->ssd_block = which == NET_SSD_V2 ? SSD_BLOCK : -1;
}

void net_describe(struct net *net, enum net_family which, double width)
{
    const struct family *family = &families[which];
    *net = (struct net){
        .resolution = family->resolution,
        .padding = PAD_SAME,
        .epsilon = family->epsilon,
        .stem = is_lite(which) ? family->stem : net_round(family->stem * width),
        .stem_act = family->act,
        .head_act = family->act,
        .residuals = which != NET_V1,
    };
    snprintf(net->name, sizeof(net->name), "%s", family->name);
    for (size_t i = 0; i < family->rows; i++)
        for (int k = 0; k < repeats(family, i); k++)
            add_block(net, family, &family->row[i], width * family->width, k ? 1 : family->row[i].stride);
    set_ends(net, which, width);
}
