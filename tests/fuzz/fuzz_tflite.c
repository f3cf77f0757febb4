/* SPDX-License-Identifier: MIT */
/* TensorFlow Lite files: read, planned and run, where the file does not ask for much of either. */
#include "engine/infer.h"
#include "engine/model.h"
#include "engine/op.h"
#include "engine/passes/pass.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { BYTES_MAX = 4 << 20, MACS_MAX = 4 << 20 }; /* of all activations, of one run */

/* Of a pool, comparisons and additions; its window may be far larger than its input. */
static int64_t work(const struct graph *graph, const struct node *node)
{
    const struct op_info *info = op_info(node->op);
    if (node->op != OP_MAX_POOL_2D && node->op != OP_AVERAGE_POOL_2D)
        return info->macs ? info->macs(graph, node) : 0;
    double taps = (double)node->window.size[0] * node->window.size[1];
    double all = taps * (double)tensor_elements(node_output(graph, node, 0));
    return all > MACS_MAX ? MACS_MAX + 1 : (int64_t)all;
}

static bool is_quick(const struct graph *graph)
{
    int64_t bytes = 0, macs = 0;
    for (int i = 0; i < graph->inputs; i++)
        bytes += tensor_bytes(&graph->tensor[graph->input[i]]);
    for (int n = 0; n < graph->nodes && bytes <= BYTES_MAX && macs <= MACS_MAX; n++) {
        const struct node *node = &graph->node[n];
        for (int i = 0; i < node->outputs; i++)
            bytes += tensor_bytes(node_output(graph, node, i));
        macs += work(graph, node);
    }
    return bytes <= BYTES_MAX && macs <= MACS_MAX;
}

static bool can_run(const uint8_t *bytes, size_t size)
{
    struct graph graph;
    struct kernels kernels;
    struct pipit_settings settings;
    struct pipit_error error = {""};
    pipit_settings_defaults(&settings);
    graph_init(&graph);
    kernels_init(&kernels, pipit_cpu_flags());
    graph.file_bytes = size;
    int status = importer_tflite.import(&graph, bytes, size, &settings, &error);
    if (!status)
        status = pass_unsign(&graph, &error);
    if (!status)
        status = graph_infer(&graph, &kernels, &error);
    fuzz_check(status == 0 || error.text[0]);
    bool good = !status && is_quick(&graph);
    graph_finish(&graph);
    return good;
}

static void run(struct pipit_model *model)
{
    for (int i = 0; i < pipit_model_inputs(model); i++) {
        const struct pipit_tensor *input = pipit_model_input(model, i);
        for (size_t k = 0; k < input->size; k++)
            ((uint8_t *)input->data)[k] = (uint8_t)(k * 37 % 64);
    }
    fuzz_check(pipit_model_run(model) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct pipit_settings settings;
    struct pipit_error error = {""};
    struct pipit_model *model = NULL;
    if (!importer_tflite.is(bytes, size) || !can_run(bytes, size))
        return 0;
    pipit_settings_defaults(&settings);
    settings.threads = 1;
    settings.cpu_mask = size % 2 ? ~0u : 0;
    int status = pipit_model_open_memory(&model, bytes, size, &settings, &error);
    fuzz_check(status == 0 || error.text[0]);
    if (!status)
        run(model);
    pipit_model_destroy(model);
    return 0;
}
