/* SPDX-License-Identifier: MIT */
#include "display/compose.h"

#include <errno.h>
#include <string.h>

#include <cairo.h>
#include <libyuv.h>

static uint8_t *pixel(const struct frame *frame, int x, int y)
{
    return frame->data[0] + y * frame->stride[0] + 4 * (ptrdiff_t)x;
}

static void fill(const struct frame *frame, struct area area, uint32_t value)
{
    if (area.width > 0 && area.height > 0)
        ARGBRect(frame->data[0], (int)frame->stride[0], area.x, area.y, area.width, area.height, value);
}

/* ---- labels ---- */

static void wipe(struct labels *labels)
{
    for (int i = 0; i < labels->areas; i++)
        fill(labels->image, labels->area[i], 0);
    labels->areas = 0;
}

static int make_image(struct labels *labels, int width, int height)
{
    if (labels->image && labels->image->width == width && labels->image->height == height) {
        wipe(labels);
        return 0;
    }
    frame_unref(labels->image);
    labels->areas = 0;
    labels->image = frame_create(FRAME_ARGB32, width, height);
    if (!labels->image)
        return -ENOMEM;
    memset(labels->image->data[0], 0, (size_t)labels->image->stride[0] * (size_t)height);
    return 0;
}

static int draw_plan(struct labels *labels, const struct overlay_plan *plan)
{
    struct frame *image = labels->image;
    int count = overlay_plan_areas(plan, labels->area, LABELS_AREAS_MAX);
    if (count < 0)
        return count;
    labels->areas = count;
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        image->data[0], CAIRO_FORMAT_ARGB32, image->width, image->height, (int)image->stride[0]);
    cairo_t *cairo = cairo_create(surface);
    overlay_plan_draw(plan, cairo);
    cairo_surface_flush(surface);
    int status = cairo_status(cairo) ? -ENOMEM : 0;
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return status;
}

int labels_draw(struct labels *labels, const struct overlay *overlay, int width, int height,
                struct area picture)
{
    if (width < 1 || height < 1)
        return -EINVAL;
    if (width > OVERLAY_SIDE_MAX || height > OVERLAY_SIDE_MAX)
        return -E2BIG;
    int status = make_image(labels, width, height);
    if (status)
        return status;
    if (!labels->painter && !(labels->painter = overlay_painter_create()))
        return -ENOMEM;
    struct overlay_plan *plan = overlay_plan_create(labels->painter, overlay, width, height, picture);
    status = plan ? draw_plan(labels, plan) : -ENOMEM;
    overlay_plan_destroy(plan);
    if (status)
        wipe(labels);
    return status;
}

void labels_finish(struct labels *labels)
{
    frame_unref(labels->image);
    overlay_painter_destroy(labels->painter);
    *labels = (struct labels){0};
}

/* ---- canvas ---- */

static bool fits(const struct labels *labels, const struct frame *canvas)
{
    return labels->image && labels->image->width == canvas->width && labels->image->height == canvas->height;
}

static struct area common(struct area a, struct area b)
{
    int right = a.x + a.width < b.x + b.width ? a.x + a.width : b.x + b.width;
    int bottom = a.y + a.height < b.y + b.height ? a.y + a.height : b.y + b.height;
    int x = a.x > b.x ? a.x : b.x, y = a.y > b.y ? a.y : b.y;
    return (struct area){x, y, right - x, bottom - y};
}

static bool is_empty(struct area area)
{
    return area.width <= 0 || area.height <= 0;
}

static void copy(const struct frame *canvas, const struct frame *image, struct area area)
{
    ARGBCopy(pixel(image, area.x, area.y), (int)image->stride[0], pixel(canvas, area.x, area.y),
             (int)canvas->stride[0], area.width, area.height);
}

/* What lies over black is as it is, since it is premultiplied. */
static void draw_bar(const struct frame *canvas, struct area bar, const struct labels *labels)
{
    fill(canvas, bar, 0);
    for (int i = 0; labels && i < labels->areas; i++) {
        struct area part = common(bar, labels->area[i]);
        if (!is_empty(part))
            copy(canvas, labels->image, part);
    }
}

static void draw_bars(const struct frame *canvas, struct area to, const struct labels *labels)
{
    int right = to.x + to.width, bottom = to.y + to.height;
    draw_bar(canvas, (struct area){0, 0, canvas->width, to.y}, labels);
    draw_bar(canvas, (struct area){0, bottom, canvas->width, canvas->height - bottom}, labels);
    draw_bar(canvas, (struct area){0, to.y, to.x, to.height}, labels);
    draw_bar(canvas, (struct area){right, to.y, canvas->width - right, to.height}, labels);
}

struct sheet {
    const struct frame *canvas;
    struct area to;
    const struct labels *labels;
};

/* Labels are blended before the rows go to the canvas, which may be slow to read. */
static void put_rows(void *data, uint8_t *xrgb, int stride, int y, int rows)
{
    const struct sheet *sheet = data;
    const struct labels *labels = sheet->labels;
    struct area at = {sheet->to.x, sheet->to.y + y, sheet->to.width, rows};
    for (int i = 0; i < labels->areas; i++) {
        struct area part = common(at, labels->area[i]);
        if (is_empty(part))
            continue;
        uint8_t *under = xrgb + (ptrdiff_t)(part.y - at.y) * stride + 4 * (ptrdiff_t)(part.x - at.x);
        ARGBBlend(pixel(labels->image, part.x, part.y), (int)labels->image->stride[0], under, stride, under,
                  stride, part.width, part.height);
    }
    ARGBCopy(xrgb, stride, pixel(sheet->canvas, at.x, at.y), (int)sheet->canvas->stride[0], at.width, rows);
}

int compose(struct converter *converter, const struct frame *in, struct area from, struct turn turn,
            const struct frame *canvas, struct area to, const struct labels *labels)
{
    struct sheet sheet = {canvas, to, labels};
    int status;
    if (canvas->format != FRAME_XRGB32)
        return -ENOTSUP;
    if (labels && !fits(labels, canvas))
        return -EINVAL;
    if (!labels || !labels->areas)
        status = convert(converter, in, from, turn, canvas, to);
    else if (to.x < 0 || to.y < 0 || to.width > canvas->width - to.x || to.height > canvas->height - to.y)
        return -EINVAL;
    else
        status = convert_rows(converter, in, from, turn, to.width, to.height, put_rows, &sheet);
    if (!status)
        draw_bars(canvas, to, labels);
    return status;
}

int compose_labels(const struct frame *canvas, const struct labels *labels)
{
    if (canvas->format != FRAME_ARGB32)
        return -ENOTSUP;
    if (!fits(labels, canvas))
        return -EINVAL;
    ARGBCopy(labels->image->data[0], (int)labels->image->stride[0], canvas->data[0], (int)canvas->stride[0],
             canvas->width, canvas->height);
    return 0;
}
