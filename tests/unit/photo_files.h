/* SPDX-License-Identifier: MIT */
/* Small JPEG and PNG pictures, made in memory. Running out of memory ends the test. */
#ifndef PIPIT_TESTS_UNIT_PHOTO_FILES_H
#define PIPIT_TESTS_UNIT_PHOTO_FILES_H

#include "tests/unit/files.h"

#include <stdbool.h>

struct jpeg_kind {
    int width, height;
    int across, down; /* of luma for one sample of chroma; 0: 1 */
    int channels;     /* 1: grey, 3: YCbCr, 4: CMYK; 0: 3 */
    bool rgb;         /* three channels, stored as RGB */
    bool progressive;
    bool no_huffman;  /* without Huffman tables, as many webcams send it; they are the standard ones */
    bool own_huffman; /* tables made for the picture */
    int restart;      /* MCUs between restart markers; 0: none */
    int orientation;  /* EXIF; 0: none */
    int shade;        /* makes pictures differ */
};

/* Channel c of the pixel: slow ramps, so that compression hardly changes them. */
uint8_t picture_value(const struct jpeg_kind *kind, int x, int y, int c);
void picture_jpeg(struct bytes *bytes, const struct jpeg_kind *kind);
/* colour: libpng's PNG_COLOR_TYPE_*; depth: bits of a channel. */
void picture_png(struct bytes *bytes, int width, int height, int colour, int depth, bool interlaced);

#endif
