/* SPDX-License-Identifier: MIT */
#include "app/live/lines.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAITING_MAX = 64 * 1024 };

int lines_open(struct lines *lines, const char *name)
{
    *lines = (struct lines){.fd = -1};
    if (!*name)
        return 0;
    snprintf(lines->name, sizeof(lines->name), "%s", name);
    lines->waiting = malloc(WAITING_MAX);
    if (!lines->waiting)
        return -ENOMEM;
    const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    lines->fd = strcmp(name, "-") ? open(name, flags, 0666) : STDOUT_FILENO;
    return lines->fd < 0 ? -errno : 0;
}

void lines_close(struct lines *lines)
{
    if (lines->fd > STDERR_FILENO)
        close(lines->fd);
    free(lines->waiting);
    *lines = (struct lines){.fd = -1};
}

/* A pipe that polls as writable takes PIPE_BUF bytes without waiting (POSIX). 0: no room now. */
static ssize_t write_some(const struct lines *lines)
{
    struct pollfd poller = {.fd = lines->fd, .events = POLLOUT};
    if (poll(&poller, 1, 0) <= 0)
        return 0;
    ssize_t written =
        write(lines->fd, lines->waiting, (size_t)(lines->count < PIPE_BUF ? lines->count : PIPE_BUF));
    return written < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : written < 0 ? -errno : written;
}

static int flush(struct lines *lines)
{
    while (lines->count) {
        ssize_t written = write_some(lines);
        if (written <= 0)
            return (int)written;
        lines->count -= (int)written;
        memmove(lines->waiting, lines->waiting + written, (size_t)lines->count);
    }
    return 0;
}

static void fail(struct lines *lines, int status)
{
    lines->count = 0;
    if (!lines->failed && status != -EPIPE)
        log_error("cannot write to %s: %s", strcmp(lines->name, "-") ? lines->name : "standard output",
                  strerror(-status));
    lines->failed = true;
}

int lines_add(struct lines *lines, struct json_object *object)
{
    size_t length = 0;
    const char *text = json_object_to_json_string_length(
        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
    if (lines->fd >= 0 && text && (size_t)lines->count + length < WAITING_MAX) {
        memcpy(lines->waiting + lines->count, text, length);
        lines->count += (int)length;
        lines->waiting[lines->count++] = '\n';
    }
    json_object_put(object);
    int status = lines->fd >= 0 ? flush(lines) : 0;
    if (status)
        fail(lines, status);
    else if (!lines->count)
        lines->failed = false;
    return status == -EPIPE ? status : 0;
}
