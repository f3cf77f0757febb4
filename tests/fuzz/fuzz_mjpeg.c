/* SPDX-License-Identifier: MIT */
/* Motion-JPEG: where pictures end, and what is decoded of them. */
#include "capture/replay/film.h"
#include "capture/mjpeg.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

enum { PIXELS_MAX = 1 << 20 };

/* Every byte of what comes out was written. */
static void read_planes(const struct frame *frame)
{
    size_t row[FRAME_PLANES_MAX];
    int rows[FRAME_PLANES_MAX], planes = frame_layout(frame->format, frame->width, frame->height, row, rows);
    unsigned sum = 0;
    fuzz_check(planes == frame->planes);
    for (int p = 0; p < planes; p++)
        for (int y = 0; y < rows[p]; y++)
            for (size_t x = 0; x < row[p]; x++)
                sum += frame->data[p][y * frame->stride[p] + (ptrdiff_t)x];
    fuzz_check(sum < UINT32_MAX);
}

static void decode(struct mjpeg *decoder, const uint8_t *bytes, const struct film_part *part)
{
    struct frame *out, in = {.format = FRAME_MJPEG,
                             .width = part->width,
                             .height = part->height,
                             .planes = 1,
                             .data = {(uint8_t *)(uintptr_t)bytes + part->start},
                             .size = part->end - part->start};
    if ((int64_t)in.width * in.height > PIXELS_MAX)
        return;
    int status = mjpeg_decode(decoder, &in, &out);
    fuzz_check((status == 0) == (out != NULL));
    if (!status)
        read_planes(out);
    frame_unref(out);
}

/* The same ends are found when the bytes come one after the other. */
static void check_pieces(const uint8_t *bytes, size_t size, const struct film_part *whole)
{
    struct film_part part = {0};
    size_t step = 1 + size / 64;
    for (size_t have = 0; have < size && !part.end; have += step)
        mjpeg_next(bytes, have, &part);
    if (!part.end)
        fuzz_check(mjpeg_next(bytes, size, &part) == 0);
    fuzz_check(part.start == whole->start && part.end == whole->end && part.width == whole->width);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct mjpeg *decoder = mjpeg_create();
    struct film_part part = {0};
    fuzz_check(decoder);
    for (size_t at = 0; mjpeg_next(bytes + at, size - at, &part) == 0;
         at += part.end, part = (struct film_part){0}) {
        fuzz_check(part.start < part.end && part.end <= size - at);
        check_pieces(bytes + at, size - at, &part);
        if (part.width > 0 && part.height > 0)
            decode(decoder, bytes,
                   &(struct film_part){at + part.start, at + part.end, part.width, part.height, 0, 0});
    }
    mjpeg_destroy(decoder);
    return 0;
}
