/* SPDX-License-Identifier: MIT */
/* Between the parts of the photo reader. */
#ifndef PIPIT_CAPTURE_PHOTO_FORMAT_H
#define PIPIT_CAPTURE_PHOTO_FORMAT_H

#include "capture/photo/photo.h"

int photo_fail(struct photo_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Each reads its format and the orientation (1 to 8) that its EXIF data gives, 1 without. */
int jpeg_decode(struct frame **frame, int *orientation, const uint8_t *bytes, size_t size,
                struct photo_error *error);
int png_decode(struct frame **frame, int *orientation, const uint8_t *bytes, size_t size,
               struct photo_error *error);

/* Orientation in a TIFF structure (the body of an EXIF block), 1 when there is none that makes sense. */
int exif_orientation(const uint8_t *tiff, size_t size);

/* -E2BIG for a picture of more pixels than PHOTO_PIXELS_MAX, or than `size` compressed bytes can hold. */
int photo_check_size(uint64_t width, uint64_t height, size_t size, struct photo_error *error);

#endif
