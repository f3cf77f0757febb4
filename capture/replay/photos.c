/* SPDX-License-Identifier: MIT */
#include "base/convert.h"
#include "base/log.h"
#include "capture/backend.h"
#include "capture/photo/list.h"
#include "capture/photo/photo.h"
#include "capture/replay/reel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libyuv.h>

/* The photo's size, or the largest of its shape within the wanted one. */
static void fitted(const struct frame *photo, const struct source_settings *settings, int *width, int *height)
{
    double across = settings->width ? (double)settings->width / photo->width : 1,
           down = settings->height ? (double)settings->height / photo->height : 1,
           scale = across < down ? across : down;
    *width = photo->width;
    *height = photo->height;
    if (scale < 1) {
        *width = (int)(photo->width * scale + 0.5);
        *height = (int)(photo->height * scale + 0.5);
    }
    *width += *width == 0;
    *height += *height == 0;
}

static struct frame *scaled(struct frame *photo, uint32_t format, int width, int height)
{
    if (photo->format == format && photo->width == width && photo->height == height)
        return frame_ref(photo);
    struct converter *converter = converter_create();
    struct frame *to = frame_create(format, width, height);
    if (!converter || !to ||
        convert(converter, photo, area_of(photo), (struct turn){0}, to, area_of(to)) != 0) {
        frame_unref(to);
        to = NULL;
    }
    converter_destroy(converter);
    return to;
}

static struct frame *as_yuv(const struct frame *rgb)
{
    struct frame *to = frame_create(FRAME_YUV420, rgb->width, rgb->height);
    if (!to)
        return NULL;
    to->full_range = true;
    RAWToJ420(rgb->data[0], (int)rgb->stride[0], to->data[0], (int)to->stride[0], to->data[1],
              (int)to->stride[1], to->data[2], (int)to->stride[2], rgb->width, rgb->height);
    return to;
}

static struct frame *prepared(struct frame *photo, const struct source_settings *settings)
{
    int width, height;
    bool yuv = settings->format == FRAME_YUV420;
    fitted(photo, settings, &width, &height);
    struct frame *rgb =
        scaled(photo, yuv || !settings->format ? FRAME_RGB24 : settings->format, width, height);
    if (!rgb || !yuv)
        return rgb;
    struct frame *planar = as_yuv(rgb);
    frame_unref(rgb);
    return planar;
}

static size_t bytes_of(const struct frame *frame)
{
    return (size_t)frame->stride[0] * (size_t)frame->height;
}

static bool has_room(const struct reel *reel, const struct frame *frame)
{
    size_t total = bytes_of(frame);
    for (int i = 0; i < reel->photos; i++)
        total += bytes_of(reel->photo[i]);
    return total <= REEL_PHOTO_BYTES;
}

static int append(struct reel *reel, struct frame *frame)
{
    struct frame **photo = realloc(reel->photo, ((size_t)reel->photos + 1) * sizeof(struct frame *));
    if (!photo)
        return -ENOMEM;
    reel->photo = photo;
    reel->photo[reel->photos++] = frame;
    if (reel->photos == 1)
        reel->film = (struct film){.format = frame->format,
                                   .width = frame->width,
                                   .height = frame->height,
                                   .full_range = frame->full_range};
    return 0;
}

int reel_add_photo(struct reel *reel, struct frame *photo, const struct source_settings *settings,
                   struct source_error *error)
{
    if (settings->format && settings->format != FRAME_RGB24 && settings->format != FRAME_YUV420 &&
        settings->format != FRAME_XRGB32)
        return source_fail(error, -ENOTSUP, "photos are shown as RGB3, XR24 or YU12, not as %.4s",
                           (const char *)&settings->format);
    struct frame *frame = prepared(photo, settings);
    int status = !frame ? -ENOMEM : !has_room(reel, frame) ? -EINVAL : append(reel, frame);
    if (!status)
        return 0;
    frame_unref(frame);
    return status == -ENOMEM ? source_fail(error, status, "out of memory for the photos")
                             : source_fail(error, status,
                                           "the photos take more than %zu MiB: ask for a smaller size, or "
                                           "show fewer",
                                           REEL_PHOTO_BYTES >> 20);
}

/* A photo that is no good is left out. */
static int add_file(struct reel *reel, const char *path, const struct source_settings *settings,
                    struct source_error *error)
{
    struct photo_error why = {""};
    struct frame *photo;
    int status = photo_read(&photo, path, &why);
    if (status == -ENOMEM)
        return source_fail(error, status, "%s: %s", path, why.text);
    if (status) {
        log_warning("%s is left out: %s", path, why.text);
        return 0;
    }
    status = reel_add_photo(reel, photo, settings, error);
    frame_unref(photo);
    return status;
}

int reel_open_folder(struct reel *reel, const char *path, const struct source_settings *settings,
                     struct source_error *error)
{
    struct photo_list list = {0};
    int status = photo_list_add(&list, path);
    if (status)
        source_fail(error, status, "cannot read the folder %s: %s", path, strerror(-status));
    for (int i = 0; i < list.count && !status; i++)
        status = add_file(reel, list.path[i], settings, error);
    photo_list_finish(&list);
    if (!status && reel->photos == 0)
        return source_fail(error, -ENOENT, "there are no JPEG or PNG photos in %s", path);
    return status;
}
