/* SPDX-License-Identifier: MIT */
#include "engine/import/flatbuffer.h"

#include <string.h>

static bool inside(struct fb *fb, size_t at, size_t bytes)
{
    if (!fb->broken && at <= fb->size && bytes <= fb->size - at)
        return true;
    fb->broken = true;
    return false;
}

static uint64_t read_uint(struct fb *fb, size_t at, int bytes)
{
    uint64_t value = 0;
    if (inside(fb, at, (size_t)bytes))
        for (int i = 0; i < bytes; i++)
            value |= (uint64_t)fb->bytes[at + (size_t)i] << (8 * i);
    return value;
}

static struct fb_table table_at(struct fb *fb, size_t at)
{
    struct fb_table none = {0};
    int64_t back = (int32_t)read_uint(fb, at, 4);
    int64_t vtable = (int64_t)at - back;
    if (fb->broken || vtable < 0 || !inside(fb, (size_t)vtable, 4)) {
        fb->broken = true;
        return none;
    }
    struct fb_table table = {at, (size_t)vtable, (size_t)read_uint(fb, (size_t)vtable, 2)};
    return table.vtable_bytes >= 4 && inside(fb, table.vtable, table.vtable_bytes) ? table : none;
}

struct fb_table fb_root(struct fb *fb)
{
    return table_at(fb, (size_t)read_uint(fb, 0, 4));
}

/* Where a field's bytes are, 0 when it is absent. */
static size_t field_at(struct fb *fb, struct fb_table table, int field)
{
    size_t slot = 4 + 2 * (size_t)field;
    if (!table.at || slot + 2 > table.vtable_bytes)
        return 0;
    size_t offset = (size_t)read_uint(fb, table.vtable + slot, 2);
    return offset ? table.at + offset : 0;
}

bool fb_has(struct fb *fb, struct fb_table table, int field)
{
    return field_at(fb, table, field) != 0;
}

int64_t fb_int(struct fb *fb, struct fb_table table, int field, int bytes, bool is_signed, int64_t value)
{
    size_t at = field_at(fb, table, field);
    if (!at)
        return value;
    uint64_t raw = read_uint(fb, at, bytes);
    if (is_signed && bytes < 8 && raw >> (8 * bytes - 1))
        raw |= ~UINT64_C(0) << (8 * bytes);
    return (int64_t)raw;
}

float fb_float(struct fb *fb, struct fb_table table, int field, float value)
{
    size_t at = field_at(fb, table, field);
    if (at && inside(fb, at, 4))
        memcpy(&value, fb->bytes + at, 4);
    return value;
}

static size_t pointed_at(struct fb *fb, size_t at)
{
    uint64_t distance = read_uint(fb, at, 4);
    if (distance == 0)
        fb->broken = true;
    return fb->broken ? 0 : at + (size_t)distance;
}

struct fb_table fb_child(struct fb *fb, struct fb_table table, int field)
{
    struct fb_table none = {0};
    size_t at = field_at(fb, table, field);
    size_t target = at ? pointed_at(fb, at) : 0;
    return target ? table_at(fb, target) : none;
}

struct fb_vector fb_vector(struct fb *fb, struct fb_table table, int field, size_t element_bytes)
{
    struct fb_vector none = {0};
    size_t at = field_at(fb, table, field);
    size_t target = at ? pointed_at(fb, at) : 0;
    if (!target)
        return none;
    uint64_t count = read_uint(fb, target, 4);
    if (fb->broken || !inside(fb, target + 4, (size_t)count * element_bytes))
        return none;
    return (struct fb_vector){fb->bytes + target + 4, target + 4, (uint32_t)count};
}

struct fb_table fb_at(struct fb *fb, struct fb_vector vector, uint32_t index)
{
    struct fb_table none = {0};
    size_t target = index < vector.count ? pointed_at(fb, vector.at + 4 * (size_t)index) : 0;
    return target ? table_at(fb, target) : none;
}
