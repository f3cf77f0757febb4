/* SPDX-License-Identifier: MIT */
#include "tests/golden/golden.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void *golden_read(const char *path, size_t *size)
{
    gzFile file = gzopen(path, "rb");
    char *bytes = NULL;
    size_t room = 0, used = 0;
    for (int got = 1; file && got > 0; used += got > 0 ? (size_t)got : 0) {
        if (used == room) {
            room = room ? 2 * room : 1 << 16;
            bytes = realloc(bytes, room);
        }
        got = bytes ? gzread(file, bytes + used, (unsigned)(room - used)) : -1;
    }
    if (file)
        gzclose(file);
    *size = used;
    return bytes;
}

static struct json_object *child(struct json_object *object, const char *key)
{
    struct json_object *found = NULL;
    json_object_object_get_ex(object, key, &found);
    return found;
}

static double larger(struct json_object *output, const char *key)
{
    double a = json_object_get_double(child(child(output, "optimised_diff"), key));
    double b = json_object_get_double(child(child(output, "xnnpack_diff"), key));
    return a > b ? a : b;
}

static int read_file(const char *data, const char *name, void **bytes, size_t *size)
{
    char path[1200];
    snprintf(path, sizeof(path), "%s/golden/%s", data, name);
    *bytes = golden_read(path, size);
    if (*bytes)
        return 0;
    printf("%s is not there\n", path);
    return 77;
}

static int read_photo(struct photo *photo, const char *data, const char *name, struct json_object *entry)
{
    struct json_object *outputs = child(entry, "outputs");
    void *rgb;
    photo->name = name;
    int status = read_file(data, json_object_get_string(child(entry, "input")), &rgb, &photo->size);
    photo->rgb = status ? NULL : rgb;
    photo->outputs = (int)json_object_array_length(outputs);
    if (photo->outputs > OUTPUTS_MAX)
        return 1;
    for (int i = 0; i < photo->outputs && !status; i++) {
        struct json_object *output = json_object_array_get_idx(outputs, (size_t)i);
        struct wanted *wanted = &photo->output[i];
        status = read_file(data, json_object_get_string(child(output, "file")), &wanted->data, &wanted->size);
        wanted->diff = larger(output, "max");
        wanted->elements = larger(output, "elements");
    }
    return status;
}

static double number_at(struct json_object *value, int index)
{
    if (json_object_is_type(value, json_type_array))
        value = json_object_array_get_idx(value, (size_t)index);
    return json_object_get_double(value);
}

static void read_model(struct golden *golden, struct json_object *entry)
{
    struct json_object *first = json_object_array_get_idx(child(entry, "outputs"), 0);
    struct json_object *normalisation = child(entry, "normalisation");
    const char *task = json_object_get_string(child(entry, "task"));
    bool is_float = !strcmp(json_object_get_string(child(first, "dtype")), "float32");
    golden->logits = is_float;
    golden->integer = task != NULL;
    golden->task = child(first, "what") ? TASK_CLASSIFY : TASK_NUMBERS;
    if (task)
        golden->task = !strcmp(task, "detect")    ? TASK_DETECT
                       : !strcmp(task, "segment") ? TASK_SEGMENT
                                                  : TASK_CLASSIFY;
    for (int c = 0; c < 3; c++) {
        golden->mean[c] = number_at(child(normalisation, "mean"), c);
        golden->std[c] = number_at(child(normalisation, "std"), c);
    }
}

static int load(struct golden *golden, const char *data, struct json_object *entry)
{
    int status = 0;
    read_model(golden, entry);
    json_object_object_foreach(child(entry, "photos"), name, photo)
    {
        if (golden->photos == PHOTOS_MAX || status)
            break;
        status = read_photo(&golden->photo[golden->photos++], data, name, photo);
    }
    for (int i = 0; i < golden->photos; i++)
        golden->photo[i].name = golden->photo[i].name ? strdup(golden->photo[i].name) : NULL;
    return status ? status : golden->photos ? 0 : 1;
}

int golden_load(struct golden *golden, const char *data, const char *cache, const char *model)
{
    char path[1200];
    bool fetched = cache != NULL;
    memset(golden, 0, sizeof(*golden));
    snprintf(path, sizeof(path), "%s/golden/%s", data, fetched ? "defaults/defaults.json" : "golden.json");
    struct json_object *root = json_object_from_file(path);
    if (!root) {
        printf("%s is not there\n", path);
        return 77;
    }
    struct json_object *entry = child(fetched ? root : child(root, "models"), model);
    int status = entry ? load(golden, data, entry) : 1;
    if (entry && !fetched)
        snprintf(golden->path, sizeof(golden->path), "%s/models/%s", data,
                 json_object_get_string(child(entry, "file")));
    json_object_put(root);
    return status;
}

void golden_free(struct golden *golden)
{
    for (int i = 0; i < golden->photos; i++) {
        for (int k = 0; k < golden->photo[i].outputs && k < OUTPUTS_MAX; k++)
            free(golden->photo[i].output[k].data);
        free(golden->photo[i].rgb);
        free((void *)(uintptr_t)golden->photo[i].name);
    }
}
