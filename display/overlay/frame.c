/* SPDX-License-Identifier: MIT */
/* An overlay on a photo. */
#include "display/overlay/overlay.h"

#include <errno.h>

#include <cairo.h>
#include <libyuv.h>

static int draw(const struct overlay *overlay, cairo_surface_t *surface, const struct frame *frame)
{
    struct overlay_painter *painter = overlay_painter_create();
    struct overlay_plan *plan =
        painter ? overlay_plan_create(painter, overlay, frame->width, frame->height, area_of(frame)) : NULL;
    cairo_t *cairo = cairo_create(surface);
    if (plan)
        overlay_plan_draw(plan, cairo);
    int status = !plan || cairo_status(cairo) ? -ENOMEM : 0;
    cairo_destroy(cairo);
    overlay_plan_destroy(plan);
    overlay_painter_destroy(painter);
    return status;
}

void overlay_painter_warm(struct overlay_painter *painter)
{
    const struct overlay_line line = {.label = "Text", .value = "100 %"};
    const struct overlay overlay = {
        .lines = &line, .line_count = 1, .notice = "Text", .notice_detail = "text", .status = "1×1"};
    struct area all = {0, 0, 64, 64};
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, all.width, all.height);
    cairo_t *cairo = cairo_create(surface);
    struct overlay_plan *plan = overlay_plan_create(painter, &overlay, all.width, all.height, all);
    if (plan)
        overlay_plan_draw(plan, cairo);
    overlay_plan_destroy(plan);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
}

/* Cairo's RGB24 is a native 32-bit word, 0xXXRRGGBB: libyuv's ARGB. */
int overlay_compose(const struct overlay *overlay, struct frame *frame)
{
    if (frame->format != FRAME_RGB24)
        return -EINVAL;
    if (frame->width > OVERLAY_SIDE_MAX || frame->height > OVERLAY_SIDE_MAX)
        return -E2BIG;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, frame->width, frame->height);
    int status = cairo_surface_status(surface) ? -ENOMEM : 0;
    if (!status) {
        uint8_t *words = cairo_image_surface_get_data(surface);
        int stride = cairo_image_surface_get_stride(surface);
        RAWToARGB(frame->data[0], (int)frame->stride[0], words, stride, frame->width, frame->height);
        cairo_surface_mark_dirty(surface);
        status = draw(overlay, surface, frame);
        cairo_surface_flush(surface);
        if (!status)
            ARGBToRAW(words, stride, frame->data[0], (int)frame->stride[0], frame->width, frame->height);
    }
    cairo_surface_destroy(surface);
    return status;
}
