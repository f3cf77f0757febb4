/* SPDX-License-Identifier: MIT */
#include "engine/model.h"

#include "base/clock.h"
#include "engine/file.h"
#include "engine/infer.h"
#include "engine/ops/product.h"
#include "engine/passes/pass.h"
#include "engine/processors.h"
#include "engine/team.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNKS_EACH = 2 }; /* on unlike processors; more cost what they even out (docs/benchmarks.md) */

void pipit_settings_defaults(struct pipit_settings *settings)
{
    *settings = (struct pipit_settings){
        .cpu_mask = ~0u,
        .std = {1, 1, 1},
        .threshold = -1,
        .nms_iou = 0.6f,
        .max_objects = 100,
    };
}

static int check_settings(struct pipit_settings *settings, struct pipit_error *error)
{
    if (settings->threads < 0 || settings->threads > WORKERS_MAX)
        return fail(error, -EINVAL, "threads must be 1 to %d (0: one a processor)", WORKERS_MAX);
    for (int c = 0; settings->has_normalisation && c < 3; c++)
        if (!(settings->std[c] > 1e-6f || settings->std[c] < -1e-6f) ||
            !(settings->mean[c] == settings->mean[c]))
            return fail(error, -EINVAL, "mean and std must be numbers, std not 0");
    if (settings->max_objects < 1 || settings->max_objects > 1000)
        return fail(error, -EINVAL, "max_objects must be 1 to 1000");
    if (!(settings->threshold <= 1) || !(settings->nms_iou >= 0 && settings->nms_iou <= 1))
        return fail(error, -EINVAL, "threshold and nms_iou must be 0 to 1");
    if (settings->threads == 0)
        settings->threads = team_processors();
    if (settings->threshold < 0)
        settings->threshold = 0.5f;
    return 0;
}

/* Which values a float model's layers take, only pictures tell. */
static int check_int8(const struct graph *graph, const char *network, struct pipit_error *error)
{
    if (graph_is_quantised(graph))
        return 0;
    if (network)
        return fail(error, -ENOTSUP, "'%s' has float weights: '%s/int8' is the one for int8", network,
                    network);
    return fail(error, -ENOTSUP,
                "it is a float model, which becomes an int8 one by pictures: pipit_quantizer_create()");
}

/* The graph stays as it is: what computes float32 products in this model rounds their factors. */
static bool use_bfloat16(struct pipit_model *model)
{
    const struct graph *graph = &model->graph;
    for (int i = 0; i < graph->nodes; i++) {
        const struct node *node = &graph->node[i];
        if ((node->op == OP_CONV_2D || node->op == OP_FULLY_CONNECTED) &&
            product_kind(graph, node) == PRODUCT_F32) {
            model->kernels.conv_f32 = model->kernels.conv_bf16;
            return true;
        }
    }
    return false;
}

/* Where the CPU has it, and the model something to compute in it. */
static int to_precision(struct pipit_model *model, struct pipit_error *error)
{
    const enum pipit_precision wanted = model->settings.precision;
    const unsigned flags = model->settings.cpu_mask == 0 ? ~0u : model->kernels.flags;
    bool any = false;
    int status = 0;
    if (wanted == PIPIT_PRECISION_INT8)
        return 0;
    if (wanted == PIPIT_PRECISION_F16 && flags & PIPIT_CPU_FP16)
        status = pass_float16(&model->graph, &any, error);
    else if (wanted == PIPIT_PRECISION_BF16 && flags & PIPIT_CPU_BF16)
        any = use_bfloat16(model);
    model->settings.precision = any ? wanted : PIPIT_PRECISION_F32;
    return status;
}

static struct pipit_tensor *describe_tensors(struct pipit_model *model, const int *index, int count)
{
    struct pipit_tensor *list = pool_alloc(&model->pool, (size_t)count + 1, sizeof(*list));
    for (int i = 0; list && i < count; i++) {
        const struct tensor *t = &model->graph.tensor[index[i]];
        list[i] = (struct pipit_tensor){
            .name = t->name,
            .type = t->type,
            .rank = t->rank,
            .shape = t->shape,
            .scale = t->quant.scale,
            .zero_point = t->quant.zero,
            .scales = t->quant.count,
            .quant_axis = t->quant.axis,
            .channels_first = i == 0 && index == model->graph.input && model->preprocess.channels_first,
            .data = model->plan.address[index[i]],
            .size = (size_t)tensor_bytes(t),
        };
    }
    return list;
}

static int plan_model(struct pipit_model *model, bool for_export, struct pipit_error *error)
{
    struct graph *graph = &model->graph;
    kernels_init(&model->kernels, pipit_cpu_flags() & model->settings.cpu_mask);
    int status = pass_unsign(graph, error);
    if (!status)
        status = graph_infer(graph, &model->kernels, error);
    if (!status)
        status = for_export ? optimise_for_export(graph, error) : optimise(graph, error);
    if (!status && !for_export)
        status = to_precision(model, error);
    if (!status)
        status = plan_init(&model->plan, graph, &model->kernels, model->settings.threads, for_export, error);
    model->unlike = !status && model->settings.threads > 1 && processors_unlike_here();
    if (model->unlike)
        plan_cut(&model->plan, CHUNKS_EACH);
    return status;
}

static int set_up_tasks(struct pipit_model *model, struct pipit_error *error)
{
    struct graph *graph = &model->graph;
    preprocess_init(&model->preprocess, graph, &model->settings);
    int status = detector_init(&model->detector, graph, &model->settings, error);
    if (status)
        return status;
    model->settings.decoder = model->detector.decoder;
    model->input = describe_tensors(model, graph->input, graph->inputs);
    model->output = describe_tensors(model, graph->output, graph->outputs);
    model->step_ns = pool_alloc(&model->pool, (size_t)model->plan.steps + 1, sizeof(*model->step_ns));
    if (!model->input || !model->output || !model->step_ns)
        return fail(error, -ENOMEM, "out of memory");
    model->label = graph->label;
    model->labels = graph->labels;
    model_describe(model);
    return 0;
}

/* `make` fills the graph. Everything after it is the same for all sources. */
struct source {
    int (*make)(const struct source *source, struct graph *graph, const struct pipit_settings *settings,
                struct pipit_error *error);
    const void *bytes;
    size_t size;
    struct file *file; /* NULL: the bytes are the caller's; else freed as soon as nothing needs them */
    bool for_export; /* the graph keeps its constants, and what TensorFlow Lite cannot say stays out of it */
    const char *network;
    uint64_t seed;
};

static int create(struct pipit_model **out, const struct source *source,
                  const struct pipit_settings *settings, struct pipit_error *error)
{
    *out = NULL;
    if (error)
        error->text[0] = 0;
    struct pipit_model *model = calloc(1, sizeof(*model));
    if (!model)
        return fail(error, -ENOMEM, "out of memory");
    graph_init(&model->graph);
    if (settings)
        model->settings = *settings;
    else
        pipit_settings_defaults(&model->settings);
    int status = check_settings(&model->settings, error);
    model->graph.file_bytes = source->size;
    model->graph.forgets = !source->for_export;
    if (!status)
        status = source->make(source, &model->graph, &model->settings, error);
    if (!status && model->settings.precision == PIPIT_PRECISION_INT8 && !source->for_export)
        status = check_int8(&model->graph, source->network, error);
    if (!status)
        status = plan_model(model, source->for_export, error);
    if (!status)
        status = set_up_tasks(model, error);
    if (!source->for_export)
        pool_finish(&model->graph.data);
    model->graph.file = NULL;
    if (status)
        pipit_model_destroy(model);
    else
        *out = model;
    return status;
}

static const struct importer *const importers[] = {
    &importer_tflite,
    &importer_torch,
    &importer_safetensors,
    &importer_gguf,
};

static const struct importer *importer_of(const void *bytes, size_t size, struct pipit_error *error)
{
    for (size_t i = 0; i < sizeof(importers) / sizeof(importers[0]); i++)
        if (importers[i]->is(bytes, size))
            return importers[i];
    error_write(error, "not a model that Pipit reads (TFLite, PyTorch .pth or .pt, safetensors, GGUF)");
    return NULL;
}

static int make_from_bytes(const struct source *source, struct graph *graph,
                           const struct pipit_settings *settings, struct pipit_error *error)
{
    const struct importer *importer = importer_of(source->bytes, source->size, error);
    if (!importer)
        return -EINVAL;
    graph->format = importer->name;
    int status = importer->import(graph, source->bytes, source->size, settings, error);
    if (importer->copies && source->file)
        file_free(source->file);
    else
        graph->file = source->file;
    return status;
}

static int make_random(const struct source *source, struct graph *graph,
                       const struct pipit_settings *settings, struct pipit_error *error)
{
    graph->format = "random weights";
    return network_random(graph, source->network, source->seed, error);
}

int pipit_model_open_memory(struct pipit_model **model, const void *bytes, size_t size,
                            const struct pipit_settings *settings, struct pipit_error *error)
{
    struct source source = {.make = make_from_bytes, .bytes = bytes, .size = size};
    return create(model, &source, settings, error);
}

int model_open_for_export(struct pipit_model **model, const void *bytes, size_t size,
                          const struct pipit_settings *settings, struct pipit_error *error)
{
    struct source source = {.make = make_from_bytes, .bytes = bytes, .size = size, .for_export = true};
    return create(model, &source, settings, error);
}

int pipit_model_open(struct pipit_model **model, const char *path, const struct pipit_settings *settings,
                     struct pipit_error *error)
{
    struct file file;
    *model = NULL;
    int status = file_open(&file, path, error);
    if (status)
        return status;
    struct source source = {.make = make_from_bytes, .bytes = file.bytes, .size = file.size, .file = &file};
    status = create(model, &source, settings, error);
    file_free(&file);
    return status;
}

int pipit_model_random(struct pipit_model **model, const char *network, uint64_t seed,
                       const struct pipit_settings *settings, struct pipit_error *error)
{
    /* There is no file: the budget is that of one with the largest network's weights. */
    struct source source = {.make = make_random, .size = 32 << 20, .network = network, .seed = seed};
    return create(model, &source, settings, error);
}

int pipit_file_operators(const char *path, struct pipit_operator *operators, int max,
                         struct pipit_error *error)
{
    struct file file;
    int status = file_open(&file, path, error);
    if (status)
        return status;
    const struct importer *importer = importer_of(file.bytes, file.size, error);
    if (!importer)
        status = -EINVAL;
    else
        status = importer->operators ? importer->operators(file.bytes, file.size, operators, max, error) : 0;
    file_free(&file);
    return status;
}

void pipit_model_destroy(struct pipit_model *model)
{
    if (!model)
        return;
    detector_finish(&model->detector);
    preprocess_finish(&model->preprocess);
    plan_finish(&model->plan);
    graph_finish(&model->graph);
    pool_finish(&model->pool);
    free(model);
}

int pipit_model_run(struct pipit_model *model)
{
    team_run(&model->plan, NULL);
    return 0;
}

int pipit_model_run_timed(struct pipit_model *model)
{
    team_run(&model->plan, model->step_ns);
    return 0;
}

int pipit_model_set_image(struct pipit_model *model, const struct pipit_image *image,
                          struct pipit_error *error)
{
    uint64_t start = clock_now_ns();
    if (model->graph.inputs < 1)
        return fail(error, -EINVAL, "the model has no input");
    int status = preprocess_run(&model->preprocess, image, &model->input[0], error);
    model->times.preprocess_ms = clock_ms_since(start);
    return status;
}
