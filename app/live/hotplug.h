/* SPDX-License-Identifier: MIT */
/* Tells when cameras and screens come and go, through udev. */
#ifndef PIPIT_APP_LIVE_HOTPLUG_H
#define PIPIT_APP_LIVE_HOTPLUG_H

#include <stdbool.h>

struct hotplug;
struct hotplug *hotplug_create(void); /* NULL: there is no udev; what is missing is looked for now and then */
void hotplug_destroy(struct hotplug *hotplug); /* takes NULL */

int hotplug_fd(const struct hotplug *hotplug); /* readable means hotplug_dispatch() */
/* Sets what something happened to. */
void hotplug_dispatch(struct hotplug *hotplug, bool *cameras, bool *screens);

#endif
