/* SPDX-License-Identifier: MIT */
/* int8 convolution with SDOT (FEAT_DotProd): four products a lane and instruction. */
#include "engine/kernels/c.h"
#include "engine/kernels/arm/neon.h"

enum { TILE = 4, PANEL = 16 };

/* A panel is bias, multiplier, shift[16], then weight[quads][16][4]; each tap's depth is filled up to quads
 * with 0. */
static size_t panels(const struct conv *conv)
{
    return ((size_t)conv->channels + PANEL - 1) / PANEL;
}

static size_t quads(const struct conv *conv)
{
    return (size_t)conv->taps * (((size_t)conv->depth + 3) / 4);
}

static size_t panel_bytes(const struct conv *conv)
{
    return PANEL * (3 * sizeof(int32_t) + quads(conv) * 4);
}

static size_t packed_bytes(const struct conv *conv)
{
    return panels(conv) * panel_bytes(conv);
}

/* A tile's inputs, each pixel's one behind the other, with room to read ahead; then the pixels' sums. */
static size_t row_bytes(const struct conv *conv)
{
    return (quads(conv) * 4 + 15) / 16 * 16;
}

static size_t scratch_bytes(const struct conv *conv)
{
    return align64(TILE * row_bytes(conv) + TILE * sizeof(int32_t));
}

static void pack_channel(const struct conv *conv, const struct conv_weights *weights, size_t channel,
                         int32_t *head, int8_t *to)
{
    size_t taps = (size_t)conv->taps, depth = (size_t)conv->depth, filled = (depth + 3) / 4 * 4;
    const int8_t *from = weights->i8 + channel * taps * depth;
    int64_t sum = 0;
    for (size_t t = 0; t < taps; t++)
        for (size_t c = 0; c < depth; c++) {
            size_t k = t * filled + c;
            to[k / 4 * 4 * PANEL + k % 4] = from[t * depth + c];
            sum += from[t * depth + c] - conv->weight_zero;
        }
    head[0] = (int32_t)((weights->bias_i32 ? weights->bias_i32[channel] : 0) - weights->in_zero * sum);
    head[PANEL] = weights->requant[channel].multiplier;
    head[2 * PANEL] = weights->requant[channel].shift;
}

static void pack(const struct conv *conv, const struct conv_weights *weights, void *packed)
{
    memset(packed, 0, packed_bytes(conv));
    for (size_t channel = 0; channel < (size_t)conv->channels; channel++) {
        int32_t *head = (int32_t *)(void *)((char *)packed + channel / PANEL * panel_bytes(conv));
        int8_t *body = (int8_t *)(head + 3 * PANEL);
        pack_channel(conv, weights, channel, head + channel % PANEL, body + 4 * (channel % PANEL));
    }
}

static int32_t gather_row(const struct conv *conv, const struct conv_tile *tile, int row, int8_t *to)
{
    int depth = conv->depth, filled = (depth + 3) / 4 * 4;
    int32_t sum = 0;
    for (int t = 0; t < conv->taps; t++, to += filled) {
        const int8_t *in = tile->in[t * tile->rows + row];
        memcpy(to, in, (size_t)depth);
        memset(to + depth, 0, (size_t)(filled - depth));
        for (int c = 0; conv->weight_zero && c < depth; c++)
            sum += in[c];
    }
    return sum;
}

#define FOR_ROWS(X) X(0) X(1) X(2) X(3)

static void run_tile(const struct conv *conv, const struct conv_tile *tile, const int32_t *head,
                     const int32_t *sums, int8_t *out, int columns)
{
    const int32x4_t zero = vdupq_n_s32(conv->out_zero), min = vdupq_n_s32(conv->min_i8);
    const int32x4_t max = vdupq_n_s32(conv->max_i8);
    const int8_t *w = (const int8_t *)(head + 3 * PANEL);
    const int count = (int)quads(conv);
#define START(i)                                                                                             \
    const int8_t *a##i = (const int8_t *)tile->scratch + (i)*row_bytes(conv);                                \
    int32x4_t less##i = vdupq_n_s32((int32_t)((uint32_t)conv->weight_zero * (uint32_t)sums[i]));             \
    int32x4_t sum##i[4];                                                                                     \
    for (int q = 0; q < 4; q++)                                                                              \
        sum##i[q] = vsubq_s32(vld1q_s32(head + 4 * q), less##i);
    FOR_ROWS(START)
#undef START
#define LANE(i, lane)                                                                                        \
    sum##i[0] = vdotq_laneq_s32(sum##i[0], w0, v##i, lane);                                                  \
    sum##i[1] = vdotq_laneq_s32(sum##i[1], w1, v##i, lane);                                                  \
    sum##i[2] = vdotq_laneq_s32(sum##i[2], w2, v##i, lane);                                                  \
    sum##i[3] = vdotq_laneq_s32(sum##i[3], w3, v##i, lane);
#define QUAD(lane)                                                                                           \
    {                                                                                                        \
        int8x16_t w0 = vld1q_s8(w), w1 = vld1q_s8(w + 16), w2 = vld1q_s8(w + 32), w3 = vld1q_s8(w + 48);     \
        LANE(0, lane) LANE(1, lane) LANE(2, lane) LANE(3, lane) w += 4 * PANEL;                              \
    }
    int k = 0;
    for (; k + 4 <= count; k += 4) {
#define LOAD(i) int8x16_t v##i = vld1q_s8(a##i + 4 * k);
        FOR_ROWS(LOAD)
        QUAD(0) QUAD(1) QUAD(2) QUAD(3)
    }
    for (; k < count; k++) {
#undef LOAD
#define LOAD(i)                                                                                              \
    int32_t quad##i;                                                                                         \
    memcpy(&quad##i, a##i + 4 * k, 4);                                                                       \
    int8x16_t v##i = vreinterpretq_s8_s32(vdupq_n_s32(quad##i));
        FOR_ROWS(LOAD)
        QUAD(0)
#undef LOAD
    }
#undef QUAD
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

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    int32_t sums[TILE];
    for (int i = 0; i < TILE; i++) /* rows beyond the last repeat it */
        sums[i] = gather_row(conv, tile, i < tile->rows ? i : tile->rows - 1,
                             (int8_t *)tile->scratch + (size_t)i * row_bytes(conv));
    for (int j = tile->from; j < tile->to; j += PANEL) {
        const char *panel = (const char *)conv->packed + (size_t)j / PANEL * panel_bytes(conv);
        int columns = conv->channels - j < PANEL ? conv->channels - j : PANEL;
        run_tile(conv, tile, (const int32_t *)(const void *)panel, sums, (int8_t *)tile->out + j, columns);
    }
}

void kernels_init_dotprod(struct kernels *kernels)
{
    kernels->conv_i8 =
        (struct conv_kernel){"conv_i8_dotprod", TILE, PANEL, packed_bytes, pack, scratch_bytes, run};
}
