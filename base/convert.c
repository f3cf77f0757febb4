/* SPDX-License-Identifier: MIT */
#include "base/convert.h"
#include "base/shrink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libyuv.h>

/* Rows at a time: what is on its way then stays in the cache. Even, as chroma may have half the rows. */
enum { BAND = 32 };

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

enum { UNPACK, SCALE, BLUE, DOUBLE, PIXELS, TURN, ROWS, BLOCKS };

struct converter {
    bool weak_blue; /* see lift_blue() */
    struct block block[BLOCKS];
    struct shrink *shrink[2]; /* of luma or RGB, and of chroma */
};

struct job {
    struct converter *converter;
    const struct frame *in;
    struct area from;
    struct turn turn;
    int width, height;    /* of the scaled picture before it is turned */
    bool scaled, turned;  /* else its rows are made one band at a time */
    bool shrunk;          /* scaled, but one band at a time too */
    struct planes planes; /* when scaled; when shrunk only their sizes */
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
    for (int i = 0; converter && i < 2; i++)
        shrink_destroy(converter->shrink[i]);
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

/* Pixels to a sample of chroma. */
static void subsampling(uint32_t format, int *across, int *down)
{
    bool half =
        format == FRAME_YUV420 || format == FRAME_YVU420 || format == FRAME_NV12 || format == FRAME_NV21;
    *down = half ? 2 : 1;
    *across = half || format == FRAME_YUV422P || format == FRAME_YUYV || format == FRAME_UYVY ? 2 : 1;
}

static void size_planes(const struct job *job, struct planes *planes)
{
    int across, down;
    subsampling(job->in->format, &across, &down);
    planes->width = job->from.width;
    planes->height = job->from.height;
    planes->chroma_width = (job->from.width + across - 1) / across;
    planes->chroma_height = (job->from.height + down - 1) / down;
    planes->rgb = is_rgb(job->in->format);
}

/* What lies side by side in memory, and the planes that it goes to. */
struct samples {
    struct shrink_in in;
    int channels;
    int plane[4]; /* -1: none */
    bool chroma;
};

static struct samples plane_of(const struct job *job, int plane)
{
    int across = 1, down = 1;
    if (plane)
        subsampling(job->in->format, &across, &down);
    return (struct samples){
        {pixel(job->in, plane, job->from.x / across, job->from.y / down), job->in->stride[plane], SHRINK_ALL},
        1,
        {plane},
        plane > 0};
}

static struct samples woven(const struct job *job, int plane, int bytes, int y, int channels, const int to[4])
{
    return (struct samples){
        {pixel(job->in, plane, bytes * job->from.x, y), job->in->stride[plane], SHRINK_ALL},
        channels,
        {to[0], to[1], to[2], to[3]},
        plane > 0};
}

/* Returns how many there are. */
static int samples_of(const struct job *job, struct samples group[3])
{
    static const int rgb[] = {0, 1, 2, -1}, bgr[] = {2, 1, 0, -1}, uv[] = {1, 2, -1, -1},
                     vu[] = {2, 1, -1, -1};
    uint32_t format = job->in->format;
    int y = job->from.y;
    switch (format) {
    case FRAME_YUYV:
    case FRAME_UYVY:
        group[0] = woven(job, 0, 2, y, 1, rgb);
        group[1] = woven(job, 0, 2, y, 2, uv);
        group[0].in.places = format == FRAME_YUYV ? SHRINK_EVEN : SHRINK_ODD;
        group[1].in.places = format == FRAME_YUYV ? SHRINK_ODD : SHRINK_EVEN;
        group[1].chroma = true;
        return 2;
    case FRAME_NV12:
    case FRAME_NV21:
        group[0] = plane_of(job, 0);
        group[1] = woven(job, 1, 1, y / 2, 2, format == FRAME_NV12 ? uv : vu);
        return 2;
    case FRAME_RGB24:
    case FRAME_BGR24:
        group[0] = woven(job, 0, 3, y, 3, format == FRAME_RGB24 ? rgb : bgr);
        return 1;
    case FRAME_XRGB32:
    case FRAME_ARGB32:
        group[0] = woven(job, 0, 4, y, 4, bgr);
        return 1;
    default:
        for (int p = 0; p < (format == FRAME_GREY ? 1 : 3); p++)
            group[p] = plane_of(job, p);
        return format == FRAME_GREY ? 1 : 3;
    }
}

static bool is_plane(const struct samples *samples)
{
    return samples->channels == 1 && samples->in.places == SHRINK_ALL;
}

static void unweave(const struct samples *from, uint8_t *const out[3], int w, int h)
{
    const uint8_t *data = from->in.data;
    const int *p = from->plane;
    int stride = (int)from->in.stride;
    if (from->channels == 2)
        SplitUVPlane(data, stride, out[p[0]], w, out[p[1]], w, w, h);
    else if (from->channels == 3)
        SplitRGBPlane(data, stride, out[p[0]], w, out[p[1]], w, out[p[2]], w, w, h);
    else
        SplitARGBPlane(data, stride, out[0], w, out[1], w, out[2], w, NULL, 0, w, h);
}

/* Planes as they are, or made from what is woven together. */
static int to_planes(const struct job *job, struct planes *planes)
{
    struct samples group[3];
    int groups = samples_of(job, group), w = job->from.width, h = job->from.height;
    size_planes(job, planes);
    size_t size = is_plane(&group[groups - 1]) ? 0 : (size_t)(w + 1) * (size_t)h;
    uint8_t *to = scratch(job->converter, UNPACK, 3 * size);
    if (size && !to)
        return -ENOMEM;
    uint8_t *const out[3] = {to, to + size, to + 2 * size};
    for (int g = 0; g < groups; g++) {
        const struct samples *from = &group[g];
        w = from->chroma ? planes->chroma_width : planes->width;
        h = from->chroma ? planes->chroma_height : planes->height;
        for (int c = 0; c < from->channels && c < 3; c++) {
            int p = from->plane[c];
            planes->data[p] = is_plane(from) ? from->in.data : out[p];
            planes->stride[p] = is_plane(from) ? (int)from->in.stride : w;
        }
        if (from->channels > 1 && from->in.places == SHRINK_ALL)
            unweave(from, out, w, h);
    }
    if (group[0].in.places != SHRINK_ALL)
        (group[0].in.places == SHRINK_EVEN ? YUY2ToI422 : UYVYToI422)(
            group[0].in.data, (int)group[0].in.stride, out[0], planes->width, out[1], w, out[2], w,
            planes->width, h);
    return 0;
}

/* ---- scaling ---- */

/* Chroma keeps full resolution where the source has just that or enough to average, or where there is no
 * half; else it is half in both directions. */
static void scale_sizes(const struct job *job, const struct planes *from, struct planes *to)
{
    bool odd = job->width % 2 || job->height % 2;
    bool full = from->rgb || odd ||
                ((from->chroma_width == job->width || from->chroma_width >= 2 * job->width) &&
                 from->chroma_height >= job->height);
    to->width = job->width;
    to->height = job->height;
    to->chroma_width = full ? job->width : job->width / 2;
    to->chroma_height = full ? job->height : job->height / 2;
    to->rgb = from->rgb;
}

/* All of the picture at once, by libyuv. */
static int scale_planes(const struct job *job, struct planes *planes)
{
    struct planes from = {0};
    int status = to_planes(job, &from);
    if (status)
        return status;
    size_t luma = (size_t)planes->width * (size_t)planes->height;
    size_t chroma = (size_t)planes->chroma_width * (size_t)planes->chroma_height;
    uint8_t *to = scratch(job->converter, SCALE, luma + 2 * chroma);
    if (!to)
        return -ENOMEM;
    for (int p = 0; p < 3 && from.data[p]; p++) {
        int w = p ? planes->chroma_width : planes->width, h = p ? planes->chroma_height : planes->height;
        ScalePlane(from.data[p], from.stride[p], p ? from.chroma_width : from.width,
                   p ? from.chroma_height : from.height, to, w, w, h, kFilterBox);
        planes->data[p] = to;
        planes->stride[p] = w;
        to += (size_t)w * (size_t)h;
    }
    return 0;
}

/* But for a half and a quarter, which libyuv averages the same and faster. */
static bool shrinks(const struct planes *from, const struct planes *to)
{
    for (int part = 2; part <= 4; part += 2)
        if (from->width == part * to->width && from->height == part * to->height)
            return false;
    return to->width <= from->width && to->height <= from->height && to->chroma_width <= from->chroma_width &&
           to->chroma_height <= from->chroma_height;
}

static int prepare_shrink(struct shrink **shrink, const struct shrink_size *size)
{
    if (*shrink && !memcmp(shrink_size(*shrink), size, sizeof(*size)))
        return 0;
    shrink_destroy(*shrink);
    *shrink = shrink_create(size);
    return *shrink ? 0 : -ENOMEM;
}

static int prepare_shrinks(const struct job *job, const struct planes *from, const struct planes *to)
{
    struct samples group[3];
    int groups = samples_of(job, group), status = 0;
    for (int g = 0; g < groups && !status; g++) {
        struct shrink_size size = {{from->width, from->height}, {to->width, to->height}, group[g].channels};
        if (group[g].chroma)
            size = (struct shrink_size){{from->chroma_width, from->chroma_height},
                                        {to->chroma_width, to->chroma_height},
                                        group[g].channels};
        status = prepare_shrink(&job->converter->shrink[group[g].chroma], &size);
    }
    return status;
}

/* Rows of scaled planes: where they begin, and how many of chroma. */
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

static int shrink_band(const struct job *job, int y, int rows, struct planes *planes)
{
    struct samples group[3];
    int groups = samples_of(job, group);
    size_t luma = (size_t)BAND * (size_t)planes->width, chroma = (size_t)BAND * (size_t)planes->chroma_width;
    uint8_t *to = scratch(job->converter, SCALE, luma + 2 * chroma), *out[4];
    if (!to)
        return -ENOMEM;
    for (int g = 0; g < groups; g++) {
        const struct samples *from = &group[g];
        int width = from->chroma ? planes->chroma_width : planes->width;
        int count = from->chroma ? planes->chroma_height : rows;
        for (int c = 0; c < from->channels; c++) {
            int p = from->plane[c];
            out[c] = p < 0 ? NULL : to + (p ? luma + (size_t)(p - 1) * chroma : 0);
            if (p >= 0) {
                planes->data[p] = out[c];
                planes->stride[p] = width;
            }
        }
        shrink_rows(job->converter->shrink[from->chroma], &from->in, count < rows ? y / 2 : y, count, out,
                    width);
    }
    return 0;
}

/* ---- colours ---- */

static const struct YuvConstants *constants_of(const struct frame *in)
{
    if (in->matrix == FRAME_MATRIX_709)
        return in->full_range ? &kYuvF709Constants : &kYuvH709Constants;
    return in->full_range ? &kYuvJPEGConstants : &kYuvI601Constants;
}

/* Smoothly, by libyuv: quickly by 32 samples at a time beside the first and the last, for which rows are made
 * longer, and slowly what is left over. */
static int double_chroma(struct converter *converter, struct planes *planes)
{
    int w = (planes->width + 30) / 32 * 32 + 2, h = planes->height;
    int from_w = planes->chroma_width, from_h = planes->chroma_height, longer = w / 2;
    size_t in = (size_t)longer * (size_t)from_h, out = (size_t)w * (size_t)h;
    uint8_t *half = scratch(converter, DOUBLE, in + 2 * out), *to = half + in;
    if (!half)
        return -ENOMEM;
    for (int p = 1; p < 3; p++, to += out) {
        CopyPlane(planes->data[p], planes->stride[p], half, longer, from_w, from_h);
        for (uint8_t *end = half + from_w; end < half + in; end += longer)
            memset(end, end[-1], (size_t)(longer - from_w));
        ScalePlane(half, longer, longer, from_h, to, w, w, h, kFilterBilinear);
        planes->data[p] = to;
        planes->stride[p] = w;
    }
    planes->chroma_width = planes->width;
    planes->chroma_height = h;
    return 0;
}

static void colour(const struct job *job, const struct planes *p, uint8_t *argb, int stride)
{
    const struct YuvConstants *constants = constants_of(job->in);
    if (p->rgb)
        MergeARGBPlane(p->data[0], p->stride[0], p->data[1], p->stride[1], p->data[2], p->stride[2], NULL, 0,
                       argb, stride, p->width, p->height);
    else if (!p->data[1])
        I400ToARGBMatrix(p->data[0], p->stride[0], argb, stride, constants, p->width, p->height);
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
    if (job->shrunk)
        status = shrink_band(job, y, rows, &planes);
    else if (!job->scaled)
        status = to_planes(&band, &planes);
    if (!status && job->converter->weak_blue && constants_of(job->in) == &kYuvH709Constants &&
        planes.data[1] && !planes.rgb)
        status = lift_blue(job->converter, &planes);
    if (!status && job->scaled && planes.data[1] && planes.chroma_width < planes.width)
        status = double_chroma(job->converter, &planes);
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

static int begin_scaling(struct job *job)
{
    struct planes from = {0};
    size_planes(job, &from);
    scale_sizes(job, &from, &job->planes);
    job->shrunk = shrinks(&from, &job->planes);
    return job->shrunk ? prepare_shrinks(job, &from, &job->planes) : scale_planes(job, &job->planes);
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
    int status = job->scaled ? begin_scaling(job) : 0;
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

static void put_rgb(void *data, uint8_t *argb, int stride, int y, int rows)
{
    const struct frame *to = data;
    ARGBToRAW(argb, stride, to->data[0] + y * to->stride[0], (int)to->stride[0], to->width, rows);
}

int convert(struct converter *converter, const struct frame *in, struct area from, struct turn turn,
            const struct frame *out, struct area to)
{
    if (!within(&to, out))
        return -EINVAL;
    int stride = (int)out->stride[0], bytes = out->format == FRAME_RGB24 ? 3 : 4;
    struct frame part = {.data = {out->data[0] + to.y * out->stride[0] + bytes * (ptrdiff_t)to.x},
                         .stride = {stride},
                         .width = to.width};
    if (out->format == FRAME_RGB24)
        return convert_rows(converter, in, from, turn, to.width, to.height, put_rgb, &part);
    if (out->format != FRAME_XRGB32)
        return -ENOTSUP;
    struct job job = {.converter = converter, .in = in, .from = from, .turn = turn};
    int status = begin(&job, to.width, to.height);
    for (int y = 0; y < to.height && !status; y += BAND)
        status = make_rows(&job, y, to.height - y < BAND ? to.height - y : BAND,
                           part.data[0] + (ptrdiff_t)y * stride, stride);
    return status;
}
