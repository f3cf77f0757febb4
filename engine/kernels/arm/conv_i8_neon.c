/* SPDX-License-Identifier: MIT */
/*
 * int8 convolution without dot product: SMULL and SMLAL make two products a lane in 16 bits, SADALP adds
 * pairs of lanes to a sum of 32 bits: 16 products in three instructions. Two products of -128 and -128 would
 * not fit, so where a weight is -128 each product is added by itself. Assembly for the reason given in
 * tile.h.
 */
#include "engine/kernels/arm/finish_i8.h"
#include "engine/kernels/arm/tile.h"

#include <stdlib.h>

/* 4 pixels by 4 channels: 16 sums of 4 lanes each, which are added up at the end. */
enum { TILE = 4, PANEL = 4, FILL = 8 };

/* A panel is a head, then weight[taps][depth / 16][4][16], and for a last 8 of a tap's depth [4][8], each
 * less the zero point. head.zero is 0 then; where a weight would leave 8 bits, the panel's weights are as
 * they were and that is their zero point. Depth is filled up to 8 with that, so that what is read behind the
 * inputs counts for nothing. head.bias is a lane of each sum; multiplier and shift stand there once a pixel;
 * own says whether a weight is -128. */
static size_t filled(const struct conv *conv)
{
    return ((size_t)conv->depth + FILL - 1) / FILL * FILL;
}

static size_t panel_bytes(const struct conv *conv)
{
    return sizeof(struct head_i8) + PANEL * (size_t)conv->taps * filled(conv);
}

static size_t packed_bytes(const struct conv *conv)
{
    return ((size_t)conv->channels + PANEL - 1) / PANEL * panel_bytes(conv);
}

static struct head_i8 *panel(const struct conv *conv, const void *packed, int first)
{
    return (void *)((char *)(uintptr_t)packed + (size_t)(first / PANEL) * panel_bytes(conv));
}

/* Where input c of a channel stands within a tap. */
static size_t place(const struct conv *conv, size_t c, size_t channel)
{
    size_t block = c / 16 * 16, wide = filled(conv) - block < 16 ? 8 : 16;
    return block * PANEL + channel * wide + c % 16;
}

static void pack_channel(const struct conv *conv, const struct conv_weights *weights, int channel,
                         struct head_i8 *head)
{
    size_t taps = (size_t)conv->taps, depth = (size_t)conv->depth, at = (size_t)(channel % PANEL);
    const int8_t *from = weights->i8 + (size_t)channel * taps * depth;
    int64_t sum = 0, most = 0;
    for (size_t t = 0; t < taps; t++) {
        int8_t *to = (int8_t *)(head + 1) + t * filled(conv) * PANEL;
        for (size_t c = 0; c < depth; c++) {
            int weight = from[t * depth + c] - conv->weight_zero;
            to[place(conv, c, at)] = (int8_t)(weight + head->zero);
            head->own |= weight + head->zero == -128;
            sum += weight;
            most += 128 * abs(weight);
        }
    }
    int64_t bias = (weights->bias_i32 ? weights->bias_i32[channel] : 0) - weights->in_zero * sum;
    for (int pixel = 0; pixel < 4; pixel++)
        head_set(head, 4 * pixel + (int)at, bias, most, weights->requant[channel]);
}

static void pack(const struct conv *conv, const struct conv_weights *weights, void *packed)
{
    for (int first = 0; first < conv->channels; first += PANEL) {
        struct head_i8 *head = panel(conv, packed, first);
        int count = conv->channels - first < PANEL ? conv->channels - first : PANEL;
        int32_t bias[PANEL] = {0};
        head_clear(head);
        head->zero = panel_zero(conv, weights, first, count);
        head->own = head->zero == -128;
        memset(head + 1, head->zero, panel_bytes(conv) - sizeof(*head));
        for (int i = 0; i < count; i++) {
            pack_channel(conv, weights, first + i, head);
            bias[i] = head->bias[i];
        }
        memset(head->bias, 0, sizeof(head->bias));
        for (int i = 0; i < PANEL; i++)
            head->bias[4 * i + i] = bias[i];
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

/* One row of 16 or (half) 8 inputs times four channels' weights. */
#define MLA(sum, a, w0, w1, w2, w3)                                                                          \
    "smull v12.8h, " w0 ".8b, " a ".8b\nsmull v13.8h, " w1 ".8b, " a ".8b\n"                                 \
    "smull v14.8h, " w2 ".8b, " a ".8b\nsmull v15.8h, " w3 ".8b, " a ".8b\n"                                 \
    "smlal2 v12.8h, " w0 ".16b, " a ".16b\nsmlal2 v13.8h, " w1 ".16b, " a ".16b\n"                           \
    "smlal2 v14.8h, " w2 ".16b, " a ".16b\nsmlal2 v15.8h, " w3 ".16b, " a ".16b\n" ADD(sum)
#define MLA_CAREFUL(sum, a, w0, w1, w2, w3)                                                                  \
    MLA_HALF(sum, a, w0, w1, w2, w3)                                                                         \
    "smull2 v12.8h, " w0 ".16b, " a ".16b\nsmull2 v13.8h, " w1 ".16b, " a ".16b\n"                           \
    "smull2 v14.8h, " w2 ".16b, " a ".16b\nsmull2 v15.8h, " w3 ".16b, " a ".16b\n" ADD(sum)
#define MLA_HALF(sum, a, w0, w1, w2, w3)                                                                     \
    "smull v12.8h, " w0 ".8b, " a ".8b\nsmull v13.8h, " w1 ".8b, " a ".8b\n"                                 \
    "smull v14.8h, " w2 ".8b, " a ".8b\nsmull v15.8h, " w3 ".8b, " a ".8b\n" ADD(sum)
#define ADD(sum)                                                                                             \
    "sadalp %S[" sum "].4s, v12.8h\nsadalp %T[" sum "].4s, v13.8h\n"                                         \
    "sadalp %U[" sum "].4s, v14.8h\nsadalp %V[" sum "].4s, v15.8h\n"
#define ROWS(mla, a0, a1, a2, a3)                                                                            \
    mla("sum0", a0, "v8", "v9", "v10", "v11") mla("sum1", a1, "v8", "v9", "v10", "v11")                      \
        mla("sum2", a2, "v8", "v9", "v10", "v11") mla("sum3", a3, "v8", "v9", "v10", "v11")
#define LOAD_W "ld1 {v8.16b-v11.16b}, [%[w]], #64\n"
#define LOAD_A(what, bytes)                                                                                  \
    "ldr " what "0, [%[a0]], #" bytes "\nldr " what "2, [%[a1]], #" bytes "\n"                               \
    "ldr " what "4, [%[a2]], #" bytes "\nldr " what "6, [%[a3]], #" bytes "\n"
/* All taps of 4 pixels by 4 channels; `words` are of 8 bytes. 32 inputs at a time, 16, 8. */
#define REST                                                                                                 \
    "tbz %w[words], #0, 4f\n" LOAD_A("d", "8") "ld1 {v8.8b-v11.8b}, [%[w]], #32\n" ROWS(                     \
        MLA_HALF, "v0", "v2", "v4", "v6") "4:\nsubs %w[taps], %w[taps], #1\nb.ne 0b\n"
#define BLOCK                                                                                                \
    TILE_BIAS "0:\nlsr %w[n], %w[words], #2\n" TILE_PIXELS_4 "cbz %w[n], 2f\n1:\n"                           \
              "ld1 {v0.16b, v1.16b}, [%[a0]], #32\nld1 {v2.16b, v3.16b}, [%[a1]], #32\n"                     \
              "ld1 {v4.16b, v5.16b}, [%[a2]], #32\nld1 {v6.16b, v7.16b}, [%[a3]], #32\n"                     \
              "subs %w[n], %w[n], #1\n" LOAD_W                                                               \
              ROWS(MLA, "v0", "v2", "v4", "v6") LOAD_W                                                       \
              ROWS(MLA, "v1", "v3", "v5", "v7") "b.ne 1b\n"                                                  \
                                                "2:\ntbz %w[words], #1, 3f\n" LOAD_A("q", "16") LOAD_W       \
                                                ROWS(MLA, "v0", "v2", "v4", "v6") "3:\n" REST
#define BLOCK_CAREFUL                                                                                        \
    TILE_BIAS "0:\nlsr %w[n], %w[words], #1\n" TILE_PIXELS_4 "cbz %w[n], 2f\n1:\n" LOAD_A("q", "16") LOAD_W  \
    ROWS(MLA_CAREFUL, "v0", "v2", "v4", "v6") "subs %w[n], %w[n], #1\nb.ne 1b\n2:\n" REST
/* The lanes of a pixel's sums added up into a register of sum0. */
#define ADD_UP(sum, to)                                                                                      \
    "addp %S[" sum "].4s, %S[" sum "].4s, %T[" sum "].4s\naddp %U[" sum "].4s, %U[" sum "].4s, %V[" sum      \
    "].4s\naddp %" to "[sum0].4s, %S[" sum "].4s, %U[" sum "].4s\n"
#define ADD_UP_4 ADD_UP("sum0", "S") ADD_UP("sum1", "T") ADD_UP("sum2", "U") ADD_UP("sum3", "V")

static inline __attribute__((always_inline)) int32x4_t add_up(int32x4x4_t sum)
{
    int32x4_t all;
    __asm__("addp %S[sum].4s, %S[sum].4s, %T[sum].4s\naddp %U[sum].4s, %U[sum].4s, %V[sum].4s\n"
            "addp %[all].4s, %S[sum].4s, %U[sum].4s\n"
            : [sum] "+w"(sum), [all] "=w"(all));
    return all;
}

/* A register of sums is a pixel's. */
static inline __attribute__((always_inline)) void store(const struct work *work, int first, int32x4x4_t sum,
                                                        const int rows)
{
    int8_t *out = (int8_t *)work->tile->out + (size_t)first * work->tile->out_stride;
    if (work->less) {
        const int32_t *by = work->less + first;
        __asm__("sub %S[x].4s, %S[x].4s, %[a].4s\nsub %T[x].4s, %T[x].4s, %[b].4s\n"
                "sub %U[x].4s, %U[x].4s, %[c].4s\nsub %V[x].4s, %V[x].4s, %[d].4s\n"
                : [x] "+w"(sum)
                : [a] "w"(vdupq_n_s32(by[0])), [b] "w"(vdupq_n_s32(by[rows > 1 ? 1 : 0])),
                  [c] "w"(vdupq_n_s32(by[rows > 2 ? 2 : 0])), [d] "w"(vdupq_n_s32(by[rows > 3 ? 3 : 0])));
    }
    finish_sums(sum, sum, sum, sum, sum, 1, rows, GROUP_4X4, work->head, &work->out, out,
                work->tile->out_stride);
}

/* The same with the finish in the assembly. */
#define EACH_PIXEL(each)                                                                                     \
    "ldr q8, [%[bias], #64]\nldr q9, [%[bias], #128]\n" each("%S[sum0].4s", "v8.4s", "v9.4s")                \
        each("%T[sum0].4s", "v8.4s", "v9.4s") each("%U[sum0].4s", "v8.4s", "v9.4s")                          \
            each("%V[sum0].4s", "v8.4s", "v9.4s") "uzp1 %S[sum0].8h, %S[sum0].8h, %T[sum0].8h\n"             \
                                                  "uzp1 %U[sum0].8h, %U[sum0].8h, %V[sum0].8h\n"
#define CLAMP_4X4                                                                                            \
    EACH_PIXEL(CLAMP_4)                                                                                      \
    "movi v8.16b, #0x80\nsqxtun %S[sum0].8b, %S[sum0].8h\nsqxtun2 %S[sum0].16b, %U[sum0].8h\n"               \
    "eor %S[sum0].16b, %S[sum0].16b, v8.16b\n"
#define ROUND_4X4                                                                                            \
    EACH_PIXEL(ROUND_4)                                                                                      \
    "dup v8.8h, %w[zero]\nadd %S[sum0].8h, %S[sum0].8h, v8.8h\nadd %U[sum0].8h, %U[sum0].8h, v8.8h\n"        \
    "sqxtn %S[sum0].8b, %S[sum0].8h\nsqxtn2 %S[sum0].16b, %U[sum0].8h\n"
#define STORE_PIXELS                                                                                         \
    "st1 {%S[sum0].s}[0], [%[to]], %[out_step]\nst1 {%S[sum0].s}[1], [%[to]], %[out_step]\n"                 \
    "st1 {%S[sum0].s}[2], [%[to]], %[out_step]\nst1 {%S[sum0].s}[3], [%[to]], %[out_step]\n"
#define RUN_PLAIN(finish)                                                                                    \
    __asm__ volatile(BLOCK ADD_UP_4 finish STORE_PIXELS                                                      \
                     : TILE_OUT, [to] "+r"(to)                                                               \
                     : TILE_IN, [out_step] "r"(plain.out_step), [zero] "r"(plain.zero)                       \
                     : TILE_SCRATCH)

static inline __attribute__((always_inline)) void plain_block(const struct plain plain, int first,
                                                              const bool signed_)
{
    int32x4x4_t sum0, sum1, sum2, sum3;
    const void *const *in = plain.in;
    const int32_t *bias = plain.head->bias;
    const void *w = plain.head + 1, *a[4];
    const size_t step = plain.in_step, at = (size_t)first * step;
    const unsigned words = plain.words;
    unsigned taps = plain.taps, n;
    int8_t *to = plain.out + (size_t)first * plain.out_step;
    if (signed_)
        RUN_PLAIN(ROUND_4X4);
    else
        RUN_PLAIN(CLAMP_4X4);
}

static inline __attribute__((always_inline)) void block(const struct work *work, int first)
{
    int32x4x4_t sum0, sum1, sum2, sum3;
    const void *const *in = work->tile->in;
    const int32_t *bias = work->head->bias;
    const void *w = work->head + 1, *a[4];
    const size_t step = work->tile->in_step, at = (size_t)first * step;
    const unsigned words = ((unsigned)work->conv->depth + FILL - 1) / FILL;
    unsigned taps = (unsigned)work->conv->taps, n;
    if (work->head->own)
        __asm__ volatile(BLOCK_CAREFUL ADD_UP_4:TILE_OUT:TILE_IN : TILE_SCRATCH);
    else
        __asm__ volatile(BLOCK ADD_UP_4:TILE_OUT:TILE_IN : TILE_SCRATCH);
    store(work, first, sum0, 4);
}

static void block_1(const struct work *work, int first)
{
    const int8_t *w = (const int8_t *)(work->head + 1);
    const int eights = (work->conv->depth + FILL - 1) / FILL;
    int32x4x4_t sum0 = vld1q_s32_x4(work->head->bias);
    for (int t = 0; t < work->conv->taps; t++) {
        const int8_t *a = (const int8_t *)work->tile->in[t] + (size_t)first * work->tile->in_step;
        unsigned n = work->head->own ? 0 : (unsigned)eights / 2;
        if (n)
            __asm__ volatile(
                "1:\n"
                "ldr q0, [%[a]], #16\n"
                "subs %w[n], %w[n], #1\n" LOAD_W MLA("sum0", "v0", "v8", "v9", "v10", "v11") "b.ne 1b\n"
                : [sum0] "+w"(sum0), [a] "+r"(a), [w] "+r"(w), [n] "+r"(n)
                :
                : TILE_SCRATCH);
        for (n = work->head->own ? (unsigned)eights / 2 : 0; n > 0; n--)
            __asm__ volatile(
                "ldr q0, [%[a]], #16\n" LOAD_W MLA_CAREFUL("sum0", "v0", "v8", "v9", "v10", "v11")
                : [sum0] "+w"(sum0), [a] "+r"(a), [w] "+r"(w)
                :
                : TILE_SCRATCH);
        if (eights % 2)
            __asm__ volatile("ldr d0, [%[a]], #8\nld1 {v8.8b-v11.8b}, [%[w]], #32\n" MLA_HALF(
                                 "sum0", "v0", "v8", "v9", "v10", "v11")
                             : [sum0] "+w"(sum0), [a] "+r"(a), [w] "+r"(w)
                             :
                             : TILE_SCRATCH);
    }
    int32x4_t one = add_up(sum0);
    store(work, first, (int32x4x4_t){{one, one, one, one}}, 1);
}

static inline __attribute__((always_inline)) void plain_blocks(const struct work *work, const bool signed_)
{
    const struct conv_tile *tile = work->tile;
    const struct plain plain = {work->head,
                                tile->in,
                                tile->in_step,
                                tile->out_stride,
                                (unsigned)work->conv->taps,
                                ((unsigned)work->conv->depth + FILL - 1) / FILL,
                                tile->out,
                                work->out.zero};
    const int n = tile->pixels, rest = n % 4;
    for (int i = 0; i + 4 <= n; i += 4)
        plain_block(plain, i, signed_);
    if (rest > 1)
        plain_block(plain, n - 4, signed_);
    else if (rest)
        block_1(work, n - 1);
}

static void run_panel(const struct work *work)
{
    int i = 0, n = work->tile->pixels;
    if (n >= 4 && !work->less && !work->head->own && work->out.finish != FINISH_ANY) {
        if (work->out.finish == FINISH_ROUND)
            plain_blocks(work, true);
        else
            plain_blocks(work, false);
        return;
    }
    for (; i + 4 <= n || (i + 1 < n && n >= 4); i += 4)
        block(work, i + 4 <= n ? i : n - 4);
    for (; i < n; i++)
        block_1(work, i);
}

/* Over the filled depth, as the weights' zero point is in what fills it. */
static void sum_inputs(const struct conv *conv, const struct conv_tile *tile, int32_t *less)
{
    for (int i = 0; i < tile->pixels; i++) {
        int32x4_t sum = vdupq_n_s32(0);
        for (int t = 0; t < conv->taps; t++) {
            const int8_t *a = (const int8_t *)tile->in[t] + (size_t)i * tile->in_step;
            for (size_t c = 0; c < filled(conv); c += FILL)
                sum = vpadalq_s16(sum, vmovl_s8(vld1_s8(a + c)));
        }
        less[i] = (int32_t)((uint32_t)vaddvq_s32(sum) * (uint32_t)conv->weight_zero);
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
        work.out = output_i8(work.head, conv->out_zero, conv->min_i8, conv->max_i8, PANEL,
                             conv->channels - j < PANEL ? conv->channels - j : PANEL);
        run_panel(&work);
    }
}

void kernels_init_conv_i8_neon(struct kernels *kernels)
{
    kernels->conv_i8 = (struct conv_kernel){"conv_i8_neon", TILE, PANEL, packed_bytes, pack, NULL, run};
}
