/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_FILE_H
#define PIPIT_ENGINE_FILE_H

#include "engine/error.h"

/* A whole file in memory: mapped where nothing can cut it short meanwhile, which would end the process; else
 * read into memory of our own. */
struct file {
    void *bytes; /* 64-byte aligned, read only */
    size_t size;
    int mapped; /* its descriptor, which keeps writers waiting; -1: bytes are our own */
};

/* For a moment: who wants to write to the file may be kept waiting until file_free().
 * -ENOENT, -EACCES, -EISDIR, -EIO ..., -E2BIG above 1 GiB, -EINVAL when it is empty, -ENOMEM. */
int file_open(struct file *file, const char *path, struct pipit_error *error);
/* The same, for as long as one likes: never mapped. */
int file_read(struct file *file, const char *path, struct pipit_error *error);
void file_free(struct file *file);
/* Gives the memory of a part, whole pages of it, back to the system; it must not be read from then on. */
void file_forget(const struct file *file, const void *bytes, size_t size);

#endif
