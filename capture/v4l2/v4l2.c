/* SPDX-License-Identifier: MIT */
#include "capture/v4l2/v4l2.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFERS = 6 };

struct camera_source {
    struct source source; /* first */
    struct v4l2_device device;
    struct v4l2_stream *stream;
};

static void close_camera(struct source *source)
{
    struct camera_source *camera = (struct camera_source *)source;
    v4l2_stream_stop(camera->stream);
    v4l2_device_close(&camera->device);
    free(camera);
}

static int take(struct source *source, struct frame **frame)
{
    struct camera_source *camera = (struct camera_source *)source;
    return v4l2_stream_take(camera->stream, frame, &source->dropped);
}

static int left(struct source *source)
{
    return v4l2_stream_left(((struct camera_source *)source)->stream);
}

/* ---- opening ---- */

static int choose(const struct v4l2_device *device, const struct source_settings *settings,
                  struct camera_size *chosen, double *rate, struct source_error *error)
{
    struct v4l2_wish wish = {settings->width, settings->height, settings->rate, settings->format,
                             v4l2_is_usb2(device->path)};
    struct camera_size *size;
    int sizes, status = v4l2_modes(device, &wish, &size, &sizes);
    if (status)
        return source_fail(error, status, "out of memory for the camera's formats");
    int best = v4l2_choose(size, sizes, &wish, rate);
    if (best >= 0)
        *chosen = size[best];
    free(size);
    if (best >= 0)
        return 0;
    return wish.format
               ? source_fail(error, -ENOTSUP, "%s has no format %.4s", device->path,
                             (const char *)&wish.format)
               : source_fail(error, -ENOTSUP, "%s has no pixel format that Pipit can show", device->path);
}

static int set_format(const struct v4l2_device *device, const struct camera_size *size,
                      struct v4l2_layout *layout, struct source_error *error)
{
    struct v4l2_format format = {.type = device->type};
    if (device->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE)
        format.fmt.pix_mp = (struct v4l2_pix_format_mplane){
            .pixelformat = size->format, .width = (uint32_t)size->width, .height = (uint32_t)size->height};
    else
        format.fmt.pix = (struct v4l2_pix_format){.pixelformat = size->format,
                                                  .width = (uint32_t)size->width,
                                                  .height = (uint32_t)size->height,
                                                  .priv = V4L2_PIX_FMT_PRIV_MAGIC};
    int status = v4l2_call(device->fd, VIDIOC_S_FMT, &format);
    if (status)
        return v4l2_explain(error, status, device->path, "set the format");
    status = v4l2_layout_of(layout, &format);
    return status ? source_fail(error, -ENOTSUP, "%s answers with a format that makes no sense", device->path)
                  : 0;
}

/* The rate that the driver takes; 0: it has none. */
static double set_rate(const struct v4l2_device *device, double rate)
{
    struct v4l2_streamparm parameters = {.type = device->type};
    struct v4l2_captureparm *capture = &parameters.parm.capture;
    if (v4l2_call(device->fd, VIDIOC_G_PARM, &parameters))
        return 0;
    if (rate > 0 && capture->capability & V4L2_CAP_TIMEPERFRAME) {
        capture->timeperframe = (struct v4l2_fract){1000, (uint32_t)lround(rate * 1000)};
        v4l2_call(device->fd, VIDIOC_S_PARM, &parameters);
    }
    return capture->timeperframe.numerator
               ? (double)capture->timeperframe.denominator / capture->timeperframe.numerator
               : 0;
}

static void describe(struct camera_source *camera, const struct v4l2_layout *layout, double rate)
{
    struct source_info *info = &camera->source.info;
    char path[sizeof(camera->device.path)];
    v4l2_stable_path(camera->device.path, path, sizeof(path));
    snprintf(info->id, sizeof(info->id), "v4l2:%.150s", path);
    v4l2_card_name(&camera->device, info->name, sizeof(info->name));
    snprintf(info->driver, sizeof(info->driver), "%.16s", (const char *)camera->device.capability.driver);
    info->format = layout->frame.format;
    info->width = layout->frame.width;
    info->height = layout->frame.height;
    info->rate = rate;
    info->dmabuf = v4l2_stream_exports(camera->stream);
}

static int start(struct camera_source *camera, const struct source_settings *settings,
                 struct source_error *error)
{
    const struct v4l2_device *device = &camera->device;
    struct camera_size size = {0};
    struct v4l2_layout layout = {0};
    double rate = 0;
    int status = choose(device, settings, &size, &rate, error);
    if (!status)
        status = set_format(device, &size, &layout, error);
    if (!status) {
        rate = set_rate(device, rate);
        status = v4l2_controls_set(device, settings, error);
    }
    if (!status)
        status = v4l2_stream_start(&camera->stream, device, &layout,
                                   settings->buffers ? settings->buffers : BUFFERS, settings->export_dmabuf,
                                   error);
    if (!status)
        describe(camera, &layout, rate);
    return status;
}

static int open_camera(struct source **source, const char *path, const struct source_settings *settings,
                       struct source_error *error)
{
    struct camera_source *camera = calloc(1, sizeof(*camera));
    if (!camera)
        return source_fail(error, -ENOMEM, "out of memory");
    camera->source.kind = &source_v4l2;
    camera->device.fd = -1;
    int status = v4l2_device_open(&camera->device, path, error);
    if (!status)
        status = start(camera, settings, error);
    if (status) {
        close_camera(&camera->source);
        return status;
    }
    camera->source.fd = camera->device.fd;
    *source = &camera->source;
    return 0;
}

const struct source_kind source_v4l2 = {.prefix = "v4l2",
                                        .open = open_camera,
                                        .close = close_camera,
                                        .take = take,
                                        .list = v4l2_list,
                                        .left = left};
