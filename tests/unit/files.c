/* SPDX-License-Identifier: MIT */
#include "tests/unit/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void bytes_put(struct bytes *bytes, const void *data, size_t size)
{
    if (bytes->room - bytes->size < size) {
        bytes->room = (bytes->size + size) * 2;
        bytes->data = realloc(bytes->data, bytes->room);
        if (!bytes->data)
            exit(70);
    }
    if (size)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

void bytes_text(struct bytes *bytes, const char *text)
{
    bytes_put(bytes, text, strlen(text));
}

void bytes_number(struct bytes *bytes, uint64_t value, int width)
{
    for (int i = 0; i < width; i++)
        bytes_put(bytes, &(uint8_t){(uint8_t)(value >> 8 * i)}, 1);
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

/* ---- ZIP (PKWARE APPNOTE 4.3) ---------------------------------------------------------------------------
 */

static size_t deflate_all(const void *data, size_t size, uint8_t *out, size_t room)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size, .next_out = out};
    stream.avail_out = (uInt)room;
    if (deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        exit(70);
    deflate(&stream, Z_FINISH);
    size_t packed = room - stream.avail_out;
    deflateEnd(&stream);
    return packed;
}

static void header_fields(struct bytes *to, int method, uint32_t crc, size_t packed, size_t size, size_t name)
{
    bytes_number(to, 20, 2); /* version needed */
    bytes_number(to, 0, 2);  /* flags */
    bytes_number(to, (uint64_t)method, 2);
    bytes_number(to, 0, 4); /* time and date */
    bytes_number(to, crc, 4);
    bytes_number(to, packed, 4);
    bytes_number(to, size, 4);
    bytes_number(to, name, 2);
    bytes_number(to, 0, 2); /* extra field */
}

void archive_add(struct archive *archive, const char *name, const void *data, size_t size, int deflated)
{
    size_t at = archive->bytes.size - archive->base, room = size + size / 100 + 64;
    uint8_t *packed = malloc(room);
    if (!packed)
        exit(70);
    size_t stored = deflated ? deflate_all(data, size, packed, room) : size;
    uint32_t crc = (uint32_t)crc32(0, data, (uInt)size);
    bytes_text(&archive->bytes, "PK\3\4");
    header_fields(&archive->bytes, deflated ? 8 : 0, crc, stored, size, strlen(name));
    bytes_text(&archive->bytes, name);
    bytes_put(&archive->bytes, deflated ? packed : data, stored);
    bytes_text(&archive->directory, "PK\1\2");
    bytes_number(&archive->directory, 20, 2); /* version made by */
    header_fields(&archive->directory, deflated ? 8 : 0, crc, stored, size, strlen(name));
    bytes_number(&archive->directory, 0, 2 + 2); /* comment, disk */
    bytes_number(&archive->directory, 0, 2 + 4); /* attributes */
    bytes_number(&archive->directory, at, 4);
    bytes_text(&archive->directory, name);
    archive->entries++;
    free(packed);
}

static void put_end64(struct archive *archive, size_t at)
{
    struct bytes *to = &archive->bytes;
    size_t end64 = to->size - archive->base;
    bytes_text(to, "PK\6\6");
    bytes_number(to, 44, 8);
    bytes_number(to, 45, 2);
    bytes_number(to, 45, 2);
    bytes_number(to, 0, 8); /* disks */
    bytes_number(to, (uint64_t)archive->entries, 8);
    bytes_number(to, (uint64_t)archive->entries, 8);
    bytes_number(to, archive->directory.size, 8);
    bytes_number(to, at, 8);
    bytes_text(to, "PK\6\7");
    bytes_number(to, 0, 4);
    bytes_number(to, end64, 8);
    bytes_number(to, 1, 4);
}

void archive_end(struct archive *archive, int zip64)
{
    struct bytes *to = &archive->bytes;
    size_t at = to->size - archive->base;
    bytes_put(to, archive->directory.data, archive->directory.size);
    if (zip64)
        put_end64(archive, at);
    bytes_text(to, "PK\5\6");
    bytes_number(to, 0, 4); /* disks */
    bytes_number(to, zip64 ? UINT16_MAX : (uint64_t)archive->entries, 2);
    bytes_number(to, zip64 ? UINT16_MAX : (uint64_t)archive->entries, 2);
    bytes_number(to, zip64 ? UINT32_MAX : archive->directory.size, 4);
    bytes_number(to, zip64 ? UINT32_MAX : at, 4);
    bytes_number(to, 0, 2); /* comment */
    bytes_free(&archive->directory);
}

/* ---- pickles (CPython's Lib/pickletools.py)
 * ---------------------------------------------------------------- */

void pickle_text(struct bytes *bytes, const char *text)
{
    bytes_text(bytes, "X");
    bytes_number(bytes, strlen(text), 4);
    bytes_text(bytes, text);
}

void pickle_int(struct bytes *bytes, int32_t value)
{
    bytes_text(bytes, "J");
    bytes_number(bytes, (uint32_t)value, 4);
}

static void pickle_tuple(struct bytes *bytes, int rank, const int64_t *values)
{
    bytes_text(bytes, "(");
    for (int i = 0; i < rank; i++)
        pickle_int(bytes, (int32_t)values[i]);
    bytes_text(bytes, "t");
}

void pickle_tensor(struct bytes *bytes, const char *storage, const char *key, int32_t elements,
                   int32_t offset, int rank, const int64_t *shape, const int64_t *strides)
{
    bytes_text(bytes, "ctorch._utils\n_rebuild_tensor_v2\n((");
    pickle_text(bytes, "storage");
    bytes_text(bytes, "ctorch\n");
    bytes_text(bytes, storage);
    bytes_text(bytes, "\n");
    pickle_text(bytes, key);
    pickle_text(bytes, "cpu");
    pickle_int(bytes, elements);
    bytes_text(bytes, "NtQ"); /* view metadata, the persistent id */
    pickle_int(bytes, offset);
    pickle_tuple(bytes, rank, shape);
    pickle_tuple(bytes, rank, strides);
    bytes_text(bytes, "\x89"
                      "ccollections\nOrderedDict\n)RtR"); /* requires_grad, hooks */
}

static int64_t elements_of(const struct float_tensor *tensor)
{
    int64_t count = 1;
    for (int i = 0; i < tensor->rank; i++)
        count *= tensor->shape[i];
    return count;
}

static void strides_of(const struct float_tensor *tensor, int64_t *strides)
{
    int64_t stride = 1;
    for (int i = tensor->rank; i-- > 0; stride *= tensor->shape[i])
        strides[i] = stride;
}

/* An OrderedDict of tensors, each with a storage of its own. */
static void pickle_tensors(struct bytes *bytes, const struct float_tensor *tensors, int count)
{
    bytes_text(bytes, "\x80\2"
                      "ccollections\nOrderedDict\n)R(");
    for (int i = 0; i < count; i++) {
        char key[16];
        int64_t strides[4];
        snprintf(key, sizeof(key), "%d", i);
        strides_of(&tensors[i], strides);
        pickle_text(bytes, tensors[i].name);
        pickle_tensor(bytes, "FloatStorage", key, (int32_t)elements_of(&tensors[i]), 0, tensors[i].rank,
                      tensors[i].shape, strides);
    }
    bytes_text(bytes, "u.");
}

/* ---- torch.save (torch/serialization.py) ------------------------------------------------------------------
 */

void write_torch_old_around(struct bytes *bytes, const struct bytes *object, const float *const *storage,
                            const int64_t *elements, int storages)
{
    bytes_text(bytes, "\x80\2\x8a\n\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");
    bytes_text(bytes, "\x80\2M\xe9\3.");
    bytes_text(bytes, "\x80\2}q");
    bytes_number(bytes, 0, 1);
    bytes_text(bytes, "(");
    pickle_text(bytes, "protocol_version");
    bytes_text(bytes, "M\xe9\3");
    pickle_text(bytes, "little_endian");
    bytes_text(bytes, "\x88u.");
    bytes_put(bytes, object->data, object->size);
    bytes_text(bytes, "\x80\2](");
    for (int i = 0; i < storages; i++) {
        char key[16];
        snprintf(key, sizeof(key), "%d", i);
        pickle_text(bytes, key);
    }
    bytes_text(bytes, "e.");
    for (int i = 0; i < storages; i++) {
        bytes_number(bytes, (uint64_t)elements[i], 8);
        bytes_put(bytes, storage[i], (size_t)elements[i] * sizeof(float));
    }
}

void write_torch_zip_around(struct bytes *bytes, const struct bytes *object, const float *const *storage,
                            const int64_t *elements, int storages, int deflated)
{
    struct archive archive = {0};
    archive_add(&archive, "net/data.pkl", object->data, object->size, deflated);
    archive_add(&archive, "net/byteorder", "little", 6, 0);
    for (int i = 0; i < storages; i++) {
        char name[32];
        snprintf(name, sizeof(name), "net/data/%d", i);
        archive_add(&archive, name, storage[i], (size_t)elements[i] * sizeof(float), deflated);
    }
    archive_add(&archive, "net/version", "3\n", 2, 0);
    archive_end(&archive, 1);
    *bytes = archive.bytes;
}

static void write_torch(struct bytes *bytes, const struct float_tensor *tensors, int count, int zip)
{
    struct bytes object = {0};
    const float **storage = calloc((size_t)count + 1, sizeof(*storage));
    int64_t *elements = calloc((size_t)count + 1, sizeof(*elements));
    if (!storage || !elements)
        exit(70);
    for (int i = 0; i < count; i++) {
        storage[i] = tensors[i].values;
        elements[i] = elements_of(&tensors[i]);
    }
    pickle_tensors(&object, tensors, count);
    if (zip)
        write_torch_zip_around(bytes, &object, storage, elements, count, 0);
    else
        write_torch_old_around(bytes, &object, storage, elements, count);
    bytes_free(&object);
    free(storage);
    free(elements);
}

void write_torch_old(struct bytes *bytes, const struct float_tensor *tensors, int count)
{
    write_torch(bytes, tensors, count, 0);
}

void write_torch_zip(struct bytes *bytes, const struct float_tensor *tensors, int count)
{
    write_torch(bytes, tensors, count, 1);
}

/* ---- safetensors, GGUF ------------------------------------------------------------------------------------
 */

void write_safetensors(struct bytes *bytes, const struct float_tensor *tensors, int count)
{
    struct bytes header = {0};
    size_t at = 0;
    char text[256];
    bytes_text(&header, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (int i = 0; i < count; i++) {
        const struct float_tensor *t = &tensors[i];
        size_t size = (size_t)elements_of(t) * sizeof(float);
        snprintf(text, sizeof(text), ",\"%s\":{\"dtype\":\"F32\",\"shape\":[", t->name);
        bytes_text(&header, text);
        for (int d = 0; d < t->rank; d++) {
            snprintf(text, sizeof(text), d ? ",%lld" : "%lld", (long long)t->shape[d]);
            bytes_text(&header, text);
        }
        snprintf(text, sizeof(text), "],\"data_offsets\":[%zu,%zu]}", at, at + size);
        bytes_text(&header, text);
        at += size;
    }
    bytes_text(&header, "}");
    bytes_number(bytes, header.size, 8);
    bytes_put(bytes, header.data, header.size);
    for (int i = 0; i < count; i++)
        bytes_put(bytes, tensors[i].values, (size_t)elements_of(&tensors[i]) * sizeof(float));
    bytes_free(&header);
}

static void gguf_text(struct bytes *bytes, const char *text)
{
    bytes_number(bytes, strlen(text), 8);
    bytes_text(bytes, text);
}

static void gguf_metadata(struct bytes *bytes)
{
    static const float eps = 0.002f, mean[3] = {0.5f, 0.25f, 0.125f}, std[3] = {0.5f, 0.5f, 0.5f};
    gguf_text(bytes, "net.bn_eps");
    bytes_number(bytes, 6, 4);
    bytes_put(bytes, &eps, 4);
    gguf_text(bytes, "net.mean");
    bytes_number(bytes, 9, 4);
    bytes_number(bytes, 6, 4);
    bytes_number(bytes, 3, 8);
    bytes_put(bytes, mean, sizeof(mean));
    gguf_text(bytes, "net.std");
    bytes_number(bytes, 9, 4);
    bytes_number(bytes, 6, 4);
    bytes_number(bytes, 3, 8);
    bytes_put(bytes, std, sizeof(std));
    gguf_text(bytes, "net.classes");
    bytes_number(bytes, 9, 4);
    bytes_number(bytes, 8, 4);
    bytes_number(bytes, 2, 8);
    gguf_text(bytes, "yes");
    gguf_text(bytes, "no");
}

void write_gguf(struct bytes *bytes, const struct float_tensor *tensors, int count)
{
    uint64_t at = 0;
    bytes_text(bytes, "GGUF");
    bytes_number(bytes, 3, 4);
    bytes_number(bytes, (uint64_t)count, 8);
    bytes_number(bytes, 4, 8);
    gguf_metadata(bytes);
    for (int i = 0; i < count; i++) {
        const struct float_tensor *t = &tensors[i];
        gguf_text(bytes, t->name);
        bytes_number(bytes, (uint64_t)t->rank, 4);
        for (int d = t->rank; d-- > 0;)
            bytes_number(bytes, (uint64_t)t->shape[d], 8);
        bytes_number(bytes, 0, 4); /* F32 */
        bytes_number(bytes, at, 8);
        at += ((uint64_t)elements_of(t) * sizeof(float) + 31) / 32 * 32;
    }
    for (int i = 0; i < count; i++) {
        while (bytes->size % 32)
            bytes_number(bytes, 0, 1);
        bytes_put(bytes, tensors[i].values, (size_t)elements_of(&tensors[i]) * sizeof(float));
    }
}
