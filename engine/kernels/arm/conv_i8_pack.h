/* SPDX-License-Identifier: MIT */
/* Part of conv_i8.h: weights in panels. */
#include "engine/kernels/arm/requant.h"

#include <stdlib.h>

enum { PANEL = 16, HALF = 8 };

/* A panel is a head, then weight[taps][filled depth][width], each less the zero point. head.zero is 0 then;
 * where a weight would leave 8 bits, the panel's weights are as they were and zero is their zero point. Depth
 * is filled up with that, so that what is read behind the inputs counts for nothing. */
static size_t filled(const struct conv *conv)
{
    return ((size_t)conv->depth + FILL - 1) / FILL * FILL;
}

static int width(const struct conv *conv, int first)
{
    return conv->channels - first <= HALF ? HALF : PANEL;
}

static size_t panel_bytes(const struct conv *conv, int width)
{
    return sizeof(struct head_i8) + (size_t)conv->taps * filled(conv) * (size_t)width;
}

static size_t packed_bytes(const struct conv *conv)
{
    const struct conv one = in_one_tap(conv);
    int last = (one.channels - 1) / PANEL * PANEL;
    return (size_t)(last / PANEL) * panel_bytes(&one, PANEL) + panel_bytes(&one, width(&one, last));
}

struct sums { /* of a channel's weights, less their zero point */
    int64_t all, sizes;
    int least; /* as in the file */
};

static struct sums add_up(const int8_t *weight, size_t count, int zero)
{
    enum { BLOCK = 4096 }; /* whose sums fit 32 bits */
    struct sums sums = {.least = INT8_MAX};
    for (; count > 0; weight += BLOCK) {
        const int n = count < BLOCK ? (int)count : BLOCK;
        int32_t all = 0, sizes = 0;
        int8_t least = INT8_MAX;
        for (int i = 0; i < n; i++) {
            all += weight[i] - zero;
            sizes += abs(weight[i] - zero);
            least = weight[i] < least ? weight[i] : least;
        }
        sums.all += all;
        sums.sizes += sizes;
        sums.least = least < sums.least ? least : sums.least;
        count -= (size_t)n;
    }
    return sums;
}

static void place_tap(const int8_t *from, size_t depth, int add, int8_t *to, size_t at, size_t n)
{
    size_t c = 0;
    for (; !add && c + TOGETHER <= depth; c += TOGETHER)
        memcpy(to + place(c, at, n), from + c, TOGETHER);
    for (; c < depth; c++)
        to[place(c, at, n)] = (int8_t)(from[c] + add);
}

static void pack_channel(const struct conv *conv, const struct conv_weights *weights, int channel,
                         struct head_i8 *head, size_t at, size_t n)
{
    const size_t taps = (size_t)conv->taps, depth = (size_t)conv->depth;
    const int8_t *from = weights->i8 + (size_t)channel * taps * depth;
    const int add = head->zero - conv->weight_zero;
    const struct sums sums = add_up(from, taps * depth, conv->weight_zero);
    for (size_t t = 0; t < taps; t++)
        place_tap(from + t * depth, depth, add, (int8_t *)(head + 1) + t * filled(conv) * n, at, n);
    head->own |= careful(sums.least + add);
    int64_t bias = (weights->bias_i32 ? weights->bias_i32[channel] : 0) - weights->in_zero * sums.all;
    for (; at < PANEL; at += n) /* twice in a panel of 8 */
        head_set(head, (int)at, bias, 128 * sums.sizes, weights->requant[channel], conv->out_zero);
}

static struct head_i8 *panel(const struct conv *conv, const void *packed, int first)
{
    return (void *)((char *)(uintptr_t)packed + (size_t)(first / PANEL) * panel_bytes(conv, PANEL));
}

static void pack_panels(const struct conv *conv, const struct conv_weights *weights, void *packed, int from,
                        int to)
{
    for (int first = from; first < to; first += PANEL) {
        struct head_i8 *head = panel(conv, packed, first);
        int count = conv->channels - first < PANEL ? conv->channels - first : PANEL, n = width(conv, first);
        head_clear(head);
        head->zero = panel_zero(conv, weights, first, count);
        head->own = careful(head->zero);
        memset(head + 1, head->zero, panel_bytes(conv, n) - sizeof(*head));
        for (int i = 0; i < count; i++)
            pack_channel(conv, weights, first + i, head, (size_t)i, (size_t)n);
    }
}

static void pack(const struct conv *conv, const struct conv_weights *weights, void *packed, int from, int to)
{
    const struct conv one = in_one_tap(conv);
    pack_panels(&one, weights, packed, from, to);
}
