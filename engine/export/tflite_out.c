/* SPDX-License-Identifier: MIT */
#include "engine/export/tflite_out.h"

#include "engine/import/tflite.h"
#include "engine/op.h"

#include <stdlib.h>
#include <string.h>

enum { SCHEMA_VERSION = 3, DATA_ALIGN = 16 };

/* Fields by their number in the schema. */
enum { MODEL_CODES = 1, MODEL_SUBGRAPHS, MODEL_DESCRIPTION, MODEL_BUFFERS, MODEL_METADATA = 6 };
enum { SUBGRAPH_TENSORS, SUBGRAPH_INPUTS, SUBGRAPH_OUTPUTS, SUBGRAPH_OPERATORS, SUBGRAPH_NAME };
enum { TENSOR_SHAPE, TENSOR_NAME = 3, TENSOR_QUANTIZATION };
enum { QUANTIZATION_SCALE = 2, QUANTIZATION_ZERO };
enum { OPERATOR_INPUTS = 1, OPERATOR_OUTPUTS, OPERATOR_OPTIONS = 4, OPERATOR_CUSTOM };

static const char detection_name[] = "TFLite_Detection_PostProcess";

struct code {
    enum op op;
    int version;
};

struct writing {
    struct fb_out out;
    const struct graph *graph;
    int *place;        /* in the file, of each tensor of the graph; -1: not written */
    int *buffer;       /* of each tensor; 0: none */
    struct code *code; /* kinds of operators, as they are met */
    int tensors, buffers, codes;
    struct pipit_error *error;
};

/* ---- what is written ---- */

static void want_tensor(struct writing *w, int index)
{
    if (index < 0 || w->place[index] >= 0)
        return;
    w->place[index] = w->tensors++;
    if (w->graph->tensor[index].data)
        w->buffer[index] = w->buffers++;
}

static int code_of(struct writing *w, const struct node *node)
{
    int version = tflite_version(w->graph, node), at = 0;
    while (at < w->codes && (w->code[at].op != node->op || w->code[at].version != version))
        at++;
    if (at == w->codes)
        w->code[w->codes++] = (struct code){node->op, version};
    return at;
}

static int check(struct writing *w, const struct node *node)
{
    bool windowed = node->op == OP_CONV_2D || node->op == OP_DEPTHWISE_CONV_2D;
    if (node->op != OP_DETECTION_POSTPROCESS && tflite_builtin(node->op) < 0)
        return node_fail(w->graph, node, w->error, -ENOTSUP, "TensorFlow Lite has no such operator");
    if (tflite_activation(node->act) < 0 || (windowed && node->window.padding == PAD_EXPLICIT))
        return node_fail(w->graph, node, w->error, -ENOTSUP,
                         "TensorFlow Lite has no such fused activation or padding");
    return 0;
}

static int begin(struct writing *w)
{
    const struct graph *graph = w->graph;
    size_t tensors = (size_t)graph->tensors;
    w->place = malloc((tensors + 1) * sizeof(*w->place));
    w->buffer = calloc(tensors + 1, sizeof(*w->buffer));
    w->code = calloc((size_t)graph->nodes + 1, sizeof(*w->code));
    if (!w->place || !w->buffer || !w->code)
        return -ENOMEM;
    for (int i = 0; i < graph->tensors; i++)
        w->place[i] = -1;
    w->buffers = 1; /* buffer 0 is empty, for all that is computed */
    for (int i = 0; i < graph->inputs; i++)
        want_tensor(w, graph->input[i]);
    for (int n = 0; n < graph->nodes; n++) {
        const struct node *node = &graph->node[n];
        int status = check(w, node);
        if (status)
            return status;
        for (int i = 0; i < node->inputs; i++)
            want_tensor(w, node->input[i]);
        for (int i = 0; i < node->outputs; i++)
            want_tensor(w, node->output[i]);
        (void)code_of(w, node);
    }
    for (int i = 0; i < graph->outputs; i++)
        want_tensor(w, graph->output[i]);
    return 0;
}

/* ---- tensors ---- */

static void write_quantisation(struct writing *w, size_t table, const struct quant *quant)
{
    struct fb_out *out = &w->out;
    size_t count = (size_t)quant->count;
    size_t q = fb_out_table(out, "--oo--i", quant->axis);
    fb_out_point(out, table, TENSOR_QUANTIZATION, q);
    fb_out_point(out, q, QUANTIZATION_SCALE, fb_out_vector(out, quant->scale, count, sizeof(float), 4));
    fb_out_point(out, q, QUANTIZATION_ZERO, fb_out_longs(out, quant->zero, count));
}

static size_t write_tensor(struct writing *w, int index)
{
    struct fb_out *out = &w->out;
    const struct tensor *tensor = &w->graph->tensor[index];
    size_t table = tensor->quant.count
                       ? fb_out_table(out, "obioo", tflite_type(tensor->type), w->buffer[index])
                       : fb_out_table(out, "obio", tflite_type(tensor->type), w->buffer[index]);
    fb_out_point(out, table, TENSOR_SHAPE, fb_out_vector(out, tensor->shape, (size_t)tensor->rank, 4, 4));
    fb_out_point(out, table, TENSOR_NAME, fb_out_string(out, tensor->name));
    if (tensor->quant.count)
        write_quantisation(w, table, &tensor->quant);
    return table;
}

/* Entries of the graph in the file's own order. */
static int *by_place(const struct writing *w, const int *place, int count)
{
    int *index = calloc((size_t)count + 1, sizeof(*index));
    for (int i = 0; index && i < w->graph->tensors; i++)
        if (place[i] >= 0 && place[i] < count)
            index[place[i]] = i;
    return index;
}

static size_t write_tensors(struct writing *w)
{
    size_t list = fb_out_offsets(&w->out, (size_t)w->tensors);
    int *index = by_place(w, w->place, w->tensors);
    for (int i = 0; index && i < w->tensors; i++)
        fb_out_point_at(&w->out, list, (size_t)i, write_tensor(w, index[i]));
    w->out.failed = w->out.failed || !index;
    free(index);
    return list;
}

/* ---- operators ---- */

static size_t write_list(struct writing *w, const int *tensors, int count)
{
    int32_t list[NODE_INPUTS_MAX > GRAPH_IO_MAX ? NODE_INPUTS_MAX : GRAPH_IO_MAX];
    for (int i = 0; i < count; i++)
        list[i] = tensors[i] < 0 ? -1 : w->place[tensors[i]];
    return fb_out_vector(&w->out, list, (size_t)count, 4, 4);
}

static size_t write_operator(struct writing *w, const struct node *node)
{
    struct fb_out *out = &w->out;
    int type = tflite_options_type(node->op);
    bool custom = node->op == OP_DETECTION_POSTPROCESS;
    size_t table = fb_out_table(out, custom ? "ioo--o" : type ? "ioobo" : "ioo", code_of(w, node), type);
    fb_out_point(out, table, OPERATOR_INPUTS, write_list(w, node->input, node->inputs));
    fb_out_point(out, table, OPERATOR_OUTPUTS, write_list(w, node->output, node->outputs));
    if (custom || type)
        fb_out_point(out, table, custom ? OPERATOR_CUSTOM : OPERATOR_OPTIONS,
                     tflite_write_options(out, w->graph, node));
    return table;
}

static size_t write_operators(struct writing *w)
{
    size_t list = fb_out_offsets(&w->out, (size_t)w->graph->nodes);
    for (int n = 0; n < w->graph->nodes; n++)
        fb_out_point_at(&w->out, list, (size_t)n, write_operator(w, &w->graph->node[n]));
    return list;
}

static void write_codes(struct writing *w, size_t model)
{
    struct fb_out *out = &w->out;
    size_t list = fb_out_offsets(out, (size_t)w->codes);
    fb_out_point(out, model, MODEL_CODES, list);
    for (int i = 0; i < w->codes; i++) {
        const struct code *code = &w->code[i];
        bool custom = code->op == OP_DETECTION_POSTPROCESS;
        int builtin = custom ? TFLITE_CUSTOM : tflite_builtin(code->op);
        int old = builtin > 127 ? 127 : builtin; /* PLACEHOLDER_FOR_GREATER_OP_CODES */
        size_t table = fb_out_table(out, custom ? "boii" : "b-ii", old, code->version, builtin);
        if (custom)
            fb_out_point(out, table, 1, fb_out_string(out, detection_name));
        fb_out_point_at(out, list, (size_t)i, table);
    }
}

static void write_subgraph(struct writing *w, size_t model)
{
    struct fb_out *out = &w->out;
    const struct graph *graph = w->graph;
    size_t list = fb_out_offsets(out, 1), subgraph;
    fb_out_point(out, model, MODEL_SUBGRAPHS, list);
    subgraph = fb_out_table(out, "ooooo");
    fb_out_point_at(out, list, 0, subgraph);
    fb_out_point(out, subgraph, SUBGRAPH_TENSORS, write_tensors(w));
    fb_out_point(out, subgraph, SUBGRAPH_INPUTS, write_list(w, graph->input, graph->inputs));
    fb_out_point(out, subgraph, SUBGRAPH_OUTPUTS, write_list(w, graph->output, graph->outputs));
    fb_out_point(out, subgraph, SUBGRAPH_OPERATORS, write_operators(w));
    fb_out_point(out, subgraph, SUBGRAPH_NAME, fb_out_string(out, "main"));
}

/* ---- buffers and the whole ---- */

static void write_buffer(struct writing *w, size_t list, int index, const void *data, size_t size)
{
    size_t table = fb_out_table(&w->out, data ? "o" : "");
    fb_out_point_at(&w->out, list, (size_t)index, table);
    if (data)
        fb_out_point(&w->out, table, 0, fb_out_vector(&w->out, data, size, 1, DATA_ALIGN));
}

static void write_buffers(struct writing *w, size_t model, const struct fb_out *meta)
{
    size_t list = fb_out_offsets(&w->out, (size_t)w->buffers + (meta ? 1 : 0));
    fb_out_point(&w->out, model, MODEL_BUFFERS, list);
    write_buffer(w, list, 0, NULL, 0);
    int *index = by_place(w, w->buffer, w->buffers);
    for (int i = 1; index && i < w->buffers; i++) {
        const struct tensor *tensor = &w->graph->tensor[index[i]];
        write_buffer(w, list, i, tensor->data, (size_t)tensor_bytes(tensor));
    }
    w->out.failed = w->out.failed || !index;
    free(index);
    if (meta)
        write_buffer(w, list, w->buffers, meta->bytes, meta->size);
}

static void write_metadata_entry(struct writing *w, size_t model)
{
    struct fb_out *out = &w->out;
    size_t list = fb_out_offsets(out, 1), entry = fb_out_table(out, "oi", w->buffers);
    fb_out_point(out, model, MODEL_METADATA, list);
    fb_out_point_at(out, list, 0, entry);
    fb_out_point(out, entry, 0, fb_out_string(out, "TFLITE_METADATA"));
}

static int write_model(struct writing *w)
{
    struct fb_out meta;
    bool has_metadata = tflite_write_metadata(&meta, w->graph);
    fb_out_init(&w->out, "TFL3");
    size_t model = fb_out_table(&w->out, has_metadata ? "ioooo-o" : "ioooo", SCHEMA_VERSION);
    write_codes(w, model);
    write_subgraph(w, model);
    fb_out_point(&w->out, model, MODEL_DESCRIPTION, fb_out_string(&w->out, "Pipit"));
    write_buffers(w, model, has_metadata ? &meta : NULL);
    if (has_metadata)
        write_metadata_entry(w, model);
    w->out.failed = w->out.failed || meta.failed;
    fb_out_finish(&meta);
    tflite_append_labels(&w->out, w->graph);
    return w->out.failed ? -ENOMEM : 0;
}

int tflite_write(const struct graph *graph, uint8_t **bytes, size_t *size, struct pipit_error *error)
{
    struct writing w = {.graph = graph, .error = error};
    int status = begin(&w);
    *bytes = NULL;
    if (!status)
        status = write_model(&w);
    if (!status) {
        *bytes = w.out.bytes;
        *size = w.out.size;
        w.out.bytes = NULL;
    }
    fb_out_finish(&w.out);
    free(w.place);
    free(w.buffer);
    free(w.code);
    return status == -ENOMEM ? fail(error, status, "out of memory for the file") : status;
}
