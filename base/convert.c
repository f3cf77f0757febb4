/* SPDX-License-Identifier: MIT */
#include "base/convert.h"

#include <errno.h>
#include <stdlib.h>

#include <libyuv.h>

/* Rows at a time: what is on its way then stays in the cache. Even, as chroma may have half the rows. */
enum { BAND = 16 };

struct planes { /* Y, U, V; no U and V: grey; or R, G, B */
    const uint8_t *data[3];
    int stride[3];
    int width, height, chroma_width, chroma_height;
    bool rgb;
};

struct block {
    uint8_t *data;
    size_t size;
};

enum { UNPACK, HALVES, SCALE, BLUE, PIXELS, TURN, ROWS, BLOCKS };

struct converter {
    bool weak_blue; /* see lift_blue() */
    struct block block[BLOCKS];
};

struct job {
    struct converter *converter;
    const struct frame *in;
    struct area from;
    struct turn turn;
    int width, height;    /* of the scaled picture before it is turned */
    bool scaled, turned;  /* else its rows are made one band at a time */
    struct planes planes; /* when scaled */
    const uint8_t
        *argb; /* when turned: width x height pixels, mirrored already where they are also rotated */
};

/* Blue of BT.709 in limited range is 2.112 times U, of which some builds of libyuv make 2. */
static bool has_weak_blue(void)
{
    static const uint8_t luma = 16, u = 208, v = 128;
    uint8_t bgra[4];
    I444ToARGBMatrix(&luma, 1, &u, 1, &v, 1, bgra, 4, &kYuvH709Constants, 1, 1);
    return bgra[0] < 165; /* of 169 */
}

struct converter *converter_create(void)
{
    struct converter *converter = calloc(1, sizeof(struct converter));
    if (converter)
        converter->weak_blue = has_weak_blue();
    return converter;
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

/* What was turned clockwise is, mirrored, turned the other way. */
struct turn turn_both(struct turn first, struct turn then)
{
    int turned = then.mirror ? 360 - first.rotation : first.rotation;
    return (struct turn){(turned + then.rotation) % 360, first.mirror != then.mirror};
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

static int split(const struct job *job, struct planes *planes)
{
    const struct frame *in = job->in;
    int w = job->from.width, h = job->from.height, stride = (int)in->stride[0];
    bool wide = in->format == FRAME_XRGB32 || in->format == FRAME_ARGB32;
    const uint8_t *pixels = pixel(in, 0, (wide ? 4 : 3) * job->from.x, job->from.y);
    size_t size = (size_t)w * (size_t)h;
    uint8_t *r = scratch(job->converter, UNPACK, 3 * size);
    if (!r)
        return -ENOMEM;
    uint8_t *g = r + size, *b = g + size;
    if (wide)
        SplitARGBPlane(pixels, stride, r, w, g, w, b, w, NULL, 0, w, h);
    else if (in->format == FRAME_RGB24)
        SplitRGBPlane(pixels, stride, r, w, g, w, b, w, w, h);
    else
        SplitRGBPlane(pixels, stride, b, w, g, w, r, w, w, h);
    *planes = (struct planes){{r, g, b}, {w, w, w}, w, h, w, h, true};
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
        return split(job, planes);
    }
}

/* ---- scaling and colours ---- */

/* Halved as often as it can be, which libyuv averages in vectors, before the rest, which it does not: of 3.2
 * to 1 it makes each output by itself. `halves` has room for a third of the plane. Returns what it used. */
static size_t scale_plane(const uint8_t *from, int stride, int w, int h, uint8_t *halves, uint8_t *to,
                          int to_w, int to_h)
{
    uint8_t *half = halves;
    for (; w >= 2 * to_w && h >= 2 * to_h; from = half, stride = w, half += (size_t)w * (size_t)h) {
        w /= 2;
        h /= 2;
        ScalePlane(from, stride, 2 * w, 2 * h, half, w, w, h, kFilterBox);
    }
    ScalePlane(from, stride, w, h, to, to_w, to_w, to_h, kFilterBox);
    return (size_t)(half - halves);
}

/* Chroma keeps full resolution where the source has just that or enough to average, or where there is no
 * half; else it is half in both directions. */
static int scale_planes(const struct job *job, struct planes *planes)
{
    int chroma_width = planes->chroma_width;
    bool odd = job->width % 2 || job->height % 2;
    bool full = planes->rgb || odd ||
                ((chroma_width == job->width || chroma_width >= 2 * job->width) &&
                 planes->chroma_height >= job->height);
    int w[3] = {job->width, full ? job->width : (job->width + 1) / 2, 0};
    int h[3] = {job->height, full ? job->height : (job->height + 1) / 2, 0};
    w[2] = w[1];
    h[2] = h[1];
    size_t luma = (size_t)w[0] * (size_t)h[0], chroma = (size_t)w[1] * (size_t)h[1];
    uint8_t *to = scratch(job->converter, SCALE, luma + 2 * chroma);
    uint8_t *halves = scratch(job->converter, HALVES, (size_t)planes->width * (size_t)planes->height);
    if (!to || !halves)
        return -ENOMEM;
    for (int p = 0; p < 3 && planes->data[p]; p++) {
        halves += scale_plane(planes->data[p], planes->stride[p], p ? chroma_width : planes->width,
                              p ? planes->chroma_height : planes->height, halves, to, w[p], h[p]);
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

/* Where chroma was averaged to half the resolution, it is brought back smoothly. */
static void colour(const struct job *job, const struct planes *p, uint8_t *argb, int stride)
{
    const struct YuvConstants *constants = constants_of(job->in);
    if (p->rgb)
        MergeARGBPlane(p->data[0], p->stride[0], p->data[1], p->stride[1], p->data[2], p->stride[2], NULL, 0,
                       argb, stride, p->width, p->height);
    else if (!p->data[1])
        I400ToARGBMatrix(p->data[0], p->stride[0], argb, stride, constants, p->width, p->height);
    else if (job->scaled && p->chroma_width < p->width)
        I420ToARGBMatrixFilter(p->data[0], p->stride[0], p->data[1], p->stride[1], p->data[2], p->stride[2],
                               argb, stride, constants, p->width, p->height, kFilterBilinear);
    else
        (p->chroma_width == p->width && p->chroma_height == p->height ? I444ToARGBMatrix
         : p->chroma_height == p->height                              ? I422ToARGBMatrix
                                         : I420ToARGBMatrix)(p->data[0], p->stride[0], p->data[1],
                                                             p->stride[1], p->data[2], p->stride[2], argb,
                                                             stride, constants, p->width, p->height);
}

/* Gives blue its due by a larger U; green, which has a tenth of it, is off by one for it. */
static int lift_blue(struct converter *converter, struct planes *planes)
{
    int w = planes->chroma_width, h = planes->chroma_height;
    uint8_t *to = scratch(converter, BLUE, (size_t)w * (size_t)h);
    if (!to)
        return -ENOMEM;
    for (int y = 0; y < h; y++) {
        const uint8_t *u = planes->data[1] + (ptrdiff_t)y * planes->stride[1];
        uint8_t *lifted = to + (ptrdiff_t)y * w;
        for (int x = 0; x < w; x++) {
            int value = 128 + (((u[x] - 128) * 135 + 64) >> 7);
            lifted[x] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
    }
    planes->data[1] = to;
    planes->stride[1] = w;
    return 0;
}

/* Rows of scaled planes. */
static struct planes rows_of(const struct planes *all, int y, int rows)
{
    struct planes part = *all;
    bool half = all->chroma_height < all->height;
    part.height = rows;
    part.chroma_height = half ? (rows + 1) / 2 : rows;
    for (int p = 0; p < 3 && all->data[p]; p++)
        part.data[p] += (ptrdiff_t)(p && half ? y / 2 : y) * all->stride[p];
    return part;
}

static void rgb_rows(const struct job *job, const struct area *from, uint8_t *argb, int stride)
{
    const struct frame *in = job->in;
    bool wide = in->format == FRAME_XRGB32 || in->format == FRAME_ARGB32;
    (wide                        ? ARGBCopy
     : in->format == FRAME_RGB24 ? RAWToARGB
                                 : RGB24ToARGB)(pixel(in, 0, (wide ? 4 : 3) * from->x, from->y),
                                                (int)in->stride[0], argb, stride, from->width, from->height);
}

/* Rows of the scaled picture, not turned. */
static int upright_rows(const struct job *job, int y, int rows, uint8_t *argb, int stride)
{
    struct job band = *job;
    struct planes planes = {0};
    int status = 0;
    band.from.y += y;
    band.from.height = rows;
    if (!job->scaled && is_rgb(job->in->format)) {
        rgb_rows(job, &band.from, argb, stride);
        return 0;
    }
    if (job->scaled)
        planes = rows_of(&job->planes, y, rows);
    else
        status = to_planes(&band, &planes);
    if (!status && job->converter->weak_blue && constants_of(job->in) == &kYuvH709Constants &&
        planes.data[1] && !planes.rgb)
        status = lift_blue(job->converter, &planes);
    if (!status)
        colour(job, &planes, argb, stride);
    return status;
}

/* ---- turning ---- */

/* Rows of the turned picture: of the upright one these are columns when it lies on its side. */
static void turned_rows(const struct job *job, int y, int rows, uint8_t *argb, int stride)
{
    int w = job->width, h = job->height, from_stride = 4 * w;
    const uint8_t *from = job->argb;
    switch (job->turn.rotation) {
    case 90:
        ARGBRotate(from + 4 * (ptrdiff_t)y, from_stride, argb, stride, rows, h, kRotate90);
        break;
    case 180:
        ARGBRotate(from + (ptrdiff_t)(h - y - rows) * from_stride, from_stride, argb, stride, w, rows,
                   kRotate180);
        break;
    case 270:
        ARGBRotate(from + 4 * (ptrdiff_t)(w - y - rows), from_stride, argb, stride, rows, h, kRotate270);
        break;
    default:
        ARGBMirror(from + (ptrdiff_t)y * from_stride, from_stride, argb, stride, w, rows);
    }
}

/* All of the upright picture, from which rows are turned. */
static int make_upright(struct job *job)
{
    int stride = 4 * job->width;
    size_t size = (size_t)stride * (size_t)job->height;
    uint8_t *argb = scratch(job->converter, PIXELS, size);
    if (!argb)
        return -ENOMEM;
    for (int y = 0; y < job->height; y += BAND) {
        int rows = job->height - y < BAND ? job->height - y : BAND;
        int status = upright_rows(job, y, rows, argb + (ptrdiff_t)y * stride, stride);
        if (status)
            return status;
    }
    job->argb = argb;
    if (job->turn.mirror && job->turn.rotation) {
        job->argb = argb = scratch(job->converter, TURN, size);
        if (!argb)
            return -ENOMEM;
        ARGBMirror(job->converter->block[PIXELS].data, stride, argb, stride, job->width, job->height);
    }
    return 0;
}

/* ---- all of it ---- */

static bool within(const struct area *area, const struct frame *frame)
{
    return area->x >= 0 && area->y >= 0 && area->width > 0 && area->height > 0 &&
           area->x <= frame->width - area->width && area->y <= frame->height - area->height;
}

/* Where chroma is subsampled, areas begin at a sample of it. */
static struct area align(const struct frame *in, struct area from)
{
    bool whole = is_rgb(in->format) || in->format == FRAME_GREY || in->format == FRAME_YUV444P;
    int x = whole ? 0 : from.x & 1, y = whole ? 0 : from.y & 1;
    return (struct area){from.x - x, from.y - y, from.width + x, from.height + y};
}

static int begin(struct job *job, int width, int height)
{
    size_t row[FRAME_PLANES_MAX];
    int rows[FRAME_PLANES_MAX], rotation = job->turn.rotation;
    bool sideways = rotation == 90 || rotation == 270;
    if (!within(&job->from, job->in) || width < 1 || height < 1 || (rotation && rotation != 180 && !sideways))
        return -EINVAL;
    if (!frame_layout(job->in->format, 1, 1, row, rows))
        return -ENOTSUP;
    job->from = align(job->in, job->from);
    job->width = sideways ? height : width;
    job->height = sideways ? width : height;
    job->scaled = job->width != job->from.width || job->height != job->from.height;
    job->turned = rotation || job->turn.mirror;
    int status = job->scaled ? to_planes(job, &job->planes) : 0;
    if (!status && job->scaled)
        status = scale_planes(job, &job->planes);
    return !status && job->turned ? make_upright(job) : status;
}

static int make_rows(const struct job *job, int y, int rows, uint8_t *argb, int stride)
{
    if (!job->turned)
        return upright_rows(job, y, rows, argb, stride);
    turned_rows(job, y, rows, argb, stride);
    return 0;
}

int convert_rows(struct converter *converter, const struct frame *in, struct area from, struct turn turn,
                 int width, int height, convert_put *put, void *data)
{
    struct job job = {.converter = converter, .in = in, .from = from, .turn = turn};
    int status = begin(&job, width, height), stride = 4 * width;
    uint8_t *argb = status ? NULL : scratch(converter, ROWS, (size_t)stride * BAND);
    if (!status && !argb)
        return -ENOMEM;
    for (int y = 0; y < height && !status; y += BAND) {
        int rows = height - y < BAND ? height - y : BAND;
        status = make_rows(&job, y, rows, argb, stride);
        if (!status)
            put(data, argb, stride, y, rows);
    }
    return status;
}

struct place { /* in an RGB24 frame */
    uint8_t *pixels;
    int stride, width;
};

static void put_rgb(void *data, uint8_t *argb, int stride, int y, int rows)
{
    const struct place *to = data;
    ARGBToRAW(argb, stride, to->pixels + (ptrdiff_t)y * to->stride, to->stride, to->width, rows);
}

static int convert_to_words(struct job *job, uint8_t *to, int stride, int width, int height)
{
    int status = begin(job, width, height);
    for (int y = 0; y < height && !status; y += BAND)
        status = make_rows(job, y, height - y < BAND ? height - y : BAND, to + (ptrdiff_t)y * stride, stride);
    return status;
}

int convert(struct converter *converter, const struct frame *in, struct area from, struct turn turn,
            const struct frame *out, struct area to)
{
    if (!within(&to, out))
        return -EINVAL;
    int stride = (int)out->stride[0], bytes = out->format == FRAME_RGB24 ? 3 : 4;
    uint8_t *pixels = out->data[0] + to.y * out->stride[0] + bytes * (ptrdiff_t)to.x;
    if (out->format == FRAME_RGB24)
        return convert_rows(converter, in, from, turn, to.width, to.height, put_rgb,
                            &(struct place){pixels, stride, to.width});
    if (out->format != FRAME_XRGB32)
        return -ENOTSUP;
    struct job job = {.converter = converter, .in = in, .from = from, .turn = turn};
    return convert_to_words(&job, pixels, stride, to.width, to.height);
}
