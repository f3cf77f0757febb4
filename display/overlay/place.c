/* SPDX-License-Identifier: MIT */
/* Where labels go. */
#include "display/overlay/plan.h"

#include <math.h>

struct taken {
    struct overlay_rect *rect;
    int count;
};

static bool is_free(const struct taken *taken, const struct overlay_rect *at, double gap)
{
    for (int i = 0; i < taken->count; i++) {
        const struct overlay_rect *t = &taken->rect[i];
        if (at->x < t->x + t->width + gap && t->x < at->x + at->width + gap &&
            at->y < t->y + t->height + gap && t->y < at->y + at->height + gap)
            return false;
    }
    return true;
}

static double clamp(double value, double least, double most)
{
    return fmax(least, fmin(value, most));
}

/* Above the box, inside at its top, below it, inside at its bottom, from the side where its text begins; then
 * the same from the other side. */
static bool place_at_box(const struct overlay_plan *plan, struct plan_label *label, const struct taken *taken)
{
    const struct overlay_rect *room = &plan->room, *box = &label->box;
    double gap = plan->style.gap, tall = label->at.height;
    double row[4] = {box->y - gap - tall, fmax(box->y + gap, room->y), box->y + box->height + gap,
                     fmin(box->y + box->height - gap, room->y + room->height) - tall};
    double side[2] = {box->x, box->x + box->width - label->at.width};
    for (int i = 0; i < 8; i++) {
        bool inside = i % 4 % 2;
        double x = side[(i / 4) ^ label->name.rtl] + (inside ? ((i / 4) ^ label->name.rtl ? -gap : gap) : 0);
        label->at.x = clamp(x, room->x, room->x + room->width - label->at.width);
        label->at.y = row[i % 4];
        if (label->at.y >= room->y && label->at.y + tall <= room->y + room->height &&
            is_free(taken, &label->at, gap))
            return true;
    }
    return false;
}

/* From the middle of a side of the box to a label: how far apart they are. */
static double distance(const struct overlay_rect *a, const struct overlay_rect *b)
{
    double dx = fmax(0, fmax(a->x - b->x - b->width, b->x - a->x - a->width));
    double dy = fmax(0, fmax(a->y - b->y - b->height, b->y - a->y - a->height));
    double mx = a->x + a->width / 2 - b->x - b->width / 2, my = a->y + a->height / 2 - b->y - b->height / 2;
    return hypot(dx, dy) + 0.05 * hypot(mx, my);
}

/* Any free place can be slid left and up until it meets something: so if there is one, there is one whose
 * left and top edges are at the room's or at something's right and bottom edges. To these are added the box's
 * own edges and those to which it could be slid right and down. */
struct steps {
    const struct overlay_plan *plan;
    const struct plan_label *label;
    const struct taken *taken;
    int count;
};

static double step_x(const struct steps *s, int i)
{
    const struct overlay_rect *room = &s->plan->room, *box = &s->label->box;
    double gap = s->plan->style.gap * 1.001, wide = s->label->at.width;
    if (i < 4)
        return i == 0   ? room->x
               : i == 1 ? room->x + room->width - wide
               : i == 2 ? box->x
                        : box->x + box->width - wide;
    const struct overlay_rect *t = &s->taken->rect[(i - 4) / 2];
    return i % 2 ? t->x - gap - wide : t->x + t->width + gap;
}

static double step_y(const struct steps *s, int i)
{
    const struct overlay_rect *room = &s->plan->room, *box = &s->label->box;
    double gap = s->plan->style.gap * 1.001, tall = s->label->at.height;
    if (i < 4)
        return i == 0   ? room->y
               : i == 1 ? room->y + room->height - tall
               : i == 2 ? box->y - gap - tall
                        : box->y + box->height + gap;
    const struct overlay_rect *t = &s->taken->rect[(i - 4) / 2];
    return i % 2 ? t->y - gap - tall : t->y + t->height + gap;
}

static bool place_near_box(const struct overlay_plan *plan, struct plan_label *label,
                           const struct taken *taken)
{
    const struct overlay_rect *room = &plan->room;
    struct steps steps = {plan, label, taken, 4 + 2 * taken->count};
    struct overlay_rect at = label->at;
    double best = INFINITY;
    for (int i = 0; i < steps.count; i++) {
        at.y = step_y(&steps, i);
        if (at.y < room->y || at.y + at.height > room->y + room->height)
            continue;
        for (int k = 0; k < steps.count; k++) {
            at.x = step_x(&steps, k);
            double far = distance(&label->box, &at);
            if (at.x < room->x || at.x + at.width > room->x + room->width || far >= best ||
                !is_free(taken, &at, plan->style.gap))
                continue;
            best = far;
            label->at = at;
        }
    }
    return best < INFINITY;
}

/* A line between the nearest points of a label and its box. */
static void tie(struct plan_label *label)
{
    const struct overlay_rect *box = &label->box, *at = &label->at;
    double x = clamp(at->x + at->width / 2, box->x, box->x + box->width);
    double y = clamp(at->y + at->height / 2, box->y, box->y + box->height);
    label->tie[0] = clamp(x, at->x, at->x + at->width);
    label->tie[1] = clamp(y, at->y, at->y + at->height);
    label->tie[2] = x;
    label->tie[3] = y;
}

static bool place(const struct overlay_plan *plan, struct plan_label *label, const struct taken *taken)
{
    if (!label->seen || label->at.width <= 0 || label->at.width > plan->room.width ||
        label->at.height > plan->room.height)
        return false;
    if (place_at_box(plan, label, taken))
        return true;
    if (!place_near_box(plan, label, taken))
        return false;
    tie(label);
    label->tied = hypot(label->tie[0] - label->tie[2], label->tie[1] - label->tie[3]) > 2 * plan->style.gap;
    return true;
}

void plan_place(struct overlay_plan *plan, struct overlay_rect *rects, int count)
{
    struct taken taken = {rects, count};
    for (int i = 0; i < plan->overlay->box_count; i++) {
        struct plan_label *label = &plan->label[i];
        label->placed = place(plan, label, &taken);
        if (label->placed)
            taken.rect[taken.count++] = label->at;
    }
}
