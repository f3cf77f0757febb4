/* SPDX-License-Identifier: MIT */
#include "engine/import/tflite.h"

#include "engine/model.h"
#include "engine/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct import {
    struct fb fb;
    struct graph *graph;
    struct fb_table model, subgraph;
    struct fb_vector buffers;
    struct tflite_code *code;
    int codes;
    bool *made; /* tensors that exist when the next operator runs */
    struct pipit_error *error;
};

static bool is_tflite(const void *bytes, size_t size)
{
    return size >= 8 && !memcmp((const char *)bytes + 4, "TFL3", 4);
}

enum { NAME_MAX_BYTES = 200 };

static char *pooled_string(struct graph *graph, struct fb_vector text)
{
    uint32_t length = text.count < NAME_MAX_BYTES ? text.count : NAME_MAX_BYTES;
    return pool_strndup(&graph->pool, length ? (const char *)text.data : "", length);
}

/* Many entries may share one large table, so that a small file could ask for much memory. */
static int check_budget(const struct import *import)
{
    if ((int64_t)import->graph->pool.bytes <= graph_budget(import->graph))
        return 0;
    return fail(import->error, -EINVAL, "the file asks for far more memory than its size justifies");
}

/* ---- operator codes ---- */

static int read_codes(struct import *import)
{
    struct fb *fb = &import->fb;
    struct fb_vector list = fb_vector(fb, import->model, 1, 4);
    import->code = pool_alloc(&import->graph->pool, list.count, sizeof(*import->code));
    if (!import->code)
        return fail(import->error, -ENOMEM, "out of memory");
    import->codes = (int)list.count;
    for (uint32_t i = 0; i < list.count && !fb->broken; i++) {
        struct fb_table entry = fb_at(fb, list, i);
        int64_t old = fb_int(fb, entry, 0, 1, true, 0), builtin = fb_i32(fb, entry, 3, 0);
        struct tflite_code *code = &import->code[i];
        code->builtin =
            (int)(builtin > old ? builtin : old); /* small codes stand in both fields, or in the old one */
        if (code->builtin == TFLITE_CUSTOM)
            code->custom = pooled_string(import->graph, fb_vector(fb, entry, 1, 1));
        if (code->builtin == TFLITE_CUSTOM && !code->custom)
            return fail(import->error, -ENOMEM, "out of memory");
        tflite_code_resolve(code);
        int status = check_budget(import);
        if (status)
            return status;
    }
    return 0;
}

/* ---- tensors ---- */

static int type_of(int64_t code, enum pipit_type *type)
{
    static const int types[] = {
        [0] = PIPIT_F32, [1] = PIPIT_F16,  [2] = PIPIT_I32, [3] = PIPIT_U8, [4] = PIPIT_I64,
        [5] = -1,        [6] = PIPIT_BOOL, [7] = PIPIT_I16, [8] = -1,       [9] = PIPIT_I8};
    if (code < 0 || code >= (int64_t)(sizeof(types) / sizeof(types[0])) || types[code] < 0)
        return -ENOTSUP;
    *type = (enum pipit_type)types[code];
    return 0;
}

static int read_shape(struct import *import, struct fb_table table, const char *name, int32_t *shape)
{
    struct fb_vector dims = fb_vector(&import->fb, table, 0, 4);
    if (dims.count > PIPIT_RANK_MAX)
        return fail(import->error, -ENOTSUP, "tensor '%.80s' has %u dimensions, more than %d", name,
                    dims.count, PIPIT_RANK_MAX);
    for (uint32_t i = 0; i < dims.count; i++) {
        shape[i] = fb_i32_at(dims, i);
        if (shape[i] == -1)
            shape[i] = 1; /* a batch size left open */
        if (shape[i] < 0)
            return fail(import->error, -EINVAL, "tensor '%.80s' has a side of %d", name, (int)shape[i]);
    }
    return (int)dims.count;
}

static int read_quant(struct import *import, struct fb_table table, struct tensor *tensor)
{
    struct fb *fb = &import->fb;
    struct fb_table q = fb_child(fb, table, 4);
    struct fb_vector scale = fb_vector(fb, q, 2, 4), zero = fb_vector(fb, q, 3, 8);
    int64_t axis = fb_i32(fb, q, 6, 0);
    bool bytes = tensor->type == PIPIT_U8 || tensor->type == PIPIT_I8;
    if (!scale.count || (!bytes && tensor->type != PIPIT_I16 && tensor->type != PIPIT_I32))
        return 0;
    bool each = axis >= 0 && axis < tensor->rank && scale.count == (uint32_t)tensor->shape[axis];
    if ((scale.count > 1 && !each) || (zero.count && zero.count != scale.count && zero.count != 1))
        return fail(import->error, -EINVAL, "tensor '%.80s' has %u scales and %u zero points", tensor->name,
                    scale.count, zero.count);
    float *scales = pool_alloc(&import->graph->pool, scale.count, sizeof(*scales));
    int32_t *zeros = pool_alloc(&import->graph->pool, scale.count, sizeof(*zeros));
    if (!scales || !zeros)
        return fail(import->error, -ENOMEM, "out of memory");
    for (uint32_t i = 0; i < scale.count; i++) {
        scales[i] = fb_f32_at(scale, i);
        int64_t z = zero.count ? fb_i64_at(zero, zero.count == 1 ? 0 : i) : 0;
        int64_t low = tensor->type == PIPIT_U8 ? 0 : -128, high = tensor->type == PIPIT_U8 ? 255 : 127;
        if (!isfinite(scales[i]) || scales[i] < 0 || (bytes && (z < low || z > high)) || z != (int32_t)z)
            return fail(import->error, -EINVAL,
                        "tensor '%.80s' has a scale or zero point that makes no sense", tensor->name);
        zeros[i] = (int32_t)z;
    }
    tensor->quant = (struct quant){(int)scale.count, scale.count > 1 ? (int)axis : 0, scales, zeros};
    return 0;
}

/* A buffer's bytes: in the table, or behind it in files beyond 2 GiB. */
static int buffer_bytes(struct import *import, int64_t index, const uint8_t **bytes, size_t *size)
{
    struct fb *fb = &import->fb;
    *size = 0;
    if (index < 0 || index >= (int64_t)import->buffers.count)
        return -EINVAL;
    struct fb_table buffer = fb_at(fb, import->buffers, (uint32_t)index);
    struct fb_vector data = fb_vector(fb, buffer, 0, 1);
    uint64_t offset = (uint64_t)fb_int(fb, buffer, 1, 8, false, 0),
             length = (uint64_t)fb_int(fb, buffer, 2, 8, false, 0);
    *bytes = data.data;
    *size = data.count;
    if (data.count == 0 && offset > 1) {
        if (offset > fb->size || length > fb->size - offset)
            return -EINVAL;
        *bytes = fb->bytes + offset;
        *size = (size_t)length;
    }
    return fb->broken ? -EINVAL : 0;
}

static int set_data(struct import *import, struct tensor *tensor, const uint8_t *bytes, size_t size)
{
    int64_t wanted = tensor_bytes(tensor);
    if (wanted < 0 || (size_t)wanted != size)
        return fail(import->error, -EINVAL, "tensor '%.80s' has %zu bytes of data where its shape wants %lld",
                    tensor->name, size, (long long)wanted);
    tensor->data = bytes;
    if ((uintptr_t)bytes % pipit_type_size(tensor->type)) {
        void *aligned = graph_alloc_data(import->graph, wanted);
        if (!aligned)
            return fail(import->error, -ENOMEM,
                        "out of memory, or the file asks for far more than its size justifies");
        tensor->data = memcpy(aligned, bytes, size);
    }
    return 0;
}

static int read_tensor(struct import *import, struct fb_table table)
{
    struct fb *fb = &import->fb;
    int32_t shape[PIPIT_RANK_MAX];
    enum pipit_type type;
    char *name = pooled_string(import->graph, fb_vector(fb, table, 3, 1));
    if (!name)
        return fail(import->error, -ENOMEM, "out of memory");
    int64_t code = fb_u8(fb, table, 1, 0);
    if (type_of(code, &type))
        return fail(import->error, -ENOTSUP, "tensor '%.80s' is of type %d, which Pipit does not have", name,
                    (int)code);
    int rank = read_shape(import, table, name, shape);
    if (rank < 0)
        return rank;
    if (fb_has(fb, table, 6))
        return fail(import->error, -ENOTSUP, "tensor '%.80s' is sparse; convert the model without sparsity",
                    name);
    int index = graph_add_tensor(import->graph, name, type, rank, shape);
    if (index < 0)
        return fail(import->error, index, "too many tensors");
    struct tensor *tensor = &import->graph->tensor[index];
    int status = read_quant(import, table, tensor);
    const uint8_t *bytes;
    size_t size;
    int64_t buffer = fb_int(fb, table, 2, 4, false, 0);
    if (!status && buffer_bytes(import, buffer, &bytes, &size))
        return fail(import->error, -EINVAL, "tensor '%.80s' has data outside the file", name);
    bool empty_constant = !status && buffer > 0 && !size && tensor_elements(tensor) == 0;
    if (!status && (size || empty_constant))
        status = set_data(import, tensor, size ? bytes : fb->bytes, size);
    return status;
}

static int read_tensors(struct import *import)
{
    struct fb_vector list = fb_vector(&import->fb, import->subgraph, 0, 4);
    int status = 0;
    for (uint32_t i = 0; i < list.count && !status && !import->fb.broken; i++) {
        status = read_tensor(import, fb_at(&import->fb, list, i));
        if (!status)
            status = check_budget(import);
    }
    return status;
}

/* ---- the graph ---- */

static int read_ends(struct import *import, int field, const char *what, int *list, int *count)
{
    struct fb_vector ends = fb_vector(&import->fb, import->subgraph, field, 4);
    if (ends.count > GRAPH_IO_MAX)
        return fail(import->error, -ENOTSUP, "the model has %u %ss, more than %d", ends.count, what,
                    GRAPH_IO_MAX);
    for (uint32_t i = 0; i < ends.count; i++) {
        list[i] = fb_i32_at(ends, i);
        if (list[i] < 0 || list[i] >= import->graph->tensors)
            return fail(import->error, -EINVAL, "%s %u is no tensor of the model", what, i);
    }
    *count = (int)ends.count;
    return 0;
}

static int read_list(struct import *import, struct fb_vector list, int most, int *indices)
{
    if (list.count > (uint32_t)most)
        return -E2BIG;
    for (uint32_t i = 0; i < list.count; i++) {
        indices[i] = fb_i32_at(list, i);
        if (indices[i] < -1 || indices[i] >= import->graph->tensors)
            return -EINVAL;
    }
    return (int)list.count;
}

static int check_order(struct import *import, const struct node *node)
{
    for (int i = 0; i < node->inputs; i++)
        if (node->input[i] >= 0 && !import->made[node->input[i]] &&
            !import->graph->tensor[node->input[i]].data)
            return node_fail(import->graph, node, import->error, -EINVAL, "reads '%.60s' before it is made",
                             import->graph->tensor[node->input[i]].name);
    for (int i = 0; i < node->outputs; i++) {
        int out = node->output[i];
        if (out < 0 || import->made[out] || import->graph->tensor[out].data)
            return node_fail(import->graph, node, import->error, -EINVAL,
                             "writes to a tensor that has a value");
        import->made[out] = true;
    }
    return 0;
}

static int read_operator(struct import *import, struct fb_table table)
{
    struct fb *fb = &import->fb;
    int64_t code_index = fb_int(fb, table, 0, 4, false, 0);
    int in[NODE_INPUTS_MAX], out[NODE_OUTPUTS_MAX];
    if (fb->broken || code_index >= import->codes)
        return fail(import->error, -EINVAL, "an operator without a code");
    const struct tflite_code *code = &import->code[code_index];
    int inputs = read_list(import, fb_vector(fb, table, 1, 4), NODE_INPUTS_MAX, in);
    int outputs = read_list(import, fb_vector(fb, table, 2, 4), NODE_OUTPUTS_MAX, out);
    if (inputs < 0 || outputs < 1)
        return fail(import->error, inputs == -E2BIG || outputs == -E2BIG ? -ENOTSUP : -EINVAL,
                    "%.60s: its list of inputs or outputs is too long, empty or wrong", code->name);
    if (code->why)
        return fail(import->error, -ENOTSUP, "%.60s (making '%.80s'): %s", code->name,
                    out[0] >= 0 ? import->graph->tensor[out[0]].name : "", code->why);
    int index = graph_add_node(import->graph, code->op, in, inputs, out, outputs);
    if (index < 0)
        return fail(import->error, index, "too many operators");
    struct node *node = &import->graph->node[index];
    int status = check_order(import, node);
    return status ? status : tflite_options(fb, table, import->graph, node, import->error);
}

static int read_operators(struct import *import)
{
    struct graph *graph = import->graph;
    struct fb_vector list = fb_vector(&import->fb, import->subgraph, 3, 4);
    int status = 0;
    for (int i = 0; i < graph->inputs; i++)
        import->made[graph->input[i]] = true;
    for (uint32_t i = 0; i < list.count && !status && !import->fb.broken; i++)
        status = read_operator(import, fb_at(&import->fb, list, i));
    for (int i = 0; i < graph->outputs && !status; i++)
        if (!import->made[graph->output[i]] && !graph->tensor[graph->output[i]].data)
            return fail(import->error, -EINVAL, "nothing makes the output '%.100s'",
                        graph->tensor[graph->output[i]].name);
    graph->operators = (int)list.count;
    return status;
}

static int check_inputs(struct import *import)
{
    const struct graph *graph = import->graph;
    if (graph->outputs < 1 || graph->inputs < 1)
        return fail(import->error, -EINVAL, "the model has no input or no output");
    for (int i = 0; i < graph->inputs; i++) {
        if (graph->tensor[graph->input[i]].data)
            return fail(import->error, -EINVAL, "input %d is a constant", i);
        for (int j = 0; j < i; j++)
            if (graph->input[i] == graph->input[j])
                return fail(import->error, -EINVAL, "input %d is given twice", i);
    }
    return 0;
}

static int begin(struct import *import)
{
    struct fb *fb = &import->fb;
    import->model = fb_root(fb);
    struct fb_vector subgraphs = fb_vector(fb, import->model, 2, 4);
    import->subgraph = fb_at(fb, subgraphs, 0);
    import->buffers = fb_vector(fb, import->model, 4, 4);
    if (fb->broken || !import->subgraph.at)
        return fail(import->error, -EINVAL, "the file is cut off or damaged: it has no graph");
    return read_codes(import);
}

static int read_graph(struct import *import)
{
    struct graph *graph = import->graph;
    int status = read_tensors(import);
    if (!status)
        status = read_ends(import, 1, "input", graph->input, &graph->inputs);
    if (!status)
        status = read_ends(import, 2, "output", graph->output, &graph->outputs);
    if (!status)
        status = check_inputs(import);
    import->made = calloc((size_t)graph->tensors + 1, sizeof(*import->made));
    if (!status && !import->made)
        status = fail(import->error, -ENOMEM, "out of memory");
    if (!status)
        status = read_operators(import);
    free(import->made);
    return status;
}

static int import_tflite(struct graph *graph, const void *bytes, size_t size,
                         const struct pipit_settings *settings, struct pipit_error *error)
{
    struct import import = {.fb = {bytes, size, false}, .graph = graph, .error = error};
    int status = begin(&import);
    if (!status)
        status = read_graph(&import);
    if (!status && import.fb.broken)
        status = -EINVAL;
    if (import.fb.broken)
        return fail(error, status, "the file is cut off or damaged: part of it lies outside");
    if (!status)
        tflite_metadata(graph, &import.fb, import.model);
    return status;
}

/* ---- looking in without running ---- */

static void describe_operator(struct pipit_operator *operator, const struct tflite_code * code)
{
    *operator=(struct pipit_operator){.why = code->why};
    memcpy(operator->name, code->name, strnlen(code->name, sizeof(operator->name) - 1));
}

static int list_operators(const void *bytes, size_t size, struct pipit_operator *operators, int max,
                          struct pipit_error *error)
{
    struct graph graph;
    graph_init(&graph);
    struct import import = {.fb = {bytes, size, false}, .graph = &graph, .error = error};
    int kinds = begin(&import);
    int *place =
        kinds ? NULL : calloc((size_t)import.codes + 1, sizeof(*place)); /* 1 and up, in order of use */
    struct fb_vector list = fb_vector(&import.fb, import.subgraph, 3, 4);
    for (uint32_t i = 0; place && i < list.count && !import.fb.broken; i++) {
        int64_t code = fb_int(&import.fb, fb_at(&import.fb, list, i), 0, 4, false, 0);
        if (code >= import.codes)
            continue;
        if (!place[code]) {
            place[code] = ++kinds;
            if (kinds <= max)
                describe_operator(&operators[kinds - 1], &import.code[code]);
        }
        if (place[code] <= max)
            operators[place[code] - 1].count++;
    }
    free(place);
    graph_finish(&graph);
    return import.fb.broken ? fail(error, -EINVAL, "the file is cut off or damaged") : kinds;
}

const struct importer importer_tflite = {"TFLite", is_tflite, import_tflite, list_operators};
