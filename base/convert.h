/* SPDX-License-Identifier: MIT */
/*
 * Pixels of any frame to RGB of any size, through libyuv and base/shrink.h: for the screen and for the
 * network alike, so that both see the same colours. Matrix and range are the frame's.
 */
#ifndef PIPIT_BASE_CONVERT_H
#define PIPIT_BASE_CONVERT_H

#include "base/frame.h"

struct area {
    int x, y, width, height; /* pixels */
};

/* How a camera hangs: its picture is mirrored first (left and right change places) and turned second. */
struct turn {
    int rotation; /* clockwise: 0, 90, 180 or 270 degrees */
    bool mirror;
};

/* One turn after another, as one. */
struct turn turn_both(struct turn first, struct turn then);

/* Scratch memory that grows to the largest picture that came; used by one thread at a time. */
struct converter;
struct converter *converter_create(void); /* NULL: out of memory */
void converter_destroy(struct converter *converter);

/* Fills `to` of `out` (FRAME_RGB24 or FRAME_XRGB32) with `from` of `in`, turned and scaled: averaged
 * over each pixel's area where it gets smaller (base/shrink.h), else bilinear. Areas lie within their frames;
 * where chroma is subsampled, `from` begins at even coordinates or is moved there. The frames do not overlap.
 * Returns 0; -ENOTSUP: one of the formats (MJPEG must be decoded first); -EINVAL: an area outside its frame,
 * or a rotation that is none of the four; -ENOMEM. */
int convert(struct converter *converter, const struct frame *in, struct area from, struct turn turn,
            const struct frame *out, struct area to);

/* The same to width x height pixels as in FRAME_XRGB32, handed over a few rows at a time, from the top, in
 * memory that `put` may change: for what is worked on before it goes to memory that is slow to read. */
typedef void convert_put(void *data, uint8_t *xrgb, int stride, int y, int rows);
int convert_rows(struct converter *converter, const struct frame *in, struct area from, struct turn turn,
                 int width, int height, convert_put *put, void *data);

/* The whole of a frame. */
struct area area_of(const struct frame *frame);

#endif
