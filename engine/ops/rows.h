/* SPDX-License-Identifier: MIT */
/* Steps whose output is made a few rows at a time, so that it need not lie in memory as a whole: chained
 * nodes (engine/chain.h) take each other's rows while these are in the cache. */
#ifndef PIPIT_ENGINE_OPS_ROWS_H
#define PIPIT_ENGINE_OPS_ROWS_H

#include "engine/plan.h"

/* What a worker needs for it; lies at the beginning of its scratch. */
struct rows {
    /* Output rows `at` and on, counted through all images, one behind the other. Of an image rows are asked
     * for from top to bottom, the first of all anywhere, those of other images from their top. */
    void (*make)(struct rows *rows, int at, int count, char *to);
};

/* Chunks of so many rows that are worth making: each makes the rows above its own a second time. */
enum { ROWS_LEAST = 8 };
static inline int rows_grains(const struct step *step, int rows)
{
    return step->source ? rows / ROWS_LEAST : rows;
}

/* Of a step's input. NULL: it lies in memory. */
static inline struct rows *rows_begin(const struct step *source, char *scratch)
{
    return source ? source->rows(source, scratch) : NULL;
}

static inline size_t rows_scratch(const struct step *source)
{
    return source ? source->worker_bytes : 0;
}

#endif
