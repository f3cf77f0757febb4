/* SPDX-License-Identifier: MIT */
/* int8 convolution with SDOT (FEAT_DotProd): four products a lane and instruction. The tiles are those of
 * conv_f32_neon.c. */
#include "engine/kernels/arm/finish_i8.h"
#include "engine/kernels/arm/tile.h"

#include <stdlib.h>

enum { TILE = 8, PANEL = 16, HALF = 8 };

/* A panel is a head, then weight[quads][width][4], each less the zero point. head.zero is 0 then; where a
 * weight would leave 8 bits, the panel's weights are as they were and zero is their zero point. Each tap's
 * depth is filled up to quads with that, so that what is read behind the inputs counts for nothing. */
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
    int64_t sum = 0, most = 0;
    for (size_t t = 0; t < taps; t++)
        for (size_t c = 0; c < depth; c++) {
            size_t k = t * filled + c;
            int weight = from[t * depth + c] - conv->weight_zero;
            to[k / 4 * 4 * (size_t)n + k % 4] = (int8_t)(weight + head->zero);
            sum += weight;
            most += 128 * abs(weight);
        }
    int64_t bias = (weights->bias_i32 ? weights->bias_i32[channel] : 0) - weights->in_zero * sum;
    head_set(head, at, bias, most, weights->requant[channel]);
    if (n == HALF)
        head_set(head, HALF + at, bias, most, weights->requant[channel]);
}

static struct head_i8 *panel(const struct conv *conv, const void *packed, int first)
{
    return (void *)((char *)(uintptr_t)packed + (size_t)(first / PANEL) * panel_bytes(conv, PANEL));
}

static void pack(const struct conv *conv, const struct conv_weights *weights, void *packed)
{
    for (int first = 0; first < conv->channels; first += PANEL) {
        struct head_i8 *head = panel(conv, packed, first);
        int count = conv->channels - first < PANEL ? conv->channels - first : PANEL, n = width(conv, first);
        head_clear(head);
        head->zero = panel_zero(conv, weights, first, count);
        memset(head + 1, head->zero, panel_bytes(conv, n) - sizeof(*head));
        for (int i = 0; i < count; i++)
            pack_channel(conv, weights, first + i, head, i, n);
    }
}

/* What a block of pixels and a panel have in common. */
struct work {
    const struct conv *conv;
    const struct conv_tile *tile;
    const struct head_i8 *head;
    struct output_i8 out;
    const int32_t *less; /* of each pixel: the sum of its inputs times head.zero; NULL: that is 0 */
};

static inline const int8_t *input(const struct work *work, int tap, int pixel)
{
    return (const int8_t *)work->tile->in[tap] + (size_t)pixel * work->tile->in_step;
}

static inline int8_t *output(const struct work *work, int pixel)
{
    return (int8_t *)work->tile->out + (size_t)pixel * work->tile->out_stride;
}

#define MLA(sum, w, a, lane) "sdot " sum ".4s, " w ".16b, " a ".4b[" lane "]\n"
#define BIAS                 vld1q_s32_x4(again(work->head->bias))

/* ---- blocks with the finish in the assembly ---- */

/* Multipliers in v0 to v3, shifts in v4 to v7, in v8 what CLAMP or ROUND takes. */
#define EACH_4(each, sum)                                                                                    \
    each("%S[" sum "].4s", "v0.4s", "v4.4s") each("%T[" sum "].4s", "v1.4s", "v5.4s")                        \
        each("%U[" sum "].4s", "v2.4s", "v6.4s")                                                             \
            each("%V[" sum "].4s", "v3.4s", "v7.4s") "uzp1 %S[" sum "].8h, %S[" sum "].8h, %T[" sum          \
                                                     "].8h\nuzp1 %U[" sum "].8h, %U[" sum "].8h, %V[" sum    \
                                                     "].8h\n"
#define CLAMP(sum)                                                                                           \
    EACH_4(CLAMP_4, sum)                                                                                     \
    "sqxtun %S[" sum "].8b, %S[" sum "].8h\nsqxtun2 %S[" sum "].16b, %U[" sum "].8h\neor %S[" sum            \
    "].16b, %S[" sum "].16b, v8.16b\n"
#define ROUND(sum)                                                                                           \
    EACH_4(ROUND_4, sum)                                                                                     \
    "add %S[" sum "].8h, %S[" sum "].8h, v8.8h\nadd %U[" sum "].8h, %U[" sum "].8h, v8.8h\nsqxtn %S[" sum    \
    "].8b, %S[" sum "].8h\nsqxtn2 %S[" sum "].16b, %U[" sum "].8h\n"
#define TO_16(sum) "st1 {%S[" sum "].16b}, [%[to]], %[out_step]\n"
#define TO_2X8(sum)                                                                                          \
    "st1 {%S[" sum "].d}[0], [%[to]], %[out_step]\nst1 {%S[" sum "].d}[1], [%[to]], %[out_step]\n"
#define FINISH_4(finish, store)                                                                              \
    "add %[a0], %[bias], #64\nld1 {v0.4s-v3.4s}, [%[a0]], #64\nld1 {v4.4s-v7.4s}, [%[a0]]\n"                 \
    "dup v8.8h, %w[z]\n" finish("sum0") store("sum0") finish("sum1") store("sum1") finish("sum2")            \
        store("sum2") finish("sum3") store("sum3")

/* `rows` (4 or 8) pixels. */
#define PLAIN(name, rows, tile, sums, finish, store)                                                         \
    static inline __attribute__((always_inline)) void name(const struct plain plain, int first)              \
    {                                                                                                        \
        int32x4x4_t sum0, sum1, sum2, sum3;                                                                  \
        const void *const *in = plain.in;                                                                    \
        const int32_t *bias = plain.head->bias;                                                              \
        const void *w = plain.head + 1, *a[rows];                                                            \
        const size_t step = plain.in_step, at = (size_t)first * step;                                        \
        const unsigned words = plain.words;                                                                  \
        unsigned taps = plain.taps, n;                                                                       \
        int8_t *to = plain.out + (size_t)first * plain.out_step;                                             \
        __asm__ volatile(tile(MLA) FINISH_4(finish, store)                                                   \
                         : sums, [to] "+r"(to)                                                               \
                         : TILE_IN, [out_step] "r"(plain.out_step), [z] "r"(plain.zero)                      \
                         : TILE_SCRATCH);                                                                    \
    }
PLAIN(clamp_4x16, 4, TILE_4X16, TILE_OUT, CLAMP, TO_16)
PLAIN(round_4x16, 4, TILE_4X16, TILE_OUT, ROUND, TO_16)
PLAIN(clamp_8x8, 8, TILE_8X8, TILE_OUT_8, CLAMP, TO_2X8)
PLAIN(round_8x8, 8, TILE_8X8, TILE_OUT_8, ROUND, TO_2X8)

/* Pixels that are left are made by a block that starts earlier, unless it is one. Returns how many are not
 * made. */
#define PLAIN_BLOCKS(name, each, block)                                                                      \
    static int name(const struct plain plain, int n)                                                         \
    {                                                                                                        \
        for (int i = 0; i + (each) <= n; i += (each))                                                        \
            block(plain, i);                                                                                 \
        if (n % (each) > 1)                                                                                  \
            block(plain, n - (each));                                                                        \
        return n % (each) == 1;                                                                              \
    }
PLAIN_BLOCKS(clamp_16, 4, clamp_4x16)
PLAIN_BLOCKS(round_16, 4, round_4x16)
PLAIN_BLOCKS(clamp_8, 8, clamp_8x8)
PLAIN_BLOCKS(round_8, 8, round_8x8)

/* Returns how many of the panel's pixels are left to be made. */
static int run_plain(const struct work *work, bool half)
{
    const struct conv_tile *tile = work->tile;
    const bool clamps = work->out.finish == FINISH_CLAMP;
    if (work->less || tile->pixels < (half ? 8 : 4) || (!clamps && work->out.finish != FINISH_ROUND))
        return tile->pixels;
    const struct plain plain = {work->head,
                                tile->in,
                                tile->in_step,
                                tile->out_stride,
                                (unsigned)work->conv->taps,
                                ((unsigned)work->conv->depth + 3) / 4,
                                tile->out,
                                clamps ? 0x8080 : work->out.zero};
    if (half)
        return clamps ? clamp_8(plain, tile->pixels) : round_8(plain, tile->pixels);
    return clamps ? clamp_16(plain, tile->pixels) : round_16(plain, tile->pixels);
}

/* ---- any block ---- */

static inline __attribute__((always_inline)) int32x4x4_t less(int32x4x4_t sum, int32_t low, int32_t high)
{
    __asm__("sub %S[sum].4s, %S[sum].4s, %[low].4s\nsub %T[sum].4s, %T[sum].4s, %[low].4s\n"
            "sub %U[sum].4s, %U[sum].4s, %[high].4s\nsub %V[sum].4s, %V[sum].4s, %[high].4s\n"
            : [sum] "+w"(sum)
            : [low] "w"(vdupq_n_s32(low)), [high] "w"(vdupq_n_s32(high)));
    return sum;
}

static inline __attribute__((always_inline)) void block_4x16(const struct work *work, int first)
{
    int32x4x4_t sum0, sum1, sum2, sum3;
    const void *const *in = work->tile->in;
    const int32_t *bias = work->head->bias;
    const void *w = work->head + 1, *a[4];
    const size_t step = work->tile->in_step, at = (size_t)first * step;
    const unsigned words = ((unsigned)work->conv->depth + 3) / 4;
    unsigned taps = (unsigned)work->conv->taps, n;
    __asm__ volatile(TILE_4X16(MLA) : TILE_OUT:TILE_IN : TILE_SCRATCH);
    if (work->less) {
        const int32_t *by = work->less + first;
        sum0 = less(sum0, by[0], by[0]);
        sum1 = less(sum1, by[1], by[1]);
        sum2 = less(sum2, by[2], by[2]);
        sum3 = less(sum3, by[3], by[3]);
    }
    finish_sums(sum0, sum1, sum2, sum3, sum3, 4, 4, GROUP_16, work->head, &work->out, output(work, first),
                work->tile->out_stride);
}

static inline __attribute__((always_inline)) void block_8x8(const struct work *work, int first)
{
    int32x4x4_t sum0, sum1, sum2, sum3;
    const void *const *in = work->tile->in;
    const int32_t *bias = work->head->bias;
    const void *w = work->head + 1, *a[8];
    const size_t step = work->tile->in_step, at = (size_t)first * step;
    const unsigned words = ((unsigned)work->conv->depth + 3) / 4;
    unsigned taps = (unsigned)work->conv->taps, n;
    __asm__ volatile(TILE_8X8(MLA) : TILE_OUT_8:TILE_IN : TILE_SCRATCH);
    if (work->less) {
        const int32_t *by = work->less + first;
        sum0 = less(sum0, by[0], by[1]);
        sum1 = less(sum1, by[2], by[3]);
        sum2 = less(sum2, by[4], by[5]);
        sum3 = less(sum3, by[6], by[7]);
    }
    finish_sums(sum0, sum1, sum2, sum3, sum3, 4, 8, GROUP_2X8, work->head, &work->out, output(work, first),
                work->tile->out_stride);
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
    finish_sums(sum, sum, sum, sum, sum, 1, 1, GROUP_16, work->head, &work->out, output(work, first), 0);
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
    finish_sums(sum, sum, sum, sum, sum, 1, 1, GROUP_2X8, work->head, &work->out, output(work, first), 0);
}

/* A last block of fewer pixels than it takes starts earlier and makes some of them twice, unless it is one
 * pixel. */
#define BLOCKS(name, each, block, one)                                                                       \
    static void name(const struct work *work, int left)                                                      \
    {                                                                                                        \
        int n = work->tile->pixels, i = n - left;                                                            \
        for (; i + (each) <= n || (i + 1 < n && n >= (each)); i += (each))                                   \
            block(work, i + (each) <= n ? i : n - (each));                                                   \
        for (; i < n; i++)                                                                                   \
            one(work, i);                                                                                    \
    }
BLOCKS(blocks_16, 4, block_4x16, block_1x16)
BLOCKS(blocks_8, 8, block_8x8, block_1x8)

static inline int32x4_t sum_16(int32x4_t sum, const int8_t *a)
{
    return vdotq_s32(sum, vld1q_s8(a), vdupq_n_s8(1));
}

/* Over the filled depth, as the weights' zero point is in what fills it. */
static int32_t sum_of(const int8_t *a, int count)
{
    int32x4_t four = vdupq_n_s32(0);
    int c = 0;
    for (; c + 32 <= count; c += 32)
        four = sum_16(sum_16(four, a + c), a + c + 16);
    for (; c + 16 <= count; c += 16)
        four = sum_16(four, a + c);
    int32_t sum = vaddvq_s32(four);
    for (; c < count; c++)
        sum += a[c];
    return sum;
}

static void sum_inputs(const struct conv *conv, const struct conv_tile *tile, int32_t *less)
{
    int filled = (conv->depth + 3) / 4 * 4;
    for (int i = 0; i < tile->pixels; i++) {
        uint32_t sum = 0;
        for (int t = 0; t < conv->taps; t++)
            sum += (uint32_t)sum_of((const int8_t *)tile->in[t] + (size_t)i * tile->in_step, filled);
        less[i] = (int32_t)(sum * (uint32_t)conv->weight_zero);
    }
}

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    int32_t less[CONV_PIXELS];
    bool summed = false;
    for (int j = tile->from; j < tile->to; j += PANEL) {
        struct conv_tile part = *tile;
        part.out = (int8_t *)tile->out + j;
        struct work work = {conv, &part, panel(conv, conv->packed, j)};
        if (work.head->zero && !summed)
            sum_inputs(conv, tile, less);
        summed |= work.head->zero != 0;
        work.less = work.head->zero ? less : NULL;
        work.out = output_i8(work.head, conv->out_zero, conv->min_i8, conv->max_i8, width(conv, j),
                             conv->channels - j < PANEL ? conv->channels - j : PANEL);
        if (width(conv, j) == HALF)
            blocks_8(&work, run_plain(&work, true));
        else
            blocks_16(&work, run_plain(&work, false));
    }
}

void kernels_init_dotprod(struct kernels *kernels)
{
    kernels->conv_i8 = (struct conv_kernel){"conv_i8_dotprod", TILE, PANEL, packed_bytes, pack, NULL, run};
    kernels_init_depthwise_dotprod(kernels);
    kernels_init_probe_dotprod(kernels);
}
