/* SPDX-License-Identifier: MIT */
#include "capture/replay/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOM_MIN = 1 << 16 };

static int map(struct input *input, size_t size)
{
    input->ended = true;
    if (size == 0)
        return 0;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, input->fd, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    input->bytes = bytes;
    input->size = size;
    return 0;
}

int input_open(struct input *input, const char *path)
{
    struct stat info;
    bool is_stdin = !strcmp(path, "-");
    *input = (struct input){.fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    if (input->fd < 0 || fstat(input->fd, &info))
        return -errno;
    if (!S_ISREG(info.st_mode))
        return S_ISDIR(info.st_mode) ? -EISDIR : 0;
    int status = map(input, (size_t)info.st_size);
    if (!is_stdin)
        close(input->fd);
    input->fd = -1;
    return status;
}

void input_close(struct input *input)
{
    if (input->room)
        free(input->bytes);
    else if (input->bytes)
        munmap(input->bytes, input->size);
    if (input->fd > STDIN_FILENO)
        close(input->fd);
    *input = (struct input){.fd = -1, .ended = true};
}

static int make_room(struct input *input, size_t most)
{
    if (input->at > 0) {
        input->size -= input->at;
        memmove(input->bytes, input->bytes + input->at, input->size);
        input->at = 0;
    }
    if (input->size < input->room)
        return 0;
    if (input->room > most)
        return -EFBIG;
    size_t room = input->room ? 2 * input->room : ROOM_MIN;
    uint8_t *bytes = realloc(input->bytes, room);
    if (!bytes)
        return -ENOMEM;
    input->bytes = bytes;
    input->room = room;
    return 0;
}

int input_more(struct input *input, size_t most, int timeout_ms)
{
    struct pollfd poller = {.fd = input->fd, .events = POLLIN};
    if (input->ended)
        return 0;
    if (poll(&poller, 1, timeout_ms) <= 0)
        return -EAGAIN;
    int status = make_room(input, most);
    if (status)
        return status;
    ssize_t got = read(input->fd, input->bytes + input->size, input->room - input->size);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? -EAGAIN : -errno;
    input->size += (size_t)got;
    input->ended = got == 0;
    return 0;
}
