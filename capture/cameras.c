/* SPDX-License-Identifier: MIT */
#include "capture/backend.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void camera_list_finish(struct camera_list *list)
{
    for (int i = 0; i < list->count; i++) {
        free(list->camera[i].size);
        free(list->camera[i].control);
    }
    free(list->camera);
    *list = (struct camera_list){0};
}

/* ---- who has a device open ---- */

/* A process's file descriptors may be looked at by its own user and by root. */
static bool has_open(const char *process, const struct stat *device)
{
    char folder[64];
    snprintf(folder, sizeof(folder), "/proc/%.20s/fd", process);
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    bool found = false;
    while (entries && !found && (entry = readdir(entries))) {
        struct stat info;
        found = entry->d_name[0] != '.' && !fstatat(dirfd(entries), entry->d_name, &info, 0) &&
                info.st_mode == device->st_mode && info.st_rdev == device->st_rdev &&
                info.st_ino == device->st_ino && info.st_dev == device->st_dev;
    }
    if (entries)
        closedir(entries);
    return found;
}

static void add_holder(const char *process, char *text, int size)
{
    char path[64], name[64] = "?";
    snprintf(path, sizeof(path), "/proc/%.20s/comm", process);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = file >= 0 ? read(file, name, sizeof(name) - 1) : -1;
    if (file >= 0)
        close(file);
    name[got > 0 ? got : 1] = 0;
    name[strcspn(name, "\n")] = 0;
    int used = (int)strlen(text);
    snprintf(text + used, (size_t)(size - used), "%s%s (%.20s)", used ? ", " : "", name, process);
}

void camera_holders(const char *path, char *text, int size)
{
    struct stat device;
    const struct dirent *entry;
    text[0] = 0;
    DIR *processes = stat(path, &device) ? NULL : opendir("/proc");
    while (processes && (entry = readdir(processes)))
        if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != getpid() &&
            has_open(entry->d_name, &device))
            add_holder(entry->d_name, text, size);
    if (processes)
        closedir(processes);
}
