/* SPDX-License-Identifier: MIT */
/* Convolution in bfloat16 with BFMMLA: of two pixels and two channels four products each, summed in float32.
 * It takes inputs and results below 2^-126 for 0, and has roundings of its own. Inputs are converted once for
 * all channels. */
#include "engine/kernels/arm/bf16.h"

#include "engine/kernels/c.h"

/* 8 pixels by 8 channels, in pairs: 16 sums, 4 registers of weights and 4 of inputs out of 32. A pair is
 * [quads][2][4]; each tap's depth is filled up to quads. A panel is bias[8], then weights[quads] of its four
 * pairs. */
enum { TILE = 8, PANEL = 8, PAIRS = PANEL / 2, PAIR = 8 /* elements of a pair's quad */ };

static size_t quads(const struct conv *conv)
{
    return (size_t)conv->taps * (((size_t)conv->depth + 3) / 4);
}

/* One tap of a pair: from one quad to the next there are `step` elements. */
static void convert(const float *a, const float *b, int depth, bfloat16_t *to, size_t step)
{
    float rest[2][4] = {{0}};
    for (; depth >= 4; depth -= 4, a += 4, b += 4, to += step)
        vst1q_bf16(to, vcvtq_high_bf16_f32(vcvtq_low_bf16_f32(vld1q_f32(a)), vld1q_f32(b)));
    if (depth == 0)
        return;
    memcpy(rest[0], a, (size_t)depth * sizeof(*a));
    memcpy(rest[1], b, (size_t)depth * sizeof(*b));
    convert(rest[0], rest[1], 4, to, step);
}

/* ---- weights ---- */

static size_t panel_bytes(const struct conv *conv)
{
    return PANEL * sizeof(float) + quads(conv) * PAIRS * PAIR * sizeof(bfloat16_t);
}

static size_t packed_bytes(const struct conv *conv)
{
    return ((size_t)conv->channels + PANEL - 1) / PANEL * panel_bytes(conv);
}

/* Channels that are not there are like the last one. */
static int channel(const struct conv *conv, int j)
{
    return j < conv->channels ? j : conv->channels - 1;
}

static void pack_pair(const struct conv *conv, const float *a, const float *b, bfloat16_t *to)
{
    const size_t tap = quads(conv) / (size_t)conv->taps * PAIRS * PAIR;
    for (int t = 0; t < conv->taps; t++, a += conv->depth, b += conv->depth, to += tap)
        convert(a, b, conv->depth, to, (size_t)PAIRS * PAIR);
}

static void pack(const struct conv *conv, const struct conv_weights *weights, void *packed, int from, int to)
{
    const size_t each = (size_t)conv->taps * (size_t)conv->depth;
    char *panel = (char *)packed + (size_t)from / PANEL * panel_bytes(conv);
    for (int j = from; j < to; j += PANEL, panel += panel_bytes(conv)) {
        float *bias = (float *)(void *)panel;
        bfloat16_t *pairs = (bfloat16_t *)(bias + PANEL);
        for (int i = 0; i < PANEL; i++)
            bias[i] = weights->bias_f32 ? weights->bias_f32[channel(conv, j + i)] : 0;
        for (int i = 0; i < PANEL; i += 2, pairs += PAIR)
            pack_pair(conv, weights->f32 + (size_t)channel(conv, j + i) * each,
                      weights->f32 + (size_t)channel(conv, j + i + 1) * each, pairs);
    }
}

/* ---- inputs ---- */

/* From one pair to the next in the scratch: an odd number of cache lines, so that pairs lie in different
 * ones. */
static size_t pair_bytes(const struct conv *conv)
{
    return align64(quads(conv) * PAIR * sizeof(bfloat16_t)) | 64;
}

static size_t scratch(const struct conv *conv)
{
    return CONV_PIXELS / 2 * pair_bytes(conv);
}

/* Behind an odd number of pixels comes the last one again. */
static void convert_inputs(const struct conv *conv, const struct conv_tile *tile)
{
    const size_t tap = quads(conv) / (size_t)conv->taps * PAIR;
    for (int i = 0; i < tile->pixels; i += 2) {
        const size_t a = (size_t)i * tile->in_step, b = a + (i + 1 < tile->pixels ? tile->in_step : 0);
        bfloat16_t *to = (void *)((char *)tile->scratch + (size_t)i / 2 * pair_bytes(conv));
        for (int t = 0; t < conv->taps; t++, to += tap) {
            const char *in = tile->in[t];
            convert((const void *)(in + a), (const void *)(in + b), conv->depth, to, PAIR);
        }
    }
}

/* ---- tiles ---- */

struct work { /* a panel */
    const struct conv *conv;
    const char *in; /* pairs of pixels */
    size_t in_step; /* bytes */
    const float *bias;
    float *out; /* its first channel of the first pixel */
    size_t out_stride;
    int columns, pixels; /* that there are */
    float32x4_t min, max;
};

static inline float32x4_t activate(float32x4_t x, const struct work *work)
{
    return work->conv->hard_swish ? hard_swish4(x) : vminq_f32(vmaxq_f32(x, work->min), work->max);
}

static inline void store(const struct work *work, int pixel, float32x4_t low, float32x4_t high)
{
    float all[PANEL], *out = work->out + (size_t)pixel * work->out_stride, *to = out;
    if (pixel >= work->pixels)
        return;
    if (work->columns < PANEL)
        to = all;
    vst1q_f32(to, activate(low, work));
    vst1q_f32(to + 4, activate(high, work));
    if (work->columns < PANEL)
        memcpy(out, all, (size_t)work->columns * sizeof(*out));
}

/* Halves of what BFMMLA sums: a pixel's two channels. */
static inline float32x4_t first(float32x4_t a, float32x4_t b)
{
    return vreinterpretq_f32_f64(vzip1q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
}

static inline float32x4_t second(float32x4_t a, float32x4_t b)
{
    return vreinterpretq_f32_f64(vzip2q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
}

static inline __attribute__((always_inline)) void tile_of(const struct work *work, int pair, const int rows)
{
    float32x4_t sum[TILE / 2][PAIRS];
    const char *in = work->in + (size_t)pair * work->in_step;
    const bfloat16_t *w = (const bfloat16_t *)(const void *)(work->bias + PANEL);
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int p = 0; p < PAIRS; p++)
            sum[i][p] = vcombine_f32(vld1_f32(work->bias + 2 * p), vld1_f32(work->bias + 2 * p));
    for (size_t q = quads(work->conv); q > 0; q--, in += PAIR * sizeof(*w), w += PAIRS * PAIR) {
        bfloat16x8_t weights[PAIRS];
#pragma GCC unroll 4
        for (int p = 0; p < PAIRS; p++)
            weights[p] = vld1q_bf16(w + p * PAIR);
#pragma GCC unroll 4
        for (int i = 0; i < rows; i++) {
            const bfloat16x8_t a = vld1q_bf16((const void *)(in + (size_t)i * work->in_step));
#pragma GCC unroll 4
            for (int p = 0; p < PAIRS; p++)
                sum[i][p] = vbfmmlaq_f32(sum[i][p], a, weights[p]);
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++) {
        const int pixel = 2 * (pair + i);
        store(work, pixel, first(sum[i][0], sum[i][1]), first(sum[i][2], sum[i][3]));
        store(work, pixel + 1, second(sum[i][0], sum[i][1]), second(sum[i][2], sum[i][3]));
    }
}

static void run_panel(const struct work *work)
{
    const int pairs = (work->pixels + 1) / 2;
    int i = 0;
    for (; i + TILE / 2 <= pairs; i += TILE / 2)
        tile_of(work, i, TILE / 2);
    if (i + 2 <= pairs) {
        tile_of(work, i, 2);
        i += 2;
    }
    if (i < pairs)
        tile_of(work, i, 1);
}

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    struct work work = {.conv = conv,
                        .in = tile->scratch,
                        .in_step = pair_bytes(conv),
                        .out_stride = tile->out_stride,
                        .pixels = tile->pixels,
                        .min = vdupq_n_f32(conv->min_f32),
                        .max = vdupq_n_f32(conv->max_f32)};
    convert_inputs(conv, tile);
    for (int j = tile->from; j < tile->to; j += PANEL) {
        work.bias = (const void *)((const char *)conv->packed + (size_t)j / PANEL * panel_bytes(conv));
        work.out = (float *)tile->out + j;
        work.columns = tile->to - j;
        run_panel(&work);
    }
}

void kernels_init_bf16(struct kernels *kernels)
{
    kernels->conv_bf16 =
        (struct conv_kernel){"conv_bf16_bfmmla", TILE, PANEL, packed_bytes, pack, scratch, run};
    kernels_init_probe_bf16(kernels);
}
