/* SPDX-License-Identifier: MIT */
/* Finds out what a network's outputs mean. */
#include "engine/tasks/tasks.h"

#include "engine/op.h"

#include <stdlib.h>

/* The node whose answer reaches this output through nothing but changes of shape and representation. */
static const struct node *decisive(const struct graph *graph, int tensor)
{
    for (int n = graph->nodes - 1; n >= 0; n--) {
        const struct node *node = &graph->node[n];
        bool makes = false;
        for (int i = 0; i < node->outputs; i++)
            makes = makes || node->output[i] == tensor;
        if (!makes)
            continue;
        bool passes = op_info(node->op)->alias || node->op == OP_QUANTIZE || node->op == OP_DEQUANTIZE ||
                      node->op == OP_FLIP_SIGN || node->op == OP_CAST;
        if (!passes)
            return node;
        tensor = node->input[0];
    }
    return NULL;
}

static bool is_vector(const struct tensor *tensor)
{
    bool type = tensor->type == PIPIT_F32 ||
                ((tensor->type == PIPIT_I8 || tensor->type == PIPIT_U8) && tensor->quant.count == 1);
    return type && tensor->rank > 0 && tensor->shape[tensor->rank - 1] > 1 &&
           tensor_elements(tensor) == tensor->shape[tensor->rank - 1];
}

static int init_classes(struct detector *d, const struct graph *graph)
{
    const struct tensor *out = &graph->tensor[graph->output[0]];
    if (!is_vector(out))
        return -EINVAL;
    const struct node *last = decisive(graph, graph->output[0]);
    d->decoder = PIPIT_DECODER_CLASSES;
    d->classes = out->shape[out->rank - 1];
    d->scores_at = 0;
    d->softmax = !last || (last->op != OP_SOFTMAX && last->op != OP_LOGISTIC);
    d->scores = calloc((size_t)d->classes, sizeof(*d->scores));
    return d->scores ? 0 : -ENOMEM;
}

static int output_of(const struct graph *graph, int tensor)
{
    for (int i = 0; i < graph->outputs; i++)
        if (graph->output[i] == tensor)
            return i;
    return -1;
}

static int init_boxes(struct detector *d, const struct graph *graph)
{
    for (int n = 0; n < graph->nodes; n++) {
        const struct node *node = &graph->node[n];
        if (node->op != OP_DETECTION_POSTPROCESS)
            continue;
        d->boxes_at = output_of(graph, node->output[0]);
        d->classes_at = output_of(graph, node->output[1]);
        d->scores_at = output_of(graph, node->output[2]);
        d->count_at = output_of(graph, node->output[3]);
        d->boxes = node_output(graph, node, 1)->shape[1];
        d->decoder = PIPIT_DECODER_SSD_BOXES;
        return d->boxes_at < 0 || d->classes_at < 0 || d->scores_at < 0 ? -EINVAL : 0;
    }
    return -EINVAL;
}

static bool rows_of(const struct tensor *tensor, int boxes, int *columns)
{
    *columns = tensor->rank ? tensor->shape[tensor->rank - 1] : 0;
    return tensor->type != PIPIT_I32 && tensor->type != PIPIT_I64 && *columns > 0 &&
           tensor_elements(tensor) == (int64_t)boxes * *columns;
}

static int check_ssd(const struct pipit_ssd *ssd)
{
    if (ssd->maps < 1 || ssd->maps > PIPIT_SSD_MAPS_MAX || ssd->aspects < 0 ||
        ssd->aspects > PIPIT_SSD_ASPECTS_MAX)
        return -EINVAL;
    for (int i = 0; i < ssd->maps; i++)
        if (ssd->grid[i] < 1 || ssd->grid[i] > 1024)
            return -EINVAL;
    for (int i = 0; i < 4; i++)
        if (!(ssd->divisor[i] > 0))
            return -EINVAL;
    return 0;
}

static int init_raw(struct detector *d, const struct graph *graph, const struct pipit_settings *settings,
                    struct pipit_error *error)
{
    int columns;
    if (check_ssd(&settings->ssd) || graph->outputs < 2)
        return fail(error, -EINVAL, "raw SSD heads need two outputs and a description of their anchors");
    d->boxes = ssd_anchors(&settings->ssd, NULL, 0);
    d->boxes_at = settings->ssd.boxes_first ? 0 : 1;
    d->scores_at = 1 - d->boxes_at;
    if (!rows_of(&graph->tensor[graph->output[d->boxes_at]], d->boxes, &columns) || columns != 4 ||
        !rows_of(&graph->tensor[graph->output[d->scores_at]], d->boxes, &d->classes))
        return fail(error, -EINVAL,
                    "the outputs are not [1, %d, 4] and [1, %d, classes], as the %d anchors want", d->boxes,
                    d->boxes, d->boxes);
    d->decoder = PIPIT_DECODER_SSD_RAW;
    d->anchor = calloc((size_t)d->boxes, sizeof(*d->anchor));
    d->scores = calloc((size_t)d->classes * (size_t)d->boxes, sizeof(*d->scores));
    if (!d->anchor || !d->scores)
        return fail(error, -ENOMEM, "out of memory");
    ssd_anchors(&settings->ssd, d->anchor, d->boxes);
    return 0;
}

static int init_decoder(struct detector *d, const struct graph *graph, const struct pipit_settings *settings,
                        struct pipit_error *error)
{
    switch (settings->decoder) {
    case PIPIT_DECODER_CLASSES:
        return init_classes(d, graph) ? fail(error, -EINVAL, "the first output is no list of classes") : 0;
    case PIPIT_DECODER_SSD_BOXES:
        return init_boxes(d, graph) ? fail(error, -EINVAL, "the model has no TFLite_Detection_PostProcess")
                                    : 0;
    case PIPIT_DECODER_SSD_RAW:
        return init_raw(d, graph, settings, error);
    case PIPIT_DECODER_AUTO:
        if (init_boxes(d, graph) && (graph->outputs != 1 || init_classes(d, graph)))
            d->decoder = PIPIT_DECODER_NONE;
        return 0;
    default:
        return 0;
    }
}

int detector_init(struct detector *d, const struct graph *graph, const struct pipit_settings *settings,
                  struct pipit_error *error)
{
    *d = (struct detector){
        .decoder = PIPIT_DECODER_NONE, .boxes_at = -1, .classes_at = -1, .scores_at = -1, .count_at = -1};
    int status = init_decoder(d, graph, settings, error);
    if (status || !d->boxes)
        return status;
    d->candidate = calloc((size_t)d->boxes, sizeof(*d->candidate));
    d->kept = calloc(2 * (size_t)settings->max_objects + (size_t)d->boxes, sizeof(*d->kept));
    return d->candidate && d->kept ? 0 : fail(error, -ENOMEM, "out of memory");
}

void detector_finish(struct detector *d)
{
    free(d->anchor);
    free(d->candidate);
    free(d->kept);
    free(d->scores);
}
