/* SPDX-License-Identifier: MIT */
#include "capture/v4l2/v4l2.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libv4l2.h>

int v4l2_call(int fd, unsigned long request, void *argument)
{
    int status;
    do
        status = v4l2_ioctl(fd, request, argument);
    while (status < 0 && errno == EINTR);
    return status < 0 ? -errno : 0;
}

static int explain_access(struct source_error *error, const char *path)
{
    struct stat info;
    const struct group *group = stat(path, &info) ? NULL : getgrgid(info.st_gid);
    if (!group || group->gr_gid == 0 || !(info.st_mode & S_IRGRP))
        return source_fail(error, -EACCES, "no permission to open %s: allow it to this user", path);
    return source_fail(
        error, -EACCES,
        "no permission to open %s: add this user to the group %s (usermod -aG %s USER), and log "
        "in again",
        path, group->gr_name, group->gr_name);
}

static int explain_busy(struct source_error *error, const char *path)
{
    char holders[128];
    camera_holders(path, holders, sizeof(holders));
    if (!holders[0])
        return source_fail(error, -EBUSY, "%s is in use by another program; close it first", path);
    return source_fail(error, -EBUSY, "%s is in use by %s; close that first", path, holders);
}

int v4l2_explain(struct source_error *error, int code, const char *path, const char *doing)
{
    switch (code) {
    case -EACCES:
    case -EPERM:
        return explain_access(error, path);
    case -EBUSY:
        return explain_busy(error, path);
    case -ENOENT:
    case -ENXIO:
    case -ENODEV:
        return source_fail(error, code == -ENOENT ? -ENOENT : -ENODEV, "there is no camera at %s", path);
    case -ENOMEM:
        return source_fail(error, code, "out of memory for the camera's buffers");
    case -EPIPE:
        return source_fail(error, -EIO,
                           "%s is one part of a camera whose other parts are not set up; use libcamera:ID",
                           path);
    default:
        return source_fail(error, -EIO, "cannot %s of %s: %s", doing, path, strerror(-code));
    }
}

/* ---- opening ---- */

/* What a driver without device_caps says is of all its nodes. */
static uint32_t capabilities(const struct v4l2_capability *capability)
{
    return capability->capabilities & V4L2_CAP_DEVICE_CAPS ? capability->device_caps
                                                           : capability->capabilities;
}

static int query(struct v4l2_device *device)
{
    int status = v4l2_call(device->fd, VIDIOC_QUERYCAP, &device->capability);
    uint32_t can = status ? 0 : capabilities(&device->capability);
    if (status == -ENOTTY || status == -EINVAL || status == -ENOSYS) /* ENOSYS: qemu-user */
        return -ENOTSUP;
    if (status)
        return status;
    if (!(can & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE)) || !(can & V4L2_CAP_STREAMING))
        return -ENOTSUP;
    device->type =
        can & V4L2_CAP_VIDEO_CAPTURE ? V4L2_BUF_TYPE_VIDEO_CAPTURE : V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
    return 0;
}

int v4l2_device_open(struct v4l2_device *device, const char *path, struct source_error *error)
{
    *device = (struct v4l2_device){.fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)};
    if (snprintf(device->path, sizeof(device->path), "%s", path) >= (int)sizeof(device->path)) {
        v4l2_device_close(device);
        return source_fail(error, -ENOENT, "%s is too long a name", path);
    }
    if (device->fd < 0)
        return v4l2_explain(error, -errno, path, "open");
    int status = query(device);
    if (!status) { /* libv4l2 knows no multi-planar devices and passes on what it does not know */
        if (device->type == V4L2_BUF_TYPE_VIDEO_CAPTURE)
            v4l2_fd_open(device->fd, V4L2_DISABLE_CONVERSION);
        return 0;
    }
    v4l2_device_close(device);
    return status == -ENOTSUP ? source_fail(error, status, "%s is no camera", path)
                              : v4l2_explain(error, status, path, "read the abilities");
}

void v4l2_device_close(struct v4l2_device *device)
{
    if (device->fd >= 0)
        v4l2_close(device->fd);
    device->fd = -1;
}

/* ---- names ---- */

/* The link in the folder that leads to the node. */
static bool find_link(const char *folder, const char *node, char *name, size_t size)
{
    char path[PATH_MAX], target[PATH_MAX];
    DIR *links = opendir(folder);
    const struct dirent *link;
    bool found = false;
    while (links && !found && (link = readdir(links))) {
        snprintf(path, sizeof(path), "%s/%s", folder, link->d_name);
        found =
            link->d_name[0] != '.' && realpath(path, target) && !strcmp(target, node) && strlen(path) < size;
    }
    if (found)
        snprintf(name, size, "%s", path);
    if (links)
        closedir(links);
    return found;
}

void v4l2_stable_path(const char *path, char *name, size_t size)
{
    char node[PATH_MAX];
    if (!realpath(path, node))
        snprintf(node, sizeof(node), "%s", path);
    if (!find_link("/dev/v4l/by-id", node, name, size) && !find_link("/dev/v4l/by-path", node, name, size))
        snprintf(name, size, "%s", path);
}

void v4l2_card_name(const struct v4l2_device *device, char *name, size_t size)
{
    snprintf(name, size, "%.32s", (const char *)device->capability.card);
    char *colon = strstr(name, ": ");
    if (colon && strstr(name, colon + 2) == name)
        *colon = 0;
}

bool v4l2_is_usb2(const char *path)
{
    char node[PATH_MAX], name[PATH_MAX], text[16] = "";
    if (!realpath(path, node))
        return false;
    snprintf(name, sizeof(name), "/sys/class/video4linux/%.64s/device/../speed", strrchr(node, '/') + 1);
    FILE *file = fopen(name, "re");
    if (!file)
        return false;
    const char *line = fgets(text, sizeof(text), file);
    fclose(file);
    double megabits = line ? strtod(line, NULL) : 0;
    return megabits > 0 && megabits <= 480;
}
