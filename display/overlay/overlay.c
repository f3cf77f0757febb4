/* SPDX-License-Identifier: MIT */
/* The plan of an overlay: how large everything is, and where it goes. */
#include "display/overlay/plan.h"

#include <math.h>
#include <stdlib.h>

struct overlay_painter {
    PangoFontMap *fonts;
    PangoContext *context;
    PangoLanguage *language; /* the locale's */
};

struct overlay_painter *overlay_painter_create(void)
{
    struct overlay_painter *painter = calloc(1, sizeof(*painter));
    if (!painter)
        return NULL;
    /* The default font map belongs to one thread; a painter may move from one to another. */
    painter->fonts = pango_cairo_font_map_new();
    painter->context = pango_font_map_create_context(painter->fonts);
    painter->language = pango_context_get_language(painter->context);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY); /* over a picture that is not known */
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_SLIGHT);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(painter->context, options);
    cairo_font_options_destroy(options);
    return painter;
}

void overlay_painter_destroy(struct overlay_painter *painter)
{
    if (!painter)
        return;
    g_object_unref(painter->context);
    g_object_unref(painter->fonts);
    free(painter);
}

/* ---- sizes ---- */

static struct overlay_rect shrunk(struct overlay_rect rect, double x, double y)
{
    x = fmin(x, rect.width / 2);
    y = fmin(y, rect.height / 2);
    return (struct overlay_rect){rect.x + x, rect.y + y, rect.width - 2 * x, rect.height - 2 * y};
}

static void set_sizes(struct overlay_plan *plan)
{
    int width = plan->width, height = plan->height;
    double margin = fmin(fmax((double)plan->overlay->margin, 0), 0.2), font = fmin(width, height) / 26.0;
    font = fmax(font, 11);
    plan->style = (struct overlay_style){.font = font,
                                         .pad = font * 0.36,
                                         .gap = font * 0.16,
                                         .line = fmax(2, font * 0.12),
                                         .radius = font * 0.42};
    plan->screen = shrunk((struct overlay_rect){0, 0, width, height}, margin * width, margin * height);
    plan->room = shrunk(plan->screen, font * 0.5, font * 0.5);
}

/* ---- the parts ---- */

static double panel_pad(const struct overlay_style *style)
{
    return style->font * 0.8;
}

static void plan_status(struct overlay_plan *plan)
{
    const struct overlay_rect *room = &plan->room;
    double pad = plan->style.font * 0.3;
    text_init(
        &plan->status, plan->context, plan->overlay->status,
        &(struct text_style){plan->style.font * 0.62, false, room->width - 4 * pad, 1, PANGO_ALIGN_LEFT});
    if (!plan->status.layout)
        return;
    double width = plan->status.width + 4 * pad, height = plan->status.height + 1.2 * pad;
    if (width > room->width || height > room->height)
        return;
    plan->part[OVERLAY_STATUS] = (struct overlay_rect){room->x + room->width - width, room->y, width, height};
}

static void plan_notice(struct overlay_plan *plan)
{
    const struct overlay_rect *room = &plan->room;
    double pad = plan->style.font * 1.6, most = fmax(1, fmin(room->width - 2 * pad, plan->style.font * 24));
    text_init(&plan->notice, plan->context, plan->overlay->notice,
              &(struct text_style){plan->style.font * 2.3, true, most, 2, PANGO_ALIGN_CENTER});
    if (!plan->notice.layout)
        return;
    text_init(&plan->detail, plan->context, plan->overlay->notice_detail,
              &(struct text_style){plan->style.font * 1.1, false, most, 4, PANGO_ALIGN_CENTER});
    double width = fmin(fmax(plan->notice.width, plan->detail.width) + 2 * pad, room->width);
    double height = plan->notice.height + plan->detail.height + 1.6 * pad;
    height = fmin(plan->detail.layout ? height + plan->style.font * 0.4 : height, room->height);
    plan->part[OVERLAY_NOTICE] = (struct overlay_rect){room->x + (room->width - width) / 2,
                                                       room->y + (room->height - height) / 2, width, height};
}

/* The first line is the answer: larger than those that follow it. */
static double line_font(const struct overlay_plan *plan, int line)
{
    return plan->style.font * (line ? 0.86 : 1.2);
}

static void card_texts(struct overlay_plan *plan, double most)
{
    for (int i = 0; i < plan->lines; i++) {
        struct text_style style = {line_font(plan, i), true, plan->style.font * 8, 1, PANGO_ALIGN_LEFT};
        struct plan_line *line = &plan->line[i];
        text_init(&line->value, plan->context, plan->overlay->lines[i].value, &style);
        style.bold = !i;
        style.lines = i ? 1 : 2;
        style.width = most - (line->value.layout ? line->value.width + plan->style.font : 0);
        text_init(&line->name, plan->context, plan->overlay->lines[i].label, &style);
        line->height = text_pair(&line->name, &line->value, &(double){0}, &(double){0});
    }
}

/* In the lower corner where reading begins, as wide as its longest line. */
static void plan_card(struct overlay_plan *plan)
{
    const struct overlay_rect *room = &plan->room;
    const struct overlay_style *style = &plan->style;
    double pad = panel_pad(style),
           most = fmin(room->width, fmax(room->width * 0.45, style->font * 18)) - 2 * pad;
    double width = fmin(style->font * 13, most), y = pad * 0.7;
    plan->lines = plan->overlay->line_count;
    card_texts(plan, most);
    for (int i = 0; i < plan->lines; i++) {
        struct plan_line *line = &plan->line[i];
        double bottom = y + line->height + style->font * 0.85;
        if (i && bottom + pad * 0.3 > room->height)
            plan->lines = i;
        line->y = y;
        if (i < plan->lines) {
            width = fmax(width, line->name.width + line->value.width + style->font);
            y = bottom;
        }
    }
    if (!plan->lines)
        return;
    width = fmin(width, most) + 2 * pad;
    y = fmin(y + pad * 0.3, room->height);
    double x = room->x + (plan->line[0].name.rtl ? room->width - width : 0);
    plan->part[OVERLAY_CARD] = (struct overlay_rect){x, room->y + room->height - y, width, y};
    for (int i = 0; i < plan->lines; i++)
        plan->line[i].y += plan->part[OVERLAY_CARD].y;
}

/* ---- boxes and labels ---- */

static struct overlay_rect common(struct overlay_rect a, struct overlay_rect b)
{
    double x = fmax(a.x, b.x), y = fmax(a.y, b.y);
    return (struct overlay_rect){x, y, fmin(a.x + a.width, b.x + b.width) - x,
                                 fmin(a.y + a.height, b.y + b.height) - y};
}

static void plan_label(struct overlay_plan *plan, int i, struct area picture)
{
    const struct overlay_box *box = &plan->overlay->boxes[i];
    const struct overlay_style *style = &plan->style;
    struct plan_label *label = &plan->label[i];
    double edge[4];
    for (int k = 0; k < 4; k++) {
        double value = (double)box->box[k];
        edge[k] = isfinite(value) ? fmin(fmax(value, 0), 1) : 0;
    }
    struct overlay_rect whole = {picture.x + edge[0] * picture.width, picture.y + edge[1] * picture.height,
                                 (edge[2] - edge[0]) * picture.width, (edge[3] - edge[1]) * picture.height};
    label->box = common(whole, shrunk(plan->screen, style->line, style->line));
    label->seen = label->box.width > 0 && label->box.height > 0;
    if (!label->seen)
        return;
    double around = 2 * style->pad + style->font * 0.5,
           most = fmin(plan->room.width, style->font * 16) - around;
    text_init(&label->value, plan->context, box->value,
              &(struct text_style){style->font, false, style->font * 8, 1, PANGO_ALIGN_LEFT});
    double value = label->value.layout ? label->value.width + style->font * 0.45 : 0;
    text_init(&label->name, plan->context, box->label,
              &(struct text_style){style->font, true, most - value, 2, PANGO_ALIGN_LEFT});
    if (label->name.layout || label->value.layout)
        label->at = (struct overlay_rect){
            .width = label->name.width + value + around,
            .height = text_pair(&label->name, &label->value, &(double){0}, &(double){0}) + style->pad};
}

static bool plan_labels(struct overlay_plan *plan, struct area picture)
{
    struct overlay_rect *taken = calloc((size_t)plan->overlay->box_count + OVERLAY_PARTS, sizeof(*taken));
    int count = 0;
    if (!taken)
        return false;
    for (int i = 0; i < OVERLAY_PARTS; i++)
        if (plan->part[i].width > 0)
            taken[count++] = plan->part[i];
    for (int i = 0; i < plan->overlay->box_count; i++)
        plan_label(plan, i, picture);
    plan_place(plan, taken, count);
    free(taken);
    return true;
}

/* ---- the plan ---- */

struct overlay_plan *overlay_plan_create(struct overlay_painter *painter, const struct overlay *overlay,
                                         int width, int height, struct area picture)
{
    struct overlay_plan *plan = calloc(1, sizeof(*plan));
    if (!plan)
        return NULL;
    plan->overlay = overlay;
    plan->width = width;
    plan->height = height;
    plan->context = g_object_ref(painter->context);
    pango_context_set_language(
        plan->context, overlay->language ? pango_language_from_string(overlay->language) : painter->language);
    plan->label = calloc((size_t)overlay->box_count + 1, sizeof(*plan->label));
    plan->line = calloc((size_t)overlay->line_count + 1, sizeof(*plan->line));
    if (plan->label && plan->line) {
        set_sizes(plan);
        plan_status(plan);
        plan_notice(plan);
        plan_card(plan);
        if (plan_labels(plan, picture))
            return plan;
    }
    overlay_plan_destroy(plan);
    return NULL;
}

void overlay_plan_destroy(struct overlay_plan *plan)
{
    if (!plan)
        return;
    for (int i = 0; plan->label && i < plan->overlay->box_count; i++) {
        text_finish(&plan->label[i].name);
        text_finish(&plan->label[i].value);
    }
    for (int i = 0; plan->line && i < plan->overlay->line_count; i++) {
        text_finish(&plan->line[i].name);
        text_finish(&plan->line[i].value);
    }
    text_finish(&plan->status);
    text_finish(&plan->notice);
    text_finish(&plan->detail);
    g_object_unref(plan->context);
    free(plan->label);
    free(plan->line);
    free(plan);
}

bool overlay_plan_label(const struct overlay_plan *plan, int box, struct overlay_rect *at)
{
    *at = plan->label[box].at;
    return plan->label[box].placed;
}

bool overlay_plan_part(const struct overlay_plan *plan, enum overlay_part part, struct overlay_rect *at)
{
    *at = plan->part[part];
    return at->width > 0;
}

static int missing(const struct text *text)
{
    return text->layout ? pango_layout_get_unknown_glyphs_count(text->layout) : 0;
}

int overlay_plan_missing(const struct overlay_plan *plan)
{
    int count = missing(&plan->status) + missing(&plan->notice) + missing(&plan->detail);
    for (int i = 0; i < plan->overlay->box_count; i++)
        count += missing(&plan->label[i].name) + missing(&plan->label[i].value);
    for (int i = 0; i < plan->overlay->line_count; i++)
        count += missing(&plan->line[i].name) + missing(&plan->line[i].value);
    return count;
}
