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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#include <atomic>
using std::atomic_int; /* lies in memory as C's does */
extern "C" {
#else
#include <stdatomic.h>
#endif

/* Pixel formats by their V4L2 fourcc codes, so that no table stands between a driver and a frame. */
#define FRAME_FOURCC(a, b, c, d)                                                                             \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define FRAME_RGB24   FRAME_FOURCC('R', 'G', 'B', '3') /* bytes R, G, B */
#define FRAME_BGR24   FRAME_FOURCC('B', 'G', 'R', '3') /* bytes B, G, R */
#define FRAME_XRGB32  FRAME_FOURCC('X', 'R', '2', '4') /* bytes B, G, R, unused: DRM's XRGB8888 */
#define FRAME_ARGB32  FRAME_FOURCC('A', 'R', '2', '4') /* bytes B, G, R, A, premultiplied: DRM's ARGB8888 */
#define FRAME_GREY    FRAME_FOURCC('G', 'R', 'E', 'Y')
#define FRAME_YUYV    FRAME_FOURCC('Y', 'U', 'Y', 'V') /* 4:2:2, one plane */
#define FRAME_UYVY    FRAME_FOURCC('U', 'Y', 'V', 'Y')
#define FRAME_NV12    FRAME_FOURCC('N', 'V', '1', '2') /* 4:2:0, planes Y and UV */
#define FRAME_NV21    FRAME_FOURCC('N', 'V', '2', '1')
#define FRAME_YUV420  FRAME_FOURCC('Y', 'U', '1', '2') /* 4:2:0, planes Y, U, V */
#define FRAME_YVU420  FRAME_FOURCC('Y', 'V', '1', '2') /* the same; data[1] is U here too */
#define FRAME_YUV422P FRAME_FOURCC('4', '2', '2', 'P')
#define FRAME_YUV444P FRAME_FOURCC('4', '4', '4', 'P')
#define FRAME_MJPEG                                                                                          \
    FRAME_FOURCC('M', 'J', 'P', 'G') /* `size` bytes at data[0]; a JPEG file, or all but its                 \
                                        Huffman tables */
#define FRAME_PLANES_MAX 3
#define FRAME_SIDE_MAX   65500

enum frame_matrix { FRAME_MATRIX_601, FRAME_MATRIX_709 }; /* Y'CbCr by ITU-R BT.601 or BT.709 */

struct frame {
    uint32_t format;                    /* FRAME_* */
    int width, height;                  /* pixels, both > 0 */
    int planes;                         /* 1 to FRAME_PLANES_MAX */
    uint8_t *data[FRAME_PLANES_MAX];    /* first byte of each plane; NULL when it is not mapped */
    ptrdiff_t stride[FRAME_PLANES_MAX]; /* bytes from one row to the next */
    size_t size;                        /* bytes, of compressed formats */
    enum frame_matrix matrix;           /* of Y'CbCr formats */
    bool full_range;                    /* Y'CbCr of 0..255, else luma 16..235 and chroma 16..240 */
    int dmabuf[FRAME_PLANES_MAX];       /* file descriptors, owned by the frame; -1: none */
    uint32_t offset[FRAME_PLANES_MAX];  /* of each plane in its dmabuf, bytes */
    uint32_t sequence;                  /* the source's count, gaps are frames that it lost */
    uint64_t time_ns;                   /* CLOCK_MONOTONIC, when the picture was taken; 0 if unknown */

    void (*release)(struct frame *); /* called once, by the last unref, in whichever thread that is */
    void *owner;                     /* for release() */
    /* What a screen made of the dmabuf. It stays when the buffer goes back to its source and comes again; the
     * owner of the memory calls drop(screen) before it goes for good. */
    void *screen;
    void (*drop)(void *screen);
    atomic_int refs;
};

/* A new frame with rows padded to 64 bytes, one reference, contents undefined. Formats: all above but MJPEG.
 * Chroma planes of odd sides are rounded up.
 * Returns NULL and sets errno: EINVAL (the format, or a side not in 1..FRAME_SIDE_MAX), ENOMEM. */
struct frame *frame_create(uint32_t format, int width, int height);

/* Planes, and for each its bytes for `width` pixels of a row and its rows for `height`; 0: no such format. */
int frame_layout(uint32_t format, int width, int height, size_t row[FRAME_PLANES_MAX],
                 int rows[FRAME_PLANES_MAX]);

struct frame *frame_ref(struct frame *frame);
void frame_unref(struct frame *frame); /* takes NULL */

#ifdef __cplusplus
}
#endif

#endif
