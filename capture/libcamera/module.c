/* SPDX-License-Identifier: MIT */
/* Cameras through libcamera. Every program that is linked to that library pays 7 MiB and 80 ms when it
 * starts, so what uses it is a module (libcamera.cpp), loaded when such a camera is asked for, and then for
 * good. */
#include "capture/backend.h"

#include <dlfcn.h>
#include <errno.h>

/* NULL: dlerror() tells why. */
static const struct source_kind *load(void)
{
    void *module = dlopen("pipit-libcamera.so", RTLD_NOW | RTLD_NODELETE);
    return module ? dlsym(module, "pipit_libcamera") : NULL;
}

static int open_camera(struct source **source, const char *rest, const struct source_settings *settings,
                       struct source_error *error)
{
    const struct source_kind *kind = load();
    if (!kind)
        return source_fail(error, -ENOTSUP, "cameras through libcamera need its module: %s", dlerror());
    return kind->open(source, rest, settings, error);
}

static int list_cameras(struct camera_list *list)
{
    const struct source_kind *kind = load();
    return kind ? kind->list(list) : 0;
}

/* What it opens is a source of the module's own kind. */
const struct source_kind source_libcamera = {
    .prefix = "libcamera", .open = open_camera, .list = list_cameras};
