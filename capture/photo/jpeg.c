/* SPDX-License-Identifier: MIT */
#include "capture/photo/format.h"

#include "capture/photo/jpeg_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct decoder {
    struct jpeg_reader reader;
    struct photo_error *error;
    struct frame *frame;
    uint8_t *row; /* of a CMYK picture */
};

static int find_orientation(const struct jpeg_decompress_struct *info)
{
    for (jpeg_saved_marker_ptr m = info->marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length > 6 && !memcmp(m->data, "Exif\0", 6))
            return exif_orientation(m->data + 6, m->data_length - 6);
    return 1;
}

/* Adobe stores ink inverted: 255 is none. */
static void cmyk_to_rgb(const uint8_t *in, uint8_t *out, int width, bool inverted)
{
    for (int x = 0; x < width; x++, in += 4, out += 3) {
        unsigned key = inverted ? in[3] : 255u - in[3];
        for (int c = 0; c < 3; c++) {
            unsigned ink = inverted ? in[c] : 255u - in[c];
            out[c] = (uint8_t)((ink * key + 127) / 255);
        }
    }
}

static void begin(struct decoder *d, int *orientation, const uint8_t *bytes, size_t size)
{
    struct jpeg_decompress_struct *info = &d->reader.info;
    jpeg_create_decompress(info);
    info->progress = &d->reader.progress;
    jpeg_mem_src(info, bytes, size);
    jpeg_save_markers(info, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(info, TRUE);
    *orientation = find_orientation(info);
    int status = photo_check_size(info->image_width, info->image_height, size, d->error);
    if (status)
        jpeg_reader_fail(&d->reader, status);
    bool cmyk = info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK;
    info->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(info);
}

static void read_rows(struct decoder *d)
{
    struct jpeg_decompress_struct *info = &d->reader.info;
    bool cmyk = info->out_color_space == JCS_CMYK;
    d->frame = frame_create(FRAME_RGB24, (int)info->output_width, (int)info->output_height);
    d->row = cmyk ? malloc((size_t)info->output_width * 4) : NULL;
    if (!d->frame || (cmyk && !d->row))
        jpeg_reader_fail(&d->reader, -ENOMEM);
    while (info->output_scanline < info->output_height) {
        uint8_t *out = d->frame->data[0] + (ptrdiff_t)info->output_scanline * d->frame->stride[0];
        JSAMPROW row = cmyk ? d->row : out;
        jpeg_read_scanlines(info, &row, 1);
        if (cmyk)
            cmyk_to_rgb(d->row, out, d->frame->width, info->saw_Adobe_marker);
    }
    jpeg_finish_decompress(info);
}

/* photo_check_size() has given its own sentence. */
static int explain(const struct decoder *d)
{
    int status = d->reader.status;
    if (status == -EINVAL && d->reader.text[0])
        photo_fail(d->error, status, "the JPEG picture is damaged or cut off (%s)", d->reader.text);
    if (status == -E2BIG && d->reader.info.input_scan_number > JPEG_SCANS_MAX)
        photo_fail(d->error, status, "the JPEG picture has more than %d scans", JPEG_SCANS_MAX);
    if (status == -ENOMEM)
        photo_fail(d->error, status, "out of memory for the picture");
    return status;
}

int jpeg_decode(struct frame **frame, int *orientation, const uint8_t *bytes, size_t size,
                struct photo_error *error)
{
    struct decoder *d = calloc(1, sizeof(*d));
    if (!d)
        return photo_fail(error, -ENOMEM, "out of memory");
    d->error = error;
    jpeg_reader_init(&d->reader);
    if (!setjmp(d->reader.failed)) {
        begin(d, orientation, bytes, size);
        read_rows(d);
    }
    int status = explain(d);
    jpeg_destroy_decompress(&d->reader.info);
    if (status)
        frame_unref(d->frame);
    else
        *frame = d->frame;
    free(d->row);
    free(d);
    return status;
}
