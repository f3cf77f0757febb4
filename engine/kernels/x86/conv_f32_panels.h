/* SPDX-License-Identifier: MIT */
/* All pixels and channels of a conv_tile, in the tiles of conv_f32_tiles.h. */
#ifndef PIPIT_ENGINE_KERNELS_X86_CONV_F32_PANELS_H
#define PIPIT_ENGINE_KERNELS_X86_CONV_F32_PANELS_H

#include "engine/kernels/x86/conv_f32_tiles.h"

#define WHOLE(n, panels)                                                                                     \
    case n:                                                                                                  \
        tile_of(work, first, n, panels);                                                                     \
        break;
#define HALVES(n, panels)                                                                                    \
    case n:                                                                                                  \
        tile_of_half(work, first, n);                                                                        \
        break;
#define TO_3(of, panels) of(1, panels) of(2, panels) of(3, panels)
#define TO_8(of, panels)                                                                                     \
    TO_3(of, panels) of(4, panels) of(5, panels) of(6, panels) of(7, panels) of(8, panels)
#define TO_13(of, panels)                                                                                    \
    TO_8(of, panels) of(9, panels) of(10, panels) of(11, panels) of(12, panels) of(13, panels)
#define ROWS(name, cases)                                                                                    \
    static void name(const struct work *work, int first, int rows)                                           \
    {                                                                                                        \
        switch (rows) {                                                                                      \
            cases                                                                                            \
        }                                                                                                    \
    }
ROWS(rows_by_1, TO_13(WHOLE, 1))
ROWS(rows_by_2, TO_13(WHOLE, 2))
ROWS(rows_by_3, TO_8(WHOLE, 3))
ROWS(rows_by_4, TO_3(WHOLE, 4))
ROWS(rows_of_half, TO_13(HALVES, 1))

/* Tiles of equal height or one pixel less, so that none is a mere rest. */
static void run_tiles(const struct work *work, int most, void (*run)(const struct work *, int, int))
{
    int pixels = work->tile->pixels, tiles = (pixels + most - 1) / most;
    for (int i = 0; i < tiles; i++) {
        int first = pixels * i / tiles;
        run(work, first, pixels * (i + 1) / tiles - first);
    }
}

/* Returns how many panels it made, of `panels` whole ones that are left. */
static int run_panels(const struct work *work, int panels)
{
    bool few = work->tile->pixels <= 3;
    if (panels == 0)
        run_tiles(work, TILE, rows_of_half);
    else if (panels >= 4 && few)
        run_tiles(work, 3, rows_by_4);
    else if (panels == 3)
        run_tiles(work, 8, rows_by_3);
    else if (panels >= 2)
        run_tiles(work, TILE, rows_by_2);
    else
        run_tiles(work, TILE, rows_by_1);
    return panels == 0 ? 1 : panels >= 4 && few ? 4 : panels > 3 ? 2 : panels;
}

static inline void run_tiled(const struct conv *conv, const struct conv_tile *tile)
{
    struct work work = {.conv = conv,
                        .tile = tile,
                        .panel_step = PANEL * (inputs(conv) + 1),
                        .act = activation16(conv->min_f32, conv->max_f32, conv->hard_swish)};
    bool half = width(conv, conv->channels - 1) == HALF && tile->to == conv->channels;
    for (int j = tile->from; j < tile->to;) {
        int panels = (tile->to - j + PANEL - 1) / PANEL - (half ? 1 : 0);
        work.panel = panel_of(conv, j);
        work.out = (float *)tile->out + j;
        work.columns = tile->to - j;
        j += PANEL * run_panels(&work, panels);
    }
}

#endif
