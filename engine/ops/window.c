/* SPDX-License-Identifier: MIT */
#include "engine/ops/window.h"

#include <string.h>

int window_reach(const struct geometry *g, int d)
{
    return (g->size[d] - 1) * g->dilation[d] + 1;
}

static int padded_size(const struct geometry *g, int d)
{
    return (g->out[d] - 1) * g->stride[d] + window_reach(g, d);
}

bool window_pads(const struct geometry *g)
{
    for (int d = 0; d < 2; d++)
        if (g->before[d] > 0 || padded_size(g, d) > g->in[d])
            return true;
    return false;
}

int window_list(const struct geometry *g, int together)
{
    return (together - 1) * g->stride[0] + window_reach(g, 0);
}

static size_t slot_bytes(size_t columns, const struct geometry *g)
{
    return (columns * g->pixel_bytes + 127) / 64 * 64; /* kernels may read ahead */
}

static size_t row_bytes(const struct geometry *g)
{
    int width = padded_size(g, 1), made = g->before[1] + g->in[1];
    return slot_bytes((size_t)(width > made ? width : made), g);
}

size_t window_bytes(const struct geometry *g, int together, bool made)
{
    return made || window_pads(g) ? row_bytes(g) * (size_t)window_list(g, together) : 0;
}

static const char *input_row(const struct window_rows *rows, int image, int y)
{
    const struct geometry *g = rows->geometry;
    size_t row = (size_t)image * (size_t)g->in[0] + (size_t)y;
    return (const char *)rows->in + row * (size_t)g->in[1] * g->pixel_bytes;
}

static void copy_row(const struct window_rows *rows, int image, int y, char *to)
{
    const struct geometry *g = rows->geometry;
    int width = padded_size(g, 1), inside = width - g->before[1];
    if (y < 0 || y >= g->in[0]) {
        memset(to, rows->outside, (size_t)width * g->pixel_bytes);
        return;
    }
    inside = inside < 0 ? 0 : inside < g->in[1] ? inside : g->in[1];
    int left = width - inside < g->before[1] ? width - inside : g->before[1];
    size_t before = (size_t)left * g->pixel_bytes, middle = (size_t)inside * g->pixel_bytes;
    memset(to, rows->outside, before);
    if (rows->source)
        rows->source->make(rows->source, image * g->in[0] + y, 1, to + before);
    else
        memcpy(to + before, input_row(rows, image, y), middle);
    memset(to + before + middle, rows->outside, (size_t)width * g->pixel_bytes - before - middle);
}

void window_read(struct window_rows *rows, int image, int y, int together, const void **list)
{
    const struct geometry *g = rows->geometry;
    int slots = window_list(g, rows->together), count = window_list(g, together), top = y * g->stride[0];
    bool copies = rows->source || window_pads(g);
    for (int k = 0; k < count; k++) {
        char *slot = rows->ring + (size_t)((top + k) % slots) * row_bytes(g);
        if (copies && top + k >= rows->held)
            copy_row(rows, image, top + k - g->before[0], slot);
        list[k] = copies ? slot : input_row(rows, image, top + k);
    }
    if (top + count > rows->held)
        rows->held = top + count;
}

int window_after(const struct geometry *g)
{
    int after = padded_size(g, 1) - g->before[1] - g->in[1];
    return after > 0 ? after : 0;
}

size_t window_blank_bytes(const struct geometry *g)
{
    return window_pads(g) ? slot_bytes((size_t)g->in[1], g) : 0;
}

void window_blank(struct window_rows *rows)
{
    const struct geometry *g = rows->geometry;
    if (window_pads(g))
        memset(rows->blank, rows->outside, (size_t)g->in[1] * g->pixel_bytes);
}

size_t window_made_bytes(const struct geometry *g, int together)
{
    return slot_bytes((size_t)g->in[1], g) * (size_t)window_list(g, together);
}

static const char *made_row(struct window_rows *rows, int image, int y)
{
    const struct geometry *g = rows->geometry;
    char *slot = rows->ring + (size_t)(y % window_list(g, rows->together)) * slot_bytes((size_t)g->in[1], g);
    if (y >= rows->held) {
        rows->source->make(rows->source, image * g->in[0] + y, 1, slot);
        rows->held = y + 1;
    }
    return slot;
}

void window_list_rows(struct window_rows *rows, int image, int y, int together, const void **list)
{
    const struct geometry *g = rows->geometry;
    int count = window_list(g, together), top = y * g->stride[0] - g->before[0];
    for (int k = 0; k < count; k++) {
        int row = top + k;
        if (row < 0 || row >= g->in[0])
            list[k] = rows->blank;
        else
            list[k] = rows->source ? made_row(rows, image, row) : input_row(rows, image, row);
    }
}
