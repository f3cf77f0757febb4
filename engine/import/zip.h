/* SPDX-License-Identifier: MIT */
/*
 * A reader of ZIP archives in memory (PKWARE APPNOTE 6.3.10): torch.save files, and the metadata that is
 * appended to TFLite files. Stored and deflated entries, ZIP64, an archive that follows other bytes.
 * No archive is trusted: every offset is checked, and entries cannot overlap so much that reading them all
 * would give more than ZIP_RATIO_MAX times the archive's size.
 */
#ifndef PIPIT_ENGINE_IMPORT_ZIP_H
#define PIPIT_ENGINE_IMPORT_ZIP_H

#include <stddef.h>
#include <stdint.h>

#define ZIP_RATIO_MAX 256 /* an entry that grows by more is refused; text and weights stay far below */

struct zip_entry {
    const char *name; /* in the archive, not terminated */
    size_t name_length;
    const uint8_t *data; /* in the archive, packed_size bytes */
    size_t packed_size, size;
    uint32_t crc;
    uint16_t method, flags;
};

struct zip {
    struct zip_entry *entries; /* sorted by name, byte by byte */
    size_t count;
};

/* Reads the directory of the archive that ends with the last of `size` bytes; the bytes are borrowed until
 * zip_finish(). -ENOENT: no archive there; -EINVAL: a broken one; -ENOMEM. After an error nothing is held. */
int zip_init(struct zip *zip, const void *bytes, size_t size);
void zip_finish(struct zip *zip);

/* The entry of that whole name (with its folders), or NULL. */
const struct zip_entry *zip_find(const struct zip *zip, const char *name, size_t length);

/* Gives an entry's bytes, entry->size of them: *data points into the archive and *owned is NULL when it is
 * stored; else both point to memory that the caller frees (an empty entry may give NULL for both).
 * -ENOTSUP: encrypted, or packed by another method than deflate; -EINVAL: damaged; -ENOMEM. */
int zip_read(const struct zip_entry *entry, const uint8_t **data, void **owned);

#endif
