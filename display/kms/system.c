/* SPDX-License-Identifier: MIT */
#include "display/kms/card.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FOLDER "/dev/dri"

static int is_card(const struct dirent *entry)
{
    return !strncmp(entry->d_name, "card", 4) && strspn(entry->d_name + 4, "0123456789") > 0;
}

int kms_system_cards(char (*paths)[64], int max)
{
    struct dirent **entries;
    int count = scandir(FOLDER, &entries, is_card, versionsort), used = 0;
    if (count < 0)
        return 0;
    for (int i = 0; i < count; i++) {
        if (used < max && strlen(entries[i]->d_name) < 16)
            snprintf(paths[used++], 64, "%s/%.15s", FOLDER, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return used;
}

int kms_system_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void *kms_system_map(int fd, size_t size, uint64_t offset)
{
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
    return map == MAP_FAILED ? NULL : map;
}
