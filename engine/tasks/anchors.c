/* SPDX-License-Identifier: MIT */
#include "engine/tasks/tasks.h"

#include <math.h>

struct list {
    float (*anchor)[4];
    int count, most;
};

static void add(struct list *list, int row, int column, int grid, float scale, float aspect)
{
    if (list->count < list->most) {
        float *a = list->anchor[list->count];
        a[0] = ((float)row + 0.5f) / (float)grid;
        a[1] = ((float)column + 0.5f) / (float)grid;
        a[2] = scale / sqrtf(aspect);
        a[3] = scale * sqrtf(aspect);
    }
    list->count++;
}

static float scale_of(const struct pipit_ssd *ssd, int map)
{
    if (map >= ssd->maps)
        return 1;
    return ssd->min_scale +
           (ssd->max_scale - ssd->min_scale) * (float)map / (float)(ssd->maps > 1 ? ssd->maps - 1 : 1);
}

static void add_cell(struct list *list, const struct pipit_ssd *ssd, int map, int row, int column)
{
    int grid = ssd->grid[map];
    if (map == 0 && ssd->reduce_lowest) {
        add(list, row, column, grid, 0.1f, 1);
        add(list, row, column, grid, ssd->min_scale, 2);
        add(list, row, column, grid, ssd->min_scale, 0.5f);
        return;
    }
    for (int i = 0; i < ssd->aspects; i++)
        add(list, row, column, grid, scale_of(ssd, map), ssd->aspect[i]);
    if (ssd->interpolated)
        add(list, row, column, grid, sqrtf(scale_of(ssd, map) * scale_of(ssd, map + 1)), 1);
}

int ssd_anchors(const struct pipit_ssd *ssd, float (*anchor)[4], int most)
{
    struct list list = {anchor, 0, most};
    for (int map = 0; map < ssd->maps; map++)
        for (int row = 0; row < ssd->grid[map]; row++)
            for (int column = 0; column < ssd->grid[map]; column++)
                add_cell(&list, ssd, map, row, column);
    return list.count;
}
