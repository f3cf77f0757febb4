/* SPDX-License-Identifier: MIT */
#include "app/live/hotplug.h"

#include <libudev.h>
#include <stdlib.h>
#include <string.h>

struct hotplug {
    struct udev *udev;
    struct udev_monitor *monitor;
};

/* "udev": after its rules ran, so that names and permissions are there. */
struct hotplug *hotplug_create(void)
{
    struct hotplug *hotplug = calloc(1, sizeof(*hotplug));
    if (!hotplug)
        return NULL;
    hotplug->udev = udev_new();
    if (hotplug->udev)
        hotplug->monitor = udev_monitor_new_from_netlink(hotplug->udev, "udev");
    if (hotplug->monitor &&
        udev_monitor_filter_add_match_subsystem_devtype(hotplug->monitor, "video4linux", NULL) >= 0 &&
        udev_monitor_filter_add_match_subsystem_devtype(hotplug->monitor, "drm", NULL) >= 0 &&
        udev_monitor_enable_receiving(hotplug->monitor) >= 0)
        return hotplug;
    hotplug_destroy(hotplug);
    return NULL;
}

void hotplug_destroy(struct hotplug *hotplug)
{
    if (!hotplug)
        return;
    udev_monitor_unref(hotplug->monitor);
    udev_unref(hotplug->udev);
    free(hotplug);
}

int hotplug_fd(const struct hotplug *hotplug)
{
    return udev_monitor_get_fd(hotplug->monitor);
}

void hotplug_dispatch(struct hotplug *hotplug, bool *cameras, bool *screens)
{
    struct udev_device *device;
    *cameras = *screens = false;
    while ((device = udev_monitor_receive_device(hotplug->monitor))) {
        const char *subsystem = udev_device_get_subsystem(device), *action = udev_device_get_action(device);
        if (subsystem && !strcmp(subsystem, "drm"))
            *screens = true;
        else if (action && strcmp(action, "remove") != 0)
            *cameras = true;
        udev_device_unref(device);
    }
}
