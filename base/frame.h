/* SPDX-License-Identifier: MIT */
/*
 * A frame: one picture on its way from a source to whoever looks at it.
 *
 * Frames are reference counted. The last frame_unref() calls `release`, which gives the memory back to where
 * it came from (malloc, a camera's buffer queue). Reference counting is atomic; the pixels are not locked:
 * a frame is written before it is shared and only read afterwards.
 */
#ifndef PIPIT_BASE_FRAME_H
#define PIPIT_BASE_FRAME_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Pixel formats by their V4L2 fourcc codes, so that no table stands between a driver and a frame. */
#define FRAME_FOURCC(a, b, c, d)                                                                             \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define FRAME_RGB24      FRAME_FOURCC('R', 'G', 'B', '3') /* bytes R, G, B */
#define FRAME_PLANES_MAX 3

struct frame {
    uint32_t format;                    /* FRAME_* */
    int width, height;                  /* pixels, both > 0 */
    int planes;                         /* 1 to FRAME_PLANES_MAX */
    uint8_t *data[FRAME_PLANES_MAX];    /* first byte of each plane */
    ptrdiff_t stride[FRAME_PLANES_MAX]; /* bytes from one row to the next */
    uint64_t time_ns;                   /* CLOCK_MONOTONIC, when the picture was taken; 0 if unknown */
    void (*release)(struct frame *);    /* called once, by the last unref; frees the frame itself too */
    void *owner;                        /* for release() */
    atomic_int refs;
};

/* A new RGB24 frame with rows padded to 64 bytes, one reference, contents undefined.
 * Returns NULL and sets errno: EINVAL (a side is not in 1..65500), ENOMEM. */
struct frame *frame_create_rgb24(int width, int height);

struct frame *frame_ref(struct frame *frame);
void frame_unref(struct frame *frame); /* takes NULL */

#endif
