/* SPDX-License-Identifier: MIT */
/*
 * MMAP streaming (VIDIOC_REQBUFS). A buffer is with the driver, or out as a frame; the last unref of the
 * frame queues it again. When the stream stops, free buffers are unmapped at once, the others by their last
 * unref.
 */
#include "capture/pool.h"
#include "capture/v4l2/v4l2.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libv4l2.h>

enum { BUFFERS_MAX = 32, BUFFERS_MIN = 2, GAP_MAX = 10000 };

struct memory {
    void *bytes;
    size_t size;
    int dmabuf; /* -1: none */
};

struct v4l2_stream {
    int fd;
    uint32_t type;
    struct v4l2_layout layout;
    struct pool *pool;
    int buffers;
    bool exports;
    struct memory memory[BUFFERS_MAX][FRAME_PLANES_MAX];
    bool counting;
    uint32_t driver_sequence, sequence;
};

static bool is_planar(const struct v4l2_stream *stream)
{
    return stream->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
}

/* The kernel's description of a buffer, single- and multi-planar alike. */
struct buffer {
    struct v4l2_buffer info;
    struct v4l2_plane plane[VIDEO_MAX_PLANES];
};

static int call(const struct v4l2_stream *stream, unsigned long request, int index, struct buffer *buffer)
{
    *buffer =
        (struct buffer){.info = {.type = stream->type, .memory = V4L2_MEMORY_MMAP, .index = (uint32_t)index}};
    if (is_planar(stream)) {
        buffer->info.m.planes = buffer->plane;
        buffer->info.length = VIDEO_MAX_PLANES;
    }
    int status = v4l2_call(stream->fd, request, &buffer->info);
    if (!is_planar(stream))
        buffer->plane[0] = (struct v4l2_plane){.bytesused = buffer->info.bytesused,
                                               .length = buffer->info.length,
                                               .m.mem_offset = buffer->info.m.offset};
    return status;
}

/* ---- the pool's side ---- */

static int queue(const struct v4l2_stream *stream, int index)
{
    struct buffer buffer;
    return call(stream, VIDIOC_QBUF, index, &buffer);
}

static void on_back(void *owner, int index)
{
    queue(owner, index); /* fails when the camera is gone, which the next take() finds */
}

static void free_buffer(void *owner, int index)
{
    struct v4l2_stream *stream = owner;
    for (int i = 0; i < FRAME_PLANES_MAX; i++) {
        struct memory *memory = &stream->memory[index][i];
        if (memory->bytes)
            v4l2_munmap(memory->bytes, memory->size);
        if (memory->dmabuf >= 0)
            close(memory->dmabuf);
    }
}

static void free_stream(void *owner)
{
    free(owner);
}

/* ---- starting ---- */

static int request(const struct v4l2_stream *stream, int count)
{
    struct v4l2_requestbuffers buffers = {
        .count = (uint32_t)count, .type = stream->type, .memory = V4L2_MEMORY_MMAP};
    int status = v4l2_call(stream->fd, VIDIOC_REQBUFS, &buffers);
    return status ? status : (int)buffers.count;
}

/* VIDIOC_EXPBUF; the descriptor lives as long as the buffer. */
static void export_memory(struct v4l2_stream *stream, int index, int plane)
{
    struct v4l2_exportbuffer out = {.type = stream->type,
                                    .index = (uint32_t)index,
                                    .plane = (uint32_t)plane,
                                    .flags = O_CLOEXEC | O_RDONLY};
    if (v4l2_call(stream->fd, VIDIOC_EXPBUF, &out))
        stream->exports = false;
    else
        stream->memory[index][plane].dmabuf = out.fd;
}

static int map_buffer(struct v4l2_stream *stream, int index)
{
    struct buffer buffer;
    int status = call(stream, VIDIOC_QUERYBUF, index, &buffer);
    if (status)
        return status;
    if (is_planar(stream) && buffer.info.length < (unsigned)stream->layout.memories)
        return -EINVAL;
    for (int i = 0; i < stream->layout.memories; i++) {
        struct memory *memory = &stream->memory[index][i];
        size_t size = buffer.plane[i].length;
        if (size == 0 || size < stream->layout.need[i])
            return -EINVAL;
        void *bytes = v4l2_mmap(NULL, size, PROT_READ, MAP_SHARED, stream->fd, buffer.plane[i].m.mem_offset);
        if (bytes == MAP_FAILED)
            return -errno;
        memory->bytes = bytes;
        memory->size = size;
        if (stream->exports)
            export_memory(stream, index, i);
    }
    return 0;
}

static void fill_in(struct v4l2_stream *stream, int index)
{
    const struct v4l2_layout *layout = &stream->layout;
    struct frame *frame = pool_frame(stream->pool, index);
    pool_show(frame, &layout->frame);
    for (int p = 0; p < frame->planes; p++) {
        const struct memory *memory = &stream->memory[index][layout->memory[p]];
        frame->offset[p] = layout->frame.offset[p];
        frame->data[p] = (uint8_t *)memory->bytes + frame->offset[p];
        frame->dmabuf[p] = stream->exports ? memory->dmabuf : -1;
    }
}

/* The pool owns the stream from here on. */
static int make_buffers(struct v4l2_stream *stream)
{
    int status = 0;
    for (int i = 0; i < stream->buffers && !status; i++)
        status = map_buffer(stream, i);
    for (int i = 0; i < stream->buffers && !status; i++) {
        fill_in(stream, i);
        status = queue(stream, i);
    }
    int type = (int)stream->type;
    return status ? status : v4l2_call(stream->fd, VIDIOC_STREAMON, &type);
}

static struct v4l2_stream *create(const struct v4l2_device *device, const struct v4l2_layout *layout)
{
    struct v4l2_stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        return NULL;
    stream->fd = device->fd;
    stream->type = device->type;
    stream->layout = *layout;
    for (int i = 0; i < BUFFERS_MAX; i++)
        for (int p = 0; p < FRAME_PLANES_MAX; p++)
            stream->memory[i][p].dmabuf = -1;
    return stream;
}

int v4l2_stream_start(struct v4l2_stream **stream, const struct v4l2_device *device,
                      const struct v4l2_layout *layout, int buffers, bool export_dmabuf,
                      struct source_error *error)
{
    static const struct pool_kind kind = {on_back, free_buffer, free_stream};
    struct v4l2_stream *new = create(device, layout);
    *stream = NULL;
    if (!new)
        return source_fail(error, -ENOMEM, "out of memory");
    new->exports = export_dmabuf;
    int count = request(new, buffers);
    new->buffers = count > BUFFERS_MAX ? BUFFERS_MAX : count;
    if (count >= BUFFERS_MIN)
        new->pool = pool_create(&kind, new, new->buffers);
    if (!new->pool) {
        free(new);
        return v4l2_explain(error, count < 0 ? count : -ENOMEM, device->path, "get buffers");
    }
    int status = make_buffers(new);
    if (!status) {
        *stream = new;
        return 0;
    }
    v4l2_stream_stop(new);
    return v4l2_explain(error, status, device->path, "start the stream");
}

void v4l2_stream_stop(struct v4l2_stream *stream)
{
    if (!stream)
        return;
    struct v4l2_requestbuffers none = {.type = stream->type, .memory = V4L2_MEMORY_MMAP};
    int type = (int)stream->type, fd = stream->fd;
    v4l2_call(fd, VIDIOC_STREAMOFF, &type);
    pool_close(stream->pool); /* no frame queues its buffer any more; the stream may be gone */
    /* Frames that are out keep the file by their mappings, but not the device busy. */
    v4l2_call(fd, VIDIOC_REQBUFS, &none);
}

bool v4l2_stream_exports(const struct v4l2_stream *stream)
{
    return stream->exports;
}

int v4l2_stream_left(struct v4l2_stream *stream)
{
    return pool_left(stream->pool);
}

/* ---- frames ---- */

uint32_t v4l2_gap(uint32_t before, uint32_t now)
{
    uint32_t gap = now - before - 1;
    return gap < GAP_MAX ? gap : 0;
}

static void count(struct v4l2_stream *stream, uint32_t driver_sequence, uint64_t *dropped)
{
    uint32_t gap = stream->counting ? v4l2_gap(stream->driver_sequence, driver_sequence) : 0;
    stream->sequence += stream->counting ? 1 + gap : 0;
    stream->driver_sequence = driver_sequence;
    stream->counting = true;
    *dropped += gap;
}

/* Whether the picture is all there; sets where it begins and how long it is. */
static bool is_whole(const struct v4l2_stream *stream, const struct buffer *buffer, struct frame *frame)
{
    const struct v4l2_layout *layout = &stream->layout;
    if (buffer->info.flags & V4L2_BUF_FLAG_ERROR)
        return false;
    for (int i = 0; i < layout->memories; i++) {
        const struct memory *memory = &stream->memory[buffer->info.index][i];
        size_t skipped = is_planar(stream) ? buffer->plane[i].data_offset : 0,
               used = buffer->plane[i].bytesused;
        if (used > memory->size || used < skipped || used - skipped < layout->need[i] || used == skipped)
            return false;
        for (int p = 0; p < frame->planes; p++)
            if (layout->memory[p] == i) {
                frame->offset[p] = layout->frame.offset[p] + (uint32_t)skipped;
                frame->data[p] = (uint8_t *)memory->bytes + frame->offset[p];
            }
        frame->size = used - skipped;
    }
    return true;
}

static uint64_t time_of(const struct v4l2_buffer *info)
{
    if ((info->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC)
        return 0;
    return (uint64_t)info->timestamp.tv_sec * 1000000000u + (uint64_t)info->timestamp.tv_usec * 1000u;
}

/* A camera that is gone says so by ENODEV, or by EINVAL to whom it held up. */
static int explain_dequeue(const struct v4l2_stream *stream, int status)
{
    struct v4l2_capability capability;
    if (status == -EAGAIN || status == -ENODEV)
        return status;
    return v4l2_call(stream->fd, VIDIOC_QUERYCAP, &capability) == -ENODEV ? -ENODEV : -EIO;
}

int v4l2_stream_take(struct v4l2_stream *stream, struct frame **frame, uint64_t *dropped)
{
    struct pollfd poller = {.fd = stream->fd, .events = POLLIN};
    struct buffer buffer;
    *frame = NULL;
    if (poll(&poller, 1, 0) == 0) /* libv4l2 writes to standard error when there is nothing to dequeue */
        return -EAGAIN;
    int status = call(stream, VIDIOC_DQBUF, 0, &buffer);
    if (status)
        return explain_dequeue(stream, status);
    if (buffer.info.index >= (unsigned)stream->buffers)
        return -EIO;
    int index = (int)buffer.info.index;
    count(stream, buffer.info.sequence, dropped);
    struct frame *taken = pool_take(stream->pool, index);
    if (!taken)
        return -EIO;
    if (!is_whole(stream, &buffer, taken)) {
        ++*dropped;
        frame_unref(taken);
        return -EAGAIN;
    }
    taken->sequence = stream->sequence;
    taken->time_ns = time_of(&buffer.info);
    *frame = taken;
    return 0;
}
