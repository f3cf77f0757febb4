/* SPDX-License-Identifier: MIT */
#include "engine/model.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>

float tensor_real(const struct pipit_tensor *tensor, size_t index)
{
    if (tensor->type == PIPIT_F32)
        return ((const float *)tensor->data)[index];
    int value = tensor->type == PIPIT_U8 ? ((const uint8_t *)tensor->data)[index]
                                         : ((const int8_t *)tensor->data)[index];
    return tensor->scale[0] * (float)(value - tensor->zero_point[0]);
}

static void softmax(float *values, int count)
{
    float max = values[0], sum = 0;
    for (int i = 1; i < count; i++)
        max = values[i] > max ? values[i] : max;
    for (int i = 0; i < count; i++) {
        values[i] = expf(values[i] - max);
        sum += values[i];
    }
    for (int i = 0; i < count; i++)
        values[i] /= sum;
}

static int best(const float *scores, int count, struct pipit_class *top, int k)
{
    int found = 0;
    for (int i = 0; i < count; i++) {
        int at = found;
        while (at > 0 && scores[i] > top[at - 1].score)
            at--;
        if (at >= k)
            continue;
        found += found < k;
        memmove(top + at + 1, top + at, (size_t)(found - at - 1) * sizeof(*top));
        top[at] = (struct pipit_class){i, scores[i]};
    }
    return found;
}

static int set_and_run(struct pipit_model *model, const struct pipit_image *image, struct pipit_error *error)
{
    int status = pipit_model_set_image(model, image, error);
    if (status)
        return status;
    uint64_t start = clock_now_ns();
    status = pipit_model_run(model);
    model->times.inference_ms = clock_ms_since(start);
    return status;
}

int pipit_classify(struct pipit_model *model, const struct pipit_image *image, struct pipit_class *top, int k,
                   struct pipit_error *error)
{
    struct detector *d = &model->detector;
    if (d->decoder != PIPIT_DECODER_CLASSES || k < 1)
        return fail(error, -EINVAL, "this model does not answer with classes");
    int status = set_and_run(model, image, error);
    if (status)
        return status;
    for (int i = 0; i < d->classes; i++)
        d->scores[i] = tensor_real(&model->output[d->scores_at], (size_t)i);
    if (d->softmax)
        softmax(d->scores, d->classes);
    return best(d->scores, d->classes, top, k);
}

/* ---- objects ---- */

/* TFLite_Detection_PostProcess has suppressed already. */
static int read_boxes(struct pipit_model *model)
{
    struct detector *d = &model->detector;
    int count = d->count_at >= 0 ? (int)tensor_real(&model->output[d->count_at], 0) : d->boxes, kept = 0;
    for (int i = 0; i < count && i < d->boxes && kept < model->settings.max_objects; i++) {
        float score = tensor_real(&model->output[d->scores_at], (size_t)i);
        if (!(score >= model->settings.threshold))
            continue;
        struct candidate *c = &d->kept[kept++];
        c->index = (int)tensor_real(&model->output[d->classes_at], (size_t)i);
        c->score = score;
        for (int k = 0; k < 4; k++) /* top, left, bottom, right */
            c->box[k ^ 1] = tensor_real(&model->output[d->boxes_at], 4 * (size_t)i + (size_t)k);
    }
    sort_candidates(d->kept, kept);
    return kept;
}

static void decode_box(const struct pipit_model *model, int box, float *out)
{
    const struct pipit_tensor *boxes = &model->output[model->detector.boxes_at];
    const float *anchor = model->detector.anchor[box], *divisor = model->settings.ssd.divisor;
    float t[4];
    for (int k = 0; k < 4; k++)
        t[k] = tensor_real(boxes, 4 * (size_t)box + (size_t)k) / divisor[k];
    float y = t[0] * anchor[2] + anchor[0], x = t[1] * anchor[3] + anchor[1];
    float half_h = expf(t[2]) * anchor[2] / 2, half_w = expf(t[3]) * anchor[3] / 2;
    out[0] = x - half_w;
    out[1] = y - half_h;
    out[2] = x + half_w;
    out[3] = y + half_h;
}

static void read_scores(struct pipit_model *model)
{
    struct detector *d = &model->detector;
    size_t classes = (size_t)d->classes;
    for (size_t i = 0; i < (size_t)d->boxes * classes; i++) {
        float logit = tensor_real(&model->output[d->scores_at], i);
        d->scores[i] = model->settings.ssd.softmax ? logit : 1 / (1 + expf(-logit));
    }
    for (int box = 0; model->settings.ssd.softmax && box < d->boxes; box++)
        softmax(d->scores + (size_t)box * classes, d->classes);
}

static int decode_class(struct pipit_model *model, int class)
{
    struct detector *d = &model->detector;
    int count = 0;
    for (int box = 0; box < d->boxes; box++) {
        float score = d->scores[(size_t)box * (size_t)d->classes + (size_t) class];
        if (!(score >= model->settings.threshold))
            continue;
        d->candidate[count] = (struct candidate){.index = class, .score = score};
        decode_box(model, box, d->candidate[count++].box);
    }
    return suppress(d->candidate, count, model->settings.nms_iou);
}

static int decode_raw(struct pipit_model *model)
{
    struct detector *d = &model->detector;
    int kept = 0, most = model->settings.max_objects;
    read_scores(model);
    for (int class = 0; class < d->classes; class ++) {
        if (class == model->settings.ssd.background)
            continue;
        int count = decode_class(model, class);
        memcpy(d->kept + kept, d->candidate, (size_t)count * sizeof(*d->kept));
        kept += count;
        sort_candidates(d->kept, kept);
        kept = kept < most ? kept : most;
    }
    return kept;
}

/* From fractions of what the network saw to fractions of the picture. */
static struct pipit_object in_picture(const struct pipit_model *model, const struct candidate *c)
{
    struct pipit_object object = {.index = c->index, .score = c->score};
    const float *view = model->preprocess.view;
    for (int k = 0; k < 4; k++) {
        float at = view[k & 1] + c->box[k] * (view[2 + (k & 1)] - view[k & 1]);
        object.box[k] = !(at > 0) ? 0 : at > 1 ? 1 : at;
    }
    return object;
}

int pipit_detect(struct pipit_model *model, const struct pipit_image *image, struct pipit_object *objects,
                 int max, struct pipit_error *error)
{
    enum pipit_decoder decoder = model->detector.decoder;
    if ((decoder != PIPIT_DECODER_SSD_BOXES && decoder != PIPIT_DECODER_SSD_RAW) || max < 0)
        return fail(error, -EINVAL, "this model does not answer with boxes");
    int status = set_and_run(model, image, error);
    if (status)
        return status;
    int count = decoder == PIPIT_DECODER_SSD_BOXES ? read_boxes(model) : decode_raw(model);
    count = count < max ? count : max;
    for (int i = 0; i < count; i++)
        objects[i] = in_picture(model, &model->detector.kept[i]);
    return count;
}
