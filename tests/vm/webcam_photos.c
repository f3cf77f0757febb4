/* SPDX-License-Identifier: MIT */
#include "webcam.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <libyuv.h>

struct photo {
    uint8_t *bgrx; /* as it was read */
    int width, height;
    uint8_t *frame;
    unsigned long length;
};

struct photos {
    struct photo *photo;
    int count;
    enum photo_format format; /* as they are prepared */
    int width, height;
};

static void *must(void *memory)
{
    if (!memory)
        errx(70, "out of memory");
    return memory;
}

/* libjpeg's own handler ends the program on a file that is none. */
static void read_jpeg(struct photo *photo, const char *path)
{
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    FILE *file = fopen(path, "rb");
    if (!file)
        err(66, "%s", path);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_stdio_src(&jpeg, file);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = JCS_EXT_BGRX;
    jpeg_start_decompress(&jpeg);
    photo->width = (int)jpeg.output_width;
    photo->height = (int)jpeg.output_height;
    photo->bgrx = must(malloc((size_t)photo->width * (size_t)photo->height * 4));
    while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW row = photo->bgrx + (size_t)jpeg.output_scanline * (size_t)photo->width * 4;
        jpeg_read_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    fclose(file);
}

struct photos *photos_create(char **paths, int count)
{
    struct photos *photos = must(calloc(1, sizeof *photos));
    photos->photo = must(calloc((size_t)count, sizeof *photos->photo));
    photos->count = count;
    for (int i = 0; i < count; i++)
        read_jpeg(&photos->photo[i], paths[i]);
    return photos;
}

void photos_destroy(struct photos *photos)
{
    for (int i = 0; i < photos->count; i++) {
        free(photos->photo[i].bgrx);
        free(photos->photo[i].frame);
    }
    free(photos->photo);
    free(photos);
}

/* As cameras do: 4:2:2, and better than most. */
static void write_mjpeg(struct photo *photo, uint8_t *bgrx, int width, int height)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    photo->frame = NULL;
    photo->length = 0;
    jpeg_mem_dest(&jpeg, &photo->frame, &photo->length);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = 4;
    jpeg.in_color_space = JCS_EXT_BGRX;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 92, TRUE);
    jpeg.comp_info[0].h_samp_factor = 2;
    jpeg.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = bgrx + (size_t)jpeg.next_scanline * (size_t)width * 4;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
}

/* BT.601, limited range, as the descriptors say. */
static void write_yuyv(struct photo *photo, const uint8_t *bgrx, int width, int height)
{
    photo->length = (unsigned long)width * (unsigned long)height * 2;
    photo->frame = must(malloc(photo->length));
    ARGBToYUY2(bgrx, width * 4, photo->frame, width * 2, width, height);
}

static void prepare(struct photo *photo, enum photo_format format, int width, int height)
{
    int cut_width = photo->width, cut_height = photo->height;
    if ((int64_t)cut_width * height > (int64_t)cut_height * width)
        cut_width = (int)((int64_t)cut_height * width / height);
    else
        cut_height = (int)((int64_t)cut_width * height / width);
    const uint8_t *corner = photo->bgrx + ((size_t)((photo->height - cut_height) / 2) * (size_t)photo->width +
                                           (size_t)((photo->width - cut_width) / 2)) *
                                              4;
    uint8_t *scaled = must(malloc((size_t)width * (size_t)height * 4));
    ARGBScale(corner, photo->width * 4, cut_width, cut_height, scaled, width * 4, width, height, kFilterBox);
    free(photo->frame);
    if (format == PHOTO_MJPEG)
        write_mjpeg(photo, scaled, width, height);
    else
        write_yuyv(photo, scaled, width, height);
    free(scaled);
}

/* A camera that is plugged in again sends what it sent before. */
void photos_prepare(struct photos *photos, enum photo_format format, int width, int height)
{
    if (photos->format == format && photos->width == width && photos->height == height)
        return;
    photos->format = format;
    photos->width = width;
    photos->height = height;
    for (int i = 0; i < photos->count; i++)
        prepare(&photos->photo[i], format, width, height);
}

const uint8_t *photos_frame(const struct photos *photos, int number, size_t *length)
{
    const struct photo *photo = &photos->photo[number % photos->count];
    *length = photo->length;
    return photo->frame;
}
