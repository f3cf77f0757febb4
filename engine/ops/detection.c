/* SPDX-License-Identifier: MIT */
/*
 * TFLite_Detection_PostProcess: boxes decoded from anchors (Liu et al., SSD, 2016), then non-maximum
 * suppression, as tensorflow/lite/kernels/detection_postprocess.cc does it. Inputs: encodings [1, N, 4] (y,
 * x, h, w), scores [1, N, C], anchors [N, 4]. Outputs: boxes [1, D, 4] (top, left, bottom, right), classes,
 * scores, their number.
 */
#include "engine/ops/activation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BOXES, SCORES, ANCHORS };

struct found {
    int box, class;
    float score;
};

struct detection_args {
    struct detection d;
    int boxes, columns, offset; /* columns: of the scores; offset: columns before class 0 */
    int per_box, rows;          /* classes for each kept box; rows of the outputs */
    float scale[3];
    int32_t zero[3];
    bool i8[3];
    float (*box)[4];
    float *score, *class_score; /* columns * boxes; boxes */
    struct found *kept, *best;  /* boxes; rows + boxes */
    bool *gone;
};

static float load(const struct detection_args *a, const struct step *step, int input, size_t at)
{
    if (!a->i8[input])
        return ((const float *)step->in[input])[at];
    return a->scale[input] * (float)(((const int8_t *)step->in[input])[at] - a->zero[input]);
}

static void decode(const struct detection_args *a, const struct step *step)
{
    for (int i = 0; i < a->boxes; i++) {
        float e[4], anchor[4];
        for (int k = 0; k < 4; k++) {
            e[k] = load(a, step, BOXES, 4 * (size_t)i + (size_t)k);
            anchor[k] = load(a, step, ANCHORS, 4 * (size_t)i + (size_t)k);
        }
        float y = e[0] / a->d.scale[0] * anchor[2] + anchor[0],
              x = e[1] / a->d.scale[1] * anchor[3] + anchor[1];
        float half_h = 0.5f * expf(e[2] / a->d.scale[2]) * anchor[2];
        float half_w = 0.5f * expf(e[3] / a->d.scale[3]) * anchor[3];
        float *box = a->box[i];
        box[0] = y - half_h;
        box[1] = x - half_w;
        box[2] = y + half_h;
        box[3] = x + half_w;
    }
    for (size_t i = 0; i < (size_t)a->boxes * (size_t)a->columns; i++)
        a->score[i] = load(a, step, SCORES, i);
}

static float overlap(const float *a, const float *b)
{
    float area_a = (a[2] - a[0]) * (a[3] - a[1]), area_b = (b[2] - b[0]) * (b[3] - b[1]);
    if (!(area_a > 0) || !(area_b > 0))
        return 0;
    float h = fminf(a[2], b[2]) - fmaxf(a[0], b[0]), w = fminf(a[3], b[3]) - fmaxf(a[1], b[1]);
    float both = fmaxf(h, 0) * fmaxf(w, 0);
    return both / (area_a + area_b - both);
}

/* Best first; equals keep their order, boxes within a class and classes among each other. */
static int by_score(const void *x, const void *y)
{
    const struct found *a = x, *b = y;
    if (a->score != b->score)
        return a->score < b->score ? 1 : -1;
    return a->class != b->class ? (a->class > b->class) - (a->class < b->class)
                                : (a->box > b->box) - (a->box < b->box);
}

/* Suppression among boxes by one score each. Writes at most `most` to out, returns how many. */
static int suppress(const struct detection_args *a, const float *score, int class, int most,
                    struct found *out)
{
    int kept = 0, chosen = 0;
    for (int i = 0; i < a->boxes; i++)
        if (score[i] >= a->d.score_threshold)
            a->kept[kept++] = (struct found){i, class, score[i]};
    qsort(a->kept, (size_t)kept, sizeof(*a->kept), by_score);
    memset(a->gone, 0, (size_t)kept * sizeof(*a->gone));
    for (int i = 0; i < kept && chosen < most; i++) {
        if (a->gone[i])
            continue;
        out[chosen++] = a->kept[i];
        for (int j = i + 1; j < kept; j++)
            if (!a->gone[j] && overlap(a->box[a->kept[i].box], a->box[a->kept[j].box]) > a->d.iou_threshold)
                a->gone[j] = true;
    }
    return chosen;
}

static void emit(const struct detection_args *a, const struct step *step, int row, struct found found)
{
    float *boxes = step->out[0], *classes = step->out[1], *scores = step->out[2];
    if (row >= a->rows)
        return;
    memcpy(boxes + 4 * (size_t)row, a->box[found.box], 4 * sizeof(float));
    classes[row] = (float)found.class;
    scores[row] = found.score;
}

/* ---- fast: by each box's best class ---- */

static int best_class(const struct detection_args *a, int box, const int *taken, int count)
{
    const float *score = a->score + (size_t)box * (size_t)a->columns + a->offset;
    int best = -1;
    for (int c = 0; c < a->d.classes; c++) {
        bool free = true;
        for (int t = 0; t < count; t++)
            free = free && taken[t] != c;
        if (free && (best < 0 || score[c] > score[best]))
            best = c;
    }
    return best;
}

static int run_fast(const struct detection_args *a, const struct step *step)
{
    enum { CLASSES_MAX = 16 };
    int row = 0;
    for (int i = 0; i < a->boxes; i++)
        a->class_score[i] =
            a->score[(size_t)i * (size_t)a->columns + (size_t)(a->offset + best_class(a, i, NULL, 0))];
    int chosen = suppress(a, a->class_score, 0, a->d.max_detections, a->best);
    for (int i = 0; i < chosen; i++) {
        int taken[CLASSES_MAX];
        for (int k = 0; k < a->per_box && k < CLASSES_MAX; k++, row++) {
            taken[k] = best_class(a, a->best[i].box, taken, k);
            float score =
                a->score[(size_t)a->best[i].box * (size_t)a->columns + (size_t)(a->offset + taken[k])];
            emit(a, step, row, (struct found){a->best[i].box, taken[k], score});
        }
    }
    return chosen; /* as the reference counts, boxes and not rows */
}

/* ---- regular: each class for itself, then the best of all ---- */

static int run_regular(const struct detection_args *a, const struct step *step)
{
    int count = 0;
    for (int c = 0; c < a->d.classes; c++) {
        for (int i = 0; i < a->boxes; i++)
            a->class_score[i] = a->score[(size_t)i * (size_t)a->columns + (size_t)(a->offset + c)];
        int most = a->d.detections_per_class < a->boxes ? a->d.detections_per_class : a->boxes;
        count += suppress(a, a->class_score, c, most, a->best + count);
        qsort(a->best, (size_t)count, sizeof(*a->best), by_score);
        count = count < a->d.max_detections ? count : a->d.max_detections;
    }
    for (int i = 0; i < count; i++)
        emit(a, step, i, a->best[i]);
    return count;
}

static void run(const struct step *step, struct chunk chunk)
{
    const struct detection_args *a = step->args;
    if (chunk.index > 0)
        return;
    memset(step->out[0], 0, 4 * (size_t)a->rows * sizeof(float));
    memset(step->out[1], 0, (size_t)a->rows * sizeof(float));
    memset(step->out[2], 0, (size_t)a->rows * sizeof(float));
    decode(a, step);
    int count = a->d.regular_nms ? run_regular(a, step) : run_fast(a, step);
    *(float *)step->out[3] = (float)(count < a->rows ? count : a->rows);
}

/* ---- preparing ---- */

static int make_room(struct plan *plan, struct detection_args *a)
{
    size_t boxes = (size_t)a->boxes;
    a->box = plan_alloc(plan, boxes, sizeof(*a->box));
    a->score = plan_alloc(plan, boxes * (size_t)a->columns, sizeof(float));
    a->class_score = plan_alloc(plan, boxes, sizeof(float));
    a->kept = plan_alloc(plan, boxes, sizeof(*a->kept));
    a->best = plan_alloc(plan, boxes + (size_t)a->d.max_detections, sizeof(*a->best));
    a->gone = plan_alloc(plan, boxes, sizeof(*a->gone));
    return a->box && a->score && a->class_score && a->kept && a->best && a->gone ? 0 : -ENOMEM;
}

static int prepare(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    struct detection_args *a = plan_alloc(plan, 1, sizeof(*a));
    struct step *step = plan_add_step(plan, node);
    if (!a || !step)
        return -ENOMEM;
    const struct tensor *scores = node_input(plan->graph, node, SCORES);
    a->d = node->detection;
    a->boxes = scores->shape[1];
    a->columns = scores->shape[2];
    a->offset = a->columns - a->d.classes;
    a->per_box =
        a->d.max_classes_per_detection < a->d.classes ? a->d.max_classes_per_detection : a->d.classes;
    a->rows = node_output(plan->graph, node, 1)->shape[1];
    for (int i = 0; i < 3; i++) {
        const struct tensor *in = node_input(plan->graph, node, i);
        a->i8[i] = in->type == PIPIT_I8;
        a->scale[i] = a->i8[i] ? in->quant.scale[0] : 1;
        a->zero[i] = a->i8[i] ? in->quant.zero[0] : 0;
    }
    step->run = run;
    step->args = a;
    step->kernel = "detection_postprocess";
    return make_room(plan, a);
}

static int infer(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 3, 3, error);
    for (int i = 0; i < 3 && !status; i++) {
        const struct tensor *in = node_input(graph, node, i);
        status = need_type(graph, node, in, TYPE_BIT(PIPIT_F32) | TYPE_BIT(PIPIT_I8), error);
        if (!status && in->type == PIPIT_I8)
            status = need_scale(graph, node, in, error);
    }
    if (status)
        return status;
    const struct tensor *boxes = node_input(graph, node, BOXES), *scores = node_input(graph, node, SCORES);
    const struct tensor *anchors = node_input(graph, node, ANCHORS);
    const struct detection *d = &node->detection;
    if (node->outputs != 4 || scores->rank != 3 || scores->shape[0] != 1 || tensor_elements(scores) < 1 ||
        tensor_elements(boxes) != 4 * (int64_t)scores->shape[1] ||
        tensor_elements(anchors) != 4 * (int64_t)scores->shape[1] || d->classes > scores->shape[2] ||
        d->max_classes_per_detection > 16 || d->max_detections > 1 << 20)
        return node_fail(graph, node, error, -EINVAL, "boxes, scores, anchors and options do not fit");
    for (int i = 0; i < 4; i++)
        if (node_output(graph, node, i)->type != PIPIT_F32)
            return node_fail(graph, node, error, -EINVAL, "outputs must be float32");
    int rows = d->max_detections * d->max_classes_per_detection;
    set_shape(node_output(graph, node, 0), 3, (int32_t[]){1, rows, 4});
    set_shape(node_output(graph, node, 1), 2, (int32_t[]){1, rows});
    set_shape(node_output(graph, node, 2), 2, (int32_t[]){1, rows});
    set_shape(node_output(graph, node, 3), 1, (int32_t[]){1});
    return 0;
}

const struct op_info op_DETECTION_POSTPROCESS = {"TFLite_Detection_PostProcess", infer, prepare,
                                                 .macs = NULL};
