/* SPDX-License-Identifier: MIT */
/* YUV4MPEG2 headers and frames: all that is found lies within the bytes. */
#include "capture/replay/film.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct film film;
    struct source_error error = {""};
    struct film_part part = {0};
    int length = y4m_header(&film, bytes, size, &error);
    fuzz_check(length > 0 || length == -EAGAIN || error.text[0]);
    if (length <= 0)
        return 0;
    fuzz_check(film.width > 0 && film.width <= FILM_SIDE_MAX && film.height > 0 &&
               film.height <= FILM_SIDE_MAX);
    fuzz_check(film.rate >= 0 && film.rate <= 1000);
    size_t row[FRAME_PLANES_MAX], at = (size_t)length;
    int rows[FRAME_PLANES_MAX];
    fuzz_check(frame_layout(film.format, film.width, film.height, row, rows) > 0);
    while (y4m_next(&film, bytes + at, size - at, &part) == 0) {
        fuzz_check(part.start < part.end && part.end <= size - at);
        at += part.end;
    }
    return 0;
}
