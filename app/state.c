/* SPDX-License-Identifier: MIT */
#include "app/state.h"

#include "app/model_open.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is remembered ---- */

/* Of several folders, separated by colons, the first: systemd.exec(5). */
static char *path_in(const char *folders, const char *name)
{
    char *path;
    size_t length = folders ? strcspn(folders, ":") : 0;
    if (!length || folders[0] != '/')
        return NULL;
    return asprintf(&path, "%.*s/%s", (int)length, folders, name) < 0 ? NULL : path;
}

char *state_path(const char *name)
{
    return path_in(getenv("STATE_DIRECTORY"), name);
}

static bool is_there(const char *path, const char *text, size_t size)
{
    char *before;
    size_t before_size = 0;
    bool same = !text_read(path, &before, &before_size) && before_size == size && !memcmp(before, text, size);
    free(before);
    return same;
}

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

static int write_all(int fd, const char *text, size_t size)
{
    while (size) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno != EINTR)
            return -errno;
        text += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return fsync(fd) ? -errno : 0;
}

static int replace(const char *path, const char *fresh, const char *text, size_t size)
{
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    int status = write_all(fd, text, size);
    if (close(fd) && !status)
        status = -errno;
    if (!status && rename(fresh, path))
        status = -errno;
    if (status)
        unlink(fresh);
    return status ? status : sync_folder_of(path);
}

int state_write(const char *path, const char *text, size_t size)
{
    char *fresh;
    if (is_there(path, text, size))
        return 0;
    if (asprintf(&fresh, "%s.new", path) < 0)
        return -ENOMEM;
    int status = replace(path, fresh, text, size);
    free(fresh);
    return status;
}

/* ---- once ---- */

static int holder_of(int fd)
{
    char text[16] = "";
    return pread(fd, text, sizeof(text) - 1, 0) > 0 ? (int)strtol(text, NULL, 10) : 0;
}

/* The descriptor stays open, and with it the lock. */
static int lock(const char *path, int *holder)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0)
        fchmod(fd, 0644); /* whatever the umask: others must find it */
    else
        fd = open(path, O_RDONLY | O_CLOEXEC); /* another user's */
    if (fd < 0)
        return 0;
    if (!flock(fd, LOCK_EX | LOCK_NB)) {
        if (!ftruncate(fd, 0))
            dprintf(fd, "%d\n", (int)getpid());
        return 0;
    }
    int status = errno == EWOULDBLOCK ? -EBUSY : 0;
    *holder = holder_of(fd);
    close(fd);
    return status;
}

int state_lock(bool shared, int *holder)
{
    char *path = path_in(getenv("RUNTIME_DIRECTORY"), "lock");
    *holder = 0;
    if (!path && shared)
        path = path_in("/run/pipit", "lock");
    int status = path ? lock(path, holder) : 0;
    free(path);
    return status;
}
