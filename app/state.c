/* SPDX-License-Identifier: MIT */
#include "app/state.h"

#include "app/model_open.h"
#include "app/replace.h"

#include <errno.h>
#include <fcntl.h>
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

int state_write(const char *path, const char *text, size_t size)
{
    return is_there(path, text, size) ? 0 : replace_file(path, text, size);
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
