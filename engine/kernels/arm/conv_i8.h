/* SPDX-License-Identifier: MIT */
/*
 * int8 convolutions in panels of 16 channels, or of 8 where no more are left: everything but the products. A
 * kernel's file includes this behind
 *   FILL, LARGEST         bytes of a tap's depth in the smallest and the largest piece that it multiplies,
 *   place(k, at, n)       where weight k of channel `at` stands among a tap's, of n channels,
 *   TOGETHER              how many of a channel's weights stand side by side there,
 *   sum_16(sum, a)        sum and 16 inputs added up in four lanes,
 *   TAP_4X16, TAP_8X8, TAP_1X16, TAP_1X8: the products of one tap, by pixels and channels,
 *   ONE_TAP_4X16(each)    each(rest, products) where there is no other tap, by what rest may be, and
 *   CAREFUL_...           the same for panels with head.own, which careful(least weight) sets.
 * Assembly for the reason given in tile.h. Inputs of pixels are at x2 to x9, weights at x11; w13 and v0 to
 * v15 are the tap's own. Sums are in v16 to v31, four registers a pixel, or two for 8 channels. %w[words] is
 * a tap's depth in pieces of FILL bytes, %w[rest] what pieces of LARGEST leave of them;
 * %w[largest], for ONE_TAP_4X16, how many of these there are.
 */
enum { PIXELS = 256 };

#include "engine/kernels/arm/conv_i8_gather.h"
#include "engine/kernels/arm/conv_i8_pack.h"
#include "engine/kernels/arm/conv_i8_pointwise.h"

/* ---- any block ---- */

static void finish_pixel(const struct work *work, const int32_t *sum, int pixel, int wide,
                         const struct output_i8 *out)
{
    int32x4_t a = vld1q_s32(sum), b = vld1q_s32(sum + 4), c = a, d = b;
    if (wide == PANEL) {
        c = vld1q_s32(sum + 8);
        d = vld1q_s32(sum + 12);
    }
    const int32x4_t less = vdupq_n_s32(work->less ? work->less[pixel] : 0);
    int32x4x4_t x = {{vsubq_s32(a, less), vsubq_s32(b, less), vsubq_s32(c, less), vsubq_s32(d, less)}};
    store16(work->out + (size_t)pixel * work->out_step, finish16(x, work->head, out), out->count);
}

/* A last block of fewer pixels than it takes starts earlier and makes some of them twice, unless it is one
 * pixel. */
static void any_blocks(const struct work *work, int begin, int end, int wide, const struct output_i8 *out)
{
    int32_t made[4 * PANEL];
    const int each = 4 * PANEL / wide;
    for (int i = begin; i < end;) {
        int n = end >= each && end - i > 1 ? each : 1, first = i + n <= end ? i : end - n;
        sums[work->head->own][wide == HALF][n == 1](work, first, made);
        for (int k = i - first; k < n; k++)
            finish_pixel(work, made + k * wide, first + k, wide, out);
        i = first + n;
    }
}

/* ---- inputs' sums, for weights with a zero point ---- */

static const int8_t of_rest[32] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

/* Over the filled depth, as the weights' zero point is in what fills it. */
static inline int32x4_t sum_tap(const int8_t *a, size_t count)
{
    int32x4_t sum = vdupq_n_s32(0);
    for (; count >= 16; count -= 16, a += 16)
        sum = sum_16(sum, vld1q_s8(a));
    return count ? sum_16(sum, vandq_s8(vld1q_s8(a), vld1q_s8(of_rest + 16 - count))) : sum;
}

static void sum_inputs(const struct conv *conv, const struct conv_tile *tile, int32_t *less)
{
    const size_t count = filled(conv);
    for (int i = 0; i < tile->pixels; i++) {
        int32x4_t sum = vdupq_n_s32(0);
        for (int t = 0; t < conv->taps; t++)
            sum = vaddq_s32(sum, sum_tap((const int8_t *)tile->in[t] + (size_t)i * tile->in_step, count));
        less[i] = (int32_t)((uint32_t)vaddvq_s32(sum) * (uint32_t)conv->weight_zero);
    }
}

/* ---- a tile ---- */

/* Returns how many of the panel's pixels are made. */
static int run_plain(const struct work *work, int pixels, bool half, bool signed_)
{
    const int log = half ? 3 : 2, made = pixels >> log << log;
    plain_fn *block = plain_of(work, half, signed_);
    block(work, 0, pixels >> log);
    if (pixels - made < 2)
        return made;
    block(work, pixels - (1 << log), 1);
    return pixels;
}

static __attribute__((noinline)) void run_any(const struct conv *conv, const struct work *work, int begin,
                                              int end, int wide, int count)
{
    struct output_i8 out = output_i8(work->head, conv->out_zero, conv->min_i8, conv->max_i8, wide, count);
    any_blocks(work, begin, end, wide, &out);
}

static void run_tile(const struct conv *conv, const struct conv_tile *tile)
{
    int32_t less[PIXELS];
    struct work work = {.head = panel(conv, conv->packed, tile->from),
                        .in = tile->in,
                        .in_step = tile->in_step,
                        .out_step = tile->out_stride,
                        .taps = (unsigned)conv->taps,
                        .words = (unsigned)(filled(conv) / FILL),
                        .rest = (unsigned)(filled(conv) / FILL) % (LARGEST / FILL),
                        .out = (int8_t *)tile->out + tile->from,
                        .narrow = narrow_by(conv->out_zero)};
    const size_t bytes = panel_bytes(conv, PANEL);
    const bool narrows = conv->min_i8 == -128 && conv->max_i8 == 127, signed_ = conv->out_zero > -128;
    const int pixels = tile->pixels;
    bool summed = false;
    for (int left = conv->channels - tile->from, end = conv->channels - tile->to; left > end;
         left -= PANEL, work.out += PANEL, work.head = (const void *)((const char *)work.head + bytes)) {
        const struct head_i8 *head = work.head;
        const bool half = left <= HALF;
        const int wide = half ? HALF : PANEL, count = left < wide ? left : wide;
        if (head->zero && !summed)
            sum_inputs(conv, tile, less);
        summed |= head->zero != 0;
        work.less = head->zero ? less : NULL;
        int made = 0;
        if (narrows && !head->wide && !head->own && count == wide && pixels >= 4 * PANEL / wide)
            made = run_plain(&work, pixels, half, signed_);
        if (made < pixels)
            run_any(conv, &work, made, pixels, wide, count);
    }
}

static void run_gathered(const struct conv *conv, const struct conv_tile *tile)
{
    int8_t pixels[PIXELS * GATHER_STEP];
    const void *in = pixels;
    const struct conv one = in_one_tap(conv);
    struct conv_tile all = *tile;
    gather(conv, tile, pixels);
    all.in = &in;
    all.in_step = GATHER_STEP;
    run_tile(&one, &all);
}

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    if (gathers(conv))
        run_gathered(conv, tile);
    else
        run_tile(conv, tile);
}
