/* SPDX-License-Identifier: MIT */
#include "engine/file.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE_LIMIT = 1 << 30 };

static int read_all(int descriptor, char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = read(descriptor, bytes + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EIO; /* it became shorter while it was read */
        done += (size_t)got;
    }
    return 0;
}

static int read_open(struct file *file, int descriptor)
{
    struct stat status;
    if (fstat(descriptor, &status))
        return -errno;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    if (!S_ISREG(status.st_mode) || status.st_size == 0)
        return -EINVAL;
    if (status.st_size > SIZE_LIMIT)
        return -E2BIG;
    file->size = (size_t)status.st_size;
    file->bytes = aligned_alloc(64, (file->size + 63) / 64 * 64);
    return file->bytes ? read_all(descriptor, file->bytes, file->size) : -ENOMEM;
}

int file_read(struct file *file, const char *path, struct pipit_error *error)
{
    *file = (struct file){0};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    int status = descriptor < 0 ? -errno : read_open(file, descriptor);
    if (descriptor >= 0)
        close(descriptor);
    if (!status)
        return 0;
    file_free(file);
    const char *why = status == -EINVAL  ? "it is empty or no regular file"
                      : status == -E2BIG ? "it is larger than 1 GiB"
                                         : strerror(-status);
    return fail(error, status, "cannot read the model '%s': %s", path, why);
}

void file_forget(const struct file *file, const void *bytes, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)bytes, end = first + size;
    if (first < (uintptr_t)file->bytes || end > (uintptr_t)file->bytes + file->size)
        return;
    first = (first + page - 1) / page * page;
    end = end / page * page;
    if (first < end)
        madvise((char *)file->bytes + (first - (uintptr_t)file->bytes), end - first, MADV_DONTNEED);
}

void file_free(struct file *file)
{
    free(file->bytes);
    *file = (struct file){0};
}
