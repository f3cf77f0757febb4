/* SPDX-License-Identifier: MIT */
#include "capture/photo/list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static int is_photo(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot &&
           (!strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg") || !strcasecmp(dot, ".png"));
}

/* Takes the path. */
static int add(struct photo_list *list, char *path)
{
    char **bigger = path ? realloc(list->path, ((size_t)list->count + 1) * sizeof(*bigger)) : NULL;
    if (!bigger) {
        free(path);
        return -ENOMEM;
    }
    list->path = bigger;
    list->path[list->count++] = path;
    return 0;
}

static int add_folder(struct photo_list *list, const char *folder)
{
    struct dirent **entry;
    int entries = scandir(folder, &entry, is_photo, versionsort), status = 0;
    if (entries < 0)
        return -errno;
    for (int i = 0; i < entries; i++) {
        char *path = NULL;
        if (!status && asprintf(&path, "%s/%s", folder, entry[i]->d_name) < 0)
            path = NULL;
        if (!status)
            status = add(list, path);
        free(entry[i]);
    }
    free(entry);
    return status;
}

int photo_list_add(struct photo_list *list, const char *path)
{
    struct stat info;
    return !stat(path, &info) && S_ISDIR(info.st_mode) ? add_folder(list, path) : add(list, strdup(path));
}

void photo_list_finish(struct photo_list *list)
{
    for (int i = 0; i < list->count; i++)
        free(list->path[i]);
    free(list->path);
    *list = (struct photo_list){0};
}
