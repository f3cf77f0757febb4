/* SPDX-License-Identifier: MIT */
/*
 * int8 convolution without dot product: SMULL and SMLAL make two products a lane in 16 bits, SADALP adds
 * pairs of lanes to a sum of 32 bits: 16 products in three instructions. Two products of -128 and -128 would
 * not fit, so where a weight is -128 each product is added by itself. Assembly for the reason given in
 * tile.h.
 */
#include "engine/kernels/arm/requant.h"
#include "engine/kernels/arm/tile.h"

/* 4 pixels by 4 channels: 16 sums of 4 lanes each, which are added up at the end. */
enum { TILE = 4, PANEL = 4, FILL = 8 };

/* Before the panels: whether a weight is -128. A panel is a head, then weight[taps][depth / 16][4][16], and
 * for a last 8 of a tap's depth [4][8]; depth is filled up to 8 with the weights' zero point, so that what is
 * read behind the inputs counts for nothing. head.bias is a lane of each sum; multiplier and shift stand
 * there once a pixel. */
struct packed {
    int careful;
    char unused[60];
};

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
    return sizeof(struct packed) + ((size_t)conv->channels + PANEL - 1) / PANEL * panel_bytes(conv);
}

static struct head_i8 *panel(const struct conv *conv, const void *packed, int first)
{
    char *panels = (char *)(uintptr_t)packed + sizeof(struct packed);
    return (void *)(panels + (size_t)(first / PANEL) * panel_bytes(conv));
}

/* Where input c of a channel stands within a tap. */
static size_t place(const struct conv *conv, size_t c, size_t channel)
{
    size_t block = c / 16 * 16, wide = filled(conv) - block < 16 ? 8 : 16;
    return block * PANEL + channel * wide + c % 16;
}

static bool pack_channel(const struct conv *conv, const struct conv_weights *weights, int channel,
                         struct head_i8 *head)
{
    size_t taps = (size_t)conv->taps, depth = (size_t)conv->depth, at = (size_t)(channel % PANEL);
    const int8_t *from = weights->i8 + (size_t)channel * taps * depth;
    bool careful = conv->weight_zero == -128;
    int64_t sum = 0;
    for (size_t t = 0; t < taps; t++) {
        int8_t *to = (int8_t *)(head + 1) + t * filled(conv) * PANEL;
        for (size_t c = 0; c < depth; c++) {
            int8_t w = from[t * depth + c];
            to[place(conv, c, at)] = w;
            careful |= w == -128;
            sum += w - conv->weight_zero;
        }
    }
    for (int pixel = 0; pixel < 4; pixel++)
        head_set(head, 4 * pixel + (int)at, 0, weights->requant[channel]);
    head->bias[4 * at] =
        (int32_t)((weights->bias_i32 ? weights->bias_i32[channel] : 0) - weights->in_zero * sum);
    return careful;
}

static void pack(const struct conv *conv, const struct conv_weights *weights, void *packed)
{
    struct packed *front = packed;
    memset(packed, conv->weight_zero, packed_bytes(conv));
    front->careful = 0;
    for (int first = 0; first < conv->channels; first += PANEL) {
        struct head_i8 *head = panel(conv, packed, first);
        memset(head, 0, sizeof(*head));
        for (int i = 0; i < 16; i++)
            head->shift[i] = -1;
    }
    for (int channel = 0; channel < conv->channels; channel++) /* the heads' biases are 0 until here */
        front->careful |= pack_channel(conv, weights, channel, panel(conv, packed, channel));
}

/* What a block of pixels and a panel have in common. */
struct work {
    const struct conv *conv;
    const struct conv_tile *tile;
    const struct head_i8 *head;
    struct output_i8 out;
    const int32_t *less; /* of each pixel: the sum of its inputs times the weights' zero point; NULL: none */
    bool careful;
    int columns;
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
#define INPUTS [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2), [a3] "+r"(a3), [w] "+r"(w)
#define LOAD_A(what, bytes)                                                                                  \
    "ldr " what "0, [%[a0]], #" bytes "\nldr " what "2, [%[a1]], #" bytes "\n"                               \
    "ldr " what "4, [%[a2]], #" bytes "\nldr " what "6, [%[a3]], #" bytes "\n"

static inline __attribute__((always_inline)) int32x4_t add_up(int32x4x4_t sum)
{
    int32x4_t all;
    __asm__("addp %S[sum].4s, %S[sum].4s, %T[sum].4s\naddp %U[sum].4s, %U[sum].4s, %V[sum].4s\n"
            "addp %[all].4s, %S[sum].4s, %U[sum].4s\n"
            : [sum] "+w"(sum), [all] "=w"(all));
    return all;
}

static inline void store_pixel(const struct work *work, int pixel, int8x16_t all, int at)
{
    int8_t bytes[16], *out = (int8_t *)work->tile->out + (size_t)pixel * work->tile->out_stride;
    vst1q_s8(bytes, all);
    memcpy(out, bytes + 4 * at, (size_t)work->columns);
}

static inline __attribute__((always_inline)) void store(const struct work *work, int first, int32x4x4_t sum,
                                                        int rows)
{
    int8_t *out = (int8_t *)work->tile->out + (size_t)first * work->tile->out_stride;
    size_t step = work->tile->out_stride;
    if (work->less)
        for (int i = 0; i < 4; i++)
            sum.val[i] = vsubq_s32(sum.val[i], vdupq_n_s32(work->less[first + (i < rows ? i : 0)]));
    int8x16_t all = finish16(sum, work->head, &work->out);
    if (work->columns < PANEL || rows < 4) {
        for (int i = 0; i < rows; i++)
            store_pixel(work, first + i, all, i);
        return;
    }
    int32x4_t words = vreinterpretq_s32_s8(all);
    vst1q_lane_s32((int32_t *)(void *)out, words, 0);
    vst1q_lane_s32((int32_t *)(void *)(out + step), words, 1);
    vst1q_lane_s32((int32_t *)(void *)(out + 2 * step), words, 2);
    vst1q_lane_s32((int32_t *)(void *)(out + 3 * step), words, 3);
}

static inline __attribute__((always_inline)) void block(const struct work *work, int first)
{
    const int32_t *bias = work->head->bias;
    int32x4x4_t sum0 = vld1q_s32_x4(again(bias)), sum1 = vld1q_s32_x4(again(bias)),
                sum2 = vld1q_s32_x4(again(bias)), sum3 = vld1q_s32_x4(again(bias));
    const int8_t *w = (const int8_t *)(work->head + 1);
    const unsigned eights = ((unsigned)work->conv->depth + FILL - 1) / FILL;
    const size_t step = work->tile->in_step;
    for (int t = 0; t < work->conv->taps; t++) {
        const int8_t *a0 = (const int8_t *)work->tile->in[t] + (size_t)first * step;
        const int8_t *a1 = a0 + step, *a2 = a1 + step, *a3 = a2 + step;
        unsigned n = work->careful ? 0 : eights / 4, rest = work->careful ? eights / 2 : eights % 4 / 2;
        if (n)
            __asm__ volatile("1:\n"
                             "ld1 {v0.16b, v1.16b}, [%[a0]], #32\n"
                             "ld1 {v2.16b, v3.16b}, [%[a1]], #32\n"
                             "ld1 {v4.16b, v5.16b}, [%[a2]], #32\n"
                             "ld1 {v6.16b, v7.16b}, [%[a3]], #32\n"
                             "subs %w[n], %w[n], #1\n" LOAD_W ROWS(MLA, "v0", "v2", "v4", "v6")
                                 LOAD_W ROWS(MLA, "v1", "v3", "v5", "v7") "b.ne 1b\n"
                             : TILE_SUMS, INPUTS, [n] "+r"(n)
                             :
                             : TILE_SCRATCH);
        if (rest && !work->careful)
            __asm__ volatile(LOAD_A("q", "16") LOAD_W ROWS(MLA, "v0", "v2", "v4", "v6")
                             : TILE_SUMS, INPUTS
                             :
                             : TILE_SCRATCH);
        else
            for (; rest > 0; rest--)
                __asm__ volatile(LOAD_A("q", "16") LOAD_W ROWS(MLA_CAREFUL, "v0", "v2", "v4", "v6")
                                 : TILE_SUMS, INPUTS
                                 :
                                 : TILE_SCRATCH);
        if (eights % 2)
            __asm__ volatile(
                LOAD_A("d", "8") "ld1 {v8.8b-v11.8b}, [%[w]], #32\n" ROWS(MLA_HALF, "v0", "v2", "v4", "v6")
                : TILE_SUMS, INPUTS
                :
                : TILE_SCRATCH);
    }
    int32x4x4_t all = {{add_up(sum0), add_up(sum1), add_up(sum2), add_up(sum3)}};
    store(work, first, all, 4);
}

static void block_1(const struct work *work, int first)
{
    const int8_t *w = (const int8_t *)(work->head + 1);
    const int eights = (work->conv->depth + FILL - 1) / FILL;
    int32x4x4_t sum0 = vld1q_s32_x4(work->head->bias);
    for (int t = 0; t < work->conv->taps; t++) {
        const int8_t *a = (const int8_t *)work->tile->in[t] + (size_t)first * work->tile->in_step;
        unsigned n = work->careful ? 0 : (unsigned)eights / 2;
        if (n)
            __asm__ volatile(
                "1:\n"
                "ldr q0, [%[a]], #16\n"
                "subs %w[n], %w[n], #1\n" LOAD_W MLA("sum0", "v0", "v8", "v9", "v10", "v11") "b.ne 1b\n"
                : [sum0] "+w"(sum0), [a] "+r"(a), [w] "+r"(w), [n] "+r"(n)
                :
                : TILE_SCRATCH);
        for (n = work->careful ? (unsigned)eights / 2 : 0; n > 0; n--)
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

static void run_panel(const struct work *work)
{
    int i = 0, n = work->tile->pixels;
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
    const struct packed *front = conv->packed;
    int32_t less[CONV_PIXELS];
    if (conv->weight_zero)
        sum_inputs(conv, tile, less);
    for (int j = tile->from; j < tile->to; j += PANEL) {
        struct conv_tile part = *tile;
        part.out = (int8_t *)tile->out + j;
        struct work work = {conv, &part, panel(conv, conv->packed, j),
                            .less = conv->weight_zero ? less : NULL};
        work.out = output_i8(work.head, conv->out_zero, conv->min_i8, conv->max_i8);
        work.careful = front->careful;
        work.columns = conv->channels - j < PANEL ? conv->channels - j : PANEL;
        run_panel(&work);
    }
}

void kernels_init_conv_i8_neon(struct kernels *kernels)
{
    kernels->conv_i8 = (struct conv_kernel){"conv_i8_neon", TILE, PANEL, packed_bytes, pack, NULL, run};
}
