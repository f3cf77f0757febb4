/* SPDX-License-Identifier: MIT */
/* GGUF, versions 2 and 3, as ggml's docs/gguf.md describes it: metadata, tensor descriptions, aligned
 * tensors. */
#include "engine/import/state_dict.h"

#include <stdio.h>
#include <string.h>

#define ALIGNMENT_DEFAULT 32
#define GGUF_RANK_MAX     4
#define ARRAY_MAX         (1 << 20) /* elements; longer ones (a language model's words) say nothing here */

enum { VALUE_BOOL = 7, VALUE_TEXT = 8, VALUE_ARRAY = 9 };

struct reader {
    struct state_dict *dict;
    const uint8_t *bytes;
    size_t size, at;
    uint64_t alignment;
    struct pipit_error *error;
};

/* Widths of the metadata's value types, bytes; 0: text, array, unknown. */
static const uint8_t widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

static const struct {
    const char *name;
    enum state_type type;
} types[] = {
    [0] = {"F32", STATE_F32},     [1] = {"F16", STATE_F16},     [2] = {"Q4_0", STATE_OTHER},
    [3] = {"Q4_1", STATE_OTHER},  [6] = {"Q5_0", STATE_OTHER},  [7] = {"Q5_1", STATE_OTHER},
    [8] = {"Q8_0", STATE_OTHER},  [9] = {"Q8_1", STATE_OTHER},  [10] = {"Q2_K", STATE_OTHER},
    [11] = {"Q3_K", STATE_OTHER}, [12] = {"Q4_K", STATE_OTHER}, [13] = {"Q5_K", STATE_OTHER},
    [14] = {"Q6_K", STATE_OTHER}, [15] = {"Q8_K", STATE_OTHER}, [24] = {"I8", STATE_I8},
    [25] = {"I16", STATE_I16},    [26] = {"I32", STATE_I32},    [27] = {"I64", STATE_I64},
    [28] = {"F64", STATE_F64},    [30] = {"BF16", STATE_BF16},
};

static int damaged(struct reader *reader)
{
    return fail(reader->error, -EINVAL, "it is cut short or damaged near byte %zu", reader->at);
}

static int take(struct reader *reader, size_t width, uint64_t *value)
{
    *value = 0;
    if (width > reader->size - reader->at)
        return damaged(reader);
    for (size_t i = 0; i < width; i++)
        *value |= (uint64_t)reader->bytes[reader->at++] << 8 * i;
    return 0;
}

static int take_text(struct reader *reader, const char **text, size_t *length)
{
    uint64_t size;
    int error = take(reader, 8, &size);
    *text = NULL;
    *length = 0;
    if (error)
        return error;
    if (size > reader->size - reader->at)
        return damaged(reader);
    *text = (const char *)reader->bytes + reader->at;
    *length = (size_t)size;
    reader->at += (size_t)size;
    return 0;
}

static double to_double(uint32_t type, uint64_t bits)
{
    float single;
    double value;
    uint32_t low = (uint32_t)bits;
    switch (type) {
    case 1:
        return (int8_t)bits;
    case 3:
        return (int16_t)bits;
    case 5:
        return (int32_t)low;
    case 6:
        memcpy(&single, &low, 4);
        return (double)single;
    case 11:
        return (double)(int64_t)bits;
    case 12:
        memcpy(&value, &bits, 8);
        return value;
    default:
        return (double)bits;
    }
}

static size_t width_of(uint64_t type)
{
    return type < sizeof(widths) ? widths[type] : 0;
}

static int read_text(struct reader *reader, const char **copy)
{
    const char *text;
    size_t length;
    int error = take_text(reader, &text, &length);
    if (error)
        return error;
    *copy = pool_strndup(&reader->dict->pool, text, length);
    return *copy ? 0 : fail(reader->error, -ENOMEM, "no memory for its metadata");
}

static int read_texts(struct reader *reader, struct state_meta *meta, size_t count)
{
    int error = 0;
    meta->kind = STATE_TEXTS;
    meta->texts = pool_alloc(&reader->dict->pool, count, sizeof(*meta->texts));
    if (!meta->texts)
        return fail(reader->error, -ENOMEM, "no memory for its metadata");
    for (; (size_t)meta->count < count && !error; meta->count++)
        error = read_text(reader, &meta->texts[meta->count]);
    return error;
}

static int read_numbers(struct reader *reader, struct state_meta *meta, uint32_t type, size_t count)
{
    double *numbers = pool_alloc(&reader->dict->pool, count, sizeof(*numbers));
    meta->kind = STATE_NUMBERS;
    if (!numbers)
        return fail(reader->error, -ENOMEM, "no memory for its metadata");
    meta->numbers = numbers;
    for (; (size_t)meta->count < count; meta->count++) {
        uint64_t bits;
        int error = take(reader, width_of(type), &bits);
        if (error)
            return error;
        numbers[meta->count] = to_double(type, bits);
    }
    return 0;
}

static int read_array(struct reader *reader, struct state_meta *meta)
{
    uint64_t type, count = 0;
    int error = take(reader, 4, &type);
    if (!error)
        error = take(reader, 8, &count);
    if (error)
        return error;
    size_t width = type == VALUE_TEXT ? 8 : width_of(type); /* a text takes 8 bytes and more */
    if (!width || count > (reader->size - reader->at) / width)
        return damaged(reader);
    if (count > ARRAY_MAX)
        return fail(reader->error, -ENOTSUP, "its metadata '%.100s' has %llu entries: no image network",
                    meta->key, (unsigned long long)count);
    return type == VALUE_TEXT ? read_texts(reader, meta, (size_t)count)
                              : read_numbers(reader, meta, (uint32_t)type, (size_t)count);
}

static int read_value(struct reader *reader, struct state_meta *meta)
{
    uint64_t type, bits;
    int error = take(reader, 4, &type);
    if (error)
        return error;
    if (type == VALUE_TEXT) {
        meta->kind = STATE_TEXT;
        return read_text(reader, &meta->text);
    }
    if (type == VALUE_ARRAY)
        return read_array(reader, meta);
    if (!width_of(type))
        return damaged(reader);
    error = take(reader, width_of(type), &bits);
    meta->kind = STATE_NUMBER;
    meta->number = error ? 0 : to_double((uint32_t)type, bits);
    return error;
}

static int read_metadata(struct reader *reader, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        const char *key;
        size_t length;
        int error = take_text(reader, &key, &length);
        if (error)
            return error;
        struct state_meta *meta = state_dict_add_meta(reader->dict, key, length);
        if (!meta)
            return fail(reader->error, -E2BIG, "its metadata has too many entries, or too long a key");
        error = read_value(reader, meta);
        if (error)
            return error;
    }
    const struct state_meta *alignment = state_dict_meta(reader->dict, "general.alignment");
    if (!alignment)
        return 0;
    if (alignment->kind != STATE_NUMBER || !(alignment->number >= 1 && alignment->number <= 1 << 20))
        return fail(reader->error, -EINVAL, "its general.alignment is no alignment");
    reader->alignment = (uint64_t)alignment->number;
    return 0;
}

static void set_type(struct reader *reader, struct state_tensor *tensor, uint64_t type)
{
    char text[32];
    bool known = type < sizeof(types) / sizeof(types[0]) && types[type].name;
    tensor->type = known ? types[type].type : STATE_OTHER;
    snprintf(text, sizeof(text), "type %llu", (unsigned long long)type);
    const char *other = known ? types[type].name : pool_strndup(&reader->dict->pool, text, strlen(text));
    tensor->type_name = other ? other : "";
}

/* ggml counts dimensions from the one that changes fastest; PyTorch from the other end. */
static int read_shape(struct reader *reader, struct state_tensor *tensor)
{
    uint64_t rank, size;
    int error = take(reader, 4, &rank);
    if (error)
        return error;
    if (rank > GGUF_RANK_MAX)
        return fail(reader->error, -EINVAL, "tensor '%.100s' has %llu dimensions", tensor->name,
                    (unsigned long long)rank);
    tensor->rank = (int)rank;
    for (int i = tensor->rank; i-- > 0;) {
        error = take(reader, 8, &size);
        if (error)
            return error;
        tensor->shape[i] = size > INT64_MAX ? -1 : (int64_t)size;
    }
    return state_tensor_measure(tensor)
               ? fail(reader->error, -EINVAL, "tensor '%.100s' has an impossible shape", tensor->name)
               : 0;
}

/* Reads a description; the offset counts from the start of the tensors' data. */
static int read_description(struct reader *reader, uint64_t *offset)
{
    const char *name;
    size_t length;
    uint64_t type = 0;
    int error = take_text(reader, &name, &length);
    if (error)
        return error;
    struct state_tensor *tensor = state_dict_add(reader->dict, name, length);
    if (!tensor)
        return fail(reader->error, -E2BIG, "it has too many tensors, or one with too long a name");
    error = read_shape(reader, tensor);
    if (!error)
        error = take(reader, 4, &type);
    if (!error)
        error = take(reader, 8, offset);
    if (!error)
        set_type(reader, tensor, type);
    return error;
}

static int place(struct reader *reader, struct state_tensor *tensor, size_t start, uint64_t offset)
{
    size_t room = reader->size - start;
    uint64_t bytes = (uint64_t)tensor->elements * state_type_size(tensor->type);
    if (tensor->type == STATE_OTHER)
        return 0;
    if (bytes > room || offset > room - bytes)
        return fail(reader->error, -EINVAL, "tensor '%.100s' lies outside the file", tensor->name);
    tensor->data = bytes ? reader->bytes + start + offset : NULL;
    return 0;
}

static int read_tensors(struct reader *reader, uint64_t count)
{
    enum { LEAST = 8 + 4 + 4 + 8 }; /* bytes of a description */
    if (count > (reader->size - reader->at) / LEAST)
        return damaged(reader);
    uint64_t *offset = pool_alloc(&reader->dict->pool, (size_t)count, sizeof(*offset));
    if (!offset)
        return fail(reader->error, -ENOMEM, "no memory for its tensors");
    int error = 0;
    for (uint64_t i = 0; i < count && !error; i++)
        error = read_description(reader, &offset[i]);
    size_t start = (size_t)((reader->at + reader->alignment - 1) / reader->alignment * reader->alignment);
    if (!error && start > reader->size)
        error = damaged(reader);
    for (uint64_t i = 0; i < count && !error; i++)
        error = place(reader, &reader->dict->tensor[i], start, offset[i]);
    return error;
}

static int check_version(struct reader *reader, uint64_t version)
{
    if (version == 2 || version == 3)
        return 0;
    if (version && !(version & 0xffff))
        return fail(reader->error, -ENOTSUP, "a big-endian GGUF file");
    return fail(reader->error, -ENOTSUP, "GGUF version %llu; versions 2 and 3 are read",
                (unsigned long long)version);
}

int state_dict_read_gguf(struct state_dict *dict, const uint8_t *bytes, size_t size,
                         struct pipit_error *error)
{
    struct reader reader = {
        .dict = dict, .bytes = bytes, .size = size, .at = 4, .alignment = ALIGNMENT_DEFAULT, .error = error};
    uint64_t version, tensors = 0, entries = 0;
    dict->format = "GGUF";
    int status = take(&reader, 4, &version);
    if (!status)
        status = check_version(&reader, version);
    if (!status)
        status = take(&reader, 8, &tensors);
    if (!status)
        status = take(&reader, 8, &entries);
    if (!status)
        status = read_metadata(&reader, entries);
    return status ? status : read_tensors(&reader, tensors);
}
