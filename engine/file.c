/* SPDX-License-Identifier: MIT */
#include "engine/file.h"

#include "engine/pages.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ /* Linux 5.14; older C libraries do not name it */
#define MADV_POPULATE_READ 22
#endif

#ifndef EROFS_SUPER_MAGIC_V1 /* older headers do not have it */
#define EROFS_SUPER_MAGIC_V1 0xE0F5E1E2
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
 * us so is one that nobody dies of. Nobody writes to an image of a file system; a mount that is read-only
 * says less, since others may have the same files from one that is not. */
static bool cannot_change(int descriptor)
{
    struct statfs system;
    if (!fstatfs(descriptor, &system) &&
        (system.f_type == SQUASHFS_MAGIC || (uint32_t)system.f_type == EROFS_SUPER_MAGIC_V1))
        return true;
    return !fcntl(descriptor, F_SETSIG, SIGURG) && !fcntl(descriptor, F_SETLEASE, F_RDLCK);
}

/* All pages are read here, so that a medium that cannot be read is an error and not a signal later: small
 * ones, or what is given back would come back with 2 MiB for each byte that is read. NULL: they cannot be. */
static void *map_pages(int descriptor, size_t size)
{
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED)
        return NULL;
    madvise(bytes, size, MADV_NOHUGEPAGE);
    if (!madvise(bytes, size, MADV_POPULATE_READ))
        return bytes;
    munmap(bytes, size);
    return NULL;
}

static bool map(struct file *file, int descriptor)
{
    if (!cannot_change(descriptor))
        return false;
    file->bytes = map_pages(descriptor, file->size);
    if (file->bytes)
        file->mapped = descriptor;
    else
        fcntl(descriptor, F_SETLEASE, F_UNLCK);
    return file->bytes;
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
    *file = (struct file){.mapped = -1};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    int status = descriptor < 0 ? -errno : load(file, descriptor, may_map);
    if (descriptor >= 0 && file->mapped < 0)
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
    if (file->bytes && file->mapped >= 0) {
        munmap(file->bytes, file->size);
        close(file->mapped); /* and with it the lease */
    } else {
        pages_unmap(file->bytes, file->size);
    }
    *file = (struct file){.mapped = -1};
}
