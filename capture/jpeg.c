/* SPDX-License-Identifier: MIT */
#include "capture/photo_format.h"

#include <errno.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { SCANS_MAX = 200 }; /* of a progressive picture; encoders write about ten */

struct decoder {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    int status;
    struct photo_error *error;
    struct frame *frame;
    uint8_t *row; /* of a CMYK picture */
};

static void give_up(struct decoder *d, int status)
{
    d->status = status;
    longjmp(d->failed, 1);
}

static void on_error(j_common_ptr info)
{
    struct decoder *d = info->client_data;
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    photo_fail(d->error, -EINVAL, "the JPEG picture is damaged or cut off (%s)", text);
    give_up(d, -EINVAL);
}

/* libjpeg warns and makes up what is missing; a kiosk must not name what was never seen. */
static void on_message(j_common_ptr info, int level)
{
    if (level < 0 && info->err->msg_code != 0)
        on_error(info);
}

static void on_output(j_common_ptr info)
{
    (void)info;
}

static void on_progress(j_common_ptr info)
{
    struct decoder *d = info->client_data;
    if (d->info.input_scan_number > SCANS_MAX) {
        photo_fail(d->error, -E2BIG, "the JPEG picture has more than %d scans", SCANS_MAX);
        give_up(d, -E2BIG);
    }
}

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
    jpeg_create_decompress(&d->info);
    d->info.progress = &d->progress;
    jpeg_mem_src(&d->info, bytes, size);
    jpeg_save_markers(&d->info, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(&d->info, TRUE);
    *orientation = find_orientation(&d->info);
    int status = photo_check_size(d->info.image_width, d->info.image_height, size, d->error);
    if (status)
        give_up(d, status);
    bool cmyk = d->info.jpeg_color_space == JCS_CMYK || d->info.jpeg_color_space == JCS_YCCK;
    d->info.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&d->info);
}

static void read_rows(struct decoder *d)
{
    bool cmyk = d->info.out_color_space == JCS_CMYK;
    d->frame = frame_create(FRAME_RGB24, (int)d->info.output_width, (int)d->info.output_height);
    d->row = cmyk ? malloc((size_t)d->info.output_width * 4) : NULL;
    if (!d->frame || (cmyk && !d->row)) {
        photo_fail(d->error, -ENOMEM, "out of memory for the picture");
        give_up(d, -ENOMEM);
    }
    while (d->info.output_scanline < d->info.output_height) {
        uint8_t *out = d->frame->data[0] + (ptrdiff_t)d->info.output_scanline * d->frame->stride[0];
        JSAMPROW row = cmyk ? d->row : out;
        jpeg_read_scanlines(&d->info, &row, 1);
        if (cmyk)
            cmyk_to_rgb(d->row, out, d->frame->width, d->info.saw_Adobe_marker);
    }
    jpeg_finish_decompress(&d->info);
}

int jpeg_decode(struct frame **frame, int *orientation, const uint8_t *bytes, size_t size,
                struct photo_error *error)
{
    struct decoder *d = calloc(1, sizeof(*d));
    if (!d)
        return photo_fail(error, -ENOMEM, "out of memory");
    d->error = error;
    d->info.err = jpeg_std_error(&d->manager);
    d->info.client_data = d;
    d->manager.error_exit = on_error;
    d->manager.emit_message = on_message;
    d->manager.output_message = on_output;
    d->progress.progress_monitor = on_progress;
    if (!setjmp(d->failed)) {
        begin(d, orientation, bytes, size);
        read_rows(d);
    }
    jpeg_destroy_decompress(&d->info);
    int status = d->status;
    if (status)
        frame_unref(d->frame);
    else
        *frame = d->frame;
    free(d->row);
    free(d);
    return status;
}
