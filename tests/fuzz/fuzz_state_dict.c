/* SPDX-License-Identifier: MIT */
/* State-dict files, and the networks that are made of them. Planning and running are the model's own target.
 */
#include "engine/model.h"
#include "engine/nets/state.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

/* No file may ask for much more memory than it is long: tensors may share bytes four times over, as floats.
 */
static void read_tensors(const struct state_dict *dict, size_t size)
{
    size_t total = 0;
    for (int i = 0; i < dict->tensors; i++) {
        const struct state_tensor *tensor = &dict->tensor[i];
        if (tensor->type == STATE_OTHER)
            continue;
        total += (size_t)tensor->elements * sizeof(float);
        fuzz_check(total <= 16 * size + 64);
        float *values = malloc((size_t)tensor->elements * sizeof(*values) + 1);
        fuzz_check(values && state_tensor_read(tensor, values) == 0);
        free(values);
    }
}

static void import(const struct importer *importer, const uint8_t *bytes, size_t size)
{
    struct graph graph;
    struct pipit_settings settings;
    struct pipit_error error = {""};
    pipit_settings_defaults(&settings);
    graph_init(&graph);
    graph.file_bytes = size;
    int status = importer->import(&graph, bytes, size, &settings, &error);
    fuzz_check(status == 0 || error.text[0]);
    graph_finish(&graph);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct importer *const importers[] = {&importer_torch, &importer_safetensors,
                                                       &importer_gguf};
    struct state_dict dict;
    struct pipit_error error = {""};
    int status = state_dict_init(&dict, bytes, size, &error);
    fuzz_check(status == 0 || (status < 0 && error.text[0]));
    if (status)
        return 0;
    read_tensors(&dict, size);
    state_dict_finish(&dict);
    for (size_t i = 0; i < sizeof(importers) / sizeof(importers[0]); i++)
        if (importers[i]->is(bytes, size))
            import(importers[i], bytes, size);
    return 0;
}
