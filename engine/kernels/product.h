/* SPDX-License-Identifier: MIT */
/* Convolutions, fully connected layers and depthwise convolutions, as kernels see them. */
#ifndef PIPIT_ENGINE_KERNELS_PRODUCT_H
#define PIPIT_ENGINE_KERNELS_PRODUCT_H

#include "engine/kernels/requant.h"

#include <stdbool.h>
#include <stddef.h>

/* A convolution as a product of matrices: output pixel i, channel j = sum over taps t and channels c of
 * in[t][i][c] * weight[j][t][c]. Pointwise convolutions and fully connected layers have one tap; a row of a
 * kernel over an undilated input is one tap too, of all its columns' channels. */
struct conv {
    int taps, depth, channels; /* kernel positions, input channels, output channels (of one group) */
    const void *packed;     /* weights, bias and requantisation in the order in which the kernel reads them */
    float min_f32, max_f32; /* the activation as a clamp; -INFINITY, INFINITY: none */
    bool hard_swish;        /* float: x * relu6(x + 3) / 6 in place of the clamp */
    int32_t out_zero, min_i8, max_i8;
    int32_t weight_zero; /* of asymmetric weights (uint8 files), after the move by 128; else 0 */
};

enum { CONV_PIXELS = 64 };

/* Output pixels whose inputs lie at equal distances, and of each the channels [from, to). */
struct conv_tile {
    const void *const *in; /* in[t]: the `depth` elements under tap t of the first pixel. int8: up to 32 bytes
                              behind them may be read */
    size_t in_step;        /* bytes from one pixel to the next */
    int pixels;            /* 1 to the kernel's: their inputs stay in the cache while all channels are made */
    int from, to;          /* from is a multiple of the kernel's panel; to also, or equal to `channels` */
    void *out;             /* float or int8; channel 0 of the first pixel */
    size_t out_stride;     /* elements from one pixel to the next */
    void *scratch;         /* conv_scratch() bytes, 64-byte aligned, this worker's own */
};

/* What a convolution's weights are before packing: [channels][taps][depth], row-major. */
struct conv_weights {
    const float *f32;
    const int8_t *i8;
    const float *bias_f32;         /* channels, or NULL */
    const int32_t *bias_i32;       /* channels, or NULL */
    const struct requant *requant; /* channels; int8 only */
    int32_t in_zero;               /* zero point of the input; int8 only */
};

struct conv_kernel {
    const char *name;
    int tile;  /* pixels made together: the grain in which workers share them */
    int panel; /* channels made together */
    size_t (*packed_bytes)(const struct conv *conv);
    /* Channels [from, to), cut as conv_cut() says. No other's weights are read, so that their memory can go
     * as `packed` fills, in any order. */
    void (*pack)(const struct conv *conv, const struct conv_weights *weights, void *packed, int from, int to);
    size_t (*scratch)(const struct conv *conv); /* bytes a worker; NULL: none */
    void (*run)(const struct conv *conv, const struct conv_tile *tile);
    int pixels; /* of a tile, at most; 0: CONV_PIXELS */
    bool even;  /* what is no whole number of tiles is made in tiles of nearly equal height */
};

/* The last place up to `at` where packing may be cut, or 0: behind whole panels, before one at least, as the
 * last may be wider by what is no whole one. */
static inline int conv_cut(const struct conv_kernel *kernel, int channels, int at)
{
    const int last = channels - kernel->panel;
    return (at < last ? at : last) / kernel->panel * kernel->panel;
}

/* A depthwise convolution: row y, column x, channel j = sum over ky and kx of
 * in[y * stride + ky * dilation][x * stride + kx * dilation][j / multiplier] * weight[ky][kx][j]. */
struct depthwise {
    int size[2], stride[2], dilation[2]; /* [0] vertical, [1] horizontal */
    int channels, multiplier;            /* channels: of the input */
    const void *packed;
    float min_f32, max_f32;
    bool hard_swish; /* as in struct conv */
    int32_t in_zero, weight_zero, out_zero, min_i8, max_i8;
};

/* Output rows one below the other, all channels. */
struct depthwise_tile {
    const void *const *in; /* in[k]: input row k, from the first output's leftmost tap on, or where padding
                              ends. int8: up to 16 bytes behind a row may be read */
    int rows, columns;     /* of the output; rows: 1 to the kernel's */
    void *out;
    size_t out_row;    /* elements from one row to the next; pixels lie side by side */
    int before, after; /* columns of padding that are not in memory; 0 unless the kernel pads */
};

/* PADS_COLUMNS: of in_zero; rows of padding are in memory. PADS_ALL: of zeros, at most half a window on each
 * side; in[k] is NULL where there is no row. */
enum pads { PADS_NOTHING, PADS_COLUMNS, PADS_ALL };

/* Columns of the image that are under the tile's windows. */
static inline int depthwise_columns(const struct depthwise *d, const struct depthwise_tile *tile)
{
    return (tile->columns - 1) * d->stride[1] + (d->size[1] - 1) * d->dilation[1] + 1 - tile->before -
           tile->after;
}

struct depthwise_kernel {
    const char *name;
    int rows; /* output rows that are made together */
    size_t (*packed_bytes)(const struct depthwise *depthwise);
    /* weights: [size y][size x][channels * multiplier] */
    void (*pack)(const struct depthwise *depthwise, const struct conv_weights *weights, void *packed);
    void (*run)(const struct depthwise *depthwise, const struct depthwise_tile *tile);
    /* The padding that it makes itself. NULL: none. */
    enum pads (*pads)(const struct depthwise *depthwise);
};

static inline size_t align64(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static inline int depthwise_taps(const struct depthwise *d)
{
    return d->size[0] * d->size[1];
}

#endif
