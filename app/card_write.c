/* SPDX-License-Identifier: MIT */
#include "app/card.h"

#include "app/replace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char *yes(bool value)
{
    return value ? "yes" : "no";
}

static void write_list(FILE *out, const char *key, const float *list, int count)
{
    fprintf(out, "%s =", key);
    for (int i = 0; i < count; i++)
        fprintf(out, " %.9g", (double)list[i]);
    fputc('\n', out);
}

static void write_ssd(FILE *out, const struct pipit_ssd *ssd)
{
    fprintf(out, "\n[ssd]\ngrids =");
    for (int i = 0; i < ssd->maps; i++)
        fprintf(out, " %d", ssd->grid[i]);
    fprintf(out, "\nmin_scale = %.9g\nmax_scale = %.9g\n", (double)ssd->min_scale, (double)ssd->max_scale);
    write_list(out, "aspects", ssd->aspect, ssd->aspects);
    fprintf(out, "reduce_lowest = %s\ninterpolated = %s\n", yes(ssd->reduce_lowest), yes(ssd->interpolated));
    write_list(out, "divisors", ssd->divisor, 4);
    fprintf(out, "scores = %s\nboxes_first = %s\n", ssd->softmax ? "softmax" : "sigmoid",
            yes(ssd->boxes_first));
}

static void write_card(FILE *out, const struct card *card)
{
    static const char *const decoders[] = {"auto", "classes", "boxes", "ssd", "none"};
    const struct pipit_settings *s = &card->settings;
    fprintf(out, "[model]\n");
    if (card->title)
        fprintf(out, "title = %s\n", card->title);
    fprintf(out, "task = %s\nfile = %s\n\n[input]\n", card->task, card->file);
    if (s->has_normalisation) {
        write_list(out, "mean", s->mean, 3);
        write_list(out, "std", s->std, 3);
    }
    fprintf(out, "fit = %s\n", s->fit == PIPIT_FIT_CROP ? "crop" : "stretch");
    if (s->resize)
        fprintf(out, "resize = %d\n", s->resize);
    fprintf(out, "\n[output]\ndecoder = %s\nnms_iou = %.9g\nbackground = %d\n", decoders[s->decoder],
            (double)s->nms_iou, s->ssd.background);
    if (s->threshold >= 0)
        fprintf(out, "threshold = %.9g\n", (double)s->threshold);
    if (s->decoder == PIPIT_DECODER_SSD_RAW)
        write_ssd(out, &s->ssd);
}

int card_write(const struct card *card, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return -ENOMEM;
    write_card(out, card);
    int status = fclose(out) ? -ENOMEM : replace_file(path, text, size);
    free(text);
    return status;
}
