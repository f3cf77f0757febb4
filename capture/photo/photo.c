/* SPDX-License-Identifier: MIT */
#include "capture/photo/format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int photo_fail(struct photo_error *error, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (error)
        vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return code;
}

/* One colour over a whole picture shrinks to about 1/2000 in a progressive JPEG and 1/1000 in a PNG. */
int photo_check_size(uint64_t width, uint64_t height, size_t size, struct photo_error *error)
{
    if (width == 0 || height == 0)
        return photo_fail(error, -EINVAL, "the picture has no pixels");
    if (width > 65500 || height > 65500 || width * height > PHOTO_PIXELS_MAX)
        return photo_fail(error, -E2BIG, "%llu x %llu pixels are more than %d million: scale it down first",
                          (unsigned long long)width, (unsigned long long)height, PHOTO_PIXELS_MAX / 1000000);
    if (width * height > 1000000 && width * height / 4000 > size)
        return photo_fail(error, -E2BIG, "%zu bytes cannot hold a picture of %llu x %llu pixels", size,
                          (unsigned long long)width, (unsigned long long)height);
    return 0;
}

/* ---- orientation ---- */

/* Where pixel (x, y) of the upright picture is in the stored one. */
static void stored_place(int orientation, int width, int height, int x, int y, int *sx, int *sy)
{
    bool transposed = orientation >= 5;
    bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    *sx = transposed ? y : x;
    *sy = transposed ? x : y;
    if (flip_x)
        *sx = width - 1 - *sx;
    if (flip_y)
        *sy = height - 1 - *sy;
}

static struct frame *turned(const struct frame *from, int orientation)
{
    bool transposed = orientation >= 5;
    struct frame *to = frame_create(FRAME_RGB24, transposed ? from->height : from->width,
                                    transposed ? from->width : from->height);
    if (!to)
        return NULL;
    for (int y = 0; y < to->height; y++) {
        uint8_t *out = to->data[0] + y * to->stride[0];
        for (int x = 0; x < to->width; x++, out += 3) {
            int sx, sy;
            stored_place(orientation, from->width, from->height, x, y, &sx, &sy);
            memcpy(out, from->data[0] + sy * from->stride[0] + 3 * (ptrdiff_t)sx, 3);
        }
    }
    return to;
}

int photo_decode(struct frame **frame, const void *bytes, size_t size, struct photo_error *error)
{
    static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, jpeg[3] = {0xff, 0xd8, 0xff};
    int orientation = 1, status;
    *frame = NULL;
    if (size >= sizeof(jpeg) && !memcmp(bytes, jpeg, sizeof(jpeg)))
        status = jpeg_decode(frame, &orientation, bytes, size, error);
    else if (size >= sizeof(png) && !memcmp(bytes, png, sizeof(png)))
        status = png_decode(frame, &orientation, bytes, size, error);
    else
        return photo_fail(error, size ? -ENOTSUP : -EINVAL,
                          size ? "it is no JPEG and no PNG picture" : "it is empty");
    if (status || orientation == 1)
        return status;
    struct frame *upright = turned(*frame, orientation);
    frame_unref(*frame);
    *frame = upright;
    return upright ? 0 : photo_fail(error, -ENOMEM, "out of memory for turning the picture");
}

/* ---- files ---- */

struct buffer {
    uint8_t *bytes;
    size_t size, room;
};

static int grow(struct buffer *buffer)
{
    if (buffer->size < buffer->room)
        return 0;
    if (buffer->room > PHOTO_BYTES_MAX)
        return -E2BIG;
    size_t room = buffer->room ? 2 * buffer->room : 1 << 16;
    uint8_t *bytes = realloc(buffer->bytes, room);
    if (!bytes)
        return -ENOMEM;
    buffer->bytes = bytes;
    buffer->room = room;
    return 0;
}

static int read_all(int descriptor, struct buffer *buffer)
{
    for (;;) {
        int status = grow(buffer);
        if (status)
            return status;
        ssize_t got = read(descriptor, buffer->bytes + buffer->size, buffer->room - buffer->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        buffer->size += (size_t)got;
    }
}

static int read_path(const char *path, struct buffer *buffer)
{
    struct stat info;
    int descriptor = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (descriptor < 0)
        return -errno;
    int status = fstat(descriptor, &info) ? -errno
                 : S_ISDIR(info.st_mode)  ? -EISDIR
                                          : read_all(descriptor, buffer);
    if (descriptor != STDIN_FILENO)
        close(descriptor);
    return status;
}

int photo_read(struct frame **frame, const char *path, struct photo_error *error)
{
    struct buffer buffer = {0};
    *frame = NULL;
    int status = read_path(path, &buffer);
    if (status == -E2BIG)
        photo_fail(error, status, "it is larger than %zu MiB", PHOTO_BYTES_MAX >> 20);
    else if (status)
        photo_fail(error, status, "cannot read it: %s", strerror(-status));
    else
        status = photo_decode(frame, buffer.bytes, buffer.size, error);
    free(buffer.bytes);
    return status;
}
