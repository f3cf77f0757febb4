/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/arm/depthwise_strips.h"
#include "engine/kernels/arm/neon.h"

/* Packed as blocks of channels: bias[block], weight[taps][block]; blocks are as wide as strips of them want,
 * else GROUP. With a multiplier other than 1 as the C reference packs it. */
enum { GROUP = 4 };

STRIP_DECLARE_3(f32, 2)
STRIP_DECLARE_3(f32, 4)
STRIP_DECLARE_5(f32, 2)
static void one(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x);
static const struct strip_set strips = {
    sizeof(float),
    {{{{NULL}}}, {STRIP_TABLE_3(f32, 2), STRIP_TABLE_5(f32, 2)}, {STRIP_TABLE_3(f32, 4)}},
    one};

static int block_at(const struct depthwise *d, int c)
{
    return strip_set_fits(&strips, d) ? strip_set_block(&strips, d, c) : GROUP;
}

static size_t packed_bytes(const struct depthwise *d)
{
    size_t groups = ((size_t)d->channels + GROUP - 1) / GROUP,
           floats = GROUP * ((size_t)depthwise_taps(d) + 1);
    return d->multiplier == 1 ? groups * floats * sizeof(float) : depthwise_packed_bytes_f32_c(d);
}

/* HARD_SWISH of strips wants x / sqrt(6). */
static void pack(const struct depthwise *d, const struct conv_weights *weights, void *packed)
{
    const float factor = d->hard_swish ? 1 / ROOT_6 : 1;
    float *to = packed;
    if (d->multiplier != 1) {
        depthwise_pack_f32_c(d, weights, packed);
        return;
    }
    memset(packed, 0, packed_bytes(d));
    for (int c = 0, block; c < d->channels; c += block, to += block * (depthwise_taps(d) + 1)) {
        block = block_at(d, c);
        for (int j = 0; j < block && c + j < d->channels; j++) {
            to[j] = weights->bias_f32 ? factor * weights->bias_f32[c + j] : 0;
            for (int t = 0; t < depthwise_taps(d); t++)
                to[(t + 1) * block + j] =
                    factor * weights->f32[(size_t)t * (size_t)d->channels + (size_t)(c + j)];
        }
    }
}

static inline float32x4_t load(const float *in, int count)
{
    float all[GROUP] = {0};
    if (count < GROUP)
        in = memcpy(all, in, (size_t)count * sizeof(float));
    return vld1q_f32(in);
}

static inline void store(float *out, float32x4_t x, int count)
{
    float all[GROUP];
    if (count >= GROUP) {
        vst1q_f32(out, x);
        return;
    }
    vst1q_f32(all, x);
    memcpy(out, all, (size_t)count * sizeof(float));
}

/* Four channels of one output; `w` is their bias, and `block` from one tap's weights to the next. */
static void four(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x, int c,
                 const float *w, int block)
{
    int n = d->channels, count = n - c, width = depthwise_columns(d, tile);
    float32x4_t sum = vld1q_f32(w);
    for (int ky = 0; ky < d->size[0]; ky++) {
        const float *row = tile->in[y * d->stride[0] + ky * d->dilation[0]];
        for (int kx = 0; kx < d->size[1]; kx++) {
            int column = x * d->stride[1] + kx * d->dilation[1] - tile->before;
            w += block;
            if (row && column >= 0 && column < width)
                sum = vfmaq_f32(sum, load(row + (size_t)column * (size_t)n + c, count), vld1q_f32(w));
        }
    }
    sum = d->hard_swish ? hard_swish4_scaled(sum)
                        : vminq_f32(vmaxq_f32(sum, vdupq_n_f32(d->min_f32)), vdupq_n_f32(d->max_f32));
    store((float *)tile->out + (size_t)y * tile->out_row + (size_t)x * (size_t)n + (size_t)c, sum, count);
}

static void one(const struct depthwise *d, const struct depthwise_tile *tile, int y, int x)
{
    const float *w = d->packed;
    for (int c = 0, block; c < d->channels; c += block, w += block * (depthwise_taps(d) + 1)) {
        block = block_at(d, c);
        for (int j = 0; j < block; j += GROUP)
            four(d, tile, y, x, c + j, w + j, block);
    }
}

static enum pads pads(const struct depthwise *d)
{
    return strip_set_fits(&strips, d) ? PADS_ALL : PADS_NOTHING;
}

static void run(const struct depthwise *d, const struct depthwise_tile *tile)
{
    const float32x4_t limits[] = {vdupq_n_f32(d->hard_swish ? 0 : d->min_f32),
                                  vdupq_n_f32(d->hard_swish ? ROOT_6 : d->max_f32), vdupq_n_f32(ROOT_6 / 2)};
    if (d->multiplier == 1)
        strip_set_run(&strips, d, tile, limits);
    else
        depthwise_run_f32_c(d, tile);
}

void kernels_init_depthwise_f32_neon(struct kernels *kernels)
{
    kernels->depthwise_f32 =
        (struct depthwise_kernel){"depthwise_f32_neon", 1, packed_bytes, pack, run, pads};
}
