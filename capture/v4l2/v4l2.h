/* SPDX-License-Identifier: MIT */
/* Between the parts of the V4L2 source (the Linux kernel's userspace-api/media/v4l). */
#ifndef PIPIT_CAPTURE_V4L2_V4L2_H
#define PIPIT_CAPTURE_V4L2_V4L2_H

#include "capture/backend.h"

#include <linux/videodev2.h>

/* ---- devices (device.c) ---- */

struct v4l2_device {
    int fd;
    uint32_t type; /* V4L2_BUF_TYPE_VIDEO_CAPTURE, or _MPLANE */
    char path[160];
    struct v4l2_capability capability;
};

/* ioctl() through libv4l2, again where a signal came between; 0 or negative errno. */
int v4l2_call(int fd, unsigned long request, void *argument);
/* Without libv4l2's conversions. -ENOTSUP: no camera; other errors of open(), with their sentence. */
int v4l2_device_open(struct v4l2_device *device, const char *path, struct source_error *error);
void v4l2_device_close(struct v4l2_device *device);
/* The sentence for an error in setting a device up: who holds it, which permission is missing. */
int v4l2_explain(struct source_error *error, int code, const char *path, const char *doing);
/* The name below /dev/v4l that is the node's, or its path. */
void v4l2_stable_path(const char *path, char *name, size_t size);
/* What the driver calls the camera; uvcvideo often says it twice, "C920: C920". */
void v4l2_card_name(const struct v4l2_device *device, char *name, size_t size);
bool v4l2_is_usb2(const char *path);
int v4l2_list(struct camera_list *list); /* v4l2_list.c: as struct source_kind has it */

/* ---- pixel formats, colours (layout.c): no system calls ---- */

/* FRAME_* of a V4L2 pixel format, 0: a frame cannot have it; whether its planes are in memory of their own.
 */
uint32_t v4l2_frame_format(uint32_t pixelformat);
bool v4l2_is_split(uint32_t pixelformat);

struct v4l2_layout {
    struct frame frame;            /* format, size, planes, strides, offsets, matrix and range */
    int memories;                  /* buffers that one picture lies in */
    int memory[FRAME_PLANES_MAX];  /* which of them each plane is in */
    size_t need[FRAME_PLANES_MAX]; /* bytes of each, at least */
};
/* Of what VIDIOC_S_FMT answered. -ENOTSUP: no frame can have it; -EINVAL: sizes that make no sense. */
int v4l2_layout_of(struct v4l2_layout *layout, const struct v4l2_format *format);
/* By the defaults that videodev2.h maps; BT.2020 and SMPTE 240M are taken as BT.709, the nearest. */
void v4l2_colour(uint32_t colorspace, uint32_t ycbcr_enc, uint32_t quantization, bool rgb,
                 enum frame_matrix *matrix, bool *full_range);

/* ---- formats, sizes, rates (modes.c) ---- */

struct v4l2_wish {
    int width, height; /* 0: 1280 x 720, or smaller where that is too slow */
    double rate;       /* 0: the highest up to 60 */
    uint32_t format;   /* FRAME_*, 0: any */
    bool usb2;         /* MJPEG above VGA */
};

/* The size of `wanted` that a range has. */
int v4l2_fit(int wanted, uint32_t minimum, uint32_t maximum, uint32_t step);
/* Rates of a range of intervals, highest first: its ends, and the wanted one where it lies between. */
void v4l2_rates_between(struct camera_size *size, const struct v4l2_fract *shortest,
                        const struct v4l2_fract *longest, double wanted);
/* Index of the best one, and the rate to ask for (0: it has none); -1: none that a frame can have. */
int v4l2_choose(const struct camera_size *size, int sizes, const struct v4l2_wish *wish, double *rate);
/* What the device has; of ranges what is nearest to the wish. The caller frees. 0 or -ENOMEM. */
int v4l2_modes(const struct v4l2_device *device, const struct v4l2_wish *wish, struct camera_size **size,
               int *sizes);

/* ---- controls (controls.c) ---- */

/* "Exposure Time, Absolute" is exposure_time_absolute. */
void v4l2_control_name(char *name, size_t size, const char *text);
int v4l2_controls_set(const struct v4l2_device *device, const struct source_settings *settings,
                      struct source_error *error);
int v4l2_controls_list(const struct v4l2_device *device, struct camera_control **control, int *controls);

/* ---- buffers (stream.c) ---- */

struct v4l2_stream;
/* Requests, maps, exports and queues the buffers, and starts. The device stays the caller's. */
int v4l2_stream_start(struct v4l2_stream **stream, const struct v4l2_device *device,
                      const struct v4l2_layout *layout, int buffers, bool export_dmabuf,
                      struct source_error *error);
/* Before the device is closed. Frames that are out keep their memory. */
void v4l2_stream_stop(struct v4l2_stream *stream);
/* As source_take(); adds what was lost to `dropped`. */
int v4l2_stream_take(struct v4l2_stream *stream, struct frame **frame, uint64_t *dropped);
bool v4l2_stream_exports(const struct v4l2_stream *stream);
int v4l2_stream_left(struct v4l2_stream *stream); /* buffers that are not out as frames */

/* How many numbers a driver's count left out between two frames; it may wrap, start again or stand still. */
uint32_t v4l2_gap(uint32_t before, uint32_t now);

#endif
