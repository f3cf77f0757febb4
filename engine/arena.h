/* SPDX-License-Identifier: MIT */
/* Places blocks with known lifetimes in one arena: largest first, each at the lowest free offset (greedy by
 * size; Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net Inference, 2020). */
#ifndef PIPIT_ENGINE_ARENA_H
#define PIPIT_ENGINE_ARENA_H

#include <stddef.h>

struct block {
    size_t bytes;
    int first, last; /* steps, inclusive, between which it holds something */
    size_t offset;   /* set by arena_layout(); a multiple of 64 */
};

/* Returns the arena's size, or (size_t)-1 when out of memory. */
size_t arena_layout(struct block *block, int count);

#endif
