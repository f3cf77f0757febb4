/* SPDX-License-Identifier: MIT */
#include "display/overlay.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <pango/pangocairo.h>

/* Colours that stay apart from each other, also for most colour-blind people (after Okabe and Ito, 2008). */
static const double colours[][3] = {
    {0.90, 0.62, 0.00}, {0.34, 0.71, 0.91}, {0.00, 0.62, 0.45}, {0.94, 0.89, 0.26},
    {0.18, 0.53, 0.82}, {0.84, 0.37, 0.00}, {0.80, 0.47, 0.65}, {0.55, 0.83, 0.30},
};
enum { COLOURS = sizeof(colours) / sizeof(colours[0]) };

struct style {
    double font, pad, line, radius; /* pixels */
};

static struct style style_of(int width, int height)
{
    double side = width < height ? width : height, font = side / 26;
    font = font < 12 ? 12 : font;
    return (struct style){font, font * 0.35, fmax(2, font / 8), font * 0.4};
}

/* ---- text ---- */

static PangoLayout *text_layout(cairo_t *cairo, const char *text, const struct style *style, double width)
{
    PangoLayout *layout = pango_cairo_create_layout(cairo);
    PangoFontDescription *font = pango_font_description_from_string("Sans Bold");
    pango_font_description_set_absolute_size(font, style->font * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    char *valid = g_utf8_make_valid(text, -1);
    pango_layout_set_text(layout, valid, -1);
    g_free(valid);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    if (width > 0)
        pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    return layout;
}

static void text_size(cairo_t *cairo, const char *text, const struct style *style, double most, double *width,
                      double *height)
{
    int w, h;
    PangoLayout *layout = text_layout(cairo, text, style, 0);
    pango_layout_get_pixel_size(layout, &w, &h);
    g_object_unref(layout);
    *width = fmin(w, most);
    *height = h;
}

static void show_text(cairo_t *cairo, const char *text, const struct style *style, double x, double y,
                      double width)
{
    PangoLayout *layout = text_layout(cairo, text, style, width);
    cairo_move_to(cairo, x, y);
    pango_cairo_show_layout(cairo, layout);
    g_object_unref(layout);
}

/* ---- layout ---- */

static bool touch(const struct overlay_rect *a, const struct overlay_rect *b)
{
    return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
           b->y < a->y + a->height;
}

static double limit(double value, double most)
{
    return value > most ? (most < 0 ? 0 : most) : value < 0 ? 0 : value;
}

static bool is_free(const struct overlay_rect *rect, const struct overlay_rect *placed, int count)
{
    for (int i = 0; i < count; i++)
        if (touch(rect, &placed[i]))
            return false;
    return true;
}

/* Above the box, inside at its top, inside at its bottom, below it; then downwards line by line. */
static void place(struct overlay_rect *label, const float *box, int width, int height,
                  const struct overlay_rect *placed, int count)
{
    double left = (double)box[0] * width, top = (double)box[1] * height, bottom = (double)box[3] * height;
    double right = (double)box[2] * width - label->width, most = height - label->height;
    double rows[4] = {top - label->height, top, bottom - label->height, bottom};
    for (int i = 0; i < 8; i++) {
        label->x = limit(i % 2 ? right : left, width - label->width);
        label->y = rows[i / 2];
        bool inside = label->y >= 0 && label->y <= most;
        if (inside && is_free(label, placed, count))
            return;
    }
    label->x = limit(left, width - label->width);
    for (double y = limit(top, most); y <= most; y += label->height / 2) {
        label->y = y;
        if (is_free(label, placed, count))
            return;
    }
    label->y = limit(top - label->height, most);
}

static void layout_on(cairo_t *cairo, const struct overlay *overlay, int width, int height,
                      struct overlay_rect *labels)
{
    struct style style = style_of(width, height);
    for (int i = 0; i < overlay->box_count; i++) {
        double w, h, most = fmax(width - 2 * style.pad, 1);
        text_size(cairo, overlay->boxes[i].label, &style, most, &w, &h);
        labels[i].width = fmin(w + 2 * style.pad, width);
        labels[i].height = fmin(h + style.pad, height);
        place(&labels[i], overlay->boxes[i].box, width, height, labels, i);
    }
}

void overlay_layout(const struct overlay *overlay, int width, int height, struct overlay_rect *labels)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo_t *cairo = cairo_create(surface);
    layout_on(cairo, overlay, width, height, labels);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
}

/* ---- drawing ---- */

static void rounded(cairo_t *cairo, double x, double y, double w, double h, double r)
{
    r = fmin(r, fmin(w, h) / 2);
    cairo_new_sub_path(cairo);
    cairo_arc(cairo, x + w - r, y + r, r, -M_PI / 2, 0);
    cairo_arc(cairo, x + w - r, y + h - r, r, 0, M_PI / 2);
    cairo_arc(cairo, x + r, y + h - r, r, M_PI / 2, M_PI);
    cairo_arc(cairo, x + r, y + r, r, M_PI, 3 * M_PI / 2);
    cairo_close_path(cairo);
}

static const double *colour_of(int colour)
{
    return colours[(unsigned)colour % COLOURS];
}

/* A dark edge on both sides of the coloured line keeps it visible on any ground. */
static void draw_box(cairo_t *cairo, const struct overlay_box *box, const struct style *style, int width,
                     int height)
{
    const double *c = colour_of(box->colour);
    double inset = style->line * 0.9;
    double x = fmax((double)box->box[0] * width, inset), y = fmax((double)box->box[1] * height, inset);
    double w = fmin((double)box->box[2] * width, width - inset) - x,
           h = fmin((double)box->box[3] * height, height - inset) - y;
    if (w <= 0 || h <= 0)
        return;
    rounded(cairo, x, y, w, h, style->radius);
    cairo_set_source_rgba(cairo, 0, 0, 0, 0.55);
    cairo_set_line_width(cairo, style->line * 1.8);
    cairo_stroke_preserve(cairo);
    cairo_set_source_rgb(cairo, c[0], c[1], c[2]);
    cairo_set_line_width(cairo, style->line);
    cairo_stroke(cairo);
}

static void draw_label(cairo_t *cairo, const struct overlay_box *box, const struct overlay_rect *at,
                       const struct style *style)
{
    const double *c = colour_of(box->colour);
    bool bright = 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2] > 0.5;
    rounded(cairo, at->x, at->y, at->width, at->height, style->radius * 0.6);
    cairo_set_source_rgb(cairo, c[0], c[1], c[2]);
    cairo_fill_preserve(cairo);
    cairo_set_source_rgba(cairo, 0, 0, 0, 0.6);
    cairo_set_line_width(cairo, fmax(1, style->line / 3));
    cairo_stroke(cairo);
    cairo_set_source_rgb(cairo, bright ? 0 : 1, bright ? 0 : 1, bright ? 0 : 1);
    show_text(cairo, box->label, style, at->x + style->pad, at->y + style->pad / 2,
              fmax(at->width - 2 * style->pad, 1));
}

static void draw_line(cairo_t *cairo, const struct overlay_line *line, const struct style *style, double x,
                      double y, double width)
{
    double bar = style->font * 0.22, part = line->bar < 0 ? 0 : line->bar > 1 ? 1 : (double)line->bar;
    cairo_set_source_rgb(cairo, 1, 1, 1);
    show_text(cairo, line->label, style, x, y, width);
    rounded(cairo, x, y + style->font * 1.4, width, bar, bar / 2);
    cairo_set_source_rgba(cairo, 1, 1, 1, 0.25);
    cairo_fill(cairo);
    if (part * width < 1)
        return;
    rounded(cairo, x, y + style->font * 1.4, part * width, bar, bar / 2);
    cairo_set_source_rgb(cairo, 0.34, 0.71, 0.91);
    cairo_fill(cairo);
}

static void draw_card(cairo_t *cairo, const struct overlay *overlay, const struct style *style, int width,
                      int height)
{
    double margin = style->font * 0.6, each = style->font * 2.1, widest = style->font * 10;
    int lines = overlay->line_count;
    while (lines > 1 && lines * each + 3 * margin > height)
        lines--;
    for (int i = 0; i < lines; i++) {
        double w, h;
        text_size(cairo, overlay->lines[i].label, style, width, &w, &h);
        widest = fmax(widest, w);
    }
    double card = fmin(widest + 2 * margin, fmax(width - 2 * margin, 1)), tall = lines * each + margin;
    double x = margin, y = fmax(height - tall - margin, 0);
    rounded(cairo, x, y, card, tall, style->radius);
    cairo_set_source_rgba(cairo, 0.05, 0.07, 0.10, 0.78);
    cairo_fill(cairo);
    for (int i = 0; i < lines; i++)
        draw_line(cairo, &overlay->lines[i], style, x + margin, y + margin * 0.7 + i * each,
                  fmax(card - 2 * margin, 1));
}

void overlay_draw(const struct overlay *overlay, cairo_t *cairo, int width, int height)
{
    struct style style = style_of(width, height);
    struct overlay_rect *labels = calloc((size_t)overlay->box_count + 1, sizeof(*labels));
    if (labels) {
        layout_on(cairo, overlay, width, height, labels);
        for (int i = overlay->box_count - 1; i >= 0; i--)
            draw_box(cairo, &overlay->boxes[i], &style, width, height);
        for (int i = overlay->box_count - 1; i >= 0; i--)
            draw_label(cairo, &overlay->boxes[i], &labels[i], &style);
    }
    free(labels);
    if (overlay->line_count > 0)
        draw_card(cairo, overlay, &style, width, height);
}

/* ---- frames ---- */

/* Cairo's RGB24 is a native 32-bit word, 0xXXRRGGBB. */
static void to_words(const struct frame *frame, uint8_t *words, int stride)
{
    for (int y = 0; y < frame->height; y++) {
        const uint8_t *in = frame->data[0] + y * frame->stride[0];
        uint32_t *out = (uint32_t *)(void *)(words + (ptrdiff_t)y * stride);
        for (int x = 0; x < frame->width; x++, in += 3)
            out[x] = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
    }
}

static void from_words(struct frame *frame, const uint8_t *words, int stride)
{
    for (int y = 0; y < frame->height; y++) {
        const uint32_t *in = (const uint32_t *)(const void *)(words + (ptrdiff_t)y * stride);
        uint8_t *out = frame->data[0] + y * frame->stride[0];
        for (int x = 0; x < frame->width; x++, out += 3) {
            out[0] = (uint8_t)(in[x] >> 16);
            out[1] = (uint8_t)(in[x] >> 8);
            out[2] = (uint8_t)in[x];
        }
    }
}

int overlay_compose(const struct overlay *overlay, struct frame *frame)
{
    if (frame->format != FRAME_RGB24)
        return -EINVAL;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, frame->width, frame->height);
    cairo_t *cairo = cairo_create(surface);
    int status = cairo_status(cairo) ? (frame->width > 32767 || frame->height > 32767 ? -E2BIG : -ENOMEM) : 0;
    if (!status) {
        int stride = cairo_image_surface_get_stride(surface);
        to_words(frame, cairo_image_surface_get_data(surface), stride);
        cairo_surface_mark_dirty(surface);
        overlay_draw(overlay, cairo, frame->width, frame->height);
        cairo_surface_flush(surface);
        status = cairo_status(cairo) ? -ENOMEM : 0;
        from_words(frame, cairo_image_surface_get_data(surface), stride);
    }
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return status;
}
