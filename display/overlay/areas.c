/* SPDX-License-Identifier: MIT */
/* The areas that a plan covers. */
#include "display/overlay/plan.h"

#include <errno.h>
#include <math.h>

struct cover {
    cairo_region_t *region;
    int grid, width, height;
};

/* Adds a rectangle, and a pixel around it for smooth edges, moved out to the grid. */
static void add(struct cover *cover, double x, double y, double width, double height)
{
    int grid = cover->grid;
    int left = (int)floor((x - 1) / grid) * grid, top = (int)floor((y - 1) / grid) * grid;
    int right = (int)ceil((x + width + 1) / grid) * grid, bottom = (int)ceil((y + height + 1) / grid) * grid;
    cairo_region_union_rectangle(cover->region,
                                 &(cairo_rectangle_int_t){left, top, right - left, bottom - top});
}

static void add_rect(struct cover *cover, const struct overlay_rect *rect)
{
    if (rect->width > 0)
        add(cover, rect->x, rect->y, rect->width, rect->height);
}

/* The four sides of its line; the corners' arcs are in the upper and the lower one. */
static void add_box(struct cover *cover, const struct overlay_style *style, const struct overlay_rect *box)
{
    double out = style->line, thick = 2 * out, high = out + fmax(style->radius, out);
    add(cover, box->x - out, box->y - out, box->width + thick, high);
    add(cover, box->x - out, box->y + box->height + out - high, box->width + thick, high);
    add(cover, box->x - out, box->y, thick, box->height);
    add(cover, box->x + box->width - out, box->y, thick, box->height);
}

static void add_tie(struct cover *cover, const struct plan_label *label, double wide)
{
    double x = fmin(label->tie[0], label->tie[2]), y = fmin(label->tie[1], label->tie[3]);
    add(cover, x - wide, y - wide, fabs(label->tie[0] - label->tie[2]) + 2 * wide,
        fabs(label->tie[1] - label->tie[3]) + 2 * wide);
}

static void add_all(struct cover *cover, const struct overlay_plan *plan)
{
    for (int i = 0; i < OVERLAY_PARTS; i++)
        add_rect(cover, &plan->part[i]);
    for (int i = 0; i < plan->overlay->box_count; i++) {
        const struct plan_label *label = &plan->label[i];
        if (label->seen)
            add_box(cover, &plan->style, &label->box);
        if (label->placed)
            add_rect(cover, &label->at);
        if (label->placed && label->tied)
            add_tie(cover, label, plan->style.line);
    }
    cairo_region_intersect_rectangle(cover->region,
                                     &(cairo_rectangle_int_t){0, 0, cover->width, cover->height});
}

/* Ever coarser, until they are few enough. */
int overlay_plan_areas(const struct overlay_plan *plan, struct area *areas, int most)
{
    int count = -ENOMEM;
    for (int grid = 4;; grid *= 2) {
        struct cover cover = {cairo_region_create(), grid, plan->width, plan->height};
        add_all(&cover, plan);
        bool failed = cairo_region_status(cover.region);
        count = failed ? -ENOMEM : cairo_region_num_rectangles(cover.region);
        for (int i = 0; i < count && count <= most; i++) {
            cairo_rectangle_int_t r;
            cairo_region_get_rectangle(cover.region, i, &r);
            areas[i] = (struct area){r.x, r.y, r.width, r.height};
        }
        cairo_region_destroy(cover.region);
        if (count <= most)
            return count;
    }
}
