/* SPDX-License-Identifier: MIT */
/* Whole pages from the system, for what is large: weights, activations, files. */
#ifndef PIPIT_ENGINE_PAGES_H
#define PIPIT_ENGINE_PAGES_H

#include <stddef.h>

/* Zeroed, and takes no memory before it is touched. Of the first `sure` bytes, which will all be used, whole
 * 2 MiB are huge pages where the system has them: a fault each in place of 512, and fewer misses of the TLB.
 * NULL: no memory, or a size of 0. */
void *pages_map(size_t size, size_t sure);
/* The same bytes, or the whole huge pages that hold them where less than half a one stays empty. */
size_t pages_round(size_t size);
/* Gives the memory of the whole pages in a part back to the system. */
void pages_forget(void *part, size_t size);
void pages_unmap(void *pages, size_t size); /* NULL: nothing */

#endif
