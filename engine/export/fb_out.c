/* SPDX-License-Identifier: MIT */
#include "engine/export/fb_out.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 16 };

static bool make_room(struct fb_out *out, size_t more)
{
    if (out->failed || more > SIZE_MAX / 4 - out->size) {
        out->failed = true;
        return false;
    }
    if (out->size + more <= out->room)
        return true;
    size_t wanted = 2 * (out->size + more);
    uint8_t *bigger = realloc(out->bytes, wanted);
    out->failed = !bigger;
    if (!bigger)
        return false;
    out->bytes = bigger;
    out->room = wanted;
    return true;
}

size_t fb_out_bytes(struct fb_out *out, const void *bytes, size_t size, size_t align)
{
    size_t gap = (align - out->size % align) % align;
    if (!make_room(out, gap + size))
        return 0;
    memset(out->bytes + out->size, 0, gap);
    size_t at = out->size + gap;
    if (size)
        memcpy(out->bytes + at, bytes, size);
    out->size = at + size;
    return at;
}

static void set_u32(struct fb_out *out, size_t at, size_t value)
{
    uint32_t word = (uint32_t)value;
    if (!out->failed)
        memcpy(out->bytes + at, &word, sizeof(word));
}

void fb_out_init(struct fb_out *out, const char *identifier)
{
    char head[8] = {0};
    memcpy(head + 4, identifier, 4);
    *out = (struct fb_out){0};
    fb_out_bytes(out, head, sizeof(head), 4);
}

void fb_out_finish(struct fb_out *out)
{
    free(out->bytes);
    *out = (struct fb_out){0};
}

static size_t size_of(char kind)
{
    return kind == '-' ? 0 : kind == 'b' ? 1 : 4;
}

/* Where each field lies in the table, 0: absent; words first, so that they are aligned. Returns its bytes. */
static size_t lay_out(const char *fields, size_t count, uint16_t *offset)
{
    size_t end = 4;
    for (size_t bytes = 4; bytes; bytes = bytes == 4 ? 1 : 0)
        for (size_t i = 0; i < count; i++)
            if (size_of(fields[i]) == bytes) {
                offset[i] = (uint16_t)end;
                end += bytes;
            }
    return end;
}

size_t fb_out_table(struct fb_out *out, const char *fields, ...)
{
    size_t count = strlen(fields);
    uint16_t vtable[2 + FIELDS_MAX] = {0};
    uint8_t table[4 + 4 * FIELDS_MAX] = {0};
    size_t bytes = lay_out(fields, count, vtable + 2);
    vtable[0] = (uint16_t)(4 + 2 * count);
    vtable[1] = (uint16_t)bytes;
    va_list values;
    va_start(values, fields);
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = table + vtable[2 + i];
        if (fields[i] == 'f') {
            float real = (float)va_arg(values, double);
            memcpy(at, &real, sizeof(real));
        } else if (fields[i] == 'i' || fields[i] == 'b') {
            int32_t whole = va_arg(values, int);
            memcpy(at, &whole, size_of(fields[i]));
        }
    }
    va_end(values);
    size_t first = fb_out_bytes(out, vtable, vtable[0], 2), at = fb_out_bytes(out, table, bytes, 4);
    set_u32(out, at, at - first);
    if (!out->failed && !memcmp(out->bytes, "\0\0\0\0", 4))
        set_u32(out, 0, at);
    return at;
}

/* The count stands right before the first element. */
static size_t begin_vector(struct fb_out *out, size_t count, size_t align)
{
    static const uint8_t zeros[16] = {0};
    size_t after = (out->size + 4) % align, gap = after ? align - after : 0;
    uint32_t word = (uint32_t)count;
    fb_out_bytes(out, zeros, gap, 1);
    return fb_out_bytes(out, &word, sizeof(word), 1);
}

size_t fb_out_vector(struct fb_out *out, const void *elements, size_t count, size_t element_bytes,
                     size_t align)
{
    size_t at = begin_vector(out, count, align < 4 ? 4 : align);
    fb_out_bytes(out, elements, count * element_bytes, 1);
    return at;
}

size_t fb_out_longs(struct fb_out *out, const int32_t *values, size_t count)
{
    size_t at = begin_vector(out, count, sizeof(int64_t));
    for (size_t i = 0; i < count; i++)
        fb_out_bytes(out, &(int64_t){values[i]}, sizeof(int64_t), 1);
    return at;
}

size_t fb_out_string(struct fb_out *out, const char *text)
{
    size_t at = fb_out_vector(out, text, strlen(text), 1, 4);
    fb_out_bytes(out, "", 1, 1);
    return at;
}

size_t fb_out_offsets(struct fb_out *out, size_t count)
{
    size_t at = begin_vector(out, count, 4);
    if (make_room(out, 4 * count)) {
        memset(out->bytes + out->size, 0, 4 * count);
        out->size += 4 * count;
    }
    return at;
}

void fb_out_point(struct fb_out *out, size_t table, int field, size_t target)
{
    uint32_t back;
    uint16_t offset;
    if (out->failed)
        return;
    memcpy(&back, out->bytes + table, sizeof(back));
    memcpy(&offset, out->bytes + table - back + 4 + 2 * (size_t)field, sizeof(offset));
    set_u32(out, table + offset, target - (table + offset));
}

void fb_out_point_at(struct fb_out *out, size_t vector, size_t index, size_t target)
{
    size_t at = vector + 4 + 4 * index;
    set_u32(out, at, target - at);
}
