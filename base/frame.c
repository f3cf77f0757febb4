/* SPDX-License-Identifier: MIT */
#include "base/frame.h"

#include <errno.h>
#include <stdlib.h>

enum { SIDE_MAX = 65500, ROW_ALIGN = 64 };

static void release_malloc(struct frame *frame)
{
    free(frame->data[0]);
    free(frame);
}

struct frame *frame_create_rgb24(int width, int height)
{
    if (width < 1 || height < 1 || width > SIDE_MAX || height > SIDE_MAX) {
        errno = EINVAL;
        return NULL;
    }
    struct frame *frame = calloc(1, sizeof(*frame));
    if (!frame)
        return NULL;
    size_t stride = ((size_t)width * 3 + ROW_ALIGN - 1) / ROW_ALIGN * ROW_ALIGN;
    frame->data[0] = aligned_alloc(ROW_ALIGN, stride * (size_t)height);
    if (!frame->data[0]) {
        free(frame);
        errno = ENOMEM;
        return NULL;
    }
    frame->format = FRAME_RGB24;
    frame->width = width;
    frame->height = height;
    frame->planes = 1;
    frame->stride[0] = (ptrdiff_t)stride;
    frame->release = release_malloc;
    atomic_init(&frame->refs, 1);
    return frame;
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
