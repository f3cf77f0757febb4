/* SPDX-License-Identifier: MIT */
/*
 * Where frames come from: a V4L2 camera, a libcamera camera, or files (the hardware twin). All are driven by
 * one file descriptor: when it is readable, source_take() has a frame, or news.
 *
 * A source is used by one thread. Its frames may be unreferenced by any thread, also after the source was
 * closed: the last unref gives the buffer back to the driver, or frees it.
 */
#ifndef PIPIT_CAPTURE_SOURCE_H
#define PIPIT_CAPTURE_SOURCE_H

#include "base/convert.h"
#include "base/frame.h"

struct source; /* opaque */

struct source_error {
    char text[256]; /* one sentence: what, and what to do */
};

#define SOURCE_CONTROLS_MAX 32

struct source_control {
    char name[48];  /* as the driver spells it, lower case, words joined by '_': "exposure_time_absolute" */
    char value[32]; /* a number, "true", "false", or a menu's entry */
};

struct source_settings {
    /* "v4l2:PATH" (a device node, or its /dev/v4l/by-id or by-path name), "libcamera:ID", "replay:PATH" (a
     * JPEG or PNG photo, a folder of them, an MJPEG or Y4M file, "-" for standard input), "auto": the first
     * camera that can be opened. Files are mapped: they must not get shorter meanwhile. A replay skips
     * nothing: who is late gets its frames later. Photos are RGB24, XRGB32 or YUV420 as `format` says, shrunk
     * to the wanted size if there is one; those of a folder may differ in size from frame to frame. */
    const char *name;
    int width, height; /* wanted, pixels; 0: 1280 x 720 */
    double rate;       /* wanted, frames per second; 0: the highest up to 60; of a replay: 30 or the file's */
    uint32_t format;   /* FRAME_*; 0: the best for size and rate */
    int buffers;       /* 2 to 32; 0: 6 */
    bool export_dmabuf; /* frames carry dmabufs where the driver can */
    bool once;          /* a replay ends instead of starting again */
    struct source_control control[SOURCE_CONTROLS_MAX];
    int controls;
};
void source_defaults(struct source_settings *settings); /* name "auto" */

struct source_info {
    char name[96];   /* for people: "Logitech C920" */
    char id[160];    /* for settings.name next time, stable over unplugging: "v4l2:/dev/v4l/by-id/..." */
    char driver[32]; /* "uvcvideo" */
    uint32_t format; /* FRAME_* */
    int width, height;
    double rate;      /* frames per second as the driver says, 0: unknown */
    bool dmabuf;      /* frames carry dmabufs */
    struct turn turn; /* what brings its pictures upright, where the camera hangs turned and says so */
};

/* Opens and starts. -ENOENT, -ENODEV: no such camera, or none at all; -EACCES: the sentence names the missing
 * group; -EBUSY: it names who holds the device; -EINVAL: settings that make no sense, or an unknown control;
 * -ENOTSUP: no format that a frame can have; -EIO; -ENOMEM. */
int source_open(struct source **source, const struct source_settings *settings, struct source_error *error);
void source_close(struct source *source); /* takes NULL */

int source_fd(const struct source *source); /* for poll(); readable means source_take() */
/* One frame with one reference. Returns 0; -EAGAIN: none now; -ENODATA: the replay is at its end; -ENODEV:
 * the camera is gone; other errors: close the source and open it again. */
int source_take(struct source *source, struct frame **frame);
void source_info(const struct source *source, struct source_info *info);
/* Whether nearly all of its buffers are out as frames: a camera whose frames do not come back cannot send
 * more, and some drivers keep the last buffer that they have. */
bool source_is_drained(struct source *source);
/* Frames that the source itself lost or threw away as damaged since it was opened. */
uint64_t source_dropped(const struct source *source);

#endif
