/* SPDX-License-Identifier: MIT */
/* The input rows under a row of windows, with the padding in them: where a window hangs over the edge, rows
 * are copied once into a worker's ring of rows; else they are read where they are. */
#ifndef PIPIT_ENGINE_OPS_WINDOW_H
#define PIPIT_ENGINE_OPS_WINDOW_H

#include "engine/ops/geometry.h"

struct window_rows {
    const struct geometry *geometry;
    const void *in; /* the whole tensor */
    char *ring;     /* window_bytes() of scratch */
    int outside;    /* the byte that padding is made of */
    int together;   /* output rows asked for at once, at most */
    int held;       /* rows of the padded image before this one have been copied; window_start() */
};

bool window_pads(const struct geometry *geometry);
int window_reach(const struct geometry *geometry, int dimension); /* input rows or columns under a window */
int window_list(const struct geometry *geometry, int together);   /* rows that window_read() lists, at most */
size_t window_bytes(const struct geometry *geometry, int together);

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
size_t window_blank_bytes(const struct geometry *geometry); /* of rows->ring */
void window_blank(struct window_rows *rows);                /* makes it a row of padding; once */
/* list[k]: as window_read(), from the input's first column on; where there is no row, rows->ring. */
void window_list_rows(const struct window_rows *rows, int image, int y, int together, const void **list);

#endif
