/* SPDX-License-Identifier: MIT */
#include "engine/file.h"

#include "engine/pages.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ /* Linux 5.14; older C libraries do not name it */
#define MADV_POPULATE_READ 22
#endif

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

/* ---- without a copy ---- */

/* A lease keeps whoever opens the file for writing waiting for as long as we have it; the signal that tells
 * us so is one that nobody dies of. On a file system that is read-only nobody writes. */
static bool cannot_change(int descriptor)
{
    struct statvfs system;
    if (!fstatvfs(descriptor, &system) && system.f_flag & ST_RDONLY)
        return true;
    return !fcntl(descriptor, F_SETSIG, SIGURG) && !fcntl(descriptor, F_SETLEASE, F_RDLCK);
}

/* All pages are read here, so that a medium that cannot be read is an error and not a signal later. */
static bool map(struct file *file, int descriptor)
{
    if (!cannot_change(descriptor))
        return false;
    void *bytes = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes != MAP_FAILED) /* or 2 MiB of the page cache would be back for each byte of them that is read */
        madvise(bytes, file->size, MADV_NOHUGEPAGE);
    if (bytes != MAP_FAILED && madvise(bytes, file->size, MADV_POPULATE_READ)) {
        munmap(bytes, file->size);
        bytes = MAP_FAILED;
    }
    if (bytes == MAP_FAILED) {
        fcntl(descriptor, F_SETLEASE, F_UNLCK);
        return false;
    }
    madvise(bytes, file->size,
            MADV_DONTNEED); /* they come back from the page cache, as far as they are read */
    file->bytes = bytes;
    file->lease = descriptor;
    return true;
}

/* ---- both ways ---- */

static int size_of(struct file *file, int descriptor)
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
    return 0;
}

static int load(struct file *file, int descriptor, bool may_map)
{
    int status = size_of(file, descriptor);
    if (status || (may_map && map(file, descriptor)))
        return status;
    file->bytes = pages_map(file->size, file->size);
    return file->bytes ? read_all(descriptor, file->bytes, file->size) : -ENOMEM;
}

static int load_path(struct file *file, const char *path, bool may_map, struct pipit_error *error)
{
    *file = (struct file){.lease = -1};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    int status = descriptor < 0 ? -errno : load(file, descriptor, may_map);
    if (descriptor >= 0 && file->lease < 0)
        close(descriptor);
    if (!status)
        return 0;
    file_free(file);
    const char *why = status == -EINVAL  ? "it is empty or no regular file"
                      : status == -E2BIG ? "it is larger than 1 GiB"
                                         : strerror(-status);
    return fail(error, status, "cannot read the model '%s': %s", path, why);
}

int file_open(struct file *file, const char *path, struct pipit_error *error)
{
    return load_path(file, path, true, error);
}

int file_read(struct file *file, const char *path, struct pipit_error *error)
{
    return load_path(file, path, false, error);
}

void file_forget(const struct file *file, const void *bytes, size_t size)
{
    uintptr_t first = (uintptr_t)bytes, start = (uintptr_t)file->bytes;
    if (first >= start && first + size <= start + file->size)
        pages_forget((char *)file->bytes + (first - start), size);
}

void file_free(struct file *file)
{
    if (file->bytes && file->lease >= 0)
        munmap(file->bytes, file->size);
    else
        pages_unmap(file->bytes, file->size);
    if (file->bytes && file->lease >= 0)
        close(file->lease);
    *file = (struct file){.lease = -1};
}
