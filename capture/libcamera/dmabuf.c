/* SPDX-License-Identifier: MIT */
#include "capture/libcamera/dmabuf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Bytes of the file up to the end of its last plane. */
static size_t file_size(const struct dmabuf_plane *plane, int planes, int fd)
{
    size_t size = 0;
    for (int p = 0; p < planes; p++)
        if (plane[p].fd == fd && (size_t)plane[p].offset + plane[p].length > size)
            size = (size_t)plane[p].offset + plane[p].length;
    return size;
}

static int map_file(struct dmabuf *dmabuf, int first, int fd, size_t size)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    void *base = copy < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_SHARED, copy, 0);
    if (base == MAP_FAILED) {
        int status = -errno;
        if (copy >= 0)
            close(copy);
        return status;
    }
    dmabuf->map[dmabuf->maps].fd = copy;
    dmabuf->map[dmabuf->maps].plane = first;
    dmabuf->map[dmabuf->maps].base = base;
    dmabuf->map[dmabuf->maps++].size = size;
    return 0;
}

static int map_of(const struct dmabuf *dmabuf, const struct dmabuf_plane *plane, int fd)
{
    int m = 0;
    while (m < dmabuf->maps && plane[dmabuf->map[m].plane].fd != fd)
        m++;
    return m;
}

/* Every chroma row is so much of a luma row, whatever the padding. */
static size_t plane_stride(const struct frame *frame, size_t stride, int p)
{
    size_t row[FRAME_PLANES_MAX];
    int rows[FRAME_PLANES_MAX];
    return frame_layout(frame->format, 64, 64, row, rows) ? stride * row[p] / row[0] : stride;
}

static int lay_out(struct dmabuf *dmabuf, struct frame *frame, const struct dmabuf_plane *plane, int planes,
                   size_t stride, bool carry)
{
    size_t row[FRAME_PLANES_MAX] = {0}, offset = 0;
    int rows[FRAME_PLANES_MAX] = {0};
    int count = frame_layout(frame->format, frame->width, frame->height, row, rows);
    frame->planes = count ? count : 1;
    for (int p = 0; p < frame->planes; p++) {
        /* FRAME_YVU420 has V in front; data[1] is U all the same. */
        int at = frame->format == FRAME_YVU420 && p ? 3 - p : p, given = p < planes ? p : planes - 1;
        int m = map_of(dmabuf, plane, plane[given].fd);
        offset = p < planes ? plane[p].offset : offset;
        frame->stride[at] = (ptrdiff_t)plane_stride(frame, stride, p);
        size_t end = offset + (count ? (size_t)frame->stride[at] * (size_t)rows[p] : 0);
        if ((count && (size_t)frame->stride[at] < row[p]) || end > dmabuf->map[m].size)
            return -EINVAL;
        frame->data[at] = dmabuf->map[m].base + offset;
        frame->offset[at] = (uint32_t)offset;
        frame->dmabuf[at] = carry ? dmabuf->map[m].fd : -1;
        offset = end;
    }
    return 0;
}

int dmabuf_init(struct dmabuf *dmabuf, struct frame *frame, const struct dmabuf_plane *plane, int planes,
                size_t stride, bool carry)
{
    int status = planes < 1 || planes > FRAME_PLANES_MAX ? -EINVAL : 0;
    *dmabuf = (struct dmabuf){0};
    for (int p = 0; p < FRAME_PLANES_MAX; p++)
        frame->dmabuf[p] = -1;
    for (int p = 0; p < planes && !status; p++)
        if (map_of(dmabuf, plane, plane[p].fd) == dmabuf->maps)
            status = map_file(dmabuf, p, plane[p].fd, file_size(plane, planes, plane[p].fd));
    status = status ? status : lay_out(dmabuf, frame, plane, planes, stride, carry);
    if (status)
        dmabuf_finish(dmabuf);
    return status;
}

void dmabuf_finish(struct dmabuf *dmabuf)
{
    for (int m = 0; m < dmabuf->maps; m++) {
        munmap(dmabuf->map[m].base, dmabuf->map[m].size);
        close(dmabuf->map[m].fd);
    }
    dmabuf->maps = 0;
}

/* What is no dmabuf, or has no caches to look after, refuses; there is nothing to do then. */
static void sync_all(const struct dmabuf *dmabuf, uint64_t flags)
{
    struct dma_buf_sync sync = {flags | DMA_BUF_SYNC_READ};
    for (int m = 0; m < dmabuf->maps; m++)
        ioctl(dmabuf->map[m].fd, DMA_BUF_IOCTL_SYNC, &sync);
}

void dmabuf_begin(const struct dmabuf *dmabuf)
{
    sync_all(dmabuf, DMA_BUF_SYNC_START);
}

void dmabuf_end(const struct dmabuf *dmabuf)
{
    sync_all(dmabuf, DMA_BUF_SYNC_END);
}
