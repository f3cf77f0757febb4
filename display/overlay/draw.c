/* SPDX-License-Identifier: MIT */
/* A plan onto a cairo_t, and the areas that it covers. */
#include "display/overlay/plan.h"

#include <errno.h>
#include <math.h>

/* Colours that stay apart from each other, also for most colour-blind people (after Okabe and Ito, 2008). */
static const double colours[][3] = {
    {0.98, 0.71, 0.16}, {0.38, 0.75, 0.95}, {0.16, 0.76, 0.58}, {0.96, 0.90, 0.36},
    {0.45, 0.62, 1.00}, {0.97, 0.49, 0.26}, {0.90, 0.56, 0.78}, {0.62, 0.86, 0.38},
};
enum { COLOURS = sizeof(colours) / sizeof(colours[0]) };

static const double *colour_of(const struct overlay_box *box)
{
    return colours[(unsigned)box->colour % COLOURS];
}

static void set_colour(cairo_t *cairo, const double *c)
{
    cairo_set_source_rgb(cairo, c[0], c[1], c[2]);
}

static void rounded(cairo_t *cairo, struct overlay_rect r, double radius)
{
    radius = fmin(radius, fmin(r.width, r.height) / 2);
    cairo_new_sub_path(cairo);
    cairo_arc(cairo, r.x + r.width - radius, r.y + radius, radius, -M_PI / 2, 0);
    cairo_arc(cairo, r.x + r.width - radius, r.y + r.height - radius, radius, 0, M_PI / 2);
    cairo_arc(cairo, r.x + radius, r.y + r.height - radius, radius, M_PI / 2, M_PI);
    cairo_arc(cairo, r.x + radius, r.y + radius, radius, M_PI, 3 * M_PI / 2);
    cairo_close_path(cairo);
}

/* The ground of all text: dark enough for white text over a white picture, with a fine bright edge that parts
 * it from a black one. */
static void draw_panel(cairo_t *cairo, struct overlay_rect at, double radius, double opacity)
{
    rounded(cairo, at, radius);
    cairo_set_source_rgba(cairo, 0.055, 0.07, 0.09, opacity);
    cairo_fill(cairo);
    rounded(cairo, (struct overlay_rect){at.x + 0.5, at.y + 0.5, at.width - 1, at.height - 1}, radius - 0.5);
    cairo_set_source_rgba(cairo, 1, 1, 1, 0.16);
    cairo_set_line_width(cairo, 1);
    cairo_stroke(cairo);
}

static void draw_text(cairo_t *cairo, const struct text *text, double x, double y, double opacity)
{
    if (!text->layout)
        return;
    cairo_set_source_rgba(cairo, 1, 1, 1, opacity);
    cairo_move_to(cairo, x, y);
    pango_cairo_show_layout(cairo, text->layout);
}

/* A name and a value at the two ends of a line, the name at the end where reading begins. */
static void draw_ends(cairo_t *cairo, const struct text *name, const struct text *value, double x, double y,
                      double width)
{
    double name_y, value_y;
    text_pair(name, value, &name_y, &value_y);
    double name_x = name->rtl ? x + width - name->width : x;
    double value_x = name->rtl ? x : x + width - value->width;
    draw_text(cairo, name, name_x, y + name_y, 1);
    draw_text(cairo, value, value_x, y + value_y, 0.8);
}

/* ---- boxes and labels ---- */

/* A dark edge on both sides of the coloured line keeps it visible on any ground. */
static void draw_box(cairo_t *cairo, const struct overlay_plan *plan, int i)
{
    const struct plan_label *label = &plan->label[i];
    if (!label->seen)
        return;
    rounded(cairo, label->box, plan->style.radius);
    cairo_set_source_rgba(cairo, 0, 0, 0, 0.4);
    cairo_set_line_width(cairo, plan->style.line * 1.9);
    cairo_stroke_preserve(cairo);
    set_colour(cairo, colour_of(&plan->overlay->boxes[i]));
    cairo_set_line_width(cairo, plan->style.line);
    cairo_stroke(cairo);
}

static void draw_tie(cairo_t *cairo, const struct overlay_plan *plan, int i)
{
    const struct plan_label *label = &plan->label[i];
    if (!label->placed || !label->tied)
        return;
    cairo_move_to(cairo, label->tie[0], label->tie[1]);
    cairo_line_to(cairo, label->tie[2], label->tie[3]);
    cairo_set_source_rgba(cairo, 0, 0, 0, 0.4);
    cairo_set_line_width(cairo, plan->style.line * 1.4);
    cairo_stroke_preserve(cairo);
    set_colour(cairo, colour_of(&plan->overlay->boxes[i]));
    cairo_set_line_width(cairo, plan->style.line * 0.7);
    cairo_stroke(cairo);
}

/* A bar of the box's colour at the end where reading begins, then name and value. */
static void draw_label(cairo_t *cairo, const struct overlay_plan *plan, int i)
{
    const struct plan_label *label = &plan->label[i];
    const struct overlay_style *style = &plan->style;
    const struct overlay_rect *at = &label->at;
    draw_panel(cairo, *at, style->radius, 0.82);
    double bar = style->font * 0.2, inset = style->pad * 0.8,
           text = at->width - 2 * style->pad - style->font * 0.5;
    double x = label->name.rtl ? at->x + at->width - inset - bar : at->x + inset;
    rounded(cairo, (struct overlay_rect){x, at->y + inset, bar, at->height - 2 * inset}, bar / 2);
    set_colour(cairo, colour_of(&plan->overlay->boxes[i]));
    cairo_fill(cairo);
    x = at->x + style->pad + (label->name.rtl ? 0 : style->font * 0.5);
    draw_ends(cairo, &label->name, &label->value, x, at->y + style->pad / 2, text);
}

/* ---- card, status, notice ---- */

static void draw_bar(cairo_t *cairo, const struct overlay_plan *plan, int i, struct overlay_rect at)
{
    double value = (double)plan->overlay->lines[i].bar, part = value > 0 ? fmin(value, 1) * at.width : 0;
    rounded(cairo, at, at.height / 2);
    cairo_set_source_rgba(cairo, 1, 1, 1, 0.18);
    cairo_fill(cairo);
    if (part <= 0)
        return;
    part = fmax(part, at.height);
    at.x += plan->line[i].name.rtl ? at.width - part : 0;
    at.width = part;
    rounded(cairo, at, at.height / 2);
    cairo_set_source_rgba(cairo, colours[1][0], colours[1][1], colours[1][2], i ? 0.6 : 1);
    cairo_fill(cairo);
}

static void draw_card(cairo_t *cairo, const struct overlay_plan *plan)
{
    const struct overlay_rect *card = &plan->part[OVERLAY_CARD];
    double pad = plan->style.font * 0.8, font = plan->style.font, width = card->width - 2 * pad;
    draw_panel(cairo, *card, plan->style.radius * 1.6, 0.82);
    for (int i = 0; i < plan->lines; i++) {
        const struct plan_line *line = &plan->line[i];
        draw_ends(cairo, &line->name, &line->value, card->x + pad, line->y, width);
        draw_bar(
            cairo, plan, i,
            (struct overlay_rect){card->x + pad, line->y + line->height + font * 0.12, width, font * 0.22});
    }
}

static void draw_status(cairo_t *cairo, const struct overlay_plan *plan)
{
    const struct overlay_rect *at = &plan->part[OVERLAY_STATUS];
    draw_panel(cairo, *at, at->height / 2, 0.6);
    draw_text(cairo, &plan->status, at->x + (at->width - plan->status.width) / 2,
              at->y + (at->height - plan->status.height) / 2, 0.85);
}

static void draw_notice(cairo_t *cairo, const struct overlay_plan *plan)
{
    const struct overlay_rect *at = &plan->part[OVERLAY_NOTICE];
    double middle = at->x + at->width / 2, y = at->y + plan->style.font * 1.28;
    draw_panel(cairo, *at, plan->style.radius * 2.4, 0.92);
    draw_text(cairo, &plan->notice, middle - plan->notice.width / 2, y, 1);
    y += plan->notice.height + plan->style.font * 0.4;
    draw_text(cairo, &plan->detail, middle - plan->detail.width / 2, y, 0.8);
}

/* Nothing is drawn outside its area, however small the screen and high the letters. */
static void clip(cairo_t *cairo, const struct overlay_rect *to)
{
    double x = floor(to->x), y = floor(to->y);
    cairo_reset_clip(cairo);
    cairo_rectangle(cairo, x, y, ceil(to->x + to->width) - x, ceil(to->y + to->height) - y);
    cairo_clip(cairo);
}

void overlay_plan_draw(const struct overlay_plan *plan, cairo_t *cairo)
{
    typedef void draw_part(cairo_t *, const struct overlay_plan *);
    static draw_part *const parts[OVERLAY_PARTS] = {draw_card, draw_status, draw_notice};
    for (int i = plan->overlay->box_count - 1; i >= 0; i--)
        draw_box(cairo, plan, i);
    for (int i = plan->overlay->box_count - 1; i >= 0; i--)
        draw_tie(cairo, plan, i);
    cairo_save(cairo);
    for (int i = plan->overlay->box_count - 1; i >= 0; i--)
        if (plan->label[i].placed) {
            clip(cairo, &plan->label[i].at);
            draw_label(cairo, plan, i);
        }
    for (int i = 0; i < OVERLAY_PARTS; i++)
        if (plan->part[i].width > 0) {
            clip(cairo, &plan->part[i]);
            parts[i](cairo, plan);
        }
    cairo_restore(cairo);
}
