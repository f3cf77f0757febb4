/* SPDX-License-Identifier: MIT */
#include "engine/export/tflite_out.h"
#include "engine/file.h"
#include "engine/infer.h"
#include "engine/model.h"
#include "engine/op.h"
#include "engine/quantise/observe.h"
#include "engine/quantise/scheme.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COMPARED_MAX = 16 }; /* pictures on which the layers' errors are measured */

struct pipit_quantizer {
    struct file file;
    struct pipit_model *model;    /* float, of a graph that can be written */
    struct histogram **histogram; /* of each tensor that a step makes; else NULL */
    float *input[COMPARED_MAX];   /* what the first input was */
    int pictures;
    struct pipit_layer *layer; /* of the file that was made last */
    int layers;
    uint8_t *bytes;
    size_t size;
};

void pipit_quantize_defaults(struct pipit_quantize *how)
{
    *how = (struct pipit_quantize){.calibration = PIPIT_CALIBRATION_MSE, .keep_below = -INFINITY};
}

/* ---- opening ---- */

static int check_model(const struct pipit_model *model, struct pipit_error *error)
{
    const struct graph *graph = &model->graph;
    if (graph_is_quantised(graph))
        return fail(error, -EINVAL, "the model is quantised already: give the float model");
    if (graph->inputs != 1 || !model->preprocess.width || graph->tensor[graph->input[0]].type != PIPIT_F32)
        return fail(error, -EINVAL, "the model's input is not one picture of floats");
    return 0;
}

static int add_histograms(struct pipit_quantizer *q)
{
    const struct graph *graph = &q->model->graph;
    const struct plan *plan = &q->model->plan;
    q->histogram = calloc((size_t)graph->tensors + 1, sizeof(*q->histogram));
    q->layer = calloc((size_t)graph->nodes + 1, sizeof(*q->layer));
    if (!q->histogram || !q->layer)
        return -ENOMEM;
    for (int i = 0; i < plan->steps; i++) {
        const struct node *node = plan->step[i].node;
        for (int o = 0; o < node->outputs; o++) {
            struct histogram **of = &q->histogram[node->output[o]];
            if (node_output(graph, node, o)->type != PIPIT_F32 || *of)
                continue;
            *of = calloc(1, sizeof(**of));
            if (!*of)
                return -ENOMEM;
        }
    }
    return 0;
}

int pipit_quantizer_create(struct pipit_quantizer **quantizer, const char *path,
                           const struct pipit_settings *settings, struct pipit_error *error)
{
    struct pipit_quantizer *q = calloc(1, sizeof(*q));
    *quantizer = NULL;
    if (!q)
        return fail(error, -ENOMEM, "out of memory");
    int status = file_read(&q->file, path, error);
    if (!status)
        status = model_open_for_export(&q->model, q->file.bytes, q->file.size, settings, error);
    if (!status)
        status = check_model(q->model, error);
    if (!status && add_histograms(q))
        status = fail(error, -ENOMEM, "out of memory for what the layers answer");
    if (status)
        pipit_quantizer_destroy(q);
    else
        *quantizer = q;
    return status;
}

void pipit_quantizer_destroy(struct pipit_quantizer *q)
{
    if (!q)
        return;
    for (int t = 0; q->histogram && t < q->model->graph.tensors; t++)
        free(q->histogram[t]);
    for (int i = 0; i < COMPARED_MAX; i++)
        free(q->input[i]);
    free(q->histogram);
    free(q->layer);
    free(q->bytes);
    pipit_model_destroy(q->model);
    file_free(&q->file);
    free(q);
}

/* ---- pictures ---- */

static void observe(void *context, const struct step *step)
{
    struct pipit_quantizer *q = context;
    for (int o = 0; o < step->node->outputs; o++) {
        int tensor = step->node->output[o];
        if (q->histogram[tensor])
            histogram_add(q->histogram[tensor], step->out[o],
                          tensor_elements(&q->model->graph.tensor[tensor]));
    }
}

int pipit_quantizer_add(struct pipit_quantizer *q, const struct pipit_image *image, struct pipit_error *error)
{
    int status = pipit_model_set_image(q->model, image, error);
    if (status)
        return status;
    if (q->pictures < COMPARED_MAX) {
        const struct pipit_tensor *input = &q->model->input[0];
        float *copy = malloc(input->size);
        if (!copy)
            return fail(error, -ENOMEM, "out of memory for pictures");
        q->input[q->pictures] = memcpy(copy, input->data, input->size);
    }
    q->pictures++;
    observe_run(&q->model->plan, observe, q);
    return 0;
}

/* ---- ranges ---- */

static struct range input_range(const struct preprocess *p)
{
    struct range range = {0, 0};
    for (int c = 0; c < p->channels; c++)
        for (int byte = 0; byte < 256; byte++) {
            range.low = fminf(range.low, p->table.f32[c][byte]);
            range.high = fmaxf(range.high, p->table.f32[c][byte]);
        }
    return range;
}

/* A byte of a picture is one step where all channels have one normalisation that leaves 0 among the steps. */
static struct affine input_affine(const struct preprocess *p)
{
    for (int c = 0; c < p->channels; c++)
        if (p->mean[c] != p->mean[0] || p->std[c] != p->std[0])
            return (struct affine){0, 0};
    if (!(p->std[0] > 0) || !(p->mean[0] >= 0 && p->mean[0] <= 255))
        return (struct affine){0, 0};
    return (struct affine){1 / p->std[0], (int32_t)floorf(p->mean[0]) - 128};
}

static void choose_ranges(const struct pipit_quantizer *q, enum pipit_calibration calibration,
                          struct range *range)
{
    const struct graph *graph = &q->model->graph;
    for (int t = 0; t < graph->tensors; t++)
        if (q->histogram[t])
            range[t] = histogram_range(q->histogram[t], calibration);
    range[graph->input[0]] = input_range(&q->model->preprocess);
    for (int n = 0; n < graph->nodes; n++)
        if (op_info(graph->node[n].op)->alias)
            range[graph->node[n].output[0]] = range[graph->node[n].input[0]];
}

/* ---- one try ---- */

struct attempt {
    struct scheme scheme;
    struct graph graph;
    bool *keep;    /* nodes of the float graph that stay in float */
    float *own_db; /* of each of its nodes */
    struct range *range;
};

static bool input_read_in_float(const struct graph *graph, const struct scheme *scheme)
{
    for (int n = 0; n < graph->nodes; n++)
        for (int i = 0; i < graph->node[n].inputs; i++)
            if (graph->node[n].input[i] == graph->input[0] && scheme->why[n])
                return true;
    return false;
}

static int choose_scheme(const struct pipit_quantizer *q, struct attempt *a)
{
    const struct graph *graph = &q->model->graph;
    struct affine input = input_affine(&q->model->preprocess);
    int status = scheme_init(&a->scheme, graph, a->range, a->keep, input);
    if (status || !input.scale || !input_read_in_float(graph, &a->scheme))
        return status;
    scheme_finish(&a->scheme);
    return scheme_init(&a->scheme, graph, a->range, a->keep, (struct affine){0, 0});
}

static void describe(struct pipit_quantizer *q, const struct attempt *a, const struct comparison *c)
{
    const struct graph *graph = &q->model->graph;
    q->layers = 0;
    for (int n = 0; n < graph->nodes; n++) {
        const struct node *node = &graph->node[n];
        int out = node->output[0];
        if (op_info(node->op)->alias || !c->answer[out])
            continue;
        a->own_db[n] = comparison_db(c->signal[out], c->own[out]);
        q->layer[q->layers++] = (struct pipit_layer){
            .name = graph->tensor[out].name,
            .operation = node_operation(node),
            .why = a->scheme.why[n],
            .macs = op_info(node->op)->macs ? op_info(node->op)->macs(graph, node) : 0,
            .own_db = a->own_db[n],
            .all_db = comparison_db(c->signal[out], c->all[out]),
        };
    }
}

static int measure(struct pipit_quantizer *q, struct attempt *a, struct pipit_error *error)
{
    struct comparison c = {0};
    struct plan plan = {0};
    int status = plan_init(&plan, &a->graph, &q->model->kernels, q->model->settings.threads, true, error);
    if (status)
        return status;
    status = comparison_init(&c, &q->model->plan, &plan);
    for (int i = 0; i < q->pictures && i < COMPARED_MAX && !status; i++)
        comparison_add(&c, q->input[i]);
    if (!status)
        describe(q, a, &c);
    comparison_finish(&c);
    plan_finish(&plan);
    return status ? fail(error, status, "out of memory for the layers' answers") : 0;
}

static int try_scheme(struct pipit_quantizer *q, struct attempt *a, struct pipit_error *error)
{
    scheme_finish(&a->scheme);
    graph_finish(&a->graph);
    a->graph.file_bytes = q->file.size;
    int status = choose_scheme(q, a);
    if (!status)
        status = scheme_apply(&a->scheme, &q->model->graph, &a->graph);
    if (status)
        return fail(error, status, "out of memory for the int8 model");
    status = graph_infer(&a->graph, &q->model->kernels, error);
    return status ? status : measure(q, a, error);
}

/* ---- what stays in float ---- */

static int worst(const struct pipit_quantizer *q, const struct attempt *a)
{
    int found = -1;
    for (int n = 0; n < q->model->graph.nodes; n++)
        if (!a->scheme.why[n] && !a->keep[n] && (found < 0 || a->own_db[n] < a->own_db[found]))
            found = n;
    return found;
}

/* What it reads comes without rounding then. */
static void keep_with_producers(const struct graph *graph, const struct node *node, bool *keep)
{
    keep[node - graph->node] = true;
    for (int n = 0; n < graph->nodes; n++)
        for (int i = 0; i < node->inputs; i++)
            for (int o = 0; o < graph->node[n].outputs; o++)
                if (graph->node[n].output[o] == node->input[i])
                    keep[n] = true;
}

/* Returns how many. */
static int keep_sensitive(const struct pipit_quantizer *q, struct attempt *a,
                          const struct pipit_quantize *how)
{
    int kept = 0;
    for (int n = worst(q, a); n >= 0; n = worst(q, a)) {
        if (kept >= how->keep_worst && !(a->own_db[n] < how->keep_below))
            break;
        keep_with_producers(&q->model->graph, &q->model->graph.node[n], a->keep);
        kept++;
    }
    return kept;
}

static int check_any(const struct pipit_quantizer *q, const struct attempt *a, struct pipit_error *error)
{
    for (int n = 0; n < q->model->graph.nodes; n++)
        if (!a->scheme.why[n])
            return 0;
    return fail(error, -ENOTSUP, "no layer of the model can be int8");
}

/* ---- the file ---- */

static void set_labels(const struct pipit_quantizer *q, const struct pipit_quantize *how, struct graph *graph)
{
    const struct pipit_model *model = q->model;
    const struct preprocess *p = &model->preprocess;
    graph->label = (const char **)(uintptr_t)(how->label ? how->label : model->label);
    graph->labels = how->label ? how->labels : model->labels;
    graph->has_normalisation = p->known;
    memcpy(graph->mean, p->mean, sizeof(p->mean));
    memcpy(graph->std, p->std, sizeof(p->std));
    graph->description = model->graph.description;
}

static int make(struct pipit_quantizer *q, struct attempt *a, const struct pipit_quantize *how,
                struct pipit_error *error)
{
    choose_ranges(q, how->calibration, a->range);
    for (int n = 0; n < q->model->graph.nodes; n++)
        a->own_db[n] = INFINITY;
    int status = try_scheme(q, a, error);
    for (int round = 0; round < 4 && !status && keep_sensitive(q, a, how) > 0; round++)
        status = try_scheme(q, a, error);
    if (!status)
        status = check_any(q, a, error);
    if (status)
        return status;
    free(q->bytes);
    q->bytes = NULL;
    set_labels(q, how, &a->graph);
    return tflite_write(&a->graph, &q->bytes, &q->size, error);
}

int pipit_quantizer_make(struct pipit_quantizer *q, const struct pipit_quantize *how,
                         struct pipit_error *error)
{
    size_t nodes = (size_t)q->model->graph.nodes + 1, tensors = (size_t)q->model->graph.tensors + 1;
    struct attempt a = {.keep = calloc(nodes, sizeof(*a.keep)),
                        .own_db = calloc(nodes, sizeof(*a.own_db)),
                        .range = calloc(tensors, sizeof(*a.range))};
    int status = q->pictures ? 0 : fail(error, -ENODATA, "there is no picture to learn the ranges from");
    graph_init(&a.graph);
    if (!status && (!a.keep || !a.own_db || !a.range))
        status = fail(error, -ENOMEM, "out of memory");
    if (!status)
        status = make(q, &a, how, error);
    scheme_finish(&a.scheme);
    graph_finish(&a.graph);
    free(a.keep);
    free(a.own_db);
    free(a.range);
    return status;
}

const void *pipit_quantizer_file(const struct pipit_quantizer *q, size_t *size)
{
    *size = q->bytes ? q->size : 0;
    return q->bytes;
}

int pipit_quantizer_layers(const struct pipit_quantizer *q)
{
    return q->layers;
}

int pipit_quantizer_layer(const struct pipit_quantizer *q, int index, struct pipit_layer *layer)
{
    if (index < 0 || index >= q->layers)
        return -EINVAL;
    *layer = q->layer[index];
    return 0;
}
