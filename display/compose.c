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

static void fill_around(const struct frame *canvas, struct area to)
{
    int right = to.x + to.width, bottom = to.y + to.height;
    fill(canvas, (struct area){0, 0, canvas->width, to.y}, 0);
    fill(canvas, (struct area){0, bottom, canvas->width, canvas->height - bottom}, 0);
    fill(canvas, (struct area){0, to.y, to.x, to.height}, 0);
    fill(canvas, (struct area){right, to.y, canvas->width - right, to.height}, 0);
}

static void blend(const struct frame *canvas, const struct labels *labels)
{
    for (int i = 0; i < labels->areas; i++) {
        const struct area *a = &labels->area[i];
        uint8_t *at = pixel(canvas, a->x, a->y);
        ARGBBlend(pixel(labels->image, a->x, a->y), (int)labels->image->stride[0], at, (int)canvas->stride[0],
                  at, (int)canvas->stride[0], a->width, a->height);
    }
}

int compose(struct converter *converter, const struct frame *in, struct area from, struct turn turn,
            const struct frame *canvas, struct area to, const struct labels *labels)
{
    if (canvas->format != FRAME_XRGB32)
        return -ENOTSUP;
    if (labels && !fits(labels, canvas))
        return -EINVAL;
    int status = convert(converter, in, from, turn, canvas, to);
    if (status)
        return status;
    fill_around(canvas, to);
    if (labels)
        blend(canvas, labels);
    return 0;
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
