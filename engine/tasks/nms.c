/* SPDX-License-Identifier: MIT */
#include "engine/tasks/tasks.h"

#include <math.h>
#include <stdlib.h>

static int by_score(const void *x, const void *y)
{
    const struct candidate *a = x, *b = y;
    if (a->score != b->score)
        return a->score < b->score ? 1 : -1;
    return (a->index > b->index) - (a->index < b->index);
}

void sort_candidates(struct candidate *candidates, int count)
{
    qsort(candidates, (size_t)count, sizeof(*candidates), by_score);
}

static float overlap(const float *a, const float *b)
{
    float w = fminf(a[2], b[2]) - fmaxf(a[0], b[0]), h = fminf(a[3], b[3]) - fmaxf(a[1], b[1]);
    float both = fmaxf(w, 0) * fmaxf(h, 0);
    float all = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both;
    return all > 0 ? both / all : 0;
}

int suppress(struct candidate *candidates, int count, float iou)
{
    int kept = 0;
    sort_candidates(candidates, count);
    for (int i = 0; i < count; i++) {
        bool better = false;
        for (int k = 0; k < kept && !better; k++)
            better = overlap(candidates[k].box, candidates[i].box) > iou;
        if (!better)
            candidates[kept++] = candidates[i];
    }
    return kept;
}
