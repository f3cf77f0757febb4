/* SPDX-License-Identifier: MIT */
#include "tests/unit/pictures.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

struct yuv {
    uint8_t y, u, v;
};

static uint8_t byte(double value)
{
    return (uint8_t)fmin(fmax(round(value), 0), 255);
}

/* BT.601-7, 2.5.1 to 2.5.3; BT.709-6, 3.2 to 3.4; full range: the same without the scaling (JFIF 1.02). */
static struct yuv encode(struct rgb c, enum frame_matrix matrix, bool full)
{
    double kr = matrix == FRAME_MATRIX_709 ? 0.2126 : 0.299, kb = matrix == FRAME_MATRIX_709 ? 0.0722 : 0.114;
    double y = kr * c.r + (1 - kr - kb) * c.g + kb * c.b;
    double u = (c.b - y) / (2 - 2 * kb), v = (c.r - y) / (2 - 2 * kr);
    if (full)
        return (struct yuv){byte(y), byte(128 + u), byte(128 + v)};
    return (struct yuv){byte(16 + y * 219 / 255), byte(128 + u * 224 / 255), byte(128 + v * 224 / 255)};
}

static void put_chroma(struct frame *frame, int x, int y, struct yuv c)
{
    int down = frame->format == FRAME_YUV422P || frame->format == FRAME_YUV444P ? 1 : 2;
    int across = frame->format == FRAME_YUV444P ? 1 : 2, u = frame->format == FRAME_NV12 ? 0 : 1;
    if (x % across || y % down)
        return;
    uint8_t *row[3] = {NULL, frame->data[1] + y / down * frame->stride[1], NULL};
    if (frame->planes == 2) {
        row[1][x + u] = c.u;
        row[1][x + 1 - u] = c.v;
        return;
    }
    row[2] = frame->data[2] + y / down * frame->stride[2];
    row[1][x / across] = c.u;
    row[2][x / across] = c.v;
}

static void put_packed(struct frame *frame, uint8_t *row, int x, struct yuv c)
{
    int luma = frame->format == FRAME_YUYV ? 0 : 1;
    row[2 * x + luma] = c.y;
    if (x % 2)
        return;
    row[2 * x + 1 - luma] = c.u;
    row[2 * x + 3 - luma] = c.v;
}

static void put(struct frame *frame, int x, int y, struct rgb c)
{
    struct yuv yuv = encode(c, frame->matrix, frame->full_range);
    uint8_t *row = frame->data[0] + y * frame->stride[0];
    switch (frame->format) {
    case FRAME_RGB24:
    case FRAME_BGR24:
        row[3 * x] = (uint8_t)(frame->format == FRAME_RGB24 ? c.r : c.b);
        row[3 * x + 1] = (uint8_t)c.g;
        row[3 * x + 2] = (uint8_t)(frame->format == FRAME_RGB24 ? c.b : c.r);
        break;
    case FRAME_XRGB32:
    case FRAME_ARGB32:
        row[4 * x] = (uint8_t)c.b;
        row[4 * x + 1] = (uint8_t)c.g;
        row[4 * x + 2] = (uint8_t)c.r;
        row[4 * x + 3] = frame->format == FRAME_ARGB32 ? 255 : (uint8_t)(x * 7);
        break;
    case FRAME_YUYV:
    case FRAME_UYVY:
        put_packed(frame, row, x, yuv);
        break;
    default:
        row[x] = yuv.y;
        if (frame->format != FRAME_GREY)
            put_chroma(frame, x, y, yuv);
    }
}

struct frame *picture_create(uint32_t format, int width, int height, enum frame_matrix matrix,
                             bool full_range, picture_at *at)
{
    struct frame *frame = frame_create(format, width, height);
    ck_assert_ptr_nonnull(frame);
    frame->matrix = matrix;
    frame->full_range = full_range;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            put(frame, x, y, at(x, y));
    return frame;
}

struct rgb picture_pixel(const struct frame *frame, int x, int y)
{
    const uint8_t *row = frame->data[0] + y * frame->stride[0];
    if (frame->format == FRAME_RGB24)
        return (struct rgb){row[3 * x], row[3 * x + 1], row[3 * x + 2]};
    return (struct rgb){row[4 * x + 2], row[4 * x + 1], row[4 * x]};
}

int rgb_distance(struct rgb a, struct rgb b)
{
    int r = abs(a.r - b.r), g = abs(a.g - b.g), c = abs(a.b - b.b);
    return r > g ? (r > c ? r : c) : (g > c ? g : c);
}

void picture_turn(int rotation, bool mirror, int width, int height, int *x, int *y)
{
    if (mirror)
        *x = width - 1 - *x;
    for (; rotation > 0; rotation -= 90) {
        int before = *x, side = height;
        *x = side - 1 - *y;
        *y = before;
        height = width;
        width = side;
    }
}
