/* SPDX-License-Identifier: MIT */
/* Memory that lives and dies together: many allocations, one release. Not thread safe. */
#ifndef PIPIT_ENGINE_POOL_H
#define PIPIT_ENGINE_POOL_H

#include <stddef.h>

struct pool {
    struct pool_block *blocks; /* NULL: empty; a zeroed pool is ready for use */
    size_t bytes;              /* handed out, without overhead */
};

/* Zeroed memory, 64-byte aligned, that lives until pool_finish(). NULL when there is none (or size * count
 * overflows). A size of 0 gives a valid pointer. */
void *pool_alloc(struct pool *pool, size_t count, size_t size);
/* A hint: so many bytes will be asked for, and a few more. They will lie in one piece, and take no memory
 * before they are used. */
void pool_expect(struct pool *pool, size_t bytes);
/* Gives the memory of a part back to the system, if it is whole pages that are not the heap's; what lay there
 * must not be read from then on. */
void pool_forget(const struct pool *pool, const void *memory, size_t size);
char *pool_strndup(struct pool *pool, const char *text, size_t length);
void pool_finish(struct pool *pool);

#endif
