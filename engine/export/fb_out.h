/* SPDX-License-Identifier: MIT */
/*
 * A writer of FlatBuffers (flatbuffers.dev, "Internals"; the layout is told in import/flatbuffer.h), front to
 * back: a table or a vector of tables first, then what it points to, so that every distance is positive.
 * Tables and vectors go by their place in the bytes. When memory runs out, `failed` is set and all that
 * follows does nothing; writers ask once at the end.
 */
#ifndef PIPIT_ENGINE_EXPORT_FB_OUT_H
#define PIPIT_ENGINE_EXPORT_FB_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fb_out {
    uint8_t *bytes; /* malloc()ed; the caller may take them when all is written */
    size_t size, room;
    bool failed;
};

/* Begins a file: 4 bytes of identifier. The first table becomes its root. */
void fb_out_init(struct fb_out *out, const char *identifier);
void fb_out_finish(struct fb_out *out);

/* Bytes as they are, on a multiple of `align` (a power of 2); returns their place. */
size_t fb_out_bytes(struct fb_out *out, const void *bytes, size_t size, size_t align);
/* A table with a letter for each field of the schema, in its order, and a value for each but 'o' and '-':
 * 'b' a byte (int), 'i' 32 bits (int), 'f' a float (double), 'o' an offset, set by fb_out_point(), '-'
 * absent.
 */
size_t fb_out_table(struct fb_out *out, const char *fields, ...);
/* A vector of `count` elements of so many bytes, the first on a multiple of `align`. */
size_t fb_out_vector(struct fb_out *out, const void *elements, size_t count, size_t element_bytes,
                     size_t align);
size_t fb_out_longs(struct fb_out *out, const int32_t *values, size_t count); /* of 64-bit integers */
size_t fb_out_string(struct fb_out *out, const char *text);
/* A vector of `count` offsets, set by fb_out_point_at(). */
size_t fb_out_offsets(struct fb_out *out, size_t count);

/* The table's field, or the vector's element, now points to `target`, which lies behind it. */
void fb_out_point(struct fb_out *out, size_t table, int field, size_t target);
void fb_out_point_at(struct fb_out *out, size_t vector, size_t index, size_t target);

#endif
