/* SPDX-License-Identifier: MIT */
#include "capture/libcamera/plain.h"

#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MEDIA_DEVICES = 64 };

/* The best first. DRM names RGB by a little-endian word, V4L2 by its bytes. */
static const struct {
    uint32_t drm, frame;
} known[] = {
    {FRAME_NV12, FRAME_NV12},
    {FRAME_YUV420, FRAME_YUV420},
    {FRAME_YUYV, FRAME_YUYV},
    {FRAME_UYVY, FRAME_UYVY},
    {FRAME_NV21, FRAME_NV21},
    {FRAME_YVU420, FRAME_YVU420},
    {FRAME_FOURCC('Y', 'U', '1', '6'), FRAME_YUV422P},
    {FRAME_FOURCC('Y', 'U', '2', '4'), FRAME_YUV444P},
    {FRAME_FOURCC('B', 'G', '2', '4'), FRAME_RGB24},
    {FRAME_FOURCC('R', 'G', '2', '4'), FRAME_BGR24},
    {FRAME_XRGB32, FRAME_XRGB32},
    {FRAME_ARGB32, FRAME_XRGB32}, /* what a camera's alpha says is nothing */
    {FRAME_MJPEG, FRAME_MJPEG},
    {FRAME_FOURCC('R', '8', ' ', ' '), FRAME_GREY},
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

uint32_t format_from_drm(uint32_t fourcc)
{
    for (int i = 0; i < KNOWN; i++)
        if (known[i].drm == fourcc)
            return known[i].frame;
    return 0;
}

int64_t format_cost(uint32_t format, int width, int height, const struct source_settings *wanted)
{
    int rank = 0;
    while (rank < KNOWN && known[rank].frame != format)
        rank++;
    if (rank == KNOWN || (wanted->format && wanted->format != format))
        return -1;
    if (format == FRAME_MJPEG && (int64_t)width * height > 640 * 480)
        rank = -1;
    int64_t off = llabs((int64_t)width - (wanted->width ? wanted->width : 1280)) +
                  llabs((int64_t)height - (wanted->height ? wanted->height : 720));
    return off * (KNOWN + 1) + rank + 1;
}

void control_name(char *to, size_t size, const char *camel)
{
    size_t used = 0;
    for (size_t i = 0; camel[i] && used + 2 < size; i++) {
        if (i && isupper((unsigned char)camel[i]) && !isupper((unsigned char)camel[i - 1]))
            to[used++] = '_';
        to[used++] = (char)tolower((unsigned char)camel[i]);
    }
    to[used] = 0;
}

uint64_t stamp_from_libcamera(uint64_t stamp)
{
    struct timespec boot = {0};
    uint64_t monotonic_ns = clock_now_ns();
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return stamp_between(stamp, monotonic_ns, (uint64_t)boot.tv_sec * 1000000000 + (uint64_t)boot.tv_nsec);
}

uint64_t stamp_between(uint64_t stamp, uint64_t monotonic_ns, uint64_t boot_ns)
{
    const uint64_t oldest_ns = 10000000000;
    if (stamp > monotonic_ns && stamp <= boot_ns)
        stamp -= boot_ns - monotonic_ns;
    return stamp <= monotonic_ns && monotonic_ns - stamp < oldest_ns ? stamp : 0;
}

bool media_forbidden(void)
{
    for (int i = 0; i < MEDIA_DEVICES; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/dev/media%d", i);
        if (access(path, R_OK | W_OK) && errno == EACCES)
            return true;
    }
    return false;
}

void media_holders(char *text, int size)
{
    snprintf(text, (size_t)size, "another program");
    for (int i = 0; i < MEDIA_DEVICES; i++) {
        char path[32], found[128] = "";
        snprintf(path, sizeof(path), "/dev/media%d", i);
        if (!access(path, F_OK))
            camera_holders(path, found, sizeof(found));
        if (*found) {
            snprintf(text, (size_t)size, "%s", found);
            return;
        }
    }
}

bool camera_add_size(struct camera *camera, uint32_t format, unsigned width, unsigned height, double rate)
{
    struct camera_size *size = reallocarray(camera->size, (size_t)camera->sizes + 1, sizeof(*size));
    if (!size)
        return false;
    camera->size = size;
    size[camera->sizes++] = (struct camera_size){
        .format = format, .width = (int)width, .height = (int)height, .rate = {rate}, .rates = rate > 0};
    return true;
}

struct camera_control *camera_add_control(struct camera *camera, const char *camel)
{
    struct camera_control *control =
        reallocarray(camera->control, (size_t)camera->controls + 1, sizeof(*control));
    if (!control)
        return NULL;
    camera->control = control;
    control += camera->controls++;
    *control = (struct camera_control){0};
    control_name(control->name, sizeof(control->name), camel);
    return control;
}
