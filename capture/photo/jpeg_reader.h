/* SPDX-License-Identifier: MIT */
/* libjpeg's decompressor with errors that come back to where `failed` was set, for photos and Motion-JPEG. */
#ifndef PIPIT_CAPTURE_PHOTO_JPEG_READER_H
#define PIPIT_CAPTURE_PHOTO_JPEG_READER_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h> /* for jpeglib.h */

#include <jerror.h>
#include <jpeglib.h>

enum { JPEG_SCANS_MAX = 200 }; /* of a progressive picture; encoders write about ten */

struct jpeg_reader {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf failed; /* the caller's setjmp() comes before the first call that may fail */
    int status;     /* -EINVAL: damaged or cut off, -E2BIG: too many scans, or what jpeg_reader_fail() gave */
    char text[JMSG_LENGTH_MAX]; /* libjpeg's words, or "" */
    /* Whether a picture with this warning (J_MESSAGE_CODE) is as good as one without; NULL: none is. */
    bool (*forgive)(const struct jpeg_reader *reader, int warning);
};

/* For jpeg_create_decompress(). */
void jpeg_reader_init(struct jpeg_reader *reader);
_Noreturn void jpeg_reader_fail(struct jpeg_reader *reader, int status);

#endif
