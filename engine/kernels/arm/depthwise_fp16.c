/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/arm/depthwise_strips.h"
#include "engine/kernels/arm/fp16.h"

/* Packed as blocks of channels: bias[block], weight[taps][block]; blocks are as wide as strips of them want,
 * else GROUP. With a multiplier other than 1 as the C reference packs it. */
enum { GROUP = 8 };

STRIP_DECLARE_3(f16, 1)
STRIP_DECLARE_3(f16, 2)
STRIP_DECLARE_3(f16, 4)
STRIP_DECLARE_5(f16, 1)
STRIP_DECLARE_5(f16, 2)
static void one(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x);
static const struct strip_set strips = {sizeof(float16_t),
                                        {{STRIP_TABLE_3(f16, 1), STRIP_TABLE_5(f16, 1)},
                                         {STRIP_TABLE_3(f16, 2), STRIP_TABLE_5(f16, 2)},
                                         {STRIP_TABLE_3(f16, 4)}},
                                        one};

static int block_at(const struct depthwise *d, int c)
{
    return strip_set_fits(&strips, d) ? strip_set_block(&strips, d, c) : GROUP;
}

static size_t packed_bytes(const struct depthwise *d)
{
    size_t groups = ((size_t)d->channels + GROUP - 1) / GROUP,
           elements = GROUP * ((size_t)depthwise_taps(d) + 1);
    return d->multiplier == 1 ? groups * elements * sizeof(float16_t) : depthwise_packed_bytes_f16_c(d);
}

static void pack(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    const float factor = finish_factor(d->hard_swish);
    float16_t *to = packed;
    if (d->multiplier != 1) {
        depthwise_pack_f16_c(d, weights, packed);
        return;
    }
    memset(packed, 0, packed_bytes(d));
    for (int c = 0, block; c < d->channels; c += block, to += block * (depthwise_taps(d) + 1)) {
        block = block_at(d, c);
        for (int j = 0; j < block && c + j < d->channels; j++) {
            to[j] = (float16_t)(weights->bias_f32 ? factor * weights->bias_f32[c + j] : 0);
            for (int t = 0; t < depthwise_taps(d); t++)
                to[(t + 1) * block + j] =
                    (float16_t)(factor * weights->f32[(size_t)t * (size_t)d->channels + (size_t)(c + j)]);
        }
    }
}

static inline float16x8_t load(const float16_t *in, int count)
{
    float16_t all[GROUP] = {0};
    if (count < GROUP)
        in = memcpy(all, in, (size_t)count * sizeof(float16_t));
    return vld1q_f16(in);
}

static inline void store(float16_t *out, float16x8_t x, int count)
{
    float16_t all[GROUP];
    if (count >= GROUP) {
        vst1q_f16(out, x);
        return;
    }
    vst1q_f16(all, x);
    memcpy(out, all, (size_t)count * sizeof(float16_t));
}

/* Eight channels of one output; `w` is their bias, and `block` from one tap's weights to the next. */
static void eight(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x, int c,
                  const float16_t *w, int block)
{
    int n = d->channels, count = n - c, width = depthwise_columns(d, tile);
    float16x8_t sum = vld1q_f16(w);
    for (int ky = 0; ky < d->size[0]; ky++) {
        const float16_t *row = tile->in[y * d->stride[0] + ky * d->dilation[0]];
        for (int kx = 0; kx < d->size[1]; kx++) {
            int column = x * d->stride[1] + kx * d->dilation[1] - tile->before;
            w += block;
            if (row && column >= 0 && column < width)
                sum = vfmaq_f16(sum, load(row + (size_t)column * (size_t)n + c, count), vld1q_f16(w));
        }
    }
    const struct finisher f = finisher_of(d->min_f32, d->max_f32, d->hard_swish);
    sum = finish_any(sum, &f);
    store((float16_t *)tile->out + (size_t)y * tile->out_row + (size_t)x * (size_t)n + (size_t)c, sum, count);
}

static void one(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x)
{
    const float16_t *w = d->packed;
    for (int c = 0, block; c < d->channels; c += block, w += block * (depthwise_taps(d) + 1)) {
        block = block_at(d, c);
        for (int j = 0; j < block; j += GROUP)
            eight(d, tile, y, x, c + j, w + j, block);
    }
}

static enum pads pads(const struct depthwise *d)
{
    return strip_set_fits(&strips, d) ? PADS_ALL : PADS_NOTHING;
}

static void run(const struct depthwise *d, const struct depthwise_tile *tile)
{
    const struct finisher f = finisher_of(d->min_f32, d->max_f32, d->hard_swish);
    if (d->multiplier == 1)
        strip_set_run(&strips, d, tile, &f.low);
    else
        depthwise_run_f16_c(d, tile);
}

void kernels_init_depthwise_fp16(struct kernels *kernels)
{
    kernels->depthwise_f16 =
        (struct depthwise_kernel){"depthwise_f16_fp16", 1, packed_bytes, pack, run, pads};
}
