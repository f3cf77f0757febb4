/* SPDX-License-Identifier: MIT */
/* Finds where a JPEG picture ends (ITU T.81, Annex B): segments have their length, scans end at a marker. */
#include "capture/replay/film.h"

#include <errno.h>
#include <string.h>

enum { SEARCH, SEGMENTS, SCAN }; /* film_part.state */

enum {
    SOF0 = 0xc0,
    SOF15 = 0xcf,
    DHT = 0xc4,
    JPG = 0xc8,
    DAC = 0xcc,
    RST0 = 0xd0,
    RST7 = 0xd7,
    SOI = 0xd8,
    EOI = 0xd9,
    SOS = 0xda,
    TEM = 0x01
};

/* From part->seen to the next 0xff that another byte follows. */
static bool find_marker(const uint8_t *bytes, size_t size, struct film_part *part)
{
    const uint8_t *at =
        size - part->seen > 1 ? memchr(bytes + part->seen, 0xff, size - part->seen - 1) : NULL;
    if (at)
        part->seen = (size_t)(at - bytes);
    else if (size > part->seen)
        part->seen = bytes[size - 1] == 0xff ? size - 1 : size;
    return at != NULL;
}

static bool search(const uint8_t *bytes, size_t size, struct film_part *part)
{
    for (; find_marker(bytes, size, part); part->seen++)
        if (bytes[part->seen + 1] == SOI) {
            part->start = part->seen;
            part->seen += 2;
            part->state = SEGMENTS;
            return true;
        }
    return false;
}

static bool is_frame_header(uint8_t code)
{
    return code >= SOF0 && code <= SOF15 && code != DHT && code != JPG && code != DAC;
}

/* One segment. False: it goes on beyond the bytes. */
static bool segment(const uint8_t *bytes, size_t size, struct film_part *part)
{
    const uint8_t *at = bytes + part->seen;
    size_t left = size - part->seen;
    if (left < 2)
        return false;
    if (at[0] != 0xff) { /* no marker: damaged; the picture is what there is up to the next one */
        part->state = SCAN;
    } else if (at[1] == 0xff) { /* fill byte */
        part->seen++;
    } else if (at[1] == EOI) {
        part->end = part->seen + 2;
    } else if (at[1] == SOI) {
        part->end = part->seen;
    } else if (at[1] == TEM || at[1] == 0 || (at[1] >= RST0 && at[1] <= RST7)) {
        part->seen += 2;
    } else {
        size_t length = left < 4 ? 0 : (size_t)at[2] << 8 | at[3];
        if (left < 4 || left < 2 + length)
            return false;
        if (is_frame_header(at[1]) && length >= 8) {
            part->height = at[5] << 8 | at[6];
            part->width = at[7] << 8 | at[8];
        }
        part->state = at[1] == SOS ? SCAN : SEGMENTS;
        part->seen += 2 + (length < 2 ? 2 : length);
    }
    return true;
}

/* To the marker that ends a scan's data. */
static bool scan(const uint8_t *bytes, size_t size, struct film_part *part)
{
    while (find_marker(bytes, size, part)) {
        uint8_t code = bytes[part->seen + 1];
        if (code != 0 && code != 0xff && (code < RST0 || code > RST7)) {
            part->state = SEGMENTS;
            return true;
        }
        part->seen += code == 0xff ? 1 : 2;
    }
    return false;
}

int mjpeg_next(const uint8_t *bytes, size_t size, struct film_part *part)
{
    bool more = true;
    if (size > FILM_FRAME_MAX)
        size = FILM_FRAME_MAX;
    while (more && !part->end)
        more = (part->state == SEARCH ? search : part->state == SEGMENTS ? segment : scan)(bytes, size, part);
    return part->end ? 0 : -EAGAIN;
}
