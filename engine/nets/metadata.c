/* SPDX-License-Identifier: MIT */
/*
 * What files say beside the tensors: GGUF's key-value pairs, safetensors' text pairs, a checkpoint's own
 * entries. Keys may stand under a name of the exporter's ("mobilenet.bn_eps"), so they are found by their
 * last part.
 */
#include "engine/nets/state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SIZE_MIN        32 /* pixels */
#define SIZE_MAX_PIXELS 1024

static bool ends_in(const char *key, const char *name)
{
    size_t length = strlen(key), own = strlen(name);
    return length >= own && !strcmp(key + length - own, name) &&
           (length == own || key[length - own - 1] == '.');
}

static const struct state_meta *find(const struct state_dict *dict, const char *name, enum state_value kind)
{
    for (int i = 0; i < dict->metas; i++)
        if (dict->meta[i].kind == kind && ends_in(dict->meta[i].key, name))
            return &dict->meta[i];
    return NULL;
}

float state_metadata_epsilon(const struct state_dict *dict)
{
    const struct state_meta *meta = find(dict, "bn_eps", STATE_NUMBER);
    if (!meta)
        meta = find(dict, "batch_norm_epsilon", STATE_NUMBER);
    return meta && meta->number > 0 && meta->number < 1 ? (float)meta->number : 0;
}

int state_metadata_size(const struct state_dict *dict)
{
    const struct state_meta *meta = find(dict, "image_size", STATE_NUMBER);
    return meta && meta->number >= SIZE_MIN && meta->number <= SIZE_MAX_PIXELS ? (int)meta->number : 0;
}

/* Three numbers in a list, or in entries of their own that end in _r, _g, _b. */
static bool read_colours(const struct state_dict *dict, const char *name, double *values)
{
    static const char *const ends[3] = {"r", "g", "b"};
    char key[64];
    snprintf(key, sizeof(key), "image_%s", name);
    const struct state_meta *list = find(dict, name, STATE_NUMBERS);
    if (!list)
        list = find(dict, key, STATE_NUMBERS);
    for (int c = 0; c < 3; c++) {
        snprintf(key, sizeof(key), "%s_%s", name, ends[c]);
        const struct state_meta *one = list ? NULL : find(dict, key, STATE_NUMBER);
        if (list ? list->count != 3 : !one)
            return false;
        values[c] = list ? list->numbers[c] : one->number;
        if (!isfinite(values[c]) || fabs(values[c]) > 1e6)
            return false;
    }
    return true;
}

/* Mean and standard deviation are of pixels in [0, 1], as torchvision has them, unless one is above 1. */
static void add_normalisation(struct graph *graph, const struct state_dict *dict)
{
    double mean[3], std[3], unit = 255;
    if (!read_colours(dict, "mean", mean) || !read_colours(dict, "std", std))
        return;
    for (int c = 0; c < 3; c++) {
        if (!(fabs(std[c]) > 1e-6))
            return;
        if (mean[c] > 1 || std[c] > 1)
            unit = 1;
    }
    for (int c = 0; c < 3; c++) {
        graph->mean[c] = (float)(mean[c] * unit);
        graph->std[c] = (float)(std[c] * unit);
    }
    graph->has_normalisation = true;
    graph->normalisation = strcmp(dict->format, "GGUF") ? "metadata" : "GGUF metadata";
}

static const char *label_at(const struct state_dict *dict, const struct state_meta *list, int index)
{
    char key[32];
    if (list)
        return list->texts[index];
    snprintf(key, sizeof(key), "class_%d", index);
    const struct state_meta *one = find(dict, key, STATE_TEXT);
    return one ? one->text : NULL;
}

static int add_labels(struct graph *graph, const struct state_dict *dict, int classes)
{
    static const char *const names[] = {"classes", "class_names", "labels", "categories"};
    const struct state_meta *list = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !list; i++)
        list = find(dict, names[i], STATE_TEXTS);
    if (list ? list->count != classes : classes > dict->metas)
        return 0;
    const char **labels = pool_alloc(&graph->pool, (size_t)classes, sizeof(*labels));
    if (!labels)
        return -ENOMEM;
    for (int i = 0; i < classes; i++) {
        const char *label = label_at(dict, list, i);
        if (!label)
            return 0;
        labels[i] = pool_strndup(&graph->pool, label, strlen(label));
        if (!labels[i])
            return -ENOMEM;
    }
    graph->label = labels;
    graph->labels = classes;
    return 0;
}

int state_metadata(struct graph *graph, const struct state_dict *dict, int classes)
{
    const struct state_meta *about = find(dict, "description", STATE_TEXT);
    if (about) {
        const char *copy = pool_strndup(&graph->pool, about->text, strlen(about->text));
        if (!copy)
            return -ENOMEM;
        graph->description = copy;
    }
    add_normalisation(graph, dict);
    return add_labels(graph, dict, classes);
}
