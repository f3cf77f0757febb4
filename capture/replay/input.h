/* SPDX-License-Identifier: MIT */
/* The bytes of a file, mapped, or of a stream, read as they come. */
#ifndef PIPIT_CAPTURE_REPLAY_INPUT_H
#define PIPIT_CAPTURE_REPLAY_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input {
    uint8_t *bytes; /* what is there; its address may change with every call below */
    size_t size;
    int fd;     /* of a stream, for poll(); -1: it is mapped, and all is there */
    bool ended; /* nothing comes after these bytes */
    size_t at;  /* how many of them are no longer needed */
    size_t room;
};

/* "-": standard input. A pipe is not waited for. A folder is -EISDIR, other errors are those of open(),
 * fstat() and mmap(). */
int input_open(struct input *input, const char *path);
void input_close(struct input *input);
/* Reads once from a stream, waiting for up to `timeout_ms`. Returns 0: there are more bytes, or it has ended;
 * -EAGAIN: nothing came; -EFBIG: more than `most` bytes are still needed; other errors of read(). */
int input_more(struct input *input, size_t most, int timeout_ms);

#endif
