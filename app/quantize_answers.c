/* SPDX-License-Identifier: MIT */
#include "app/quantize.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { OBJECTS_MAX = 1000 };

/* ---- classes ---- */

static float score_of(const struct pipit_class *list, int count, int index)
{
    for (int i = 0; i < count; i++)
        if (list[i].index == index)
            return list[i].score;
    return 0;
}

static int compare_classes(struct answers *a, const struct quantized *q, const struct photo *photo,
                           struct pipit_error *error)
{
    const struct pipit_tensor *out = pipit_model_output(q->model, 0);
    int classes = out->shape[out->rank - 1];
    struct pipit_class exact, *all = calloc((size_t)classes, sizeof(*all));
    int found = all ? pipit_classify(q->opened.model, &photo->image, &exact, 1, error) : -ENOMEM;
    if (found >= 0)
        found = pipit_classify(q->model, &photo->image, all, classes, error);
    if (found > 0) {
        double change = fabs((double)exact.score - (double)score_of(all, found, exact.index));
        a->same_best += all[0].index == exact.index;
        a->score_change += change;
        a->score_most = fmax(a->score_most, change);
    }
    free(all);
    return found < 0 ? found : 0;
}

/* ---- objects ---- */

static double overlap_of(const float *a, const float *b)
{
    double width = (double)fminf(a[2], b[2]) - (double)fmaxf(a[0], b[0]);
    double height = (double)fminf(a[3], b[3]) - (double)fmaxf(a[1], b[1]);
    double common = width > 0 && height > 0 ? width * height : 0;
    double all = (double)((a[2] - a[0]) * (a[3] - a[1])) + (double)((b[2] - b[0]) * (b[3] - b[1])) - common;
    return all > 0 ? common / all : 0;
}

/* Each object of the float model takes the one that overlaps it most; what was taken has index -1. */
static void match(struct answers *a, const struct pipit_object *exact, struct pipit_object *others, int count)
{
    struct pipit_object *best = NULL;
    double most = 0.5;
    for (int i = 0; i < count; i++) {
        double overlap = others[i].index == exact->index ? overlap_of(exact->box, others[i].box) : 0;
        if (overlap >= most) {
            most = overlap;
            best = &others[i];
        }
    }
    if (!best)
        return;
    double change = fabs((double)exact->score - (double)best->score);
    a->matched++;
    a->overlap += most;
    a->score_change += change;
    a->score_most = fmax(a->score_most, change);
    best->index = -1;
}

static int compare_objects(struct answers *a, const struct quantized *q, const struct photo *photo,
                           struct pipit_error *error)
{
    struct pipit_object *exact = calloc(2 * (size_t)OBJECTS_MAX, sizeof(*exact));
    struct pipit_object *others = exact ? exact + OBJECTS_MAX : NULL;
    int found = exact ? pipit_detect(q->opened.model, &photo->image, exact, OBJECTS_MAX, error) : -ENOMEM;
    int again = found < 0 ? found : pipit_detect(q->model, &photo->image, others, OBJECTS_MAX, error);
    for (int i = 0; i < found && again >= 0; i++)
        match(a, &exact[i], others, again);
    for (int i = 0; i < again; i++)
        a->extra += others[i].index >= 0;
    a->objects += found > 0 ? found : 0;
    free(exact);
    return again < 0 ? again : 0;
}

/* ---- both ---- */

int answers_add(struct answers *a, const struct quantized *q, const struct photo *photo,
                struct pipit_error *error)
{
    enum pipit_decoder decoder = pipit_model_decoder(q->opened.model);
    int status = 0;
    if (decoder == PIPIT_DECODER_CLASSES)
        status = compare_classes(a, q, photo, error);
    else if (decoder != PIPIT_DECODER_NONE)
        status = compare_objects(a, q, photo, error);
    a->photos += !status;
    return exit_status(status);
}

void answers_finish(struct answers *a)
{
    int scores = a->objects || a->extra ? a->matched : a->photos;
    a->score_change /= scores ? scores : 1;
    a->overlap /= a->matched ? a->matched : 1;
}
