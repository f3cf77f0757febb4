/* SPDX-License-Identifier: MIT */
#include "capture/photo/format.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

struct decoder {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t size, at;
    struct photo_error *error;
    int status;
    struct frame *frame;
    png_bytep *rows;
};

static void on_error(png_structp png, png_const_charp text)
{
    struct decoder *d = png_get_error_ptr(png);
    if (!d->status)
        d->status = photo_fail(d->error, -EINVAL, "the PNG picture is damaged or cut off (%.100s)", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void on_read(png_structp png, png_bytep to, size_t count)
{
    struct decoder *d = png_get_io_ptr(png);
    if (count > d->size - d->at)
        png_error(png, "unexpected end");
    memcpy(to, d->bytes + d->at, count);
    d->at += count;
}

/* Everything becomes 8-bit RGB; what is transparent is laid on white. */
static void set_transforms(struct decoder *d)
{
    png_color_16 white = {.red = 255, .green = 255, .blue = 255, .gray = 255};
    int type = png_get_color_type(d->png, d->info);
    png_set_scale_16(d->png);
    png_set_expand(d->png);
    if (type == PNG_COLOR_TYPE_GRAY || type == PNG_COLOR_TYPE_GRAY_ALPHA)
        png_set_gray_to_rgb(d->png);
    if (type & PNG_COLOR_MASK_ALPHA || png_get_valid(d->png, d->info, PNG_INFO_tRNS))
        png_set_background(d->png, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1);
    png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
}

static int find_orientation(struct decoder *d)
{
    png_bytep exif = NULL;
    png_uint_32 size = 0;
    return png_get_eXIf_1(d->png, d->info, &size, &exif) ? exif_orientation(exif, size) : 1;
}

static void read_picture(struct decoder *d, int *orientation)
{
    png_read_info(d->png, d->info);
    png_uint_32 width = png_get_image_width(d->png, d->info), height = png_get_image_height(d->png, d->info);
    d->status = photo_check_size(width, height, d->size, d->error);
    if (d->status)
        png_error(d->png, "size");
    set_transforms(d);
    d->frame = frame_create(FRAME_RGB24, (int)width, (int)height);
    d->rows = calloc(height, sizeof(*d->rows));
    if (!d->frame || !d->rows) {
        d->status = photo_fail(d->error, -ENOMEM, "out of memory for the picture");
        png_error(d->png, "memory");
    }
    if (png_get_rowbytes(d->png, d->info) != (size_t)width * 3)
        png_error(d->png, "unknown layout");
    for (png_uint_32 y = 0; y < height; y++)
        d->rows[y] = d->frame->data[0] + (ptrdiff_t)y * d->frame->stride[0];
    png_read_image(d->png, d->rows);
    png_read_end(d->png, d->info);
    *orientation = find_orientation(d);
}

int png_decode(struct frame **frame, int *orientation, const uint8_t *bytes, size_t size,
               struct photo_error *error)
{
    struct decoder *d = calloc(1, sizeof(*d));
    if (!d)
        return photo_fail(error, -ENOMEM, "out of memory");
    *d = (struct decoder){.bytes = bytes, .size = size, .error = error};
    d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, on_error, on_warning);
    d->info = d->png ? png_create_info_struct(d->png) : NULL;
    if (!d->info) {
        d->status = photo_fail(error, -ENOMEM, "out of memory");
    } else if (!setjmp(png_jmpbuf(d->png))) {
        png_set_user_limits(d->png, 65500, 65500);
        png_set_chunk_malloc_max(d->png, 8 << 20);
        png_set_read_fn(d->png, d, on_read);
        read_picture(d, orientation);
    }
    png_destroy_read_struct(&d->png, &d->info, NULL);
    int status = d->status;
    if (status)
        frame_unref(d->frame);
    else
        *frame = d->frame;
    free(d->rows);
    free(d);
    return status;
}
