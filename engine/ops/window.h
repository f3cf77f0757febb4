/* SPDX-License-Identifier: MIT */
/* The input rows under a row of windows, with the padding in them: where a window hangs over the edge, rows
 * are copied once into a worker's ring of rows, or made there; else they are read where they are. */
#ifndef PIPIT_ENGINE_OPS_WINDOW_H
#define PIPIT_ENGINE_OPS_WINDOW_H

#include "engine/ops/geometry.h"
#include "engine/ops/rows.h"

struct window_rows {
    const struct geometry *geometry;
    const void *in;      /* the whole tensor */
    char *ring;          /* window_bytes() of scratch */
    char *blank;         /* window_blank_bytes(), or NULL */
    int outside;         /* the byte that padding is made of */
    int together;        /* output rows asked for at once, at most */
    int held;            /* rows of the padded image before this one have been copied; window_start() */
    struct rows *source; /* makes the rows that `in` has not; NULL: `in` has them */
};

bool window_pads(const struct geometry *geometry);
int window_reach(const struct geometry *geometry, int dimension); /* input rows or columns under a window */
int window_list(const struct geometry *geometry, int together);   /* rows that window_read() lists, at most */
size_t window_bytes(const struct geometry *geometry, int together, bool made);

/* Before the first row of a worker's share, and of each image. */
static inline void window_start(struct window_rows *rows)
{
    rows->held = 0;
}

/* list[k]: input row k under output rows y, y + 1, ... of an image, from the leftmost column under the first
 * window on. Rows must be asked for from top to bottom. */
void window_read(struct window_rows *rows, int image, int y, int together, const void **list);

/* For kernels that make columns of padding themselves: no row is copied. */
int window_after(const struct geometry *geometry);          /* columns of padding behind the input's */
size_t window_blank_bytes(const struct geometry *geometry); /* of rows->blank */
void window_blank(struct window_rows *rows);                /* makes it a row of padding; once */
size_t window_made_bytes(const struct geometry *geometry, int together); /* of rows->ring, with a source */
/* list[k]: as window_read(), from the input's first column on; where there is no row, rows->blank. */
void window_list_rows(struct window_rows *rows, int image, int y, int together, const void **list);

#endif
