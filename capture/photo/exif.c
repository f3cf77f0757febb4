/* SPDX-License-Identifier: MIT */
/* TIFF 6.0: byte order, 42, offset of the first directory; a directory: count, then entries of 12 bytes (tag,
 * type, count, value). */
#include "capture/photo/format.h"

#include <stdbool.h>
#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3 };

static unsigned read16(const uint8_t *at, bool little)
{
    return little ? at[0] | (unsigned)at[1] << 8 : (unsigned)at[0] << 8 | at[1];
}

static uint32_t read32(const uint8_t *at, bool little)
{
    uint32_t first = read16(at, little), second = read16(at + 2, little);
    return little ? first | second << 16 : first << 16 | second;
}

int exif_orientation(const uint8_t *tiff, size_t size)
{
    if (size < 8 || (memcmp(tiff, "II", 2) && memcmp(tiff, "MM", 2)))
        return 1;
    bool little = tiff[0] == 'I';
    size_t at = read32(tiff + 4, little);
    if (read16(tiff + 2, little) != 42 || at > size - 2)
        return 1;
    unsigned entries = read16(tiff + at, little);
    for (at += 2; entries > 0 && size >= 12 && at <= size - 12; entries--, at += 12) {
        const uint8_t *entry = tiff + at;
        if (read16(entry, little) != TAG_ORIENTATION || read16(entry + 2, little) != TYPE_SHORT)
            continue;
        unsigned value = read16(entry + 8, little);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}
