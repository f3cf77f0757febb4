/* SPDX-License-Identifier: MIT */
#include "app/live/plain.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char the_camera[] = "the camera";

static const char *path_of(const char *source)
{
    const char *colon = strchr(source, ':');
    return colon ? colon + 1 : source;
}

/* "046d_" of a vendor that the camera does not name. */
static const char *skip_number(const char *name)
{
    int digits = 0;
    while (digits < 4 && isxdigit((unsigned char)name[digits]))
        digits++;
    return digits == 4 && name[4] == '_' ? name + 5 : name;
}

/* usb-VENDOR_MODEL_SERIAL-video-indexN, as udev's rules make it. */
static void by_id(const char *link, char *name, size_t size)
{
    const char *from = skip_number(strncmp(link, "usb-", 4) ? link : link + 4),
               *to = strstr(from, "-video-index");
    int length = to ? (int)(to - from) : (int)strlen(from);
    snprintf(name, size, "%.*s", length, from);
    for (char *c = name; *c; c++)
        *c = *c == '_' ? ' ' : *c;
}

/* The last part of a device tree's path, without its address; what is no such path is a place. */
static void by_node(const char *path, char *name, size_t size)
{
    const char *last = strrchr(path, '/'), *at = last ? strchr(last, '@') : NULL;
    if (at && isalpha((unsigned char)last[1]))
        snprintf(name, size, "%.*s", (int)(at - last) - 1, last + 1);
}

void plain_camera(const char *source, char *name, size_t size)
{
    static const char ids[] = "/dev/v4l/by-id/", paths[] = "/dev/v4l/by-path/";
    const char *path = path_of(source);
    snprintf(name, size, "%s", the_camera);
    if (!strncmp(path, ids, sizeof(ids) - 1))
        by_id(path + sizeof(ids) - 1, name, size);
    else if (!strncmp(source, "libcamera:", 10))
        by_node(path, name, size);
    else if (*path == '/' && strncmp(path, paths, sizeof(paths) - 1) != 0)
        snprintf(name, size, "%s", path);
    if (!*name)
        snprintf(name, size, "%s", the_camera);
}

void plain_sentence(const char *sentence, const char *source, const char *name, char *text, size_t size)
{
    const char *path = path_of(source), *found;
    size_t length = strlen(path), used = 0;
    text[0] = 0;
    while (length && used < size && (found = strstr(sentence, path))) {
        used += (size_t)snprintf(text + used, size - used, "%.*s%s", (int)(found - sentence), sentence, name);
        sentence = found + length;
    }
    if (used < size)
        snprintf(text + used, size - used, "%s", sentence);
}
