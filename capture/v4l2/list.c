/* SPDX-License-Identifier: MIT */
#include "capture/v4l2/v4l2.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line of a device's folder in sysfs; "" where there is none. */
static void read_attribute(const char *node, const char *attribute, char *text, int size)
{
    char path[160];
    snprintf(path, sizeof(path), "/sys/class/video4linux/%.40s/%s", node, attribute);
    FILE *file = fopen(path, "re");
    if (!file || !fgets(text, size, file))
        text[0] = 0;
    if (file)
        fclose(file);
    text[strcspn(text, "\n")] = 0;
}

/* "1-8:1.0", the interface's folder, names bus, port and interface; the device's is above it. */
static void find_usb(const char *node, struct camera *camera)
{
    char path[160], folder[PATH_MAX], vendor[8], product[8];
    snprintf(path, sizeof(path), "/sys/class/video4linux/%.40s/device", node);
    read_attribute(node, "device/../idVendor", vendor, sizeof(vendor));
    read_attribute(node, "device/../idProduct", product, sizeof(product));
    const char *slash = realpath(path, folder) ? strrchr(folder, '/') : NULL,
               *port = slash ? strchr(slash, '-') : NULL;
    if (port && *vendor && *product)
        snprintf(camera->usb, sizeof(camera->usb), "%.24s-%s:%s", port + 1, vendor, product);
}

static int is_node(const struct dirent *entry)
{
    return !strncmp(entry->d_name, "video", 5);
}

/* Whether another program's buffers are in the way; having it open is not yet using it. */
static void find_user(const struct v4l2_device *device, struct camera *camera)
{
    struct v4l2_requestbuffers buffers = {.count = 1, .type = device->type, .memory = V4L2_MEMORY_MMAP};
    struct source_error error;
    char holders[64];
    camera_holders(camera->path, holders, sizeof(holders));
    if (!holders[0])
        return;
    int status = v4l2_call(device->fd, VIDIOC_REQBUFS, &buffers);
    buffers.count = 0;
    if (!status)
        v4l2_call(device->fd, VIDIOC_REQBUFS, &buffers);
    else if (status == -EBUSY) {
        v4l2_explain(&error, status, camera->path, "get buffers");
        snprintf(camera->problem, sizeof(camera->problem), "%s", error.text);
    }
}

static void find_problem(const struct v4l2_device *device, struct camera *camera)
{
    const struct v4l2_capability *capability = &device->capability;
    double rate;
    if ((capability->capabilities | capability->device_caps) & V4L2_CAP_IO_MC)
        snprintf(camera->problem, sizeof(camera->problem),
                 "it is one part of a camera that libcamera sets up; use libcamera:ID");
    else if (v4l2_choose(camera->size, camera->sizes, &(struct v4l2_wish){0}, &rate) < 0)
        snprintf(camera->problem, sizeof(camera->problem), "it has no pixel format that Pipit can show");
    else
        find_user(device, camera);
}

static int describe(const struct v4l2_device *device, struct camera *camera)
{
    const struct v4l2_capability *capability = &device->capability;
    const struct v4l2_wish largest = {.width = FRAME_SIDE_MAX, .height = FRAME_SIDE_MAX};
    v4l2_card_name(device, camera->name, sizeof(camera->name));
    snprintf(camera->driver, sizeof(camera->driver), "%.16s", (const char *)capability->driver);
    snprintf(camera->bus, sizeof(camera->bus), "%.32s", (const char *)capability->bus_info);
    int status = v4l2_modes(device, &largest, &camera->size, &camera->sizes);
    if (!status)
        status = v4l2_controls_list(device, &camera->control, &camera->controls);
    if (!status)
        find_problem(device, camera);
    return status;
}

/* A node that cannot be opened may be a camera or not: its index says, 0 being the one with pictures. */
static bool may_be_camera(int status, const char *node)
{
    char index[8];
    read_attribute(node, "index", index, sizeof(index));
    return !status || (status != -ENOTSUP && status != -ENOENT && !strcmp(index, "0"));
}

static int add_node(struct camera_list *list, const char *node)
{
    struct v4l2_device device;
    struct source_error error = {""};
    char path[64], stable[150];
    snprintf(path, sizeof(path), "/dev/%.40s", node);
    int status = v4l2_device_open(&device, path, &error);
    if (!may_be_camera(status, node))
        return 0;
    struct camera *camera = camera_list_add(list);
    if (camera) {
        v4l2_stable_path(path, stable, sizeof(stable));
        snprintf(camera->id, sizeof(camera->id), "v4l2:%s", stable);
        snprintf(camera->path, sizeof(camera->path), "%s", path);
        snprintf(camera->problem, sizeof(camera->problem), "%s", error.text);
        read_attribute(node, "name", camera->name, sizeof(camera->name));
        find_usb(node, camera);
    }
    status = !camera ? -ENOMEM : status ? 0 : describe(&device, camera);
    v4l2_device_close(&device);
    return status;
}

int v4l2_list(struct camera_list *list)
{
    struct dirent **node;
    int status = 0, nodes = scandir("/sys/class/video4linux", &node, is_node, versionsort);
    for (int i = 0; i < nodes; i++) {
        if (!status)
            status = add_node(list, node[i]->d_name);
        free(node[i]);
    }
    if (nodes >= 0)
        free(node);
    return status;
}
