/* SPDX-License-Identifier: MIT */
#include "tests/unit/photo_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

enum { WIDTH_MAX = 2048 };

uint8_t picture_value(const struct jpeg_kind *kind, int x, int y, int c)
{
    int ramp[4] = {x + y, 2 * x, 2 * y, x / 2};
    return (uint8_t)(40 + (ramp[c] + kind->shade) % 256 * 160 / 256);
}

/* The segments up to the first scan, without DHT. */
static void strip_huffman(struct bytes *bytes)
{
    struct bytes out = {0};
    size_t at = 2;
    bytes_put(&out, bytes->data, 2);
    while (bytes->data[at + 1] != 0xda) {
        size_t length = 2 + ((size_t)bytes->data[at + 2] << 8 | bytes->data[at + 3]);
        if (bytes->data[at + 1] != 0xc4)
            bytes_put(&out, bytes->data + at, length);
        at += length;
    }
    bytes_put(&out, bytes->data + at, bytes->size - at);
    bytes_free(bytes);
    *bytes = out;
}

static void set_up(struct jpeg_compress_struct *info, const struct jpeg_kind *kind, int channels)
{
    info->image_width = (JDIMENSION)kind->width;
    info->image_height = (JDIMENSION)kind->height;
    info->input_components = channels;
    info->in_color_space = channels == 1   ? JCS_GRAYSCALE
                           : channels == 4 ? JCS_CMYK
                           : kind->rgb     ? JCS_RGB
                                           : JCS_YCbCr;
    jpeg_set_defaults(info);
    if (kind->rgb)
        jpeg_set_colorspace(info, JCS_RGB);
    jpeg_set_quality(info, 98, TRUE);
    info->comp_info[0].h_samp_factor = kind->across ? kind->across : 1;
    info->comp_info[0].v_samp_factor = kind->down ? kind->down : 1;
    info->optimize_coding = kind->own_huffman;
    info->restart_interval = (unsigned)kind->restart;
    if (kind->progressive)
        jpeg_simple_progression(info);
}

static void write_orientation(struct jpeg_compress_struct *info, int orientation)
{
    uint8_t exif[] = {'E',  'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0,
                      0x12, 1,   3,   0,   1, 0, 0,   0,   0,  0, 0, 0, 0, 0, 0, 0};
    exif[24] = (uint8_t)orientation;
    jpeg_write_marker(info, JPEG_APP0 + 1, exif, sizeof(exif));
}

void picture_jpeg(struct bytes *bytes, const struct jpeg_kind *kind)
{
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr manager;
    unsigned char *out = NULL;
    unsigned long size = 0;
    uint8_t row[4 * WIDTH_MAX];
    int channels = kind->channels ? kind->channels : 3;
    info.err = jpeg_std_error(&manager);
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &out, &size);
    set_up(&info, kind, channels);
    jpeg_start_compress(&info, TRUE);
    if (kind->orientation)
        write_orientation(&info, kind->orientation);
    for (int y = 0; y < kind->height; y++) {
        for (int i = 0; i < kind->width * channels; i++)
            row[i] = picture_value(kind, i / channels, y, i % channels);
        jpeg_write_scanlines(&info, &(JSAMPROW){row}, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    bytes_put(bytes, out, size);
    free(out);
    if (kind->no_huffman)
        strip_huffman(bytes);
}

static void on_write(png_structp png, png_bytep data, size_t size)
{
    bytes_put(png_get_io_ptr(png), data, size);
}

static void on_flush(png_structp png)
{
    (void)png;
}

static void put_palette(png_structp png, png_infop info, int depth)
{
    png_color palette[256];
    png_byte alpha[2] = {0, 128};
    int colours = 1 << depth;
    for (int i = 0; i < colours; i++)
        palette[i] = (png_color){(png_byte)(i * 255 / colours), (png_byte)(255 - i), 77};
    png_set_PLTE(png, info, palette, colours);
    png_set_tRNS(png, info, alpha, 2, NULL);
}

void picture_png(struct bytes *bytes, int width, int height, int colour, int depth, bool interlaced)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info)
        exit(70);
    png_set_write_fn(png, bytes, on_write, on_flush);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, depth, colour,
                 interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (colour == PNG_COLOR_TYPE_PALETTE)
        put_palette(png, info, depth);
    png_write_info(png, info);
    size_t row = png_get_rowbytes(png, info);
    uint8_t *pixels = calloc((size_t)height, row);
    png_bytep *rows = calloc((size_t)height, sizeof(*rows));
    if (!pixels || !rows)
        exit(70);
    for (int y = 0; y < height; y++) {
        rows[y] = pixels + (size_t)y * row;
        for (size_t i = 0; i < row; i++)
            rows[y][i] = (uint8_t)(3 * i + 5 * (size_t)y);
    }
    png_write_image(png, rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    free(pixels);
    free(rows);
}
