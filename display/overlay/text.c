/* SPDX-License-Identifier: MIT */
#include "display/overlay/plan.h"

#include <math.h>

/* Figures have no direction of their own; Arabic ones, alone, read from right to left. */
static bool are_arabic_figures(const char *utf8)
{
    bool arabic = false;
    for (; *utf8; utf8 = g_utf8_next_char(utf8)) {
        gunichar c = g_utf8_get_char(utf8);
        arabic |= c >= 0x660 && c <= 0x66a;
        if (g_unichar_isalpha(c))
            return false;
    }
    return arabic;
}

/* What cannot be drawn is not tried: broken UTF-8 becomes U+FFFD, line ends and other controls a space. */
static char *printable(const char *utf8)
{
    char *valid = g_utf8_make_valid(utf8, -1);
    for (char *c = valid; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
    g_strstrip(valid);
    if (!are_arabic_figures(valid))
        return valid;
    char *marked = g_strconcat("\u200f", valid, NULL); /* RIGHT-TO-LEFT MARK */
    g_free(valid);
    return marked;
}

/* Those scripts are named for which the default sans-serif may have glyphs of another hand. */
static const char families[] = "Noto Sans, Noto Sans Arabic, Noto Sans Hebrew, Noto Sans Armenian, "
                               "Noto Sans Georgian, Noto Sans Lao, sans-serif";

static void set_font(PangoLayout *layout, const struct text_style *style)
{
    PangoFontDescription *font = pango_font_description_new();
    pango_font_description_set_family_static(font, families);
    pango_font_description_set_weight(font, style->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_font_description_set_absolute_size(font, style->size * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
}

/* Lines that are shorter than the width allowed are laid out anew in the width they have, so that alignment
 * is theirs. */
static void fit(PangoLayout *layout, const struct text_style *style)
{
    PangoRectangle lines;
    double most = style->width < 1 ? 1 : style->width;
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_height(layout, -style->lines);
    pango_layout_set_width(layout, (int)(most * PANGO_SCALE));
    pango_layout_get_extents(layout, NULL, &lines);
    if (lines.width < (int)(most * PANGO_SCALE))
        pango_layout_set_width(layout, lines.width + 1);
}

void text_init(struct text *text, PangoContext *context, const char *utf8, const struct text_style *style)
{
    *text = (struct text){0};
    char *shown = utf8 ? printable(utf8) : NULL;
    if (shown && *shown) {
        PangoRectangle lines;
        text->layout = pango_layout_new(context);
        set_font(text->layout, style);
        pango_layout_set_text(text->layout, shown, -1);
        pango_layout_set_alignment(text->layout, style->align);
        fit(text->layout, style);
        pango_layout_get_extents(text->layout, NULL, &lines);
        text->width = (double)lines.width / PANGO_SCALE;
        text->height = (double)lines.height / PANGO_SCALE;
        text->baseline = (double)pango_layout_get_baseline(text->layout) / PANGO_SCALE;
        text->lines = pango_layout_get_line_count(text->layout);
        PangoLayoutLine *first = pango_layout_get_line_readonly(text->layout, 0);
        text->rtl = pango_layout_line_get_resolved_direction(first) == PANGO_DIRECTION_RTL;
    }
    g_free(shown);
}

void text_finish(struct text *text)
{
    if (text->layout)
        g_object_unref(text->layout);
    text->layout = NULL;
}

double text_pair(const struct text *name, const struct text *value, double *name_y, double *value_y)
{
    double height = fmax(name->height, value->height), base = fmax(name->baseline, value->baseline);
    *name_y = (height - name->height) / 2;
    *value_y = (height - value->height) / 2;
    if (name->lines != 1 || value->lines != 1)
        return height;
    *name_y = base - name->baseline;
    *value_y = base - value->baseline;
    return base + fmax(name->height - name->baseline, value->height - value->baseline);
}
