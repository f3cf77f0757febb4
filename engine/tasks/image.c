/* SPDX-License-Identifier: MIT */
#include "engine/tasks/tasks.h"

#include <math.h>
#include <string.h>

_Static_assert(PIPIT_RGB24 == FRAME_RGB24, "pictures and frames share their format codes");

/* A point of the turned picture in the picture as it lies in memory; both 0..1. */
static void untwist(const struct pipit_image *image, float u, float v, float point[2])
{
    float x = u, y = v;
    if (image->rotation == 90) {
        x = v;
        y = 1 - u;
    } else if (image->rotation == 180) {
        x = 1 - u;
        y = 1 - v;
    } else if (image->rotation == 270) {
        x = 1 - v;
        y = u;
    }
    point[0] = image->mirror ? 1 - x : x;
    point[1] = y;
}

static int clamp(float value, int low, int high)
{
    int whole = (int)lroundf(value);
    return whole < low ? low : whole > high ? high : whole;
}

static struct area area_of_view(const struct pipit_image *image, const float view[4])
{
    float a[2], b[2];
    int side[2] = {image->width, image->height}, low[2], high[2];
    untwist(image, view[0], view[1], a);
    untwist(image, view[2], view[3], b);
    for (int d = 0; d < 2; d++) {
        low[d] = clamp(fminf(a[d], b[d]) * (float)side[d], 0, side[d] - 1);
        high[d] = clamp(fmaxf(a[d], b[d]) * (float)side[d], low[d] + 1, side[d]);
    }
    return (struct area){low[0], low[1], high[0] - low[0], high[1] - low[1]};
}

int image_convert(struct converter *converter, const struct pipit_image *image, const float view[4],
                  int width, int height, convert_put *put, void *data)
{
    struct frame in = {.format = image->format,
                       .width = image->width,
                       .height = image->height,
                       .matrix = image->bt709 ? FRAME_MATRIX_709 : FRAME_MATRIX_601,
                       .full_range = image->full_range};
    for (int p = 0; p < 3; p++) {
        /* frames are for reading and writing; this one is only read */
        memcpy(&in.data[p], &image->data[p], sizeof(in.data[p]));
        in.stride[p] = image->stride[p];
    }
    return convert_rows(converter, &in, area_of_view(image, view),
                        (struct turn){image->rotation, image->mirror}, width, height, put, data);
}
