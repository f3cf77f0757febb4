/* SPDX-License-Identifier: MIT */
/*
 * Photographs, from files or memory, as RGB24 frames, turned upright by their EXIF orientation (EXIF 2.3, tag
 * 0x0112).
 *
 * JPEG (ITU T.81; baseline and progressive; grey, YCbCr, RGB, CMYK, YCCK) through libjpeg-turbo, PNG (ISO
 * 15948; every colour type and depth; what is transparent lies on white) through libpng. A picture that is
 * damaged or cut off is an error, not half a picture.
 */
#ifndef PIPIT_CAPTURE_PHOTO_PHOTO_H
#define PIPIT_CAPTURE_PHOTO_PHOTO_H

#include "base/frame.h"

#define PHOTO_BYTES_MAX  ((size_t)256 << 20)
#define PHOTO_PIXELS_MAX 100000000 /* 100 megapixels */

struct photo_error {
    char text[256]; /* one sentence */
};

/* Returns 0 and a frame with one reference, or -EINVAL: no picture, or a damaged one; -ENOTSUP: no JPEG and
 * no PNG; -E2BIG: more than PHOTO_BYTES_MAX or PHOTO_PIXELS_MAX, or more pixels than its bytes can hold;
 * -ENOMEM. */
int photo_decode(struct frame **frame, const void *bytes, size_t size, struct photo_error *error);

/* The same from a file, "-" being standard input. Also -ENOENT, -EACCES, -EISDIR, -EIO. */
int photo_read(struct frame **frame, const char *path, struct photo_error *error);

#endif
