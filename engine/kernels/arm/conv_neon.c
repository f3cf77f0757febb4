/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/arm/neon.h"

/* 4 pixels by 16 channels: 16 accumulators, 4 registers of weights and 4 of input out of 32. */
enum { TILE = 4, PANEL = 16 };

static size_t panels(const struct conv *conv)
{
    return ((size_t)conv->channels + PANEL - 1) / PANEL;
}

static int columns(const struct conv *conv, size_t panel)
{
    int left = conv->channels - (int)panel * PANEL;
    return left < PANEL ? left : PANEL;
}

#define FOR_ROWS(X) X(0) X(1) X(2) X(3)

/* ---- float32: a panel is bias[16], then weight[taps * depth][16] ---- */

static size_t panel_f32(const struct conv *conv)
{
    return PANEL * ((size_t)conv->taps * (size_t)conv->depth + 1);
}

static size_t packed_bytes_f32(const struct conv *conv)
{
    return panels(conv) * panel_f32(conv) * sizeof(float);
}

static void pack_f32(const struct conv *conv, const struct conv_weights *weights, void *packed)
{
    size_t each = (size_t)conv->taps * (size_t)conv->depth;
    for (size_t p = 0; p < panels(conv); p++) {
        float *to = (float *)packed + p * panel_f32(conv);
        memset(to, 0, panel_f32(conv) * sizeof(float));
        for (int j = 0; j < columns(conv, p); j++) {
            size_t channel = p * PANEL + (size_t)j;
            to[j] = weights->bias_f32 ? weights->bias_f32[channel] : 0;
            for (size_t k = 0; k < each; k++)
                to[PANEL * (k + 1) + (size_t)j] = weights->f32[channel * each + k];
        }
    }
}

static inline void store_f32(float *out, const float32x4_t *sum, float32x4_t min, float32x4_t max,
                             int columns)
{
    float all[PANEL];
    float *to = columns == PANEL ? out : all;
    for (int q = 0; q < 4; q++)
        vst1q_f32(to + 4 * q, vminq_f32(vmaxq_f32(sum[q], min), max));
    if (columns < PANEL)
        memcpy(out, all, (size_t)columns * sizeof(float));
}

static void tile_f32(const struct conv *conv, const struct conv_tile *tile, const float *w, float *out,
                     int columns)
{
    const float32x4_t min = vdupq_n_f32(conv->min_f32), max = vdupq_n_f32(conv->max_f32);
    const int rows = tile->rows;
#define START(i)                                                                                             \
    float32x4_t sum##i[4] = {vld1q_f32(w), vld1q_f32(w + 4), vld1q_f32(w + 8), vld1q_f32(w + 12)};
    FOR_ROWS(START)
#undef START
    w += PANEL;
    for (int t = 0; t < conv->taps; t++) { /* rows beyond the last repeat it */
        const void *const *in = tile->in + t * rows;
#define ROW(i) const float *a##i = in[(i) < rows ? (i) : rows - 1];
        FOR_ROWS(ROW)
#undef ROW
        int c = 0;
#define LANE(i, lane)                                                                                        \
    sum##i[0] = vfmaq_laneq_f32(sum##i[0], w0, v##i, lane);                                                  \
    sum##i[1] = vfmaq_laneq_f32(sum##i[1], w1, v##i, lane);                                                  \
    sum##i[2] = vfmaq_laneq_f32(sum##i[2], w2, v##i, lane);                                                  \
    sum##i[3] = vfmaq_laneq_f32(sum##i[3], w3, v##i, lane);
#define DEPTH(lane)                                                                                          \
    {                                                                                                        \
        float32x4_t w0 = vld1q_f32(w), w1 = vld1q_f32(w + 4), w2 = vld1q_f32(w + 8), w3 = vld1q_f32(w + 12); \
        LANE(0, lane) LANE(1, lane) LANE(2, lane) LANE(3, lane) w += PANEL;                                  \
    }
        for (; c + 4 <= conv->depth; c += 4) {
#define LOAD(i) float32x4_t v##i = vld1q_f32(a##i + c);
            FOR_ROWS(LOAD)
#undef LOAD
            DEPTH(0) DEPTH(1) DEPTH(2) DEPTH(3)
        }
        for (; c < conv->depth; c++) {
#define LOAD(i) float32x4_t v##i = vdupq_n_f32(a##i[c]);
            FOR_ROWS(LOAD)
#undef LOAD
            DEPTH(0)
        }
#undef DEPTH
#undef LANE
    }
#define FINISH(i)                                                                                            \
    if ((i) < rows)                                                                                          \
        store_f32(out + (i)*tile->out_stride, sum##i, min, max, columns);
    FOR_ROWS(FINISH)
#undef FINISH
}

static void run_f32(const struct conv *conv, const struct conv_tile *tile)
{
    for (int j = tile->from; j < tile->to; j += PANEL) {
        size_t p = (size_t)j / PANEL;
        tile_f32(conv, tile, (const float *)conv->packed + p * panel_f32(conv), (float *)tile->out + j,
                 columns(conv, p));
    }
}

/* ---- int8: weights less their zero point as int16. A panel is bias, multiplier, shift[16], then
 * weight[taps * depth][16]. ---- */

static size_t panel_i8(const struct conv *conv)
{
    return PANEL * (3 * sizeof(int32_t) + (size_t)conv->taps * (size_t)conv->depth * sizeof(int16_t));
}

static size_t packed_bytes_i8(const struct conv *conv)
{
    return panels(conv) * panel_i8(conv);
}

static size_t row_i8(const struct conv *conv)
{
    return ((size_t)conv->taps * (size_t)conv->depth + 7) / 8 * 8;
}

static size_t scratch_i8(const struct conv *conv)
{
    return align64(TILE * row_i8(conv) * sizeof(int16_t));
}

static void pack_i8(const struct conv *conv, const struct conv_weights *weights, void *packed)
{
    size_t each = (size_t)conv->taps * (size_t)conv->depth;
    memset(packed, 0, packed_bytes_i8(conv));
    for (size_t p = 0; p < panels(conv); p++) {
        int32_t *head = (int32_t *)(void *)((char *)packed + p * panel_i8(conv));
        int16_t *body = (int16_t *)(void *)(head + 3 * PANEL);
        for (int j = 0; j < columns(conv, p); j++) {
            size_t channel = p * PANEL + (size_t)j;
            int64_t sum = 0;
            for (size_t k = 0; k < each; k++) {
                int value = weights->i8[channel * each + k] - conv->weight_zero;
                body[k * PANEL + (size_t)j] = (int16_t)value;
                sum += value;
            }
            head[j] =
                (int32_t)((weights->bias_i32 ? weights->bias_i32[channel] : 0) - weights->in_zero * sum);
            head[PANEL + j] = weights->requant[channel].multiplier;
            head[2 * PANEL + j] = weights->requant[channel].shift;
        }
    }
}

static void widen_tile(const struct conv *conv, const struct conv_tile *tile)
{
    for (int i = 0; i < TILE; i++) {
        int16_t *to = (int16_t *)tile->scratch + (size_t)i * row_i8(conv);
        int row = i < tile->rows ? i : tile->rows - 1;
        for (int t = 0; t < conv->taps; t++, to += conv->depth) {
            const int8_t *in = tile->in[t * tile->rows + row];
            int c = 0;
            for (; c + 8 <= conv->depth; c += 8)
                vst1q_s16(to + c, vmovl_s8(vld1_s8(in + c)));
            for (; c < conv->depth; c++)
                to[c] = in[c];
        }
    }
}

static void tile_i8(const struct conv *conv, const struct conv_tile *tile, const int32_t *head, int8_t *out,
                    int columns)
{
    const int32x4_t zero = vdupq_n_s32(conv->out_zero), min = vdupq_n_s32(conv->min_i8);
    const int32x4_t max = vdupq_n_s32(conv->max_i8);
    const int16_t *w = (const int16_t *)(const void *)(head + 3 * PANEL);
    const int count = conv->taps * conv->depth;
#define START(i)                                                                                             \
    const int16_t *a##i = (const int16_t *)tile->scratch + (i)*row_i8(conv);                                 \
    int32x4_t sum##i[4] = {vld1q_s32(head), vld1q_s32(head + 4), vld1q_s32(head + 8), vld1q_s32(head + 12)};
    FOR_ROWS(START)
#undef START
#define LANE(i, lane)                                                                                        \
    sum##i[0] = vmlal_laneq_s16(sum##i[0], vget_low_s16(w0), v##i, lane);                                    \
    sum##i[1] = vmlal_high_laneq_s16(sum##i[1], w0, v##i, lane);                                             \
    sum##i[2] = vmlal_laneq_s16(sum##i[2], vget_low_s16(w1), v##i, lane);                                    \
    sum##i[3] = vmlal_high_laneq_s16(sum##i[3], w1, v##i, lane);
#define DEPTH(lane)                                                                                          \
    {                                                                                                        \
        int16x8_t w0 = vld1q_s16(w), w1 = vld1q_s16(w + 8);                                                  \
        LANE(0, lane) LANE(1, lane) LANE(2, lane) LANE(3, lane) w += PANEL;                                  \
    }
    int k = 0;
    for (; k + 8 <= count; k += 8) {
#define LOAD(i) int16x8_t v##i = vld1q_s16(a##i + k);
        FOR_ROWS(LOAD)
#undef LOAD
        DEPTH(0) DEPTH(1) DEPTH(2) DEPTH(3) DEPTH(4) DEPTH(5) DEPTH(6) DEPTH(7)
    }
    for (; k < count; k++) {
#define LOAD(i) int16x8_t v##i = vdupq_n_s16(a##i[k]);
        FOR_ROWS(LOAD)
#undef LOAD
        DEPTH(0)
    }
#undef DEPTH
#undef LANE
#define SCALED(i, q)                                                                                         \
    clamp4(requantise4(sum##i[q], requant4_load(head + PANEL + 4 * (q), head + 2 * PANEL + 4 * (q))), zero,  \
           min, max)
#define FINISH(i)                                                                                            \
    if ((i) < tile->rows)                                                                                    \
        store16(out + (i)*tile->out_stride,                                                                  \
                narrow16(SCALED(i, 0), SCALED(i, 1), SCALED(i, 2), SCALED(i, 3)), columns);
    FOR_ROWS(FINISH)
#undef FINISH
#undef SCALED
}

static void run_i8(const struct conv *conv, const struct conv_tile *tile)
{
    widen_tile(conv, tile);
    for (int j = tile->from; j < tile->to; j += PANEL) {
        size_t p = (size_t)j / PANEL;
        const char *panel = (const char *)conv->packed + p * panel_i8(conv);
        tile_i8(conv, tile, (const int32_t *)(const void *)panel, (int8_t *)tile->out + j, columns(conv, p));
    }
}

void kernels_init_conv_neon(struct kernels *kernels)
{
    kernels->conv_f32 =
        (struct conv_kernel){"conv_f32_neon", TILE, PANEL, packed_bytes_f32, pack_f32, NULL, run_f32};
    kernels->conv_i8 =
        (struct conv_kernel){"conv_i8_neon", TILE, PANEL, packed_bytes_i8, pack_i8, scratch_i8, run_i8};
}
