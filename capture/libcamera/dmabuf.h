/* SPDX-License-Identifier: MIT */
/* A frame whose planes lie in dmabufs: mapped once, read by the CPU between begin and end. */
#ifndef PIPIT_CAPTURE_LIBCAMERA_DMABUF_H
#define PIPIT_CAPTURE_LIBCAMERA_DMABUF_H

#include "base/frame.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dmabuf_plane {
    int fd; /* borrowed */
    uint32_t offset, length;
};

struct dmabuf {
    int maps; /* one for each file, which may hold several planes */
    struct {
        int fd;    /* a duplicate */
        int plane; /* the first in it */
        uint8_t *base;
        size_t size;
    } map[FRAME_PLANES_MAX];
};

/* Maps the planes for reading and fills planes, data, stride, offset and, if `carry`, dmabuf of a frame whose
 * format and size are set; they are valid until dmabuf_finish(). Planes that are not given follow the last in
 * its file. stride: bytes of a row of plane 0, 0 for compressed formats.
 * -EINVAL: the frame does not fit into them; or what dup() and mmap() say. */
int dmabuf_init(struct dmabuf *dmabuf, struct frame *frame, const struct dmabuf_plane *plane, int planes,
                size_t stride, bool carry);
void dmabuf_finish(struct dmabuf *dmabuf); /* takes a zeroed one */

/* Around reading by the CPU (DMA_BUF_IOCTL_SYNC), whichever cache the buffer is in. */
void dmabuf_begin(const struct dmabuf *dmabuf);
void dmabuf_end(const struct dmabuf *dmabuf);

#ifdef __cplusplus
}
#endif
#endif
