/* SPDX-License-Identifier: MIT */
#include "capture/backend.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int source_fail(struct source_error *error, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (error)
        vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return code;
}

struct camera *camera_list_add(struct camera_list *list)
{
    struct camera *camera = realloc(list->camera, ((size_t)list->count + 1) * sizeof(*camera));
    if (!camera)
        return NULL;
    list->camera = camera;
    camera += list->count++;
    memset(camera, 0, sizeof(*camera));
    return camera;
}
