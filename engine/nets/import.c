/* SPDX-License-Identifier: MIT */
#include "engine/model.h"
#include "engine/nets/state.h"

static int import_state(struct graph *graph, const void *bytes, size_t size,
                        const struct pipit_settings *settings, struct pipit_error *error)
{
    struct state_dict dict;
    struct state_net state;
    int status = state_dict_init(&dict, bytes, size, error);
    if (status)
        return status;
    float epsilon = settings->batch_norm_epsilon;
    status = state_net_init(&state, &dict, epsilon > 0 ? epsilon : state_metadata_epsilon(&dict), error);
    if (!status) {
        const struct net_weights weights = {
            .check = state_net_check, .fill = state_net_fill, .context = &state};
        int resolution = state_metadata_size(&dict);
        if (resolution)
            state.net.resolution = resolution;
        status = net_build(graph, &state.net, &weights, error);
    }
    if (!status && state_metadata(graph, &dict, state.net.classes))
        status = fail(error, -ENOMEM, "no memory for its labels");
    state_dict_finish(&dict);
    return status;
}

static bool is_torch(const void *bytes, size_t size)
{
    return state_dict_format(bytes, size) == STATE_TORCH;
}

static bool is_safetensors(const void *bytes, size_t size)
{
    return state_dict_format(bytes, size) == STATE_SAFETENSORS;
}

static bool is_gguf(const void *bytes, size_t size)
{
    return state_dict_format(bytes, size) == STATE_GGUF;
}

/* Weights are reordered and scaled, so the graph has copies; a state dict has no operators of its own. */
const struct importer importer_torch = {"PyTorch state dict", is_torch, import_state, NULL, true};
const struct importer importer_safetensors = {"safetensors", is_safetensors, import_state, NULL, true};
const struct importer importer_gguf = {"GGUF", is_gguf, import_state, NULL, true};
