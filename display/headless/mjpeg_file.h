/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_DISPLAY_HEADLESS_MJPEG_FILE_H
#define PIPIT_DISPLAY_HEADLESS_MJPEG_FILE_H

#include "base/frame.h"

/* Writes an XRGB32 frame to `descriptor` as one JPEG (JFIF, BT.601, full range, quality 90). Returns 0;
 * -EPIPE: nobody reads any more; other negative errnos of write(); -EINVAL: another format; -ENOMEM. */
int mjpeg_write(const struct frame *frame, int descriptor);

#endif
