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
    labels->drawing++;
}

static int make_image(struct labels *labels, int width, int height)
{
    if (labels->image && labels->image->width == width && labels->image->height == height) {
        wipe(labels);
        return 0;
    }
    frame_unref(labels->image);
    labels->areas = 0;
    labels->drawing++;
    labels->image = frame_create(FRAME_ARGB32, width, height);
    if (!labels->image)
        return -ENOMEM;
    memset(labels->image->data[0], 0, (size_t)labels->image->stride[0] * (size_t)height);
    return 0;
}

static int draw_plan(struct labels *labels, const struct overlay_plan *plan)
{
    struct frame *image = labels->image;
    int count = overlay_plan_areas(plan, labels->area, CANVAS_AREAS_MAX);
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

/* What lies over black is as it is, since it is premultiplied; where there are no labels their image is. */
static void copy_common(const struct frame *canvas, const struct frame *image, struct area within,
                        const struct area *areas, int count)
{
    for (int i = 0; i < count; i++) {
        struct area part = common(within, areas[i]);
        if (is_empty(part))
            continue;
        if (image)
            copy(canvas, image, part);
        else
            fill(canvas, part, 0);
    }
}

/* An area without picture, drawn anew where labels are or were; before NULL: all of it. */
static void draw_plain(const struct frame *canvas, struct area area, const struct labels *labels,
                       const struct canvas_content *before)
{
    const struct frame *image = labels ? labels->image : NULL;
    if (before && before->drawing == (labels ? labels->drawing : 0))
        return;
    if (before)
        copy_common(canvas, image, area, before->label, before->labels);
    else
        fill(canvas, area, 0);
    if (labels)
        copy_common(canvas, image, area, labels->area, labels->areas);
}

static void draw_bars(const struct frame *canvas, struct area to, const struct labels *labels,
                      const struct canvas_content *before)
{
    int right = to.x + to.width, bottom = to.y + to.height;
    draw_plain(canvas, (struct area){0, 0, canvas->width, to.y}, labels, before);
    draw_plain(canvas, (struct area){0, bottom, canvas->width, canvas->height - bottom}, labels, before);
    draw_plain(canvas, (struct area){0, to.y, to.x, to.height}, labels, before);
    draw_plain(canvas, (struct area){right, to.y, canvas->width - right, to.height}, labels, before);
}

/* What the canvas held, if all around `picture` can stay; until remember() nothing is known of it. */
static const struct canvas_content *recall(struct canvas_content *content, struct area picture)
{
    bool stays = content->known && !memcmp(&content->picture, &picture, sizeof(picture));
    content->known = false;
    return stays ? content : NULL;
}

static void remember(struct canvas_content *content, struct area picture, const struct labels *labels)
{
    content->known = true;
    content->picture = picture;
    content->drawing = labels ? labels->drawing : 0;
    content->labels = labels ? labels->areas : 0;
    if (labels)
        memcpy(content->label, labels->area, (size_t)labels->areas * sizeof(labels->area[0]));
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
            struct canvas *canvas, struct area to, const struct labels *labels)
{
    const struct frame *frame = &canvas->frame;
    struct sheet sheet = {frame, to, labels};
    int status;
    if (frame->format != FRAME_XRGB32)
        return -ENOTSUP;
    if (labels && !fits(labels, frame))
        return -EINVAL;
    const struct canvas_content *before = recall(&canvas->content, to);
    if (!labels || !labels->areas)
        status = convert(converter, in, from, turn, frame, to);
    else if (to.x < 0 || to.y < 0 || to.width > frame->width - to.x || to.height > frame->height - to.y)
        return -EINVAL;
    else
        status = convert_rows(converter, in, from, turn, to.width, to.height, put_rows, &sheet);
    if (status)
        return status;
    draw_bars(frame, to, labels, before);
    remember(&canvas->content, to, labels);
    return 0;
}

int compose_labels(struct canvas *canvas, const struct labels *labels)
{
    const struct area nowhere = {0, 0, 0, 0};
    if (canvas->frame.format != FRAME_ARGB32)
        return -ENOTSUP;
    if (!fits(labels, &canvas->frame))
        return -EINVAL;
    draw_plain(&canvas->frame, area_of(&canvas->frame), labels, recall(&canvas->content, nowhere));
    remember(&canvas->content, nowhere, labels);
    return 0;
}
