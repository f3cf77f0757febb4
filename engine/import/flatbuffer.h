/* SPDX-License-Identifier: MIT */
/*
 * A reader of FlatBuffers (flatbuffers.dev, "Internals") in which every access is checked.
 *
 *   file    u32 offset of the root table, 4 bytes of identifier, then objects in any order
 *   table   i32 distance back to its vtable, then fields at the vtable's offsets
 *   vtable  u16 bytes of itself, u16 bytes of the table, then for each field u16 its offset in the table; 0:
 * absent vector  u32 count, then elements; a string is a vector of bytes with a 0 behind it A field that
 * holds a table, vector or string has a u32 distance to it, from the field's own place.
 *
 * The first access that leaves the file sets `broken` and gives a default; so does every later one. Readers
 * go on and ask once at the end.
 */
#ifndef PIPIT_ENGINE_IMPORT_FLATBUFFER_H
#define PIPIT_ENGINE_IMPORT_FLATBUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fb {
    const uint8_t *bytes;
    size_t size;
    bool broken;
};

struct fb_table {
    size_t at; /* 0: absent */
    size_t vtable, vtable_bytes;
};

struct fb_vector {
    const uint8_t *data; /* in the file, little-endian, of any alignment */
    size_t at;           /* offset of the first element */
    uint32_t count;      /* 0 when it is absent */
};

struct fb_table fb_root(struct fb *fb);
/* Fields by their number in the schema, or `value` when absent. */
int64_t fb_int(struct fb *fb, struct fb_table table, int field, int bytes, bool is_signed, int64_t value);
float fb_float(struct fb *fb, struct fb_table table, int field, float value);
struct fb_table fb_child(struct fb *fb, struct fb_table table, int field);
struct fb_vector fb_vector(struct fb *fb, struct fb_table table, int field, size_t element_bytes);
/* Element of a vector of tables. */
struct fb_table fb_at(struct fb *fb, struct fb_vector vector, uint32_t index);
bool fb_has(struct fb *fb, struct fb_table table, int field);

static inline int64_t fb_i32(struct fb *fb, struct fb_table t, int field, int32_t value)
{
    return fb_int(fb, t, field, 4, true, value);
}

static inline int64_t fb_u8(struct fb *fb, struct fb_table t, int field, uint8_t value)
{
    return fb_int(fb, t, field, 1, false, value);
}

/* Elements of vectors, of which there may be tens of thousands. */
static inline int32_t fb_i32_at(struct fb_vector vector, uint32_t index)
{
    int32_t value;
    memcpy(&value, vector.data + 4 * (size_t)index, 4);
    return value;
}

static inline int64_t fb_i64_at(struct fb_vector vector, uint32_t index)
{
    int64_t value;
    memcpy(&value, vector.data + 8 * (size_t)index, 8);
    return value;
}

static inline float fb_f32_at(struct fb_vector vector, uint32_t index)
{
    float value;
    memcpy(&value, vector.data + 4 * (size_t)index, 4);
    return value;
}

#endif
