/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_FILE_H
#define PIPIT_ENGINE_FILE_H

#include "engine/error.h"

/* A whole file in memory of our own: a mapping would end the process when someone cuts the file short. */
struct file {
    void *bytes; /* 64-byte aligned */
    size_t size;
};

/* -ENOENT, -EACCES, -EISDIR, -EIO ..., -E2BIG above 1 GiB, -EINVAL when it is empty, -ENOMEM. */
int file_read(struct file *file, const char *path, struct pipit_error *error);
void file_free(struct file *file);
/* Gives the memory of a part, whole pages of it, back to the system; it reads as zeros from then on. */
void file_forget(const struct file *file, const void *bytes, size_t size);

#endif
