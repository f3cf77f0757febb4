/* SPDX-License-Identifier: MIT */
/* int8 convolution with SDOT (FEAT_DotProd): four products a lane and instruction. The tiles are those of
 * conv_f32_neon.c. */
#include "engine/kernels/arm/requant.h"
#include "engine/kernels/arm/tile.h"

enum { TILE = 8, PANEL = 16, HALF = 8 };

/* A panel is a head, then weight[quads][width][4]; each tap's depth is filled up to quads with the weights'
 * zero point, so that what is read behind the inputs counts for nothing. */
static size_t quads(const struct conv *conv)
{
    return (size_t)conv->taps * (((size_t)conv->depth + 3) / 4);
}

static int width(const struct conv *conv, int first)
{
    return conv->channels - first <= HALF ? HALF : PANEL;
}

static size_t panel_bytes(const struct conv *conv, int width)
{
    return sizeof(struct head_i8) + quads(conv) * (size_t)width * 4;
}

static size_t packed_bytes(const struct conv *conv)
{
    int last = (conv->channels - 1) / PANEL * PANEL;
    return (size_t)(last / PANEL) * panel_bytes(conv, PANEL) + panel_bytes(conv, width(conv, last));
}

static void pack_channel(const struct conv *conv, const struct conv_weights *weights, int channel,
                         struct head_i8 *head, int at, int n)
{
    size_t taps = (size_t)conv->taps, depth = (size_t)conv->depth, filled = (depth + 3) / 4 * 4;
    const int8_t *from = weights->i8 + (size_t)channel * taps * depth;
    int8_t *to = (int8_t *)(head + 1) + 4 * at;
    int64_t sum = 0;
    for (size_t t = 0; t < taps; t++)
        for (size_t c = 0; c < depth; c++) {
            size_t k = t * filled + c;
            to[k / 4 * 4 * (size_t)n + k % 4] = from[t * depth + c];
            sum += from[t * depth + c] - conv->weight_zero;
        }
    int64_t bias = (weights->bias_i32 ? weights->bias_i32[channel] : 0) - weights->in_zero * sum;
    head_set(head, at, bias, weights->requant[channel]);
    if (n == HALF)
        head_set(head, HALF + at, bias, weights->requant[channel]);
}

static struct head_i8 *panel(const struct conv *conv, const void *packed, int first)
{
    return (void *)((char *)(uintptr_t)packed + (size_t)(first / PANEL) * panel_bytes(conv, PANEL));
}

static void pack(const struct conv *conv, const struct conv_weights *weights, void *packed)
{
    memset(packed, conv->weight_zero, packed_bytes(conv));
    for (int first = 0; first < conv->channels; first += PANEL) {
        struct head_i8 *head = panel(conv, packed, first);
        memset(head, 0, sizeof(*head));
        for (int i = 0; i < PANEL; i++)
            head->shift[i] = -1;
        for (int i = 0; i < PANEL && first + i < conv->channels; i++)
            pack_channel(conv, weights, first + i, head, i, width(conv, first));
    }
}

/* What a block of pixels and a panel have in common. */
struct work {
    const struct conv *conv;
    const struct conv_tile *tile;
    const struct head_i8 *head;
    struct output_i8 out;
    const int32_t *less; /* of each pixel: the sum of its inputs times the weights' zero point; NULL: none */
    int columns;
};

static inline const int8_t *input(const struct work *work, int tap, int pixel)
{
    return (const int8_t *)work->tile->in[tap] + (size_t)pixel * work->tile->in_step;
}

static inline int8_t *output(const struct work *work, int pixel)
{
    return (int8_t *)work->tile->out + (size_t)pixel * work->tile->out_stride;
}

#define MLA(sum, w, a, lane)          "sdot " sum ".4s, " w ".16b, " a ".4b[" lane "]\n"
#define STEP_16(lane, w0, w1, w2, w3) TILE_STEP_16(MLA, lane, "v0", "v1", "v2", "v3", w0, w1, w2, w3)
#define BIAS                          vld1q_s32_x4(again(work->head->bias))

static inline __attribute__((always_inline)) int32x4x4_t less(int32x4x4_t sum, int32_t low, int32_t high)
{
    __asm__("sub %S[sum].4s, %S[sum].4s, %[low].4s\nsub %T[sum].4s, %T[sum].4s, %[low].4s\n"
            "sub %U[sum].4s, %U[sum].4s, %[high].4s\nsub %V[sum].4s, %V[sum].4s, %[high].4s\n"
            : [sum] "+w"(sum)
            : [low] "w"(vdupq_n_s32(low)), [high] "w"(vdupq_n_s32(high)));
    return sum;
}

static inline __attribute__((always_inline)) int8x16_t finish(const struct work *work, int32x4x4_t sum)
{
    return finish_sums(sum, work->head, &work->out);
}

static inline __attribute__((always_inline)) void block_4x16(const struct work *work, int first)
{
    int32x4x4_t sum0 = BIAS, sum1 = BIAS, sum2 = BIAS, sum3 = BIAS;
    const int8_t *w = (const int8_t *)(work->head + 1);
    const unsigned count = ((unsigned)work->conv->depth + 3) / 4;
    for (int t = 0; t < work->conv->taps; t++) {
        const int8_t *a[4];
        unsigned n = count / 4;
        for (int i = 0; i < 4; i++)
            a[i] = input(work, t, first + i);
        if (n)
            __asm__ volatile(
                "1:\n" TILE_LOAD_4("q", "16") "subs %w[n], %w[n], #1\n" STEP_16("0", "v4", "v5", "v6", "v7")
                    STEP_16("1", "v8", "v9", "v10", "v11") STEP_16("2", "v12", "v13", "v14", "v15")
                        STEP_16("3", "v4", "v5", "v6", "v7") "b.ne 1b\n"
                : TILE_SUMS, TILE_ROWS_4, [w] "+r"(w), [n] "+r"(n)
                :
                : TILE_SCRATCH);
        if (count & 2)
            __asm__ volatile(TILE_LOAD_4("d", "8") STEP_16("0", "v4", "v5", "v6", "v7")
                                 STEP_16("1", "v8", "v9", "v10", "v11")
                             : TILE_SUMS, TILE_ROWS_4, [w] "+r"(w)
                             :
                             : TILE_SCRATCH);
        if (count & 1)
            __asm__ volatile(TILE_LOAD_4("s", "4") STEP_16("0", "v4", "v5", "v6", "v7")
                             : TILE_SUMS, TILE_ROWS_4, [w] "+r"(w)
                             :
                             : TILE_SCRATCH);
    }
    if (work->less) {
        const int32_t *by = work->less + first;
        sum0 = less(sum0, by[0], by[0]);
        sum1 = less(sum1, by[1], by[1]);
        sum2 = less(sum2, by[2], by[2]);
        sum3 = less(sum3, by[3], by[3]);
    }
    int8_t *out = output(work, first);
    const size_t step = work->tile->out_stride;
    store16(out, finish(work, sum0), work->columns);
    store16(out += step, finish(work, sum1), work->columns);
    store16(out += step, finish(work, sum2), work->columns);
    store16(out += step, finish(work, sum3), work->columns);
}

static inline int8_t *store_2x8(const struct work *work, int first, int8_t *out, int32x4x4_t sum)
{
    const size_t step = work->tile->out_stride;
    if (work->less)
        sum = less(sum, work->less[first], work->less[first + 1]);
    int8x16_t all = finish(work, sum);
    store8(out, vget_low_s8(all), work->columns);
    store8(out + step, vget_high_s8(all), work->columns);
    return out + 2 * step;
}

static inline __attribute__((always_inline)) void block_8x8(const struct work *work, int first)
{
    int32x4x4_t sum0 = BIAS, sum1 = BIAS, sum2 = BIAS, sum3 = BIAS;
    const int8_t *w = (const int8_t *)(work->head + 1);
    const unsigned count = ((unsigned)work->conv->depth + 3) / 4;
    for (int t = 0; t < work->conv->taps; t++) {
        const int8_t *a[8];
        unsigned n = count / 4;
        for (int i = 0; i < 8; i++)
            a[i] = input(work, t, first + i);
        if (n)
            __asm__ volatile(TILE_LOOP_8(MLA)
                             : TILE_SUMS, TILE_ROWS_8, [w] "+r"(w), [n] "+r"(n)
                             :
                             : TILE_SCRATCH);
        for (n = count % 4; n > 0; n--)
            __asm__ volatile(TILE_REST_8(MLA) : TILE_SUMS, TILE_ROWS_8, [w] "+r"(w) : : TILE_SCRATCH);
    }
    int8_t *out = store_2x8(work, first, output(work, first), sum0);
    out = store_2x8(work, first + 2, out, sum1);
    out = store_2x8(work, first + 4, out, sum2);
    store_2x8(work, first + 6, out, sum3);
}

static void block_1x16(const struct work *work, int first)
{
    int32x4x4_t sum = BIAS;
    const int8_t *w = (const int8_t *)(work->head + 1);
    const unsigned count = ((unsigned)work->conv->depth + 3) / 4;
    for (int t = 0; t < work->conv->taps; t++) {
        const int8_t *a = input(work, t, first);
        unsigned n = count / 4;
        if (n)
            __asm__ volatile(TILE_LOOP_1(MLA)
                             : [sum] "+w"(sum), [a] "+r"(a), [w] "+r"(w), [n] "+r"(n)
                             :
                             : TILE_SCRATCH);
        for (n = count % 4; n > 0; n--)
            __asm__ volatile(TILE_REST_1(MLA) : [sum] "+w"(sum), [a] "+r"(a), [w] "+r"(w) : : TILE_SCRATCH);
    }
    if (work->less)
        sum = less(sum, work->less[first], work->less[first]);
    store16(output(work, first), finish(work, sum), work->columns);
}

static void block_1x8(const struct work *work, int first)
{
    int32x4_t low = vld1q_s32(work->head->bias), high = vld1q_s32(work->head->bias + 4);
    const int8_t *w = (const int8_t *)(work->head + 1);
    const int count = (work->conv->depth + 3) / 4;
    for (int t = 0; t < work->conv->taps; t++) {
        const int8_t *a = input(work, t, first);
        for (int k = 0; k < count; k++, w += 4 * HALF) {
            int32_t quad;
            memcpy(&quad, a + 4 * k, sizeof(quad));
            int8x16_t v = vreinterpretq_s8_s32(vdupq_n_s32(quad));
            low = vdotq_s32(low, vld1q_s8(w), v);
            high = vdotq_s32(high, vld1q_s8(w + 16), v);
        }
    }
    int32x4x4_t sum = {{low, high, low, high}};
    if (work->less)
        sum = less(sum, work->less[first], work->less[first]);
    store8(output(work, first), vget_low_s8(finish(work, sum)), work->columns);
}

/* A last block of fewer pixels than it takes starts earlier and makes some of them twice, unless it is one
 * pixel. */
#define BLOCKS(name, each, block, one)                                                                       \
    static void name(const struct work *work)                                                                \
    {                                                                                                        \
        int i = 0, n = work->tile->pixels;                                                                   \
        for (; i + (each) <= n || (i + 1 < n && n >= (each)); i += (each))                                   \
            block(work, i + (each) <= n ? i : n - (each));                                                   \
        for (; i < n; i++)                                                                                   \
            one(work, i);                                                                                    \
    }
BLOCKS(blocks_16, 4, block_4x16, block_1x16)
BLOCKS(blocks_8, 8, block_8x8, block_1x8)

/* Over the filled depth, as the weights' zero point is in what fills it. */
static void sum_inputs(const struct conv *conv, const struct conv_tile *tile, int32_t *less)
{
    int filled = (conv->depth + 3) / 4 * 4;
    for (int i = 0; i < tile->pixels; i++) {
        int32_t sum = 0;
        for (int t = 0; t < conv->taps; t++) {
            const int8_t *a = (const int8_t *)tile->in[t] + (size_t)i * tile->in_step;
            int32x4_t four = vdupq_n_s32(0);
            int c = 0;
            for (; c + 16 <= filled; c += 16)
                four = vdotq_s32(four, vld1q_s8(a + c), vdupq_n_s8(1));
            sum += vaddvq_s32(four);
            for (; c < filled; c++)
                sum += a[c];
        }
        less[i] = (int32_t)((uint32_t)sum * (uint32_t)conv->weight_zero);
    }
}

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    int32_t less[CONV_PIXELS];
    if (conv->weight_zero)
        sum_inputs(conv, tile, less);
    for (int j = tile->from; j < tile->to; j += PANEL) {
        struct conv_tile part = *tile;
        part.out = (int8_t *)tile->out + j;
        struct work work = {conv, &part, panel(conv, conv->packed, j),
                            .less = conv->weight_zero ? less : NULL};
        work.out = output_i8(work.head, conv->out_zero, conv->min_i8, conv->max_i8);
        work.columns = conv->channels - j < PANEL ? conv->channels - j : PANEL;
        if (width(conv, j) == HALF)
            blocks_8(&work);
        else
            blocks_16(&work);
    }
}

void kernels_init_dotprod(struct kernels *kernels)
{
    kernels->conv_i8 = (struct conv_kernel){"conv_i8_dotprod", TILE, PANEL, packed_bytes, pack, NULL, run};
    kernels_init_depthwise_dotprod(kernels);
}
