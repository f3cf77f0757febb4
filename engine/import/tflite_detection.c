/* SPDX-License-Identifier: MIT */
/*
 * The options of TFLite_Detection_PostProcess, a FlexBuffers map (flatbuffers.dev, "FlexBuffers"):
 *   last byte: width of the root; before it: the root's type; before that: the root, a distance back to the
 * map map at p, of width w: [p - 3w] distance back to its keys, [p - 2w] the keys' width, [p - w] count, p:
 * count values of w bytes, then count bytes of type << 2 | log2 of the width keys at q: count distances back
 * to strings that end with 0
 */
#include "engine/import/tflite.h"

#include <math.h>
#include <string.h>

enum { FLEX_INT = 1, FLEX_UINT = 2, FLEX_FLOAT = 3, FLEX_MAP = 9, FLEX_BOOL = 26 };

struct flex_map {
    const uint8_t *bytes;
    size_t size, at, keys;
    size_t width, keys_width, count;
};

static bool valid_width(size_t width)
{
    return width == 1 || width == 2 || width == 4 || width == 8;
}

static int read_uint(const struct flex_map *map, size_t at, size_t width, uint64_t *value)
{
    if (at > map->size || width > map->size - at)
        return -EINVAL;
    *value = 0;
    memcpy(value, map->bytes + at, width);
    return 0;
}

/* Follows the distance that is stored at `at`, backwards. */
static int follow(const struct flex_map *map, size_t at, size_t width, size_t *target)
{
    uint64_t distance;
    if (read_uint(map, at, width, &distance) || distance > at)
        return -EINVAL;
    *target = at - (size_t)distance;
    return 0;
}

static int open_map(struct flex_map *map)
{
    uint64_t count, keys_width;
    if (map->size < 3)
        return -EINVAL;
    size_t root_width = map->bytes[map->size - 1], type = map->bytes[map->size - 2];
    map->width = (size_t)1 << (type & 3);
    if (!valid_width(root_width) || type >> 2 != FLEX_MAP || map->size < 2 + root_width ||
        follow(map, map->size - 2 - root_width, root_width, &map->at) || map->at < 3 * map->width ||
        follow(map, map->at - 3 * map->width, map->width, &map->keys) ||
        read_uint(map, map->at - 2 * map->width, map->width, &keys_width) ||
        read_uint(map, map->at - map->width, map->width, &count))
        return -EINVAL;
    map->keys_width = (size_t)keys_width;
    map->count = (size_t)count;
    if (!valid_width(map->keys_width) || count > map->size ||
        map->count * (map->width + 1) > map->size - map->at)
        return -EINVAL;
    return 0;
}

static bool key_is(const struct flex_map *map, size_t index, const char *key)
{
    size_t at;
    if (follow(map, map->keys + index * map->keys_width, map->keys_width, &at))
        return false;
    size_t length = strlen(key) + 1;
    return length <= map->size - at && !memcmp(map->bytes + at, key, length);
}

static double value_at(const struct flex_map *map, size_t index)
{
    size_t at = map->at + index * map->width,
           type = map->bytes[map->at + map->count * map->width + index] >> 2;
    uint64_t raw;
    float single;
    double number;
    if (read_uint(map, at, map->width, &raw))
        return NAN;
    if (type == FLEX_UINT || type == FLEX_BOOL)
        return (double)raw;
    if (type == FLEX_INT) {
        unsigned unused = 64 - 8 * (unsigned)map->width;
        return (double)((int64_t)(raw << unused) >> unused);
    }
    if (type != FLEX_FLOAT || map->width < 4)
        return NAN;
    memcpy(&single, &raw, sizeof(single));
    memcpy(&number, &raw, sizeof(number));
    return map->width == 4 ? (double)single : number;
}

static double lookup(const struct flex_map *map, const char *key, double otherwise)
{
    for (size_t i = 0; i < map->count; i++)
        if (key_is(map, i, key))
            return value_at(map, i);
    return otherwise;
}

static int whole(const struct flex_map *map, const char *key, int otherwise)
{
    double value = lookup(map, key, otherwise);
    return value >= 0 && value <= 1e6 ? (int)value : -1;
}

int tflite_detection_options(struct fb_vector bytes, struct detection *d)
{
    struct flex_map map = {.bytes = bytes.data, .size = bytes.count};
    static const char *const scales[] = {"y_scale", "x_scale", "h_scale", "w_scale"};
    if (open_map(&map))
        return -EINVAL;
    *d = (struct detection){
        .max_detections = whole(&map, "max_detections", -1),
        .max_classes_per_detection = whole(&map, "max_classes_per_detection", -1),
        .detections_per_class = whole(&map, "detections_per_class", 100),
        .classes = whole(&map, "num_classes", -1),
        .regular_nms = lookup(&map, "use_regular_nms", 0) != 0,
        .score_threshold = (float)lookup(&map, "nms_score_threshold", NAN),
        .iou_threshold = (float)lookup(&map, "nms_iou_threshold", NAN),
    };
    bool good = d->max_detections > 0 && d->max_classes_per_detection > 0 && d->detections_per_class > 0 &&
                d->classes > 0 && !isnan(d->score_threshold) && d->iou_threshold > 0 && d->iou_threshold <= 1;
    for (int i = 0; i < 4; i++) {
        d->scale[i] = (float)lookup(&map, scales[i], NAN);
        good = good && d->scale[i] > 0;
    }
    return good ? 0 : -EINVAL;
}
