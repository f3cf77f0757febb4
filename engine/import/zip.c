/* SPDX-License-Identifier: MIT */
#include "engine/import/zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* APPNOTE 4.3.7, 4.3.12, 4.3.14 to 4.3.16: signatures and the sizes of the fixed parts, bytes. */
enum { LOCAL_SIZE = 30, CENTRAL_SIZE = 46, END_SIZE = 22, END64_SIZE = 56, LOCATOR64_SIZE = 20 };
enum { METHOD_STORED = 0, METHOD_DEFLATED = 8, FLAG_ENCRYPTED = 1 };
#define LOCAL_SIGNATURE     0x04034b50u
#define CENTRAL_SIGNATURE   0x02014b50u
#define END_SIGNATURE       0x06054b50u
#define END64_SIGNATURE     0x06064b50u
#define LOCATOR64_SIGNATURE 0x07064b50u
#define EXTRA_ZIP64         1

static uint16_t le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
    return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint64_t le64(const uint8_t *p)
{
    return le32(p) | (uint64_t)le32(p + 4) << 32;
}

struct archive {
    const uint8_t *bytes;
    size_t size;
    size_t base;                                 /* added to every offset: bytes before the archive */
    uint64_t directory, directory_size, entries; /* as the end record says */
};

static const uint8_t *find_end(const uint8_t *bytes, size_t size)
{
    if (size < END_SIZE)
        return NULL;
    size_t last = size - END_SIZE;
    size_t first = last > UINT16_MAX ? last - UINT16_MAX : 0;
    for (size_t at = last + 1; at-- > first;) {
        const uint8_t *end = bytes + at;
        if (le32(end) == END_SIGNATURE && le16(end + 20) <= last - at)
            return end;
    }
    return NULL;
}

/* The ZIP64 end record, when there is a locator before the end record; the record precedes the locator. */
static const uint8_t *find_end64(const uint8_t *bytes, size_t end_at)
{
    if (end_at < LOCATOR64_SIZE + END64_SIZE || le32(bytes + end_at - LOCATOR64_SIZE) != LOCATOR64_SIGNATURE)
        return NULL;
    const uint8_t *end64 = bytes + end_at - LOCATOR64_SIZE - END64_SIZE;
    return le32(end64) == END64_SIGNATURE ? end64 : NULL;
}

static int find_directory(struct archive *archive)
{
    const uint8_t *end = find_end(archive->bytes, archive->size);
    if (!end)
        return -ENOENT;
    const uint8_t *end64 = find_end64(archive->bytes, (size_t)(end - archive->bytes));
    archive->entries = end64 ? le64(end64 + 32) : le16(end + 10);
    archive->directory_size = end64 ? le64(end64 + 40) : le32(end + 12);
    archive->directory = end64 ? le64(end64 + 48) : le32(end + 16);
    size_t behind = (size_t)((end64 ? end64 : end) - archive->bytes);
    if (archive->directory_size > behind || archive->directory > behind - archive->directory_size)
        return -EINVAL;
    archive->base = behind - archive->directory_size - archive->directory;
    if (archive->entries > archive->directory_size / CENTRAL_SIZE)
        return -EINVAL;
    return 0;
}

/* Takes the next eight bytes of the ZIP64 extra field in place of a 32-bit value that says "look there". */
static int widen(uint64_t *value, const uint8_t **extra, size_t *left)
{
    if (*value != UINT32_MAX)
        return 0;
    if (*left < 8)
        return -EINVAL;
    *value = le64(*extra);
    *extra += 8;
    *left -= 8;
    return 0;
}

static int widen_all(uint64_t *size, uint64_t *packed, uint64_t *offset, const uint8_t *extra, size_t left)
{
    while (left >= 4) {
        size_t length = le16(extra + 2);
        if (length > left - 4)
            return 0; /* padding of other writers */
        const uint8_t *field = extra + 4;
        if (le16(extra) == EXTRA_ZIP64) {
            int error = widen(size, &field, &length);
            if (!error)
                error = widen(packed, &field, &length);
            return error ? error : widen(offset, &field, &length);
        }
        extra += 4 + length;
        left -= 4 + length;
    }
    return 0;
}

/* Finds the entry's data behind its local header, whose name and extra field may differ in length. */
static int locate(const struct archive *archive, struct zip_entry *entry, uint64_t offset, uint64_t packed)
{
    size_t room = archive->size - archive->base;
    if (offset > room || room - offset < LOCAL_SIZE)
        return -EINVAL;
    const uint8_t *local = archive->bytes + archive->base + offset;
    room -= (size_t)offset + LOCAL_SIZE;
    size_t skip = (size_t)le16(local + 26) + le16(local + 28);
    if (le32(local) != LOCAL_SIGNATURE || skip > room || packed > room - skip)
        return -EINVAL;
    entry->data = local + LOCAL_SIZE + skip;
    entry->packed_size = (size_t)packed;
    return 0;
}

/* Reads one directory record; returns its length in bytes, or an error. */
static long read_entry(const struct archive *archive, struct zip_entry *entry, const uint8_t *at, size_t left)
{
    if (left < CENTRAL_SIZE || le32(at) != CENTRAL_SIGNATURE)
        return -EINVAL;
    size_t name = le16(at + 28), extra = le16(at + 30), comment = le16(at + 32);
    if (name + extra + comment > left - CENTRAL_SIZE)
        return -EINVAL;
    uint64_t packed = le32(at + 20), size = le32(at + 24), offset = le32(at + 42);
    int error = widen_all(&size, &packed, &offset, at + CENTRAL_SIZE + name, extra);
    if (error)
        return error;
    entry->name = (const char *)at + CENTRAL_SIZE;
    entry->name_length = name;
    entry->flags = le16(at + 8);
    entry->method = le16(at + 10);
    entry->crc = le32(at + 16);
    if (packed > archive->size || size / ZIP_RATIO_MAX > packed)
        return -EINVAL;
    entry->size = (size_t)size;
    error = locate(archive, entry, offset, packed);
    return error ? error : (long)(CENTRAL_SIZE + name + extra + comment);
}

static int read_entries(struct zip *zip, const struct archive *archive)
{
    const uint8_t *at = archive->bytes + archive->base + archive->directory;
    size_t left = (size_t)archive->directory_size, room = archive->size;
    for (; zip->count < archive->entries; zip->count++) {
        struct zip_entry *entry = &zip->entries[zip->count];
        long length = read_entry(archive, entry, at, left);
        if (length < 0)
            return (int)length;
        if (entry->packed_size > room)
            return -EINVAL; /* entries overlap */
        room -= entry->packed_size;
        at += length;
        left -= (size_t)length;
    }
    return 0;
}

static int compare_names(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t shorter = a_length < b_length ? a_length : b_length;
    int order = shorter ? memcmp(a, b, shorter) : 0;
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_entries(const void *left, const void *right)
{
    const struct zip_entry *a = left, *b = right;
    return compare_names(a->name, a->name_length, b->name, b->name_length);
}

int zip_init(struct zip *zip, const void *bytes, size_t size)
{
    struct archive archive = {.bytes = bytes, .size = size};
    *zip = (struct zip){0};
    int error = find_directory(&archive);
    if (error)
        return error;
    zip->entries = calloc((size_t)archive.entries + 1, sizeof(*zip->entries));
    if (!zip->entries)
        return -ENOMEM;
    error = read_entries(zip, &archive);
    if (error) {
        zip_finish(zip);
        return error;
    }
    qsort(zip->entries, zip->count, sizeof(*zip->entries), compare_entries);
    return 0;
}

void zip_finish(struct zip *zip)
{
    free(zip->entries);
    *zip = (struct zip){0};
}

const struct zip_entry *zip_find(const struct zip *zip, const char *name, size_t length)
{
    struct zip_entry key = {.name = name, .name_length = length};
    return bsearch(&key, zip->entries, zip->count, sizeof(key), compare_entries);
}

static int inflate_entry(const struct zip_entry *entry, uint8_t *out)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)entry->data, .next_out = out};
    if (entry->packed_size > UINT32_MAX || entry->size > UINT32_MAX)
        return -ENOTSUP;
    stream.avail_in = (uInt)entry->packed_size;
    stream.avail_out = (uInt)entry->size;
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return -ENOMEM;
    int result = inflate(&stream, Z_FINISH);
    size_t written = entry->size - stream.avail_out;
    inflateEnd(&stream);
    if (result != Z_STREAM_END || written != entry->size)
        return -EINVAL;
    return crc32(0, out, (uInt)written) == entry->crc ? 0 : -EINVAL;
}

int zip_read(const struct zip_entry *entry, const uint8_t **data, void **owned)
{
    *data = NULL;
    *owned = NULL;
    if (entry->flags & FLAG_ENCRYPTED)
        return -ENOTSUP;
    if (entry->method == METHOD_STORED) {
        if (entry->size != entry->packed_size)
            return -EINVAL;
        *data = entry->data; /* its checksum is left alone: torch writes one only when asked to */
        return 0;
    }
    if (entry->method != METHOD_DEFLATED)
        return -ENOTSUP;
    uint8_t *out = malloc(entry->size + 1);
    if (!out)
        return -ENOMEM;
    int error = inflate_entry(entry, out);
    if (error) {
        free(out);
        return error;
    }
    *owned = out;
    *data = out;
    return 0;
}
