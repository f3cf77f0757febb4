/* SPDX-License-Identifier: MIT */
/* Frames of every format with known colours, by the formulas of ITU-R BT.601 and BT.709 themselves. */
#ifndef PIPIT_TESTS_UNIT_PICTURES_H
#define PIPIT_TESTS_UNIT_PICTURES_H

#include "base/frame.h"

struct rgb {
    int r, g, b;
};

/* A new frame, of which each pixel is what `at` says, encoded with the matrix and the range; chroma is that
 * of the left upper pixel of those that share it. */
typedef struct rgb picture_at(int x, int y);
struct frame *picture_create(uint32_t format, int width, int height, enum frame_matrix matrix,
                             bool full_range, picture_at *at);

/* A pixel of an RGB24, XRGB32 or ARGB32 frame. */
struct rgb picture_pixel(const struct frame *frame, int x, int y);
/* The largest difference of their components. */
int rgb_distance(struct rgb a, struct rgb b);

/* Where pixel (x, y) of a picture of width x height goes when it is mirrored and then turned clockwise. */
void picture_turn(int rotation, bool mirror, int width, int height, int *x, int *y);

#endif
