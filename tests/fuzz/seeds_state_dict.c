/* SPDX-License-Identifier: MIT */
/* Writes the seed corpus of fuzz_state_dict to the folder that is its argument. */
#include "tests/unit/networks.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const float ramp[24] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                               12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
static const struct float_tensor small[] = {
    {"features.0.0.weight", 4, {2, 3, 2, 2}, ramp},
    {"classifier.1.bias", 1, {5}, ramp + 3},
    {"scale", 0, {0}, ramp + 7},
};

typedef void write_fn(struct bytes *bytes, const struct float_tensor *tensors, int count);
static const struct {
    const char *name;
    write_fn *write;
} formats[] = {{"old.pth", write_torch_old},
               {"new.pth", write_torch_zip},
               {"safetensors", write_safetensors},
               {"gguf", write_gguf}};

static void save(const char *folder, const char *what, const char *format, struct bytes *bytes)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s.%s", folder, what, format);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes->data, 1, bytes->size, file) != bytes->size || fclose(file)) {
        perror(path);
        exit(74);
    }
    bytes_free(bytes);
}

/* A checkpoint of a dict in a dict, with what Python 2, protocol 4 and optimisers add; compressed. */
static void save_checkpoint(const char *folder)
{
    static const int64_t shape[] = {4, 6}, strides[] = {1, 4};
    const float *const storage[1] = {ramp};
    const int64_t elements[1] = {24};
    struct bytes object = {0}, file = {0};
    bytes_text(&object, "\x80\4}(\x8c\5"
                        "epochK\3\x8c\2lrG?\xb9\x99\x99\x99\x99\x99\x9a\x8c\7"
                        "classes]");
    bytes_text(&object, "(\x8c\3"
                        "cat\x8c\3"
                        "doge\x8c\5"
                        "model\x8c\13"
                        "collections\x8c\13OrderedDict\x93)R\x94(");
    pickle_text(&object, "module.w");
    pickle_tensor(&object, "FloatStorage", "0", 24, 0, 2, shape, strides);
    bytes_text(&object, "u}\x8c\11_metadataNsbu.");
    write_torch_zip_around(&file, &object, storage, elements, 1, 1);
    save(folder, "checkpoint", "pth", &file);
    bytes_free(&object);
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        enum net_family family;
        double width;
    } networks[] = {{"v2", NET_V2, 0.05}, {"v3", NET_V3_SMALL, 0.05}, {"lite", NET_LITE0, 0.05}};
    static struct network network;
    if (count != 2)
        return 64;
    mkdir(arguments[1], 0777);
    for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
        struct bytes file = {0};
        formats[f].write(&file, small, sizeof(small) / sizeof(small[0]));
        save(arguments[1], "small", formats[f].name, &file);
    }
    for (size_t n = 0; n < sizeof(networks) / sizeof(networks[0]); n++) {
        struct bytes file = {0};
        network_make(&network, networks[n].family, networks[n].width, 2, "module.");
        formats[n].write(&file, network.tensor, network.tensors);
        save(arguments[1], networks[n].name, formats[n].name, &file);
        network_free(&network);
    }
    save_checkpoint(arguments[1]);
    return 0;
}
