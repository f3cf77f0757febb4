/* SPDX-License-Identifier: MIT */
/* What a screen says of a camera: its name instead of the path that the log has. Pure. */
#ifndef PIPIT_APP_LIVE_PLAIN_H
#define PIPIT_APP_LIVE_PLAIN_H

#include <stddef.h>

/* What a source is called: "HD Webcam C525" of v4l2:/dev/v4l/by-id/usb-046d_HD_Webcam_C525-video-index0,
 * "ov5647" of libcamera:/base/soc/i2c0mux/i2c@1/ov5647@36, "the camera" where its name is only a place. */
void plain_camera(const char *source, char *name, size_t size);
/* A sentence about a camera with its path, each time, replaced by its name. */
void plain_sentence(const char *sentence, const char *source, const char *name, char *text, size_t size);

#endif
