/* SPDX-License-Identifier: MIT */
#include "engine/kernels/arm/conv_panels.h"
#include "engine/kernels/arm/neon.h"

/* 4 pixels by 16 channels: 16 accumulators, 8 registers of input and 8 of weights. 4 by 24, with four of
 * each, is for what is left of the channels, and 8 by 8 for no more than 8. */
panel_call_fn pipit_panel_f32_4x4, pipit_panel_f32_1x4, pipit_panel_f32_4x6, pipit_panel_f32_1x6,
    pipit_panel_f32_8x2, pipit_panel_f32_1x2;

enum { TILE = 4, PANEL = 16 };

static const struct panel *panel_of(int left)
{
    static const struct panel narrow = {8, 8, pipit_panel_f32_8x2, pipit_panel_f32_1x2},
                              middle = {16, 4, pipit_panel_f32_4x4, pipit_panel_f32_1x4},
                              wide = {24, 4, pipit_panel_f32_4x6, pipit_panel_f32_1x6};
    return left <= 8 ? &narrow : left > 16 && left <= 24 ? &wide : &middle;
}

static void convert(void *to, const float *from, int n)
{
    memcpy(to, from, (size_t)n * sizeof(float));
}

static const struct panel_set panels = {sizeof(float), panel_of, convert};

static size_t packed_bytes(const struct conv *conv)
{
    return panel_set_bytes(&panels, conv);
}

static void pack(const struct conv *conv, const struct conv_weights *weights, void *packed, int from, int to)
{
    panel_set_pack(&panels, conv, weights, conv->hard_swish ? 1 / ROOT_6 : 1, packed, from, to);
}

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    const float32x4_t limits[] = {vdupq_n_f32(conv->hard_swish ? 0 : conv->min_f32),
                                  vdupq_n_f32(conv->hard_swish ? ROOT_6 : conv->max_f32),
                                  vdupq_n_f32(ROOT_6 / 2)};
    panel_set_run(&panels, conv, tile, limits);
}

void kernels_init_conv_f32_neon(struct kernels *kernels)
{
    kernels->conv_f32 = (struct conv_kernel){"conv_f32_neon", TILE, PANEL, packed_bytes, pack, NULL, run};
}
