/* SPDX-License-Identifier: MIT */
#include "engine/model.h"

#include "engine/op.h"

#include <stdio.h>
#include <string.h>

const char *pipit_version(void)
{
    return PIPIT_VERSION;
}

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [PIPIT_F32] = {"float32", 4}, [PIPIT_F16] = {"float16", 2}, [PIPIT_U8] = {"uint8", 1},
    [PIPIT_I8] = {"int8", 1},     [PIPIT_I16] = {"int16", 2},   [PIPIT_I32] = {"int32", 4},
    [PIPIT_I64] = {"int64", 8},   [PIPIT_BOOL] = {"bool", 1},
};

const char *pipit_type_name(enum pipit_type type)
{
    return types[type].name;
}

size_t pipit_type_size(enum pipit_type type)
{
    return types[type].size;
}

static const char *const precisions[] = {
    [PIPIT_PRECISION_F32] = "f32",
    [PIPIT_PRECISION_F16] = "f16",
    [PIPIT_PRECISION_BF16] = "bf16",
    [PIPIT_PRECISION_INT8] = "int8",
};

int pipit_precision_parse(const char *text, enum pipit_precision *precision)
{
    for (int i = PIPIT_PRECISION_F32; i <= PIPIT_PRECISION_INT8; i++)
        if (!strcmp(text, precisions[i])) {
            *precision = (enum pipit_precision)i;
            return 0;
        }
    return -EINVAL;
}

const char *pipit_precision_name(enum pipit_precision precision)
{
    return precisions[precision];
}

int pipit_model_inputs(const struct pipit_model *model)
{
    return model->graph.inputs;
}

int pipit_model_outputs(const struct pipit_model *model)
{
    return model->graph.outputs;
}

const struct pipit_tensor *pipit_model_input(const struct pipit_model *model, int index)
{
    return index >= 0 && index < model->graph.inputs ? &model->input[index] : NULL;
}

const struct pipit_tensor *pipit_model_output(const struct pipit_model *model, int index)
{
    return index >= 0 && index < model->graph.outputs ? &model->output[index] : NULL;
}

enum pipit_decoder pipit_model_decoder(const struct pipit_model *model)
{
    return model->detector.decoder;
}

void pipit_model_times(const struct pipit_model *model, struct pipit_times *times)
{
    *times = model->times;
}

/* ---- labels ---- */

int pipit_model_labels(const struct pipit_model *model)
{
    return model->labels;
}

const char *pipit_model_label(const struct pipit_model *model, int index)
{
    return index >= 0 && index < model->labels ? model->label[index] : NULL;
}

static size_t line_length(const char *text, size_t size)
{
    const char *end = memchr(text, '\n', size);
    return end ? (size_t)(end - text) : size;
}

int pipit_model_set_labels(struct pipit_model *model, const char *text, size_t size, int skip)
{
    size_t count = 0;
    for (size_t at = 0; at < size; at += line_length(text + at, size - at) + 1)
        count++;
    const char **list = pool_alloc(&model->pool, count + 1, sizeof(*list));
    if (!list || skip < 0)
        return list ? -EINVAL : -ENOMEM;
    int used = 0, line = 0;
    for (size_t at = 0; at < size; line++) {
        size_t length = line_length(text + at, size - at), next = at + length + 1;
        if (length && text[at + length - 1] == '\r')
            length--;
        if (line >= skip && !(list[used++] = pool_strndup(&model->pool, text + at, length)))
            return -ENOMEM;
        at = next;
    }
    model->label = list;
    model->labels = used;
    return 0;
}

/* ---- what is inside ---- */

static int64_t count_macs(const struct graph *graph, const struct node *node)
{
    const struct op_info *info = op_info(node->op);
    return info->macs ? info->macs(graph, node) : 0;
}

static int64_t count_parameters(const struct graph *graph)
{
    int64_t count = 0;
    for (int i = 0; i < graph->tensors; i++)
        graph->tensor[i].data ? count += tensor_elements(&graph->tensor[i]) : 0;
    return count;
}

void model_describe(struct pipit_model *model)
{
    const struct graph *graph = &model->graph;
    const struct preprocess *in = &model->preprocess;
    struct pipit_info *info = &model->info;
    *info = (struct pipit_info){
        .format = graph->format,
        .network = graph->network,
        .description = graph->description,
        .normalisation = in->source,
        .float_input = graph->inputs > 0 && graph->tensor[graph->input[0]].type == PIPIT_F32,
        .input_width = in->width,
        .input_height = in->height,
        .input_channels = in->channels,
        .operators = graph->operators,
        .steps = pipit_model_steps(model),
        .parameters = count_parameters(graph),
        .arena_bytes = model->plan.arena_bytes + model->plan.scratch_bytes,
        .weight_bytes = model->plan.pool.bytes,
        .threads = model->settings.threads,
        .cpu = model->kernels.flags,
        .precision = model->settings.precision,
        .unlike = model->unlike,
    };
    memcpy(info->mean, in->mean, sizeof(info->mean));
    memcpy(info->std, in->std, sizeof(info->std));
    for (int i = 0; i < graph->nodes; i++)
        info->macs += count_macs(graph, &graph->node[i]);
}

void pipit_model_info(const struct pipit_model *model, struct pipit_info *info)
{
    *info = model->info;
}

/* A step's sources come before it. */
static int count_chain(const struct step *step)
{
    return step ? 1 + count_chain(step->source) : 0;
}

int pipit_model_steps(const struct pipit_model *model)
{
    int count = 0;
    for (int i = 0; i < model->plan.steps; i++)
        count += count_chain(&model->plan.step[i]);
    return count;
}

/* The step of this index, and the one of the plan that it runs in. */
static const struct step *find_step(const struct pipit_model *model, int index, int *in)
{
    for (*in = 0; *in < model->plan.steps; ++*in) {
        const struct step *step = &model->plan.step[*in];
        int behind = count_chain(step) - 1 - index;
        for (; behind > 0; behind--)
            step = step->source;
        if (behind == 0)
            return step;
        index -= count_chain(&model->plan.step[*in]);
    }
    return NULL;
}

const char *node_operation(const struct node *node)
{
#define X(name)                                                                                              \
    {#name,         #name "+RELU",       #name "+RELU6",       #name "+RELU_N1_TO_1",                        \
     #name "+TANH", #name "+HARD_SWISH", #name "+HARD_SIGMOID"},
    static const char *const names[OP_COUNT][7] = {PIPIT_OPERATORS(X)};
#undef X
    return names[node->op][node->act];
}

static enum pipit_precision precision_of(const struct pipit_model *model, const struct step *step,
                                         enum pipit_type type)
{
    if (step->kernel == model->kernels.conv_bf16.name)
        return PIPIT_PRECISION_BF16;
    return type == PIPIT_I8    ? PIPIT_PRECISION_INT8
           : type == PIPIT_F16 ? PIPIT_PRECISION_F16
                               : PIPIT_PRECISION_F32;
}

int pipit_model_step(const struct pipit_model *model, int index, struct pipit_step *out)
{
    int in;
    const struct step *step = index < 0 ? NULL : find_step(model, index, &in);
    if (!step)
        return -EINVAL;
    const struct tensor *tensor = node_output(&model->graph, step->node, 0);
    bool first = in == 0 || model->plan.step[in - 1].node != step->node;
    bool joined = step != &model->plan.step[in];
    *out = (struct pipit_step){
        .name = tensor->name,
        .operation = node_operation(step->node),
        .kernel = step->kernel,
        .type = tensor->type,
        .precision = precision_of(model, step, tensor->type),
        .macs = first ? count_macs(&model->graph, step->node) : 0,
        .joined = joined,
        .arena_offset = joined ? 0 : (size_t)((char *)step->out[0] - model->plan.arena),
        .output_bytes = joined ? 0 : (size_t)tensor_bytes(tensor),
        .ms = joined ? 0 : (double)model->step_ns[in] / 1e6,
    };
    for (int i = 0; i < 4; i++) { /* the last four dimensions, 1 in front */
        int from = tensor->rank - 4 + i;
        out->out_shape[i] = from >= 0 ? tensor->shape[from] : 1;
    }
    return 0;
}
