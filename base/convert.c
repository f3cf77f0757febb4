/* SPDX-License-Identifier: MIT */
#include "base/convert.h"

#include <errno.h>
#include <stdlib.h>

#include <libyuv.h>

struct planes { /* Y, U, V; no U and V: grey */
    const uint8_t *data[3];
    int stride[3];
    int width, height, chroma_width, chroma_height;
};

struct block {
    uint8_t *data;
    size_t size;
};

enum { UNPACK, SCALE, PIXELS, TURN, WIDE, BLOCKS };

struct converter {
    struct block block[BLOCKS];
};

struct job {
    struct converter *converter;
    const struct frame *in;
    struct area from;
    int width, height; /* of the scaled picture before it is turned */
    uint8_t *argb;     /* where it goes */
    int stride;
};

struct converter *converter_create(void)
{
    return calloc(1, sizeof(struct converter));
}

void converter_destroy(struct converter *converter)
{
    for (int i = 0; converter && i < BLOCKS; i++)
        free(converter->block[i].data);
    free(converter);
}

struct area area_of(const struct frame *frame)
{
    return (struct area){0, 0, frame->width, frame->height};
}

static uint8_t *scratch(struct converter *converter, int which, size_t size)
{
    struct block *block = &converter->block[which];
    if (block->size < size) {
        free(block->data);
        block->data = aligned_alloc(64, (size + 63) / 64 * 64);
        block->size = block->data ? size : 0;
    }
    return block->data;
}

/* ---- to planes ---- */

static bool is_rgb(uint32_t format)
{
    return format == FRAME_RGB24 || format == FRAME_BGR24 || format == FRAME_XRGB32 || format == FRAME_ARGB32;
}

static const uint8_t *pixel(const struct frame *frame, int plane, int x_bytes, int y)
{
    return frame->data[plane] + y * frame->stride[plane] + x_bytes;
}

static int plane_of(const struct job *job, struct planes *planes, int across, int down)
{
    const struct frame *in = job->in;
    planes->chroma_width = (job->from.width + across - 1) / across;
    planes->chroma_height = (job->from.height + down - 1) / down;
    for (int p = 0; p < 3; p++) {
        int x = p ? job->from.x / across : job->from.x, y = p ? job->from.y / down : job->from.y;
        planes->data[p] = pixel(in, p, x, y);
        planes->stride[p] = (int)in->stride[p];
    }
    return 0;
}

/* U and V out of where they are woven together. */
static int unweave(const struct job *job, struct planes *planes)
{
    const struct frame *in = job->in;
    int w = (job->from.width + 1) / 2, h = (job->from.height + 1) / 2, u = in->format == FRAME_NV12 ? 1 : 2;
    size_t size = (size_t)w * (size_t)h;
    uint8_t *out = scratch(job->converter, UNPACK, 2 * size);
    if (!out)
        return -ENOMEM;
    planes->data[0] = pixel(in, 0, job->from.x, job->from.y);
    planes->stride[0] = (int)in->stride[0];
    planes->data[u] = out;
    planes->data[3 - u] = out + size;
    planes->stride[1] = planes->stride[2] = planes->chroma_width = w;
    planes->chroma_height = h;
    SplitUVPlane(pixel(in, 1, job->from.x, job->from.y / 2), (int)in->stride[1], out, w, out + size, w, w, h);
    return 0;
}

static int unpack(const struct job *job, struct planes *planes)
{
    const struct frame *in = job->in;
    int w = job->from.width, h = job->from.height, half = (w + 1) / 2;
    size_t luma = (size_t)w * (size_t)h, chroma = (size_t)half * (size_t)h;
    uint8_t *y = scratch(job->converter, UNPACK, luma + 2 * chroma);
    if (!y)
        return -ENOMEM;
    uint8_t *u = y + luma, *v = u + chroma;
    (in->format == FRAME_YUYV ? YUY2ToI422 : UYVYToI422)(pixel(in, 0, 2 * job->from.x, job->from.y),
                                                         (int)in->stride[0], y, w, u, half, v, half, w, h);
    *planes = (struct planes){{y, u, v}, {w, half, half}, w, h, half, h};
    return 0;
}

static int to_planes(const struct job *job, struct planes *planes)
{
    planes->width = job->from.width;
    planes->height = job->from.height;
    switch (job->in->format) {
    case FRAME_GREY:
        planes->data[0] = pixel(job->in, 0, job->from.x, job->from.y);
        planes->stride[0] = (int)job->in->stride[0];
        return 0;
    case FRAME_YUV420:
    case FRAME_YVU420:
        return plane_of(job, planes, 2, 2);
    case FRAME_YUV422P:
        return plane_of(job, planes, 2, 1);
    case FRAME_YUV444P:
        return plane_of(job, planes, 1, 1);
    case FRAME_NV12:
    case FRAME_NV21:
        return unweave(job, planes);
    case FRAME_YUYV:
    case FRAME_UYVY:
        return unpack(job, planes);
    default:
        return -ENOTSUP;
    }
}

/* ---- scaling and colours ---- */

/* Chroma keeps full resolution where the source has it, else half of it in both directions. */
static int scale_planes(const struct job *job, struct planes *planes)
{
    bool full = planes->chroma_width >= job->width && planes->chroma_height >= job->height;
    int w[3] = {job->width, full ? job->width : (job->width + 1) / 2, 0};
    int h[3] = {job->height, full ? job->height : (job->height + 1) / 2, 0};
    w[2] = w[1];
    h[2] = h[1];
    size_t luma = (size_t)w[0] * (size_t)h[0], chroma = (size_t)w[1] * (size_t)h[1];
    uint8_t *to = scratch(job->converter, SCALE, luma + 2 * chroma);
    if (!to)
        return -ENOMEM;
    for (int p = 0; p < 3 && planes->data[p]; p++) {
        ScalePlane(planes->data[p], planes->stride[p], p ? planes->chroma_width : planes->width,
                   p ? planes->chroma_height : planes->height, to, w[p], w[p], h[p], kFilterBox);
        planes->data[p] = to;
        planes->stride[p] = w[p];
        to += (size_t)w[p] * (size_t)h[p];
    }
    planes->width = w[0];
    planes->height = h[0];
    planes->chroma_width = planes->data[1] ? w[1] : 0;
    planes->chroma_height = planes->data[1] ? h[1] : 0;
    return 0;
}

static const struct YuvConstants *constants_of(const struct frame *in)
{
    if (in->matrix == FRAME_MATRIX_709)
        return in->full_range ? &kYuvF709Constants : &kYuvH709Constants;
    return in->full_range ? &kYuvJPEGConstants : &kYuvI601Constants;
}

static void colour(const struct job *job, const struct planes *p)
{
    const struct YuvConstants *constants = constants_of(job->in);
    if (!p->data[1]) {
        I400ToARGBMatrix(p->data[0], p->stride[0], job->argb, job->stride, constants, p->width, p->height);
        return;
    }
    (p->chroma_width == p->width ? I444ToARGBMatrix
     : p->chroma_height == p->height && p->height > 1
         ? I422ToARGBMatrix
         : I420ToARGBMatrix)(p->data[0], p->stride[0], p->data[1], p->stride[1], p->data[2], p->stride[2],
                             job->argb, job->stride, constants, p->width, p->height);
}

static int yuv_to_argb(const struct job *job)
{
    struct planes planes = {0};
    int status = to_planes(job, &planes);
    if (!status && (job->width != planes.width || job->height != planes.height))
        status = scale_planes(job, &planes);
    if (!status)
        colour(job, &planes);
    return status;
}

static int rgb_to_argb(const struct job *job)
{
    const struct frame *in = job->in;
    int w = job->from.width, h = job->from.height,
        bytes = in->format == FRAME_RGB24 || in->format == FRAME_BGR24 ? 3 : 4;
    bool same = w == job->width && h == job->height;
    const uint8_t *pixels = pixel(in, 0, bytes * job->from.x, job->from.y);
    int stride = (int)in->stride[0];
    if (bytes == 3) {
        uint8_t *to = same ? job->argb : scratch(job->converter, UNPACK, 4 * (size_t)w * (size_t)h);
        int to_stride = same ? job->stride : 4 * w;
        if (!to)
            return -ENOMEM;
        (in->format == FRAME_RGB24 ? RAWToARGB : RGB24ToARGB)(pixels, stride, to, to_stride, w, h);
        pixels = to;
        stride = to_stride;
    } else if (same) {
        ARGBCopy(pixels, stride, job->argb, job->stride, w, h);
    }
    if (!same)
        ARGBScale(pixels, stride, w, h, job->argb, job->stride, job->width, job->height, kFilterBox);
    return 0;
}

/* ---- all of it ---- */

static bool within(const struct area *area, const struct frame *frame)
{
    return area->x >= 0 && area->y >= 0 && area->width > 0 && area->height > 0 &&
           area->x <= frame->width - area->width && area->y <= frame->height - area->height;
}

/* Mirrors and turns from the scratch pixels to the place in the output. */
static int turn_pixels(const struct job *job, struct turn turn, uint8_t *to, int to_stride)
{
    const uint8_t *from = job->argb;
    if (turn.mirror) {
        uint8_t *mirrored =
            turn.rotation ? scratch(job->converter, TURN, (size_t)job->stride * (size_t)job->height) : to;
        int stride = turn.rotation ? job->stride : to_stride;
        if (!mirrored)
            return -ENOMEM;
        ARGBMirror(from, job->stride, mirrored, stride, job->width, job->height);
        from = mirrored;
    }
    if (turn.rotation)
        ARGBRotate(from, job->stride, to, to_stride, job->width, job->height,
                   (enum RotationMode)turn.rotation);
    return 0;
}

/* From `job` to four-byte pixels in their final place. */
static int to_pixels(struct job *job, struct turn turn, uint8_t *to, int to_stride)
{
    bool turned = turn.rotation || turn.mirror;
    job->stride = turned ? 4 * job->width : to_stride;
    job->argb = turned ? scratch(job->converter, PIXELS, (size_t)job->stride * (size_t)job->height) : to;
    if (!job->argb)
        return -ENOMEM;
    int status = is_rgb(job->in->format) ? rgb_to_argb(job) : yuv_to_argb(job);
    return status || !turned ? status : turn_pixels(job, turn, to, to_stride);
}

int convert(struct converter *converter, const struct frame *in, struct area from, struct turn turn,
            const struct frame *out, struct area to)
{
    bool sideways = turn.rotation == 90 || turn.rotation == 270;
    if (!within(&from, in) || !within(&to, out) || (turn.rotation && turn.rotation != 180 && !sideways))
        return -EINVAL;
    if (in->format == FRAME_MJPEG || !is_rgb(out->format) || out->format == FRAME_BGR24)
        return -ENOTSUP;
    from.width += from.x & 1;
    from.height += from.y & 1;
    from.x &= ~1;
    from.y &= ~1;
    struct job job = {.converter = converter, .in = in, .from = from};
    job.width = sideways ? to.height : to.width;
    job.height = sideways ? to.width : to.height;
    if (out->format != FRAME_RGB24)
        return to_pixels(&job, turn, out->data[0] + to.y * out->stride[0] + 4 * (ptrdiff_t)to.x,
                         (int)out->stride[0]);
    /* libyuv writes four bytes a pixel; the three of the output are taken from them at the end. */
    struct frame wide = {
        .format = FRAME_ARGB32, .width = to.width, .height = to.height, .stride = {4 * (ptrdiff_t)to.width}};
    wide.data[0] = scratch(converter, WIDE, (size_t)wide.stride[0] * (size_t)to.height);
    int status = wide.data[0] ? to_pixels(&job, turn, wide.data[0], (int)wide.stride[0]) : -ENOMEM;
    if (!status)
        ARGBToRAW(wide.data[0], (int)wide.stride[0],
                  out->data[0] + to.y * out->stride[0] + 3 * (ptrdiff_t)to.x, (int)out->stride[0], to.width,
                  to.height);
    return status;
}
