/* SPDX-License-Identifier: MIT */
#include "capture/v4l2/v4l2.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum {
    WIDTH = 1280,
    HEIGHT = 720,
    VGA = 640 * 480,
    RATE_MAX = 60, /* of what is taken where no rate is asked for */
    RATE_SLOW = 15 /* below it a smaller picture is better */
};

/* ---- ranges ---- */

int v4l2_fit(int wanted, uint32_t minimum, uint32_t maximum, uint32_t step)
{
    if (maximum > FRAME_SIDE_MAX)
        maximum = FRAME_SIDE_MAX;
    if (wanted <= 0 || (uint32_t)wanted <= minimum || minimum >= maximum)
        return (int)(minimum < maximum ? minimum : maximum);
    if ((uint32_t)wanted > maximum)
        wanted = (int)maximum;
    step += step == 0;
    uint32_t steps = ((uint32_t)wanted - minimum + step / 2) / step;
    if (minimum + steps * step > maximum)
        steps--;
    return (int)(minimum + steps * step);
}

static double rate_of(const struct v4l2_fract *interval)
{
    return interval->numerator && interval->denominator
               ? (double)interval->denominator / (double)interval->numerator
               : 0;
}

/* Highest first, each once; the lowest are left out where there are too many. */
static void add_rate(struct camera_size *size, double rate)
{
    int at = 0;
    while (at < size->rates && size->rate[at] > rate)
        at++;
    if (rate <= 0 || at == CAMERA_RATES_MAX || (at < size->rates && size->rate[at] == rate))
        return;
    size->rates += size->rates < CAMERA_RATES_MAX;
    for (int i = size->rates - 1; i > at; i--)
        size->rate[i] = size->rate[i - 1];
    size->rate[at] = rate;
}

void v4l2_rates_between(struct camera_size *size, const struct v4l2_fract *shortest,
                        const struct v4l2_fract *longest, double wanted)
{
    double high = rate_of(shortest), low = rate_of(longest);
    if (wanted <= 0)
        wanted = RATE_MAX;
    add_rate(size, high);
    add_rate(size, low);
    if (wanted > low && wanted < high)
        add_rate(size, wanted);
}

/* ---- the choice ---- */

/* Lower is better; frames in one memory before those in several. */
static int rank(const struct camera_size *size, bool usb2)
{
    static const uint32_t order[] = {FRAME_YUYV,   FRAME_UYVY,    FRAME_NV12,    FRAME_NV21,   FRAME_YUV420,
                                     FRAME_YVU420, FRAME_YUV422P, FRAME_YUV444P, FRAME_XRGB32, FRAME_RGB24,
                                     FRAME_BGR24,  FRAME_MJPEG,   FRAME_GREY};
    uint32_t format = v4l2_frame_format(size->format);
    if (format == FRAME_MJPEG && usb2 && (int64_t)size->width * size->height > VGA)
        return -1;
    int at = 0;
    while (order[at] != format)
        at++;
    return 2 * at + v4l2_is_split(size->format);
}

/* The nearest rate; without a wish the highest up to RATE_MAX, or the lowest. */
static double pick_rate(const struct camera_size *size, double wanted)
{
    double best = 0;
    for (int i = 0; i < size->rates; i++) {
        double rate = size->rate[i];
        bool nearer =
            wanted > 0 ? fabs(rate - wanted) < fabs(best - wanted) : best > RATE_MAX + 0.5 || (best == 0);
        if (i == 0 || nearer)
            best = rate;
    }
    return best;
}

/* How far a size is from the wanted one, as a share of it. */
static double distance(const struct camera_size *size, int width, int height)
{
    return fabs((double)size->width - width) / width + fabs((double)size->height - height) / height;
}

struct score {
    bool slow;
    double distance, rate_missing;
    int rank;
    double area;
};

static struct score score_of(const struct camera_size *size, const struct v4l2_wish *wish, double rate)
{
    double wanted = wish->rate > 0 ? wish->rate : RATE_MAX;
    bool free_size = wish->width == 0 && wish->height == 0;
    return (struct score){
        .slow = free_size && rate > 0 && rate < (wanted < RATE_SLOW ? wanted : RATE_SLOW) - 0.5,
        .distance = distance(size, wish->width ? wish->width : WIDTH, wish->height ? wish->height : HEIGHT),
        .rate_missing = size->rates ? round(fabs(wanted - rate)) : 0, /* 29.97 is as good as 30 */
        .rank = rank(size, wish->usb2),
        .area = (double)size->width * size->height,
    };
}

static bool is_better(const struct score *a, const struct score *b)
{
    if (a->slow != b->slow)
        return b->slow;
    if (a->distance != b->distance)
        return a->distance < b->distance;
    if (a->area != b->area)
        return a->area > b->area;
    if (a->rate_missing != b->rate_missing)
        return a->rate_missing < b->rate_missing;
    return a->rank < b->rank;
}

int v4l2_choose(const struct camera_size *size, int sizes, const struct v4l2_wish *wish, double *rate)
{
    int best = -1;
    struct score best_score = {0};
    for (int i = 0; i < sizes; i++) {
        uint32_t format = v4l2_frame_format(size[i].format);
        if (!format || size[i].width < 1 || size[i].height < 1 || (wish->format && wish->format != format))
            continue;
        double one = pick_rate(&size[i], wish->rate);
        struct score score = score_of(&size[i], wish, one);
        if (best < 0 || is_better(&score, &best_score)) {
            best = i;
            best_score = score;
            *rate = one;
        }
    }
    return best;
}

/* ---- what a device has ---- */

struct modes {
    struct camera_size *size;
    int sizes, room;
};

static struct camera_size *add_size(struct modes *modes, uint32_t format, int width, int height)
{
    if (modes->sizes == modes->room) {
        int room = modes->room ? 2 * modes->room : 32;
        struct camera_size *size = realloc(modes->size, (size_t)room * sizeof(*size));
        if (!size)
            return NULL;
        modes->size = size;
        modes->room = room;
    }
    struct camera_size *size = &modes->size[modes->sizes++];
    *size = (struct camera_size){.format = format, .width = width, .height = height};
    return size;
}

static void list_rates(int fd, struct camera_size *size, double wanted)
{
    struct v4l2_frmivalenum interval = {
        .pixel_format = size->format, .width = (uint32_t)size->width, .height = (uint32_t)size->height};
    for (; interval.index < 256 && !v4l2_call(fd, VIDIOC_ENUM_FRAMEINTERVALS, &interval); interval.index++) {
        if (interval.type != V4L2_FRMIVAL_TYPE_DISCRETE) {
            v4l2_rates_between(size, &interval.stepwise.min, &interval.stepwise.max, wanted);
            return;
        }
        add_rate(size, rate_of(&interval.discrete));
    }
}

/* A driver that lists no sizes is asked what it would make of the wanted one. */
static int try_size(const struct v4l2_device *device, uint32_t pixelformat, int *width, int *height)
{
    struct v4l2_format format = {.type = device->type};
    bool planes = device->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
    struct v4l2_pix_format *one = &format.fmt.pix;
    struct v4l2_pix_format_mplane *many = &format.fmt.pix_mp;
    if (planes)
        *many = (struct v4l2_pix_format_mplane){
            .pixelformat = pixelformat, .width = (uint32_t)*width, .height = (uint32_t)*height};
    else
        *one = (struct v4l2_pix_format){
            .pixelformat = pixelformat, .width = (uint32_t)*width, .height = (uint32_t)*height};
    int status = v4l2_call(device->fd, VIDIOC_TRY_FMT, &format);
    if (!status && (planes ? many->pixelformat : one->pixelformat) != pixelformat)
        status = -EINVAL;
    *width = (int)(planes ? many->width : one->width);
    *height = (int)(planes ? many->height : one->height);
    return status;
}

static int list_sizes(const struct v4l2_device *device, uint32_t format, const struct v4l2_wish *wish,
                      struct modes *modes)
{
    struct v4l2_frmsizeenum size = {.pixel_format = format};
    int width = wish->width ? wish->width : WIDTH, height = wish->height ? wish->height : HEIGHT;
    for (; size.index < 1024 && !v4l2_call(device->fd, VIDIOC_ENUM_FRAMESIZES, &size); size.index++) {
        bool range = size.type != V4L2_FRMSIZE_TYPE_DISCRETE;
        const struct v4l2_frmsize_stepwise *step = &size.stepwise;
        struct camera_size *one =
            range
                ? add_size(modes, format, v4l2_fit(width, step->min_width, step->max_width, step->step_width),
                           v4l2_fit(height, step->min_height, step->max_height, step->step_height))
                : add_size(modes, format, (int)size.discrete.width, (int)size.discrete.height);
        if (!one)
            return -ENOMEM;
        list_rates(device->fd, one, wish->rate);
        if (range)
            return 0;
    }
    if (size.index == 0 && !try_size(device, format, &width, &height) &&
        !add_size(modes, format, width, height))
        return -ENOMEM;
    return 0;
}

int v4l2_modes(const struct v4l2_device *device, const struct v4l2_wish *wish, struct camera_size **size,
               int *sizes)
{
    struct v4l2_fmtdesc format = {.type = device->type};
    struct modes modes = {0};
    int status = 0;
    for (; !status && format.index < 256 && !v4l2_call(device->fd, VIDIOC_ENUM_FMT, &format); format.index++)
        if (!(format.flags & V4L2_FMT_FLAG_EMULATED))
            status = list_sizes(device, format.pixelformat, wish, &modes);
    if (status)
        free(modes.size);
    *size = status ? NULL : modes.size;
    *sizes = status ? 0 : modes.sizes;
    return status;
}
