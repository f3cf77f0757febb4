/* SPDX-License-Identifier: MIT */
#include "display/headless/png_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <png.h>

static void on_error(png_structp png, png_const_charp text)
{
    (void)text;
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static int encode(const struct frame *frame, FILE *file)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    volatile int status = info ? 0 : -ENOMEM;
    if (info && !setjmp(png_jmpbuf(png))) {
        png_init_io(png, file);
        png_set_IHDR(png, info, (png_uint_32)frame->width, (png_uint_32)frame->height, 8, PNG_COLOR_TYPE_RGB,
                     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        png_set_compression_level(png, 4);
        png_write_info(png, info);
        if (frame->format == FRAME_XRGB32) {
            png_set_bgr(png);
            png_set_filler(png, 0, PNG_FILLER_AFTER);
        }
        for (int y = 0; y < frame->height; y++)
            png_write_row(png, frame->data[0] + y * frame->stride[0]);
        png_write_end(png, info);
    } else if (info) {
        status = errno ? -errno : -EIO;
    }
    png_destroy_write_struct(&png, &info);
    return status;
}

static int write_temporary(const struct frame *frame, int descriptor)
{
    FILE *file = fdopen(descriptor, "wb");
    if (!file) {
        int status = -errno;
        close(descriptor);
        return status;
    }
    errno = 0;
    int status = encode(frame, file);
    if (fflush(file) && !status)
        status = -errno;
    if (fclose(file) && !status)
        status = -errno;
    return status;
}

int png_write(const struct frame *frame, const char *path)
{
    char *temporary;
    if (frame->format != FRAME_RGB24 && frame->format != FRAME_XRGB32)
        return -EINVAL;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return -ENOMEM;
    int descriptor = mkostemp(temporary, O_CLOEXEC);
    if (descriptor < 0) {
        int status = -errno;
        free(temporary);
        return status;
    }
    fchmod(descriptor, 0644);
    int status = write_temporary(frame, descriptor);
    if (!status && rename(temporary, path))
        status = -errno;
    if (status)
        unlink(temporary);
    free(temporary);
    return status;
}
