/* SPDX-License-Identifier: MIT */
/* safetensors (huggingface/safetensors, "Format"): the length of a JSON header, the header, the tensors'
 * bytes. */
#include "engine/import/state_dict.h"

#include <json-c/json.h>
#include <string.h>

#define HEADER_MAX (16 << 20) /* bytes; 2,000 tensors need 300,000 */
#define JSON_DEPTH 4

struct reader {
    struct state_dict *dict;
    const uint8_t *data; /* of the tensors */
    size_t size;
    struct pipit_error *error;
};

static const struct {
    const char *name;
    enum state_type type;
} types[] = {
    {"F32", STATE_F32}, {"F16", STATE_F16}, {"BF16", STATE_BF16}, {"F64", STATE_F64}, {"I8", STATE_I8},
    {"U8", STATE_U8},   {"I16", STATE_I16}, {"I32", STATE_I32},   {"I64", STATE_I64}, {"BOOL", STATE_BOOL},
};

static int bad_tensor(struct reader *reader, const char *name, const char *what)
{
    return fail(reader->error, -EINVAL, "tensor '%.100s' of its header has no valid %s", name, what);
}

static int read_type(struct reader *reader, struct state_tensor *tensor, struct json_object *entry)
{
    struct json_object *dtype;
    if (!json_object_object_get_ex(entry, "dtype", &dtype) || !json_object_is_type(dtype, json_type_string))
        return bad_tensor(reader, tensor->name, "dtype");
    const char *name = json_object_get_string(dtype);
    tensor->type = STATE_OTHER;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (!strcmp(types[i].name, name))
            tensor->type = types[i].type;
    tensor->type_name = pool_strndup(&reader->dict->pool, name, strnlen(name, 20));
    return tensor->type_name ? 0 : fail(reader->error, -ENOMEM, "no memory for its tensors");
}

/* A list of at most `most` numbers that are not negative; returns how many. */
static int read_list(struct json_object *entry, const char *key, int64_t *values, size_t most)
{
    struct json_object *list;
    if (!json_object_object_get_ex(entry, key, &list) || !json_object_is_type(list, json_type_array) ||
        json_object_array_length(list) > most)
        return -EINVAL;
    size_t count = json_object_array_length(list);
    for (size_t i = 0; i < count; i++) {
        struct json_object *value = json_object_array_get_idx(list, i);
        if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
            return -EINVAL;
        values[i] = json_object_get_int64(value);
    }
    return (int)count;
}

static int read_tensor(struct reader *reader, const char *name, struct json_object *entry)
{
    int64_t at[2];
    struct state_tensor *tensor = state_dict_add(reader->dict, name, strlen(name));
    if (!tensor)
        return fail(reader->error, -E2BIG, "it has too many tensors, or one with too long a name");
    int error = read_type(reader, tensor, entry);
    if (error)
        return error;
    tensor->rank = read_list(entry, "shape", tensor->shape, STATE_RANK_MAX);
    if (tensor->rank < 0 || state_tensor_measure(tensor))
        return bad_tensor(reader, name, "shape");
    if (read_list(entry, "data_offsets", at, 2) != 2 || at[0] > at[1] || (uint64_t)at[1] > reader->size)
        return bad_tensor(reader, name, "data_offsets");
    if (tensor->type == STATE_OTHER)
        return 0;
    if (tensor->elements * (int64_t)state_type_size(tensor->type) != at[1] - at[0])
        return bad_tensor(reader, name, "data_offsets for its shape");
    tensor->data = tensor->elements ? reader->data + at[0] : NULL;
    return 0;
}

static int read_metadata(struct reader *reader, struct json_object *entries)
{
    json_object_object_foreach(entries, key, value)
    {
        if (!json_object_is_type(value, json_type_string))
            continue;
        struct state_meta *meta = state_dict_add_meta(reader->dict, key, strlen(key));
        if (!meta)
            return fail(reader->error, -E2BIG, "its metadata has too many entries, or too long a key");
        meta->kind = STATE_TEXT;
        meta->text = pool_strndup(&reader->dict->pool, json_object_get_string(value),
                                  (size_t)json_object_get_string_len(value));
        if (!meta->text)
            return fail(reader->error, -ENOMEM, "no memory for its metadata");
    }
    return 0;
}

static int read_header(struct reader *reader, struct json_object *header)
{
    int error = 0;
    json_object_object_foreach(header, key, value)
    {
        if (!json_object_is_type(value, json_type_object))
            error = bad_tensor(reader, key, "description");
        else if (!strcmp(key, "__metadata__"))
            error = read_metadata(reader, value);
        else
            error = read_tensor(reader, key, value);
        if (error)
            break;
    }
    return error;
}

/* After the object there may be spaces, to align the data. */
static bool only_spaces(const uint8_t *text, size_t length)
{
    size_t spaces = 0;
    while (spaces < length && text[spaces] == ' ')
        spaces++;
    return spaces == length;
}

int state_dict_read_safetensors(struct state_dict *dict, const uint8_t *bytes, size_t size,
                                struct pipit_error *error)
{
    size_t length = 0;
    dict->format = "safetensors";
    for (size_t i = 0; i < 8; i++)
        length |= (size_t)bytes[i] << 8 * i; /* state_dict_format() saw that it lies within the file */
    if (length > HEADER_MAX)
        return fail(error, -E2BIG, "its header has %zu bytes", length);
    struct reader reader = {
        .dict = dict, .data = bytes + 8 + length, .size = size - 8 - length, .error = error};
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
    if (!tokener)
        return fail(error, -ENOMEM, "no memory to read its header");
    struct json_object *header = json_tokener_parse_ex(tokener, (const char *)bytes + 8, (int)length);
    size_t used = json_tokener_get_parse_end(tokener);
    int status;
    if (header && json_object_is_type(header, json_type_object) &&
        only_spaces(bytes + 8 + used, length - used))
        status = read_header(&reader, header);
    else
        status = fail(error, -EINVAL, "its header is not valid JSON");
    json_object_put(header);
    json_tokener_free(tokener);
    return status;
}
