/* SPDX-License-Identifier: MIT */
#include "engine/import/torch.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX    4 /* dicts in dicts, as in {'ema': {'state_dict': ...}} */
#define TENSOR_ITEMS 4 /* storage, offset, size, stride; what follows is for training */

#define META_ROOM    (64 << 10) /* bytes for what stands beside the tensors, and as many as the pickle has */

/* Where checkpoints keep the network, best first: averaged weights are the ones to run. */
static const char *const wrappers[] = {
    "state_dict_ema", "model_ema",      "ema_state_dict", "ema", "state_dict", "model_state_dict",
    "model_state",    "net_state_dict", "model",          "net", "network",    "weights",
};
enum { WRAPPERS = sizeof(wrappers) / sizeof(wrappers[0]) };

struct candidate {
    struct pickle_value dict;
    int depth, preference;
    uint32_t tensors;
};

/* ---- one tensor ---------------------------------------------------------------------------------------- */

static int read_integers(const struct pickle *pickle, const struct pickle_value *tuple, int64_t *values)
{
    struct pickle_value item[STATE_RANK_MAX];
    if (tuple->kind != PICKLE_TUPLE && tuple->kind != PICKLE_LIST)
        return -EINVAL;
    uint32_t count = pickle_items(pickle, tuple, item, STATE_RANK_MAX);
    if (count > STATE_RANK_MAX)
        return -EINVAL;
    for (uint32_t i = 0; i < count; i++) {
        if (item[i].kind != PICKLE_INT || item[i].integer < 0)
            return -EINVAL;
        values[i] = item[i].integer;
    }
    return (int)count;
}

/* Checks that the last element lies in the storage. Strides that are never used become 0. */
static int check_extent(struct state_tensor *tensor, int64_t offset, int64_t room)
{
    int64_t last = offset, reach;
    for (int i = 0; i < tensor->rank; i++) {
        if (tensor->shape[i] < 2) {
            tensor->stride[i] = 0;
            continue;
        }
        if (__builtin_mul_overflow(tensor->shape[i] - 1, tensor->stride[i], &reach) ||
            __builtin_add_overflow(last, reach, &last))
            return -EINVAL;
    }
    return tensor->elements == 0 || last < room ? 0 : -EINVAL;
}

static int place_tensor(struct torch *torch, const struct pickle_value *value, struct state_tensor *tensor)
{
    struct pickle_value item[TENSOR_ITEMS];
    struct torch_storage *storage;
    int64_t stride[STATE_RANK_MAX];
    if (pickle_items(&torch->pickle, value, item, TENSOR_ITEMS) < TENSOR_ITEMS || item[1].kind != PICKLE_INT)
        return -EINVAL;
    tensor->rank = read_integers(&torch->pickle, &item[2], tensor->shape);
    if (tensor->rank < 0 || read_integers(&torch->pickle, &item[3], stride) != tensor->rank ||
        state_tensor_measure(tensor))
        return -EINVAL;
    memcpy(tensor->stride, stride, (size_t)tensor->rank * sizeof(stride[0]));
    int error = torch_find_storage(torch, &item[0], &storage);
    if (error)
        return error;
    if (item[1].integer < 0 || check_extent(tensor, item[1].integer, storage->elements))
        return -EINVAL;
    tensor->type = storage->type;
    tensor->data = storage->data;
    if (tensor->elements)
        tensor->data += (size_t)item[1].integer * state_type_size(storage->type);
    return 0;
}

static int add_tensor(struct torch *torch, const struct pickle_value *key, const struct pickle_value *value)
{
    static const char *const names[] = {"float32", "float16", "bfloat16", "float64", "int8",
                                        "uint8",   "int16",   "int32",    "int64",   "bool"};
    struct state_tensor *tensor = state_dict_add(torch->dict, key->text, key->length);
    if (!tensor)
        return fail(torch->error, -E2BIG, "it has too many tensors, or one with too long a name");
    torch->error->text[0] = 0;
    int error = place_tensor(torch, value, tensor);
    if (error && !torch->error->text[0])
        return fail(torch->error, error,
                    "tensor '%.100s' is damaged: it lies outside its storage, or has no shape", tensor->name);
    tensor->type_name = names[tensor->type];
    return error;
}

/* ---- which dict ---------------------------------------------------------------------------------------- */

static int preference_of(const struct pickle_value *key)
{
    for (int i = 0; i < WRAPPERS; i++)
        if (pickle_is_text(key, wrappers[i]))
            return i;
    return WRAPPERS;
}

/* Counts a dict's own tensors, and puts the dicts in it on the list. */
static void look_into(const struct pickle *pickle, struct candidate *list, uint32_t at, uint32_t *count,
                      bool *seen)
{
    struct candidate *this = &list[at];
    for (uint32_t i = pickle_first(pickle, &this->dict); i != PICKLE_END; i = pickle_next(pickle, i)) {
        const struct pickle_value *key = &pickle->item[i].value;
        i = pickle_next(pickle, i);
        const struct pickle_value *value = &pickle->item[i].value;
        if (key->kind != PICKLE_TEXT)
            continue;
        this->tensors += value->kind == PICKLE_TENSOR;
        if (value->kind != PICKLE_DICT || this->depth == DEPTH_MAX || seen[value->container])
            continue;
        seen[value->container] = true;
        int preference = preference_of(key);
        list[(*count)++] = (struct candidate){
            .dict = *value,
            .depth = this->depth + 1,
            .preference = at && this->preference < preference ? this->preference : preference,
        };
    }
}

/* The preferred dict among those that hold at least half as many tensors as the fullest; of equals, the
 * first. */
static const struct candidate *best_of(const struct candidate *list, uint32_t count)
{
    const struct candidate *best = NULL;
    uint32_t most = 0;
    for (uint32_t i = 0; i < count; i++)
        most = list[i].tensors > most ? list[i].tensors : most;
    for (uint32_t i = 0; i < count && most; i++)
        if (list[i].tensors >= (most + 1) / 2 && (!best || list[i].preference < best->preference))
            best = &list[i];
    return best;
}

static int find_dict(struct torch *torch, const struct pickle_value *root, struct pickle_value *found)
{
    size_t room = (size_t)torch->pickle.containers + 1;
    struct candidate *list = calloc(room, sizeof(*list));
    bool *seen = calloc(room, sizeof(*seen));
    uint32_t count = 1;
    int status = list && seen ? 0 : fail(torch->error, -ENOMEM, "no memory to look for its state dict");
    if (!status) {
        list[0] = (struct candidate){.dict = *root, .preference = -1};
        seen[root->container] = true;
        for (uint32_t i = 0; i < count; i++)
            look_into(&torch->pickle, list, i, &count, seen);
        const struct candidate *best = best_of(list, count);
        if (best)
            *found = best->dict;
        else
            status = fail(torch->error, -ENOTSUP, "it holds no dict of tensors");
    }
    free(list);
    free(seen);
    return status;
}

/* ---- what stands beside the tensors ---------------------------------------------------------------------
 */

static const char *copy_text(struct torch *torch, const struct pickle_value *text, size_t *room)
{
    size_t cost = (size_t)text->length + 64;
    if (cost > *room)
        return NULL;
    *room -= cost;
    return pool_strndup(&torch->dict->pool, text->text, text->length);
}

/* A list of texts, such as a fine-tuned network's class names. Others are left out. */
static void add_texts(struct torch *torch, struct state_meta *meta, const struct pickle_value *list,
                      size_t *room)
{
    const struct pickle *pickle = &torch->pickle;
    uint32_t count = pickle_items(pickle, list, NULL, 0);
    const char **texts = count < *room / 64 ? pool_alloc(&torch->dict->pool, count, sizeof(*texts)) : NULL;
    int used = 0;
    for (uint32_t i = pickle_first(pickle, list); texts && i != PICKLE_END; i = pickle_next(pickle, i)) {
        const struct pickle_value *text = &pickle->item[i].value;
        const char *copy = text->kind == PICKLE_TEXT ? copy_text(torch, text, room) : NULL;
        if (!copy)
            return;
        texts[used++] = copy;
    }
    meta->texts = texts;
    meta->count = used;
}

static void add_meta(struct torch *torch, const struct pickle_value *key, const struct pickle_value *value,
                     size_t *room)
{
    bool list = value->kind == PICKLE_LIST || value->kind == PICKLE_TUPLE;
    if (key->kind != PICKLE_TEXT || *room < 256 || key->length > 255 ||
        (!list && value->kind != PICKLE_TEXT && value->kind != PICKLE_INT && value->kind != PICKLE_REAL))
        return;
    *room -= 256;
    struct state_meta *meta = state_dict_add_meta(torch->dict, key->text, key->length);
    if (!meta)
        return;
    meta->kind = list ? STATE_TEXTS : value->kind == PICKLE_TEXT ? STATE_TEXT : STATE_NUMBER;
    if (meta->kind == STATE_NUMBER)
        meta->number = value->kind == PICKLE_REAL ? value->real : (double)value->integer;
    if (value->kind == PICKLE_TEXT)
        meta->text = copy_text(torch, value, room);
    if (list)
        add_texts(torch, meta, value, room);
    if (!meta->text)
        meta->text = "";
}

int torch_convert(struct torch *torch, const struct pickle_value *root)
{
    const struct pickle *pickle = &torch->pickle;
    struct pickle_value dict;
    size_t room = pickle->size + META_ROOM;
    if (root->kind != PICKLE_DICT)
        return fail(torch->error, -ENOTSUP, "it holds no dict of tensors");
    int error = find_dict(torch, root, &dict);
    for (uint32_t i = error ? PICKLE_END : pickle_first(pickle, &dict); i != PICKLE_END;
         i = pickle_next(pickle, i)) {
        const struct pickle_value *key = &pickle->item[i].value;
        i = pickle_next(pickle, i);
        const struct pickle_value *value = &pickle->item[i].value;
        if (key->kind == PICKLE_TEXT && value->kind == PICKLE_TENSOR)
            error = add_tensor(torch, key, value);
        if (error)
            return error;
    }
    for (uint32_t i = pickle_first(pickle, root); !error && i != PICKLE_END; i = pickle_next(pickle, i)) {
        const struct pickle_value *key = &pickle->item[i].value;
        i = pickle_next(pickle, i);
        add_meta(torch, key, &pickle->item[i].value, &room);
    }
    return error;
}
