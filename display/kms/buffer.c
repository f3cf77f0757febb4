/* SPDX-License-Identifier: MIT */
/* Framebuffers: on dumb buffers to draw in, and on a camera's dmabufs. */
#include "display/kms/kms.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <drm_fourcc.h>

/* ---- dumb buffers ---- */

static int map(const struct kms_card *card, struct kms_buffer *buffer)
{
    uint64_t offset;
    int status = drmModeMapDumbBuffer(card->fd, buffer->handle, &offset);
    if (status)
        return status;
    buffer->map = kms_system_map(card->fd, buffer->size, offset);
    return buffer->map ? 0 : -errno;
}

int kms_buffer_create(const struct kms_card *card, uint32_t format, int width, int height,
                      struct kms_buffer *buffer, struct frame *frame)
{
    uint32_t pitch, handles[4] = {0}, pitches[4] = {0}, offsets[4] = {0};
    *buffer = (struct kms_buffer){0};
    int status = drmModeCreateDumbBuffer(card->fd, (uint32_t)width, (uint32_t)height, 32, 0, &buffer->handle,
                                         &pitch, &buffer->size);
    if (status)
        return status;
    handles[0] = buffer->handle;
    pitches[0] = pitch;
    status = drmModeAddFB2(card->fd, (uint32_t)width, (uint32_t)height, format, handles, pitches, offsets,
                           &buffer->fb, 0);
    if (!status && frame)
        status = map(card, buffer);
    if (status) {
        kms_buffer_destroy(card, buffer);
        return status;
    }
    if (frame)
        *frame = (struct frame){.format = format, /* XR24 and AR24 are spelled alike on both sides */
                                .width = width,
                                .height = height,
                                .planes = 1,
                                .data = {buffer->map},
                                .stride = {(ptrdiff_t)pitch},
                                .dmabuf = {-1, -1, -1}};
    return 0;
}

void kms_buffer_destroy(const struct kms_card *card, struct kms_buffer *buffer)
{
    if (buffer->map)
        munmap(buffer->map, buffer->size);
    if (buffer->fb)
        drmModeRmFB(card->fd, buffer->fb);
    if (buffer->handle)
        drmModeDestroyDumbBuffer(card->fd, buffer->handle);
    *buffer = (struct kms_buffer){0};
}

/* ---- a camera's frames ---- */

uint32_t kms_format(const struct frame *frame)
{
    switch (frame->format) {
    case FRAME_XRGB32:
    case FRAME_YUYV:
    case FRAME_UYVY:
    case FRAME_NV12:
    case FRAME_NV21:
    case FRAME_YUV420:
        return frame->format; /* V4L2 and DRM spell these alike */
    case FRAME_YVU420:
        return DRM_FORMAT_YUV420; /* data[1] is U */
    case FRAME_YUV422P:
        return DRM_FORMAT_YUV422;
    case FRAME_YUV444P:
        return DRM_FORMAT_YUV444;
    case FRAME_RGB24:
        return DRM_FORMAT_BGR888; /* DRM names little-endian words, not bytes */
    case FRAME_BGR24:
        return DRM_FORMAT_RGB888;
    default:
        return 0;
    }
}

static void close_handles(int fd, const uint32_t handles[4])
{
    for (int p = 0; p < 4; p++) {
        bool again = false; /* planes in one dmabuf have one handle */
        for (int q = 0; q < p; q++)
            again = again || handles[q] == handles[p];
        if (handles[p] && !again)
            drmCloseBufferHandle(fd, handles[p]);
    }
}

int kms_import_once(int fd, const struct frame *frame, uint32_t *fb)
{
    uint32_t format = kms_format(frame), handles[4] = {0}, pitches[4] = {0}, offsets[4] = {0};
    int status = format ? 0 : -ENOTSUP;
    for (int p = 0; p < frame->planes && !status; p++) {
        pitches[p] = (uint32_t)frame->stride[p];
        offsets[p] = frame->offset[p];
        if (frame->dmabuf[p] < 0)
            status = -ENOTSUP;
        else if (drmPrimeFDToHandle(fd, frame->dmabuf[p], &handles[p]))
            status = -errno;
    }
    if (!status)
        status = drmModeAddFB2(fd, (uint32_t)frame->width, (uint32_t)frame->height, format, handles, pitches,
                               offsets, fb, 0);
    close_handles(fd, handles); /* the framebuffer holds what it needs */
    return status;
}

struct kms_link {
    pthread_mutex_t lock;
    int fd; /* -1: the screen is closed, and its framebuffers with it */
    int refs;
};

struct import {
    struct kms_link *link;
    uint32_t fb;
    uint32_t
        offset[FRAME_PLANES_MAX]; /* a driver may begin each picture elsewhere (v4l2_plane.data_offset) */
};

struct kms_link *kms_link_create(int fd)
{
    struct kms_link *link = malloc(sizeof(*link));
    if (link)
        *link = (struct kms_link){PTHREAD_MUTEX_INITIALIZER, fd, 1};
    return link;
}

static void unref(struct kms_link *link)
{
    int left = --link->refs;
    pthread_mutex_unlock(&link->lock);
    if (left)
        return;
    pthread_mutex_destroy(&link->lock);
    free(link);
}

void kms_link_cut(struct kms_link *link)
{
    if (!link)
        return;
    pthread_mutex_lock(&link->lock);
    link->fd = -1;
    unref(link);
}

/* In whichever thread the frame's memory goes. */
static void drop(void *screen)
{
    struct import *import = screen;
    if (!import)
        return;
    pthread_mutex_lock(&import->link->lock);
    if (import->link->fd >= 0)
        drmModeRmFB(import->link->fd, import->fb);
    unref(import->link);
    free(import);
}

int kms_import(struct kms_link *link, struct frame *frame, uint32_t *fb)
{
    struct import *import = frame->drop == drop ? frame->screen : NULL;
    if (import && import->link == link && !memcmp(import->offset, frame->offset, sizeof(import->offset))) {
        *fb = import->fb;
        return 0;
    }
    if (frame->drop)
        frame->drop(frame->screen); /* of a screen before this one, or of another place in the buffer */
    frame->screen = NULL;
    frame->drop = NULL;
    import = malloc(sizeof(*import));
    int status = import ? kms_import_once(link->fd, frame, fb) : -ENOMEM;
    if (status) {
        free(import);
        return status;
    }
    *import = (struct import){.link = link, .fb = *fb};
    memcpy(import->offset, frame->offset, sizeof(import->offset));
    pthread_mutex_lock(&link->lock);
    link->refs++;
    pthread_mutex_unlock(&link->lock);
    frame->screen = import;
    frame->drop = drop;
    return 0;
}
