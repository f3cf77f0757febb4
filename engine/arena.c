/* SPDX-License-Identifier: MIT */
#include "engine/arena.h"

#include <stdlib.h>

enum { ALIGN = 64 };

static int larger_first(const void *a, const void *b)
{
    const struct block *const *x = a, *const *y = b;
    if ((*x)->bytes != (*y)->bytes)
        return (*x)->bytes < (*y)->bytes ? 1 : -1;
    return *x < *y ? -1 : 1; /* the same plan everywhere */
}

static size_t room(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* `placed` is sorted by offset. */
static size_t lowest_offset(struct block *const *placed, int count, const struct block *block)
{
    size_t offset = 0;
    for (int i = 0; i < count; i++) {
        const struct block *other = placed[i];
        if (other->last < block->first || block->last < other->first)
            continue;
        if (offset + room(block->bytes) <= other->offset)
            break;
        if (other->offset + room(other->bytes) > offset)
            offset = other->offset + room(other->bytes);
    }
    return offset;
}

static void insert_by_offset(struct block **placed, int count, struct block *block)
{
    int i = count;
    for (; i > 0 && placed[i - 1]->offset > block->offset; i--)
        placed[i] = placed[i - 1];
    placed[i] = block;
}

size_t arena_layout(struct block *block, int count)
{
    struct block **order = malloc(2 * ((size_t)count + 1) * sizeof(*order));
    if (!order)
        return (size_t)-1;
    struct block **placed = order + count + 1;
    for (int i = 0; i < count; i++)
        order[i] = &block[i];
    qsort(order, (size_t)count, sizeof(*order), larger_first);
    size_t end = 0;
    for (int i = 0; i < count; i++) {
        order[i]->offset = lowest_offset(placed, i, order[i]);
        insert_by_offset(placed, i, order[i]);
        if (order[i]->offset + room(order[i]->bytes) > end)
            end = order[i]->offset + room(order[i]->bytes);
    }
    free(order);
    return end;
}
