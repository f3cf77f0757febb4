/* SPDX-License-Identifier: MIT */
#include "engine/import/state_dict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX     (1 << 15)
#define NAME_MAX_LENGTH 255
#define OVERLAP_MAX     4 /* how often the file's bytes may be used by tensors, all together */

/* An array in the dict's own heap memory grows by doubling; `array` points to the pointer. */
static int grow(void *array, int used, int *room, size_t size)
{
    void *old, *bigger;
    memcpy(&old, array, sizeof(old));
    if (used < *room)
        return 0;
    if (used >= ENTRIES_MAX)
        return -E2BIG;
    int wanted = used ? used * 2 : 64;
    bigger = realloc(old, (size_t)wanted * size);
    if (!bigger)
        return -ENOMEM;
    memcpy(array, &bigger, sizeof(bigger));
    *room = wanted;
    return 0;
}

struct state_tensor *state_dict_add(struct state_dict *dict, const char *name, size_t length)
{
    if (length > NAME_MAX_LENGTH ||
        grow(&dict->tensor, dict->tensors, &dict->tensor_room, sizeof(*dict->tensor)))
        return NULL;
    const char *copy = pool_strndup(&dict->pool, name, length);
    if (!copy)
        return NULL;
    struct state_tensor *tensor = &dict->tensor[dict->tensors++];
    *tensor = (struct state_tensor){.name = copy, .type_name = ""};
    return tensor;
}

struct state_meta *state_dict_add_meta(struct state_dict *dict, const char *key, size_t length)
{
    if (length > NAME_MAX_LENGTH || grow(&dict->meta, dict->metas, &dict->meta_room, sizeof(*dict->meta)))
        return NULL;
    const char *copy = pool_strndup(&dict->pool, key, length);
    if (!copy)
        return NULL;
    struct state_meta *meta = &dict->meta[dict->metas++];
    *meta = (struct state_meta){.key = copy, .text = ""};
    return meta;
}

int state_dict_own(struct state_dict *dict, void *memory)
{
    int error = grow(&dict->owned, dict->owns, &dict->own_room, sizeof(*dict->owned));
    if (error)
        free(memory);
    else
        dict->owned[dict->owns++] = memory;
    return error;
}

static int compare_names(const void *left, const void *right)
{
    const struct state_tensor *const *a = left, *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

static int sort_names(struct state_dict *dict, struct pipit_error *error)
{
    dict->by_name = pool_alloc(&dict->pool, (size_t)dict->tensors, sizeof(*dict->by_name));
    if (!dict->by_name)
        return fail(error, -ENOMEM, "no memory for %d tensors", dict->tensors);
    for (int i = 0; i < dict->tensors; i++)
        dict->by_name[i] = &dict->tensor[i];
    qsort(dict->by_name, (size_t)dict->tensors, sizeof(*dict->by_name), compare_names);
    for (int i = 1; i < dict->tensors; i++)
        if (!strcmp(dict->by_name[i - 1]->name, dict->by_name[i]->name))
            return fail(error, -EINVAL, "two of its tensors are named '%.100s'", dict->by_name[i]->name);
    return 0;
}

/* Tensors may share memory (tied weights), but a small file must not stand for a large network. */
static int check_overlap(const struct state_dict *dict, size_t size, struct pipit_error *error)
{
    double bytes = 0;
    for (int i = 0; i < dict->tensors; i++)
        bytes += (double)dict->tensor[i].elements * (double)state_type_size(dict->tensor[i].type);
    if (bytes > (double)size * OVERLAP_MAX)
        return fail(error, -EINVAL, "its tensors claim %.0f bytes, and it holds %zu", bytes, size);
    return 0;
}

static bool is_safetensors(const uint8_t *bytes, size_t size)
{
    uint64_t header = 0;
    for (int i = 0; i < 8 && size > 9; i++)
        header |= (uint64_t)bytes[i] << 8 * i;
    return header > 1 && header <= size - 8 && bytes[8] == '{';
}

typedef int read_fn(struct state_dict *dict, const uint8_t *bytes, size_t size, struct pipit_error *error);

static read_fn *reader_of(const uint8_t *bytes, size_t size)
{
    if (size > 8 && !memcmp(bytes, "GGUF", 4))
        return state_dict_read_gguf;
    if (size > 8 && (!memcmp(bytes, "PK\3\4", 4) || (bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5)))
        return state_dict_read_torch;
    return is_safetensors(bytes, size) ? state_dict_read_safetensors : NULL;
}

enum state_format state_dict_format(const void *bytes, size_t size)
{
    read_fn *reader = reader_of(bytes, size);
    if (reader == state_dict_read_gguf)
        return STATE_GGUF;
    if (reader == state_dict_read_torch)
        return STATE_TORCH;
    return reader ? STATE_SAFETENSORS : STATE_NONE;
}

int state_dict_init(struct state_dict *dict, const void *bytes, size_t size, struct pipit_error *error)
{
    struct pipit_error unread;
    if (!error)
        error = &unread;
    *dict = (struct state_dict){.format = ""};
    read_fn *reader = reader_of(bytes, size);
    int status = reader ? reader(dict, bytes, size, error) : fail(error, -EINVAL, "not a state dict");
    if (!status)
        status = check_overlap(dict, size, error);
    if (!status)
        status = sort_names(dict, error);
    if (status)
        state_dict_finish(dict);
    return status;
}

void state_dict_finish(struct state_dict *dict)
{
    for (int i = 0; i < dict->owns; i++)
        free(dict->owned[i]);
    free(dict->owned);
    free(dict->tensor);
    free(dict->meta);
    pool_finish(&dict->pool);
    *dict = (struct state_dict){.format = ""};
}

const struct state_tensor *state_dict_find(const struct state_dict *dict, const char *name)
{
    const struct state_tensor key = {.name = name}, *wanted = &key;
    struct state_tensor **found =
        bsearch(&wanted, dict->by_name, (size_t)dict->tensors, sizeof(*dict->by_name), compare_names);
    return found ? *found : NULL;
}

const struct state_meta *state_dict_meta(const struct state_dict *dict, const char *key)
{
    for (int i = 0; i < dict->metas; i++)
        if (!strcmp(dict->meta[i].key, key))
            return &dict->meta[i];
    return NULL;
}
