/* SPDX-License-Identifier: MIT */
#include "engine/pool.h"

#include "engine/pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, SMALL_BLOCK = 16 << 10, LARGE_BLOCK = 256 << 10 };

struct pool_block {
    struct pool_block *next;
    void *memory;      /* to be freed; this header is at the first multiple of ALIGN in it */
    size_t mapped;     /* bytes of pages at `memory`; 0: it is the heap's */
    size_t used, size; /* bytes after this header, which is ALIGN long */
};

static struct pool_block *block_create(size_t size, size_t sure)
{
    const bool large = size >= LARGE_BLOCK;
    size_t bytes = 2 * ALIGN + (size + ALIGN - 1) / ALIGN * ALIGN;
    sure = pages_round(sure);
    if (bytes < sure)
        bytes = sure;
    void *memory = large ? pages_map(bytes, sure) : calloc(1, bytes);
    if (!memory)
        return NULL;
    struct pool_block *block = (void *)(((uintptr_t)memory + ALIGN - 1) / ALIGN * ALIGN);
    block->memory = memory;
    block->mapped = large ? bytes : 0;
    block->size = bytes - 2 * ALIGN;
    return block;
}

static void block_destroy(struct pool_block *block)
{
    if (block->mapped)
        pages_unmap(block->memory, block->mapped);
    else
        free(block->memory);
}

static struct pool_block *block_with_room(struct pool *pool, size_t size)
{
    struct pool_block *first = pool->blocks;
    if (first && first->size - first->used >= size)
        return first;
    struct pool_block *block = block_create(size > SMALL_BLOCK / 4 ? size : SMALL_BLOCK, size);
    if (!block)
        return NULL;
    if (first && size > SMALL_BLOCK / 4) { /* a large one goes behind, so that the first keeps its room */
        block->next = first->next;
        first->next = block;
    } else {
        block->next = first;
        pool->blocks = block;
    }
    return block;
}

void pool_expect(struct pool *pool, size_t bytes)
{
    struct pool_block *block = bytes < LARGE_BLOCK || bytes > PTRDIFF_MAX / 2
                                   ? NULL
                                   : block_create(bytes + bytes / 4 + LARGE_BLOCK, bytes);
    if (!block)
        return;
    block->next = pool->blocks;
    pool->blocks = block;
}

void *pool_alloc(struct pool *pool, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX / 2)
        return NULL;
    size_t rounded = bytes ? (bytes + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
    struct pool_block *block = block_with_room(pool, rounded);
    if (!block)
        return NULL;
    void *memory = (char *)block + ALIGN + block->used;
    block->used += rounded;
    pool->bytes += bytes;
    return memory;
}

void pool_forget(const struct pool *pool, const void *memory, size_t size)
{
    uintptr_t first = (uintptr_t)memory;
    for (struct pool_block *block = pool->blocks; block; block = block->next)
        if (block->mapped && first >= (uintptr_t)block->memory &&
            first + size <= (uintptr_t)block->memory + block->mapped)
            pages_forget((void *)first, size);
}

char *pool_strndup(struct pool *pool, const char *text, size_t length)
{
    char *copy = pool_alloc(pool, length + 1, 1);
    if (copy)
        memcpy(copy, text, length);
    return copy;
}

void pool_finish(struct pool *pool)
{
    while (pool->blocks) {
        struct pool_block *next = pool->blocks->next;
        block_destroy(pool->blocks);
        pool->blocks = next;
    }
    pool->bytes = 0;
}
