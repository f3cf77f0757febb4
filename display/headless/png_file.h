/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_DISPLAY_HEADLESS_PNG_FILE_H
#define PIPIT_DISPLAY_HEADLESS_PNG_FILE_H

#include "base/frame.h"

/* Writes an RGB24 or XRGB32 frame as a PNG file: under a temporary name, then renamed, so that no half a
 * picture is ever seen. Returns 0, or a negative errno (-ENOENT, -EACCES, -ENOSPC, -EINVAL, -ENOMEM ...). */
int png_write(const struct frame *frame, const char *path);

#endif
