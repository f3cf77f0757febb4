/* SPDX-License-Identifier: MIT */
#include "capture/v4l2/v4l2.h"

#include <errno.h>

static const struct {
    uint32_t pixelformat, format;
    bool split;
} formats[] = {
    {V4L2_PIX_FMT_YUYV, FRAME_YUYV, false},       {V4L2_PIX_FMT_UYVY, FRAME_UYVY, false},
    {V4L2_PIX_FMT_NV12, FRAME_NV12, false},       {V4L2_PIX_FMT_NV21, FRAME_NV21, false},
    {V4L2_PIX_FMT_YUV420, FRAME_YUV420, false},   {V4L2_PIX_FMT_YVU420, FRAME_YVU420, false},
    {V4L2_PIX_FMT_YUV422P, FRAME_YUV422P, false}, {V4L2_PIX_FMT_GREY, FRAME_GREY, false},
    {V4L2_PIX_FMT_RGB24, FRAME_RGB24, false},     {V4L2_PIX_FMT_BGR24, FRAME_BGR24, false},
    {V4L2_PIX_FMT_XBGR32, FRAME_XRGB32, false},   {V4L2_PIX_FMT_BGR32, FRAME_XRGB32, false},
    {V4L2_PIX_FMT_ABGR32, FRAME_XRGB32, false},   {V4L2_PIX_FMT_MJPEG, FRAME_MJPEG, false},
    {V4L2_PIX_FMT_JPEG, FRAME_MJPEG, false},      {V4L2_PIX_FMT_NV12M, FRAME_NV12, true},
    {V4L2_PIX_FMT_NV21M, FRAME_NV21, true},       {V4L2_PIX_FMT_YUV420M, FRAME_YUV420, true},
    {V4L2_PIX_FMT_YVU420M, FRAME_YVU420, true},   {V4L2_PIX_FMT_YUV422M, FRAME_YUV422P, true},
    {V4L2_PIX_FMT_YUV444M, FRAME_YUV444P, true},
};

uint32_t v4l2_frame_format(uint32_t pixelformat)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (formats[i].pixelformat == pixelformat)
            return formats[i].format;
    return 0;
}

bool v4l2_is_split(uint32_t pixelformat)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (formats[i].pixelformat == pixelformat)
            return formats[i].split;
    return false;
}

/* ---- colours ---- */

void v4l2_colour(uint32_t colorspace, uint32_t ycbcr_enc, uint32_t quantization, bool rgb,
                 enum frame_matrix *matrix, bool *full_range)
{
    if (ycbcr_enc == V4L2_YCBCR_ENC_DEFAULT)
        ycbcr_enc = V4L2_MAP_YCBCR_ENC_DEFAULT(colorspace);
    if (quantization == V4L2_QUANTIZATION_DEFAULT)
        quantization = V4L2_MAP_QUANTIZATION_DEFAULT(rgb, colorspace, ycbcr_enc);
    *full_range = quantization == V4L2_QUANTIZATION_FULL_RANGE;
    switch (ycbcr_enc) {
    case V4L2_YCBCR_ENC_709:
    case V4L2_YCBCR_ENC_XV709:
    case V4L2_YCBCR_ENC_BT2020:
    case V4L2_YCBCR_ENC_BT2020_CONST_LUM:
    case V4L2_YCBCR_ENC_SMPTE240M:
        *matrix = FRAME_MATRIX_709;
        break;
    default:
        *matrix = FRAME_MATRIX_601;
    }
}

static bool is_rgb(uint32_t format)
{
    return format == FRAME_RGB24 || format == FRAME_BGR24 || format == FRAME_XRGB32;
}

/* ---- planes ---- */

/* What single- and multi-planar formats say alike. */
struct answer {
    uint32_t pixelformat, width, height, memories;
    uint32_t colorspace, ycbcr_enc, quantization;
    uint32_t stride[FRAME_PLANES_MAX], bytes[FRAME_PLANES_MAX]; /* of each memory */
};

static void read_planes(struct answer *to, const struct v4l2_pix_format_mplane *from)
{
    *to = (struct answer){from->pixelformat, from->width,     from->height,      from->num_planes,
                          from->colorspace,  from->ycbcr_enc, from->quantization};
    for (unsigned i = 0; i < from->num_planes && i < FRAME_PLANES_MAX; i++) {
        to->stride[i] = from->plane_fmt[i].bytesperline;
        to->bytes[i] = from->plane_fmt[i].sizeimage;
    }
}

/* Drivers that do not know V4L2_PIX_FMT_PRIV_MAGIC leave the fields behind it undefined. */
static void read_single(struct answer *to, const struct v4l2_pix_format *from)
{
    bool extended = from->priv == V4L2_PIX_FMT_PRIV_MAGIC;
    *to = (struct answer){.pixelformat = from->pixelformat,
                          .width = from->width,
                          .height = from->height,
                          .memories = 1,
                          .colorspace = from->colorspace,
                          .ycbcr_enc = extended ? from->ycbcr_enc : 0,
                          .quantization = extended ? from->quantization : 0,
                          .stride = {from->bytesperline},
                          .bytes = {from->sizeimage}};
}

/* In one memory chroma's stride is luma's, or half of it where it is a plane for each of U and V. */
static uint32_t stride_of(const struct answer *answer, int plane, const size_t *row, bool split)
{
    if (split)
        return answer->stride[plane] ? answer->stride[plane] : (uint32_t)row[plane];
    uint32_t luma = answer->stride[0] ? answer->stride[0] : (uint32_t)row[0];
    return plane == 0 || row[plane] > row[0] / 2 + 1 ? luma : luma / 2;
}

/* Where the planes lie, which V is before U in memory for YVU420. */
static int place(struct v4l2_layout *layout, const struct answer *answer, bool split)
{
    struct frame *frame = &layout->frame;
    size_t row[FRAME_PLANES_MAX];
    int rows[FRAME_PLANES_MAX];
    uint64_t at = 0;
    frame->planes = frame_layout(frame->format, frame->width, frame->height, row, rows);
    if (!frame->planes || (split && answer->memories != (unsigned)frame->planes) ||
        (!split && answer->memories != 1))
        return -EINVAL;
    for (int i = 0; i < frame->planes; i++) {
        int p = frame->format == FRAME_YVU420 && i > 0 ? 3 - i : i;
        uint64_t stride = stride_of(answer, i, row, split);
        if (stride < row[p] || stride > 1 << 20)
            return -EINVAL;
        layout->memory[p] = split ? i : 0;
        frame->stride[p] = (ptrdiff_t)stride;
        frame->offset[p] = split ? 0 : (uint32_t)at;
        at = (split ? 0 : at) + stride * (uint64_t)rows[p];
        if (at > UINT32_MAX)
            return -EINVAL;
        layout->need[layout->memory[p]] = (size_t)(at - (stride - row[p])); /* the last row may be short */
    }
    return 0;
}

int v4l2_layout_of(struct v4l2_layout *layout, const struct v4l2_format *format)
{
    struct answer answer;
    if (format->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE)
        read_planes(&answer, &format->fmt.pix_mp);
    else
        read_single(&answer, &format->fmt.pix);
    uint32_t kind = v4l2_frame_format(answer.pixelformat);
    *layout = (struct v4l2_layout){.memories = (int)answer.memories};
    if (!kind)
        return -ENOTSUP;
    if (answer.width < 1 || answer.height < 1 || answer.width > FRAME_SIDE_MAX ||
        answer.height > FRAME_SIDE_MAX || answer.memories < 1 || answer.memories > FRAME_PLANES_MAX)
        return -EINVAL;
    layout->frame.format = kind;
    layout->frame.width = (int)answer.width;
    layout->frame.height = (int)answer.height;
    v4l2_colour(answer.colorspace, answer.ycbcr_enc, answer.quantization, is_rgb(kind), &layout->frame.matrix,
                &layout->frame.full_range);
    if (kind == FRAME_MJPEG) {
        layout->frame.planes = 1;
        return answer.memories == 1 ? 0 : -EINVAL;
    }
    return place(layout, &answer, v4l2_is_split(answer.pixelformat));
}
