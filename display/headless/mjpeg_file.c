/* SPDX-License-Identifier: MIT */
#include "display/headless/mjpeg_file.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jpeglib.h>

enum { QUALITY = 90 };

struct encoder {
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr manager;
    jmp_buf failed;
    unsigned char *bytes;
    unsigned long size;
};

static void on_error(j_common_ptr info)
{
    struct encoder *e = info->client_data;
    longjmp(e->failed, 1);
}

static void on_message(j_common_ptr info)
{
    (void)info;
}

static void encode(struct encoder *e, const struct frame *frame)
{
    jpeg_create_compress(&e->info);
    jpeg_mem_dest(&e->info, &e->bytes, &e->size);
    e->info.image_width = (JDIMENSION)frame->width;
    e->info.image_height = (JDIMENSION)frame->height;
    e->info.input_components = 4;
    e->info.in_color_space = JCS_EXT_BGRX;
    jpeg_set_defaults(&e->info);
    jpeg_set_quality(&e->info, QUALITY, TRUE);
    jpeg_start_compress(&e->info, TRUE);
    while (e->info.next_scanline < e->info.image_height) {
        JSAMPROW row = frame->data[0] + (ptrdiff_t)e->info.next_scanline * frame->stride[0];
        jpeg_write_scanlines(&e->info, &row, 1);
    }
    jpeg_finish_compress(&e->info);
}

static int write_all(int descriptor, const unsigned char *bytes, size_t size)
{
    while (size) {
        ssize_t done = write(descriptor, bytes, size);
        if (done > 0) {
            bytes += done;
            size -= (size_t)done;
        } else if (errno == EAGAIN) {
            poll(&(struct pollfd){.fd = descriptor, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

int mjpeg_write(const struct frame *frame, int descriptor)
{
    if (frame->format != FRAME_XRGB32)
        return -EINVAL;
    struct encoder *e = calloc(1, sizeof(*e));
    if (!e)
        return -ENOMEM;
    volatile int status = -ENOMEM; /* there is nothing else that an encoder into memory can lack */
    e->info.err = jpeg_std_error(&e->manager);
    e->info.client_data = e;
    e->manager.error_exit = on_error;
    e->manager.output_message = on_message;
    if (!setjmp(e->failed)) {
        encode(e, frame);
        status = write_all(descriptor, e->bytes, e->size);
    }
    jpeg_destroy_compress(&e->info);
    free(e->bytes);
    free(e);
    return status;
}
