/* SPDX-License-Identifier: MIT */
/*
 * Makes 8-bit pictures smaller. Each output is the average of the area that it covers: a sample weighs as
 * much as lies within. Fixed point, the same on every machine, at most one step from the exact average.
 */
#ifndef PIPIT_BASE_SHRINK_H
#define PIPIT_BASE_SHRINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shrink_size {
    int in[2], out[2]; /* width, height in pixels; none of `out` is more than that of `in` */
    int channels;      /* samples of a pixel, side by side */
};

/* Which bytes of a row are samples: of YUYV, luma is at even places and chroma at odd ones. */
enum shrink_places { SHRINK_ALL, SHRINK_EVEN, SHRINK_ODD };

struct shrink_in {
    const uint8_t *data;
    ptrdiff_t stride; /* bytes from one row to the next */
    enum shrink_places places;
};

/* Tables and scratch memory for one pair of sizes; used by one thread at a time. */
struct shrink;
struct shrink *shrink_create(const struct shrink_size *size); /* NULL: out of memory */
void shrink_destroy(struct shrink *shrink);                   /* takes NULL */
const struct shrink_size *shrink_size(const struct shrink *shrink);

/* Makes rows y to y + rows of the result. out[c] is where the first of them goes of channel c, a byte a
 * sample; NULL: nowhere. */
void shrink_rows(struct shrink *shrink, const struct shrink_in *in, int y, int rows, uint8_t *const out[],
                 ptrdiff_t stride);

#endif
