/* SPDX-License-Identifier: MIT */
#include "base/frame.h"

#include <errno.h>
#include <stdlib.h>

enum { ROW_ALIGN = 64 };

static void release_malloc(struct frame *frame)
{
    if (frame->drop)
        frame->drop(frame->screen);
    free(frame->data[0]);
    free(frame);
}

int frame_layout(uint32_t format, int width, int height, size_t row[FRAME_PLANES_MAX],
                 int rows[FRAME_PLANES_MAX])
{
    size_t w = (size_t)width, half = (w + 1) / 2;
    rows[0] = rows[1] = rows[2] = height;
    row[0] = w;
    row[1] = row[2] = half;
    switch (format) {
    case FRAME_RGB24:
    case FRAME_BGR24:
        row[0] = 3 * w;
        return 1;
    case FRAME_XRGB32:
    case FRAME_ARGB32:
        row[0] = 4 * w;
        return 1;
    case FRAME_GREY:
        return 1;
    case FRAME_YUYV:
    case FRAME_UYVY:
        row[0] = 4 * half;
        return 1;
    case FRAME_NV12:
    case FRAME_NV21:
        row[1] = 2 * half;
        rows[1] = (height + 1) / 2;
        return 2;
    case FRAME_YUV420:
    case FRAME_YVU420:
        rows[1] = rows[2] = (height + 1) / 2;
        return 3;
    case FRAME_YUV422P:
        return 3;
    case FRAME_YUV444P:
        row[1] = row[2] = w;
        return 3;
    default:
        return 0;
    }
}

/* One block of memory for all planes. */
static int allocate(struct frame *frame)
{
    size_t row[FRAME_PLANES_MAX], at[FRAME_PLANES_MAX], total = 0;
    int rows[FRAME_PLANES_MAX];
    frame->planes = frame_layout(frame->format, frame->width, frame->height, row, rows);
    if (!frame->planes)
        return EINVAL;
    for (int p = 0; p < frame->planes; p++) {
        size_t stride = (row[p] + ROW_ALIGN - 1) / ROW_ALIGN * ROW_ALIGN;
        frame->stride[p] = (ptrdiff_t)stride;
        at[p] = total;
        total += stride * (size_t)rows[p];
    }
    uint8_t *bytes = aligned_alloc(ROW_ALIGN, total);
    if (!bytes)
        return ENOMEM;
    for (int p = 0; p < frame->planes; p++)
        frame->data[p] = bytes + at[p];
    return 0;
}

struct frame *frame_create(uint32_t format, int width, int height)
{
    int status = EINVAL;
    struct frame *frame = NULL;
    if (width > 0 && height > 0 && width <= FRAME_SIDE_MAX && height <= FRAME_SIDE_MAX) {
        frame = calloc(1, sizeof(*frame));
        status = ENOMEM;
    }
    if (frame) {
        frame->format = format;
        frame->width = width;
        frame->height = height;
        frame->release = release_malloc;
        for (int p = 0; p < FRAME_PLANES_MAX; p++)
            frame->dmabuf[p] = -1;
        atomic_init(&frame->refs, 1);
        status = allocate(frame);
    }
    if (!status)
        return frame;
    free(frame);
    errno = status;
    return NULL;
}

struct frame *frame_ref(struct frame *frame)
{
    atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed);
    return frame;
}

void frame_unref(struct frame *frame)
{
    if (frame && atomic_fetch_sub_explicit(&frame->refs, 1, memory_order_acq_rel) == 1)
        frame->release(frame);
}
