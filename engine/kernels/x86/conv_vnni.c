/* SPDX-License-Identifier: MIT */
/* int8 convolution with VPDPBUSD: four products a lane. It multiplies unsigned by signed, so that 128 is
 * added to all inputs, once for all channels, and taken back in the bias. */
#include "engine/kernels/x86/rounding16.h"
#include "engine/kernels/x86/turn.h"
#include "engine/kernels/x86/vnni.h"

#include <stdlib.h>
#include <string.h>

/* 8 pixels by two panels of 16 channels: 13 would fit the registers, but where depth is 32 or 64 they take 4
 * % longer and elsewhere as long. 13 pixels by one panel. A last panel of 8 channels or fewer: two pixels a
 * register. A panel is a head, then weight[quads][width][4] less head.zero; each tap's depth is filled up to
 * quads. */
enum { TILE = 13, BY_2 = 8, PANEL = LANES, HALF = 8 };

static size_t filled_depth(const struct conv *conv)
{
    return ((size_t)conv->depth + 3) / 4 * 4;
}

static size_t quads(const struct conv *conv)
{
    return (size_t)conv->taps * filled_depth(conv) / 4;
}

static int width(const struct conv *conv, int channel)
{
    return conv->channels - channel / PANEL * PANEL <= HALF ? HALF : PANEL;
}

static size_t panel_bytes(const struct conv *conv)
{
    return sizeof(struct head16) + quads(conv) * 4 * PANEL;
}

static size_t packed_bytes(const struct conv *conv)
{
    return ((size_t)conv->channels + PANEL - 1) / PANEL * panel_bytes(conv);
}

static struct head16 *head_of(const void *packed, const struct conv *conv, int channel)
{
    return (struct head16 *)(void *)((char *)(uintptr_t)packed + (size_t)channel / PANEL * panel_bytes(conv));
}

static bool rectified(const struct conv *conv)
{
    return conv->min_i8 >= conv->out_zero;
}

/* ---- packing ---- */

/* What is subtracted after the products: 0 if the weights less their zero point fit 8 bits, else that. */
static int32_t panel_zero(const struct conv *conv, const int8_t *weight, size_t count)
{
    int least = INT8_MAX, most = INT8_MIN;
    for (size_t i = 0; conv->weight_zero && i < count; i++) {
        least = weight[i] < least ? weight[i] : least;
        most = weight[i] > most ? weight[i] : most;
    }
    bool fit = least - conv->weight_zero >= INT8_MIN && most - conv->weight_zero <= INT8_MAX;
    return conv->weight_zero && !fit ? conv->weight_zero : 0;
}

/* Of each lane's packed weights, and of how large they are. */
struct lane_sums {
    int32_t sum[LANES], size[LANES];
};

/* All of which fit 32 bits up to SIZE_SURE bytes; beyond, they are called too large for vectors. */
enum { SIZE_SURE = 1 << 27 };

static struct lane_sums add_up(const int8_t *packed, size_t bytes)
{
    const __m512i ones = _mm512_set1_epi8(1);
    __m512i sum = _mm512_setzero_si512(), size = sum;
    struct lane_sums sums;
    size_t i;
    for (i = 0; i + 64 <= bytes; i += 64) {
        __m512i quads = _mm512_loadu_si512(packed + i);
        sum = _mm512_dpbusd_epi32(sum, ones, quads);
        size = _mm512_dpbusd_epi32(size, _mm512_abs_epi8(quads), ones);
    }
    __m512i quads = _mm512_maskz_loadu_epi8(~(~0ull << (bytes - i)), packed + i);
    _mm512_storeu_si512(sums.sum, _mm512_dpbusd_epi32(sum, ones, quads));
    _mm512_storeu_si512(sums.size, _mm512_dpbusd_epi32(size, _mm512_abs_epi8(quads), ones));
    return sums;
}

static void set_heads(const struct conv *conv, const struct conv_weights *weights, int first, size_t rows,
                      struct head16 *head)
{
    const int wide = width(conv, first);
    const int64_t each = (int64_t)conv->taps * conv->depth, in = weights->in_zero + 128;
    const struct lane_sums sums = add_up((const int8_t *)(head + 1), quads(conv) * 4 * (size_t)wide);
    for (int i = 0; i < (int)rows; i++) {
        const int channel = first + i, twin = i + (wide == HALF ? HALF : 0);
        int64_t bias = weights->bias_i32 ? weights->bias_i32[channel] : 0, sum = sums.sum[i],
                size = sums.size[i];
        if (twin != i) {
            sum += sums.sum[twin];
            size += sums.size[twin];
        }
        sum -= each * head->zero;
        size = quads(conv) * 4 * PANEL > SIZE_SURE ? SUM_MOST : size + each * abs(head->zero);
        for (int lane = i; lane < PANEL; lane += wide) /* twice in a panel of 8 */
            head16_set(head, lane, bias - in * sum, 255 * size + llabs(bias), weights->requant[channel]);
    }
}

/* Of one tap, when its depth is whole quads. What is added to rows that are not there does not matter. */
static void pack_quads(const int8_t *from, size_t apart, size_t rows, size_t depth, int add, int8_t *to,
                       size_t wide)
{
    turn(from, apart / 4, rows, depth / 4, to, wide);
    for (size_t i = 0; add && i < depth * wide; i++)
        to[i] = (int8_t)(to[i] + add);
}

static void pack_rest(const int8_t *from, size_t apart, size_t rows, size_t depth, int add, int8_t *to,
                      size_t wide)
{
    for (size_t j = 0; j < rows; j++)
        for (size_t c = 0; c < depth; c++)
            to[c / 4 * 4 * wide + 4 * j + c % 4] = (int8_t)(from[j * apart + c] + add);
}

static void pack_panel(const struct conv *conv, const struct conv_weights *weights, int first,
                       struct head16 *head)
{
    const size_t depth = (size_t)conv->depth, each = (size_t)conv->taps * depth;
    const size_t wide = (size_t)width(conv, first);
    const size_t rows = (size_t)(conv->channels - first) < wide ? (size_t)(conv->channels - first) : wide;
    const int8_t *from = weights->i8 + (size_t)first * each;
    int8_t *to = (int8_t *)(head + 1);
    if (rows < wide || depth % 4)
        memset(to, 0, quads(conv) * 4 * wide);
    head16_clear(head);
    head->zero = panel_zero(conv, from, rows * each);
    const int add = head->zero - conv->weight_zero;
    for (int t = 0; t < conv->taps; t++, from += depth, to += filled_depth(conv) * wide)
        (depth % 4 ? pack_rest : pack_quads)(from, each, rows, depth, add, to, wide);
    set_heads(conv, weights, first, rows, head);
    if (may_be_line16(conv->out_zero, conv->min_i8, conv->max_i8))
        head16_set_line(head);
}

static void pack(const struct conv *conv, const struct conv_weights *weights, void *packed, int from, int to)
{
    for (int j = from; j < to; j += PANEL)
        pack_panel(conv, weights, j, head_of(packed, conv, j));
}

/* ---- inputs ---- */

/* From one pixel to the next in the scratch: an odd number of cache lines, so that pixels lie in different
 * ones. */
static size_t unsigned_step(const struct conv *conv)
{
    return align64((size_t)(conv->taps - 1) * filled_depth(conv) + align64((size_t)conv->depth)) | 64;
}

/* Pixels that overlap, or lie side by side and are short, are read in one piece a tap, unless their sums are
 * wanted. Long ones would meet in few sets of the cache. */
static bool in_one_piece(const struct conv *conv, const struct conv_tile *tile)
{
    size_t depth = (size_t)conv->depth;
    return !conv->weight_zero && (tile->in_step < depth || (tile->in_step == depth && depth <= 64));
}

static size_t piece_bytes(const struct conv *conv)
{
    return align64(CONV_PIXELS * (size_t)conv->depth + 64);
}

static size_t unsigned_bytes(const struct conv *conv)
{
    size_t pixels = CONV_PIXELS * unsigned_step(conv), pieces = (size_t)conv->taps * piece_bytes(conv);
    return pixels > pieces ? pixels : pieces;
}

/* Unsigned inputs, then of each pixel the sum of its own. */
static size_t scratch(const struct conv *conv)
{
    return unsigned_bytes(conv) + CONV_PIXELS * sizeof(int32_t);
}

static void read_pieces(const struct conv *conv, const struct conv_tile *tile, uint8_t *to)
{
    const __m512i flip = _mm512_set1_epi8(-128);
    size_t bytes = (size_t)(tile->pixels - 1) * tile->in_step + (size_t)conv->depth, c;
    for (int t = 0; t < conv->taps; t++, to += piece_bytes(conv)) {
        const int8_t *in = tile->in[t];
        for (c = 0; c + 64 <= bytes; c += 64)
            _mm512_store_si512(to + c, _mm512_xor_si512(_mm512_loadu_si512(in + c), flip));
        __m512i rest = _mm512_maskz_loadu_epi8(~(~0ull << (bytes - c)), in + c);
        _mm512_store_si512(to + c, _mm512_xor_si512(rest, flip));
    }
}

/* What is written too much is written over, or meets weights of 0. Returns the sum. */
static inline __attribute__((always_inline)) int32_t
read_pixel(const struct conv *conv, const struct conv_tile *tile, int pixel, uint8_t *to, const bool add)
{
    const __m512i flip = _mm512_set1_epi8(-128), ones = _mm512_set1_epi8(1);
    const __mmask64 last = ~0ull >> (-conv->depth & 63);
    __m512i sum = _mm512_setzero_si512();
    for (int t = 0; t < conv->taps; t++, to += filled_depth(conv)) {
        const int8_t *in = (const int8_t *)tile->in[t] + (size_t)pixel * tile->in_step;
        int c = 0;
        for (; c + 64 < conv->depth; c += 64) {
            __m512i u = _mm512_xor_si512(_mm512_loadu_si512(in + c), flip);
            _mm512_storeu_si512(to + c, u);
            if (add)
                sum = _mm512_dpbusd_epi32(sum, u, ones);
        }
        __m512i u = _mm512_maskz_add_epi8(last, _mm512_maskz_loadu_epi8(last, in + c), flip);
        _mm512_storeu_si512(to + c, u);
        if (add)
            sum = _mm512_dpbusd_epi32(sum, u, ones);
    }
    return add ? _mm512_reduce_add_epi32(sum) : 0;
}

static void read_pixels(const struct conv *conv, const struct conv_tile *tile, uint8_t *to, int32_t *sum)
{
    if (in_one_piece(conv, tile)) {
        read_pieces(conv, tile, to);
        return;
    }
    for (int i = 0; i < tile->pixels; i++, to += unsigned_step(conv))
        if (conv->weight_zero)
            sum[i] = read_pixel(conv, tile, i, to, true);
        else
            read_pixel(conv, tile, i, to, false);
}

/* ---- tiles ---- */

struct work { /* unsigned pixels, and one to four panels of channels */
    const uint8_t *in;
    const int32_t *sums; /* of each pixel's inputs */
    int taps;
    size_t tap_step, in_step, panel_step, quads; /* quads: a tap */
    const struct head16 *head;
    int8_t *out; /* the first panel's first channel of the first pixel */
    size_t out_stride;
    int columns; /* all panels' */
    int32_t zero, min, max;
    bool rectified;
    struct clamp64 clamp;
    struct rounding16 rounding[4]; /* of each panel */
    int alike; /* enum rounding, of all panels, whose heads have neither `zero` nor `scalar`; else -1 */
};

static inline __attribute__((always_inline)) const struct head16 *panel_of(const struct work *work, int p)
{
    return (const void *)((const char *)work->head + (size_t)p * work->panel_step);
}

/* Where the sums of a panel go. A last panel's hold two pixels of 8 channels. */
struct place {
    int8_t *out; /* the first pixel */
    size_t stride;
    int columns, pixels; /* pixels: that there are, of pairs */
    bool pairs;
};

static inline __attribute__((always_inline)) struct place place_of(const struct work *work, int first, int p,
                                                                   const bool pairs, int pixels)
{
    size_t pixel = (size_t)(pairs ? 2 * first : first);
    return (struct place){work->out + pixel * work->out_stride + (size_t)(p * PANEL), work->out_stride,
                          work->columns - p * PANEL, pixels - 2 * first, pairs};
}

static inline __attribute__((always_inline)) void store_sum(const struct place to, int row, __m128i bytes)
{
    if (!to.pairs) {
        store_bytes(to.out + (size_t)row * to.stride, bytes, to.columns);
        return;
    }
    store_bytes(to.out + (size_t)(2 * row) * to.stride, bytes, to.columns);
    if (2 * row + 1 < to.pixels)
        store_bytes(to.out + (size_t)(2 * row + 1) * to.stride, _mm_srli_si128(bytes, HALF), to.columns);
}

/* Sums of a panel. All is held here, as stores might change what lies in memory. */
static inline __attribute__((always_inline)) void finish(const struct work *work, int p,
                                                         const struct place to, const __m512i *sum,
                                                         const int rows, const enum rounding by)
{
    const struct factor16 f = work->rounding[p].factor;
    const struct line16 line = work->rounding[p].line;
    const struct clamp64 clamp = work->clamp;
#pragma GCC unroll 4
    for (int i = 0; i < rows; i += 4) {
        __m512i value[4];
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++)
            value[k] = i + k < rows ? round16(sum[i + k], &f, &line, by) : value[0];
        __m512i bytes = bytes64(value[0], value[1], value[2], value[3], &clamp, by);
        store_sum(to, i, _mm512_castsi512_si128(bytes));
        if (i + 1 < rows)
            store_sum(to, i + 1, _mm512_extracti32x4_epi32(bytes, 1));
        if (i + 2 < rows)
            store_sum(to, i + 2, _mm512_extracti32x4_epi32(bytes, 2));
        if (i + 3 < rows)
            store_sum(to, i + 3, _mm512_extracti32x4_epi32(bytes, 3));
    }
}

static __attribute__((noinline)) void finish_any(const struct work *work, int p, const struct place *to,
                                                 const int32_t *sum, int rows)
{
    const struct head16 *head = panel_of(work, p);
    for (int i = 0; i < rows; i++, sum += LANES) {
        int8_t bytes[LANES];
        finish_scalar16(head, sum, LANES, work->zero, work->min, work->max, bytes);
        store_sum(*to, i, _mm_loadu_si128((const __m128i *)bytes));
    }
}

/* What the sums have too much for weights with their zero point. */
static inline __m512i surplus(const struct work *work, const struct head16 *head, int row, bool half,
                              int pixels)
{
    if (!half)
        return _mm512_mullo_epi32(_mm512_set1_epi32(work->sums[row]), _mm512_set1_epi32(head->zero));
    int next = 2 * row + 1 < pixels ? 2 * row + 1 : 2 * row;
    __m512i both = _mm512_mask_set1_epi32(_mm512_set1_epi32(work->sums[2 * row]), 0xff00, work->sums[next]);
    return _mm512_mullo_epi32(both, _mm512_set1_epi32(head->zero));
}

static inline __attribute__((always_inline)) void finish_panel(const struct work *work, int first,
                                                               __m512i *sum, const int rows, int p,
                                                               const bool half, int pixels)
{
    const struct head16 *head = panel_of(work, p);
    if (head->zero)
#pragma GCC unroll 13
        for (int i = 0; i < rows; i++)
            sum[i] = _mm512_sub_epi32(sum[i], surplus(work, head, first + i, half, pixels));
    const struct place to = place_of(work, first, p, half, pixels);
    if (head->scalar) {
        int32_t all[TILE][LANES];
#pragma GCC unroll 13
        for (int i = 0; i < rows; i++)
            _mm512_storeu_si512(all[i], sum[i]);
        finish_any(work, p, &to, all[0], rows);
    } else if (work->rounding[p].by == ROUND_LINE) {
        finish(work, p, to, sum, rows, ROUND_LINE);
    } else if (work->rectified) {
        finish(work, p, to, sum, rows, ROUND_RECTIFIED);
    } else {
        finish(work, p, to, sum, rows, ROUND_ANY);
    }
}

/* Sums of two whole panels, two pixels at a time: halves of a register go where 32 channels lie. */
static inline __attribute__((always_inline)) void finish_both(const struct work *work, int first,
                                                              const __m512i *a, const __m512i *b,
                                                              const int rows, const enum rounding by)
{
    const struct rounding16 *r = work->rounding;
    const struct factor16 f[2] = {r[0].factor, r[1].factor};
    const struct line16 line[2] = {r[0].line, r[1].line};
    const struct clamp64 clamp = work->clamp;
    int8_t *out = work->out + (size_t)first * work->out_stride;
#pragma GCC unroll 7
    for (int i = 0; i < rows; i += 2) {
        const int k = i + 1 < rows ? i + 1 : i;
        __m512i bytes =
            bytes64(round16(a[i], &f[0], &line[0], by), round16(b[i], &f[1], &line[1], by),
                    round16(a[k], &f[0], &line[0], by), round16(b[k], &f[1], &line[1], by), &clamp, by);
        _mm256_storeu_si256((__m256i *)(void *)(out + (size_t)i * work->out_stride),
                            _mm512_castsi512_si256(bytes));
        if (k > i)
            _mm256_storeu_si256((__m256i *)(void *)(out + (size_t)k * work->out_stride),
                                _mm512_extracti64x4_epi64(bytes, 1));
    }
}

static inline __attribute__((always_inline)) __m512i quad_at(const uint8_t *in)
{
    int32_t quad;
    memcpy(&quad, in, sizeof(quad));
    return _mm512_set1_epi32(quad);
}

/* Every third row has a pointer, so that no row needs more than one addition; the compiler must not make them
 * offsets to each other. */
static inline __attribute__((always_inline)) void tile_of(const struct work *work, int first, const int rows,
                                                          const int panels)
{
    __m512i sum[4][TILE];
    const size_t step = work->in_step, panel_step = work->panel_step;
    const uint8_t *in[(TILE + 2) / 3];
    const int8_t *w = (const int8_t *)(work->head + 1);
#pragma GCC unroll 4
    for (int p = 0; p < panels; p++)
#pragma GCC unroll 13
        for (int i = 0; i < rows; i++)
            sum[p][i] = _mm512_loadu_si512(panel_of(work, p)->bias);
    for (int t = 0; t < work->taps; t++) {
#pragma GCC unroll 5
        for (int i = 0; i < (rows + 2) / 3; i++)
            in[i] = work->in + (size_t)t * work->tap_step + (size_t)(first + 3 * i) * step;
        for (const int8_t *end = w + 4 * PANEL * work->quads; w < end; w += 4 * PANEL) {
            __m512i weights[4];
#pragma GCC unroll 4
            for (int p = 0; p < panels; p++)
                weights[p] = _mm512_loadu_si512(w + (size_t)p * panel_step);
#pragma GCC unroll 13
            for (int i = 0; i < rows; i++) {
                __m512i quad = quad_at(in[i / 3] + (size_t)(i % 3) * step);
#pragma GCC unroll 4
                for (int p = 0; p < panels; p++)
                    sum[p][i] = _mm512_dpbusd_epi32(sum[p][i], quad, weights[p]);
            }
#pragma GCC unroll 5
            for (int i = 0; i < (rows + 2) / 3; i++) {
                in[i] += 4;
                __asm__("" : "+r"(in[i]));
            }
        }
    }
    if (panels == 2 && work->columns >= 2 * PANEL && work->alike >= 0) {
        if (work->alike == ROUND_LINE)
            finish_both(work, first, sum[0], sum[1], rows, ROUND_LINE);
        else if (work->alike == ROUND_RECTIFIED)
            finish_both(work, first, sum[0], sum[1], rows, ROUND_RECTIFIED);
        else
            finish_both(work, first, sum[0], sum[1], rows, ROUND_ANY);
        return;
    }
#pragma GCC unroll 4
    for (int p = 0; p < panels; p++)
        finish_panel(work, first, sum[p], rows, p, false, 0);
}

/* `rows` pairs of pixels of a last panel; of the last pair perhaps only one. */
static inline __attribute__((always_inline)) void tile_of_pairs(const struct work *work, int first,
                                                                const int rows, int pixels)
{
    __m512i sum[TILE];
    const size_t step = work->in_step;
    const int8_t *w = (const int8_t *)(work->head + 1);
    const size_t last = 2 * (first + rows) <= pixels ? step : 0;
#pragma GCC unroll 13
    for (int i = 0; i < rows; i++)
        sum[i] = _mm512_loadu_si512(work->head->bias);
    for (int t = 0; t < work->taps; t++) {
        const uint8_t *in = work->in + (size_t)t * work->tap_step + (size_t)(2 * first) * step;
        for (const uint8_t *end = in + 4 * work->quads; in < end; in += 4, w += 4 * HALF) {
            const __m512i weights = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)w));
#pragma GCC unroll 13
            for (int i = 0; i < rows; i++) {
                const uint8_t *pair = in + (size_t)(2 * i) * step;
                __m512i second = quad_at(pair + (i + 1 < rows ? step : last));
                sum[i] = _mm512_dpbusd_epi32(sum[i], _mm512_mask_blend_epi32(0xff00, quad_at(pair), second),
                                             weights);
            }
        }
    }
    finish_panel(work, first, sum, rows, 0, true, pixels);
}

#define CASES_3(X)  X(1) X(2) X(3)
#define CASES_8(X)  CASES_3(X) X(4) X(5) X(6) X(7) X(8)
#define CASES_13(X) CASES_8(X) X(9) X(10) X(11) X(12) X(13)
#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        TILE_OF(n);                                                                                          \
        break;
#define ROWS_OF(name, cases)                                                                                 \
    static void name(const struct work *work, int first, int rows, int pixels)                               \
    {                                                                                                        \
        (void)pixels;                                                                                        \
        switch (rows) {                                                                                      \
            cases(CASE)                                                                                      \
        }                                                                                                    \
    }
#define TILE_OF(n) tile_of(work, first, n, 1)
ROWS_OF(rows_by_1, CASES_13)
#undef TILE_OF
#define TILE_OF(n) tile_of(work, first, n, 2)
ROWS_OF(rows_by_2, CASES_8)
#undef TILE_OF
#define TILE_OF(n) tile_of(work, first, n, 3)
ROWS_OF(rows_by_3, CASES_8)
#undef TILE_OF
#define TILE_OF(n) tile_of(work, first, n, 4)
ROWS_OF(rows_by_4, CASES_3)
#undef TILE_OF
#define TILE_OF(n) tile_of_pairs(work, first, n, pixels)
ROWS_OF(rows_of_pairs, CASES_13)
#undef TILE_OF

/* ---- all pixels, all channels ---- */

/* Tiles of equal height or one pixel less, so that none is a mere rest. */
static void run_tiles(const struct work *work, int rows, int most, int pixels,
                      void (*run)(const struct work *, int, int, int))
{
    int tiles = (rows + most - 1) / most;
    for (int i = 0; i < tiles; i++) {
        int first = rows * i / tiles;
        run(work, first, rows * (i + 1) / tiles - first, pixels);
    }
}

static void set_rounding(struct work *work, int panels)
{
    bool plain = true;
    for (int p = 0; p < panels; p++) {
        const struct head16 *head = panel_of(work, p);
        set_rounding16(&work->rounding[p], head, work->zero, work->rectified);
        plain &= !head->scalar && !head->zero && work->rounding[p].by == work->rounding[0].by;
    }
    work->alike = plain ? (int)work->rounding[0].by : -1;
}

/* How many panels are made together, of `panels` whole ones that are left. */
static int together(int panels, int pixels)
{
    return panels == 0 ? 1 : panels >= 4 && pixels <= 3 ? 4 : panels > 3 ? 2 : panels;
}

static void run_panels(struct work *work, int panels, int pixels)
{
    const int made = together(panels, pixels);
    set_rounding(work, made);
    if (panels == 0)
        run_tiles(work, (pixels + 1) / 2, TILE, pixels, rows_of_pairs);
    else if (made == 4)
        run_tiles(work, pixels, 3, pixels, rows_by_4);
    else if (made == 3)
        run_tiles(work, pixels, 8, pixels, rows_by_3);
    else if (made == 2)
        run_tiles(work, pixels, BY_2, pixels, rows_by_2);
    else
        run_tiles(work, pixels, TILE, pixels, rows_by_1);
}

static void run(const struct conv *conv, const struct conv_tile *tile)
{
    uint8_t *in = tile->scratch;
    int32_t *sums = (int32_t *)(void *)(in + unsigned_bytes(conv));
    const bool piece = in_one_piece(conv, tile);
    struct work work = {.in = in,
                        .sums = sums,
                        .taps = piece ? conv->taps : 1,
                        .tap_step = piece_bytes(conv),
                        .in_step = piece ? tile->in_step : unsigned_step(conv),
                        .panel_step = panel_bytes(conv),
                        .quads = piece ? filled_depth(conv) / 4 : quads(conv),
                        .out_stride = tile->out_stride,
                        .zero = conv->out_zero,
                        .min = conv->min_i8,
                        .max = conv->max_i8,
                        .rectified = rectified(conv),
                        .clamp = clamp64(conv->min_i8, conv->max_i8)};
    read_pixels(conv, tile, in, sums);
    for (int j = tile->from; j < tile->to;) {
        bool pairs = width(conv, conv->channels - 1) == HALF && tile->to == conv->channels;
        int panels = (tile->to - j + PANEL - 1) / PANEL - (pairs ? 1 : 0);
        work.head = head_of(conv->packed, conv, j);
        work.out = (int8_t *)tile->out + j;
        work.columns = tile->to - j;
        run_panels(&work, panels, tile->pixels);
        j += PANEL * together(panels, tile->pixels);
    }
}

void kernels_init_conv_vnni(struct kernels *kernels)
{
    kernels->conv_i8 =
        (struct conv_kernel){"conv_i8_vnni", TILE, PANEL, packed_bytes, pack, scratch, run, .even = true};
}
