/* SPDX-License-Identifier: MIT */
#include "tests/golden/golden.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void wrong(struct verdict *verdict, const struct photo *photo, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void wrong(struct verdict *verdict, const struct photo *photo, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("%s: ", photo->name);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    verdict->failed = true;
}

static double value_at(const void *data, enum pipit_type type, size_t i)
{
    float real;
    int64_t wide;
    switch (type) {
    case PIPIT_F32:
        memcpy(&real, (const char *)data + 4 * i, 4);
        return (double)real;
    case PIPIT_I64:
        memcpy(&wide, (const char *)data + 8 * i, 8);
        return (double)wide;
    case PIPIT_I8:
        return ((const int8_t *)data)[i];
    default:
        return ((const uint8_t *)data)[i];
    }
}

/* ---- numbers ---- */

/* The largest difference; *range is that of the reference's values. */
static double distance(const struct pipit_tensor *tensor, const void *wanted, double *range)
{
    size_t count = tensor->size / pipit_type_size(tensor->type);
    double low = INFINITY, high = -INFINITY, worst = 0;
    for (size_t i = 0; i < count; i++) {
        double a = value_at(tensor->data, tensor->type, i), b = value_at(wanted, tensor->type, i);
        low = fmin(low, b);
        high = fmax(high, b);
        worst = isfinite(a) ? fmax(worst, fabs(a - b)) : INFINITY;
    }
    *range = high - low;
    return worst;
}

/* float32 sums in another order than the reference; float16 rounds each of some hundred sums to 11 bits,
 * bfloat16 their factors to 8. */
static double share_of_range(const struct golden *golden)
{
    return golden->precision == PIPIT_PRECISION_BF16  ? 3e-2
           : golden->precision == PIPIT_PRECISION_F16 ? 2e-2
                                                      : 1e-4;
}

static void check_numbers(const struct golden *golden, const struct photo *photo,
                          const struct pipit_tensor *tensor, const struct wanted *wanted,
                          struct verdict *verdict)
{
    double range, worst = distance(tensor, wanted->data, &range);
    double least = tensor->type == PIPIT_F32 ? share_of_range(golden) * range : 1;
    double allowed = wanted->diff > least ? wanted->diff : least;
    verdict->worst = fmax(verdict->worst, worst);
    if (!(worst <= allowed))
        wrong(verdict, photo, "%s is %g away, more than %g", tensor->name, worst, allowed);
}

/* ---- classes ---- */

/* Probabilities of the best two, lower indices first. */
static size_t best(const void *data, const struct pipit_tensor *tensor, bool logits, double *margin)
{
    size_t count = tensor->size / pipit_type_size(tensor->type), first = 0;
    double second = -INFINITY, sum = 0;
    double scale = tensor->scales ? (double)tensor->scale[0] : 1;
    for (size_t i = 1; i < count; i++)
        if (value_at(data, tensor->type, i) > value_at(data, tensor->type, first))
            first = i;
    double top = value_at(data, tensor->type, first);
    for (size_t i = 0; i < count; i++) {
        double value = value_at(data, tensor->type, i);
        sum += exp(value - top);
        second = i == first ? second : fmax(second, value);
    }
    *margin = logits ? (1 - exp(second - top)) / sum : scale * (top - second);
    return first;
}

static void check_classes(const struct golden *golden, const struct photo *photo,
                          const struct pipit_tensor *tensor, struct verdict *verdict)
{
    double margin, unused;
    size_t wanted = best(photo->output[0].data, tensor, golden->logits, &margin);
    size_t got = best(tensor->data, tensor, golden->logits, &unused);
    check_numbers(golden, photo, tensor, &photo->output[0], verdict);
    if (margin > 0.02 && got != wanted)
        wrong(verdict, photo, "class %zu is first, not %zu", got, wanted);
}

/* ---- boxes: top, left, bottom, right; class; score; count ---- */

static double overlap(const float *a, const float *b)
{
    float height = fminf(a[2], b[2]) - fmaxf(a[0], b[0]), width = fminf(a[3], b[3]) - fmaxf(a[1], b[1]);
    double both = height > 0 && width > 0 ? (double)height * (double)width : 0;
    double all =
        (double)(a[2] - a[0]) * (double)(a[3] - a[1]) + (double)(b[2] - b[0]) * (double)(b[3] - b[1]) - both;
    return all > 0 ? both / all : 0;
}

struct boxes {
    const float *box, *class, *score;
    int count;
};

static bool has_match(const struct boxes *boxes, const struct boxes *others, int index)
{
    for (int i = 0; i < others->count; i++)
        if (others->class[i] == boxes->class[index] &&
            fabsf(others->score[i] - boxes->score[index]) <= 0.04f &&
            overlap(others->box + 4 * i, boxes->box + 4 * index) >= 0.75)
            return true;
    return false;
}

/* Both ways: none is missing, none is added. Scores near the least one that counts may be on either side of
 * it. */
static void check_boxes(const struct photo *photo, struct pipit_model *model, struct verdict *verdict)
{
    const void *got[4], *wanted[4];
    double unused;
    for (int i = 0; i < 4; i++) {
        got[i] = pipit_model_output(model, i)->data;
        wanted[i] = photo->output[i].data;
        verdict->worst = fmax(verdict->worst, distance(pipit_model_output(model, i), wanted[i], &unused));
    }
    struct boxes mine = {got[0], got[1], got[2], (int)*(const float *)got[3]};
    struct boxes theirs = {wanted[0], wanted[1], wanted[2], (int)*(const float *)wanted[3]};
    if (mine.count < 0 || mine.count > 10 || theirs.count < 1 || theirs.count > 10) {
        wrong(verdict, photo, "%d boxes", mine.count);
        return;
    }
    for (int i = 0; i < theirs.count; i++)
        if (theirs.score[i] > 0.3f && !has_match(&theirs, &mine, i))
            wrong(verdict, photo, "box %d (class %g, score %g) is missing", i, (double)theirs.class[i],
                  (double)theirs.score[i]);
    for (int i = 0; i < mine.count; i++)
        if (mine.score[i] > 0.34f && !has_match(&mine, &theirs, i))
            wrong(verdict, photo, "box %d (class %g, score %g) is not in the reference", i,
                  (double)mine.class[i], (double)mine.score[i]);
}

/* ---- class maps ---- */

static void check_map(const struct photo *photo, const struct pipit_tensor *tensor, struct verdict *verdict)
{
    size_t count = tensor->size / pipit_type_size(tensor->type), differing = 0;
    for (size_t i = 0; i < count; i++)
        differing +=
            value_at(tensor->data, tensor->type, i) != value_at(photo->output[0].data, tensor->type, i);
    verdict->worst = fmax(verdict->worst, (double)differing / (double)count);
    if ((double)differing > photo->output[0].elements)
        wrong(verdict, photo, "%zu of %zu pixels differ, more than %g", differing, count,
              photo->output[0].elements);
}

static bool check_sizes(const struct photo *photo, struct pipit_model *model, struct verdict *verdict)
{
    if (pipit_model_outputs(model) != photo->outputs)
        wrong(verdict, photo, "%d outputs, not %d", pipit_model_outputs(model), photo->outputs);
    for (int i = 0; i < photo->outputs && !verdict->failed; i++) {
        const struct pipit_tensor *tensor = pipit_model_output(model, i);
        if (tensor->size != photo->output[i].size)
            wrong(verdict, photo, "output %d has %zu bytes, not %zu", i, tensor->size, photo->output[i].size);
    }
    return !verdict->failed;
}

void golden_judge(const struct golden *golden, const struct photo *photo, struct pipit_model *model,
                  struct verdict *verdict)
{
    if (!check_sizes(photo, model, verdict))
        return;
    for (int i = 0; i < photo->outputs; i++) {
        const struct pipit_tensor *tensor = pipit_model_output(model, i);
        verdict->outputs++;
        verdict->identical += !memcmp(tensor->data, photo->output[i].data, tensor->size);
        if (golden->task == TASK_NUMBERS)
            check_numbers(golden, photo, tensor, &photo->output[i], verdict);
    }
    if (golden->task == TASK_CLASSIFY)
        check_classes(golden, photo, pipit_model_output(model, 0), verdict);
    else if (golden->task == TASK_DETECT)
        check_boxes(photo, model, verdict);
    else if (golden->task == TASK_SEGMENT)
        check_map(photo, pipit_model_output(model, 0), verdict);
}
