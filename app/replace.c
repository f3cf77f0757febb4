/* SPDX-License-Identifier: MIT */
#include "app/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int sync_folder_of(const char *path)
{
    char *copy = strdup(path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int status = fd < 0 || fsync(fd) ? -errno : 0;
    if (fd >= 0)
        close(fd);
    free(copy);
    return status;
}

static int write_all(int fd, const void *bytes, size_t size)
{
    const char *text = bytes;
    while (size) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno != EINTR)
            return -errno;
        text += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return fsync(fd) ? -errno : 0;
}

static int replace(const char *path, const char *fresh, const void *bytes, size_t size)
{
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    int status = write_all(fd, bytes, size);
    if (close(fd) && !status)
        status = -errno;
    if (!status && rename(fresh, path))
        status = -errno;
    if (status)
        unlink(fresh);
    return status ? status : sync_folder_of(path);
}

int replace_file(const char *path, const void *bytes, size_t size)
{
    char *fresh;
    if (asprintf(&fresh, "%s.new", path) < 0)
        return -ENOMEM;
    int status = replace(path, fresh, bytes, size);
    free(fresh);
    return status;
}
