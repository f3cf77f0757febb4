/* SPDX-License-Identifier: MIT */
#include "engine/kernels/arm/conv_panels.h"
#include "engine/kernels/arm/fp16.h"

/* 4 pixels by 32 channels: 16 accumulators, 8 registers of input and 8 of weights. 4 by 48, with four of
 * each, is for what is left of the channels, 8 by 16 and 8 by 8 for less. */
panel_call_fn pipit_panel_f16_4x4, pipit_panel_f16_1x4, pipit_panel_f16_4x6, pipit_panel_f16_1x6,
    pipit_panel_f16_8x2, pipit_panel_f16_1x2, pipit_panel_f16_8x1, pipit_panel_f16_1x1;

enum { TILE = 4, PANEL = 32 };

static const struct panel *panel_of(int left)
{
    static const struct panel list[] = {{8, 8, pipit_panel_f16_8x1, pipit_panel_f16_1x1},
                                        {16, 8, pipit_panel_f16_8x2, pipit_panel_f16_1x2},
                                        {32, 4, pipit_panel_f16_4x4, pipit_panel_f16_1x4},
                                        {48, 4, pipit_panel_f16_4x6, pipit_panel_f16_1x6}};
    if (left <= 8)
        return &list[0];
    return left <= 24 ? &list[1] : left > 40 && left <= 48 ? &list[3] : &list[2];
}

static void convert(void *to, const float *from, int n)
{
    for (int i = 0; i < n; i++)
        ((float16_t *)to)[i] = (float16_t)from[i];
}

static const struct panel_set panels = {sizeof(float16_t), panel_of, convert};

static size_t packed_bytes(const struct conv *conv)
{
    return panel_set_bytes(&panels, conv);
}

static void pack(const struct conv *conv, const struct conv_weights *weights, void *packed, int from, int to)
{
    panel_set_pack(&panels, conv, weights, finish_factor(conv->hard_swish), packed, from, to);
}

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    const struct finisher finisher = finisher_of(conv->min_f32, conv->max_f32, conv->hard_swish);
    panel_set_run(&panels, conv, tile, &finisher.low);
}

void kernels_init_conv_fp16(struct kernels *kernels)
{
    kernels->conv_f16 = (struct conv_kernel){"conv_f16_fp16", TILE, PANEL, packed_bytes, pack, NULL, run};
}
