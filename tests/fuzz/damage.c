/* SPDX-License-Identifier: MIT */
/*
 * damage DATA MODEL: opens the file cut short and with one bit turned; nothing may crash, and what opens must
 * run. Cut in the first 64 KiB, around the borders of each tensor's bytes, in the last 4 KiB and anywhere;
 * bits in the first 64 KiB. A sample, or with PIPIT_TEST_ALL each byte, each border and 2,000 places
 * anywhere. MODEL is looked for in DATA, or in $PIPIT_TEST_DATA before it if that is set. Exit status
 * 77: it is absent.
 */
#include "engine/import/flatbuffer.h"
#include "engine/import/state_dict.h"
#include "engine/pipit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 64 << 10, TAIL = 4 << 10, LARGE = 4 << 20, MACS_MAX = 20 << 20 };

struct damage {
    uint8_t *bytes;
    size_t size;
    int opened, refused;
    bool failed;
};

static uint64_t state = 1;

static size_t random_below(size_t bound)
{
    state = state * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
    return bound ? (size_t)(state >> 33) % bound : 0;
}

/* A copy that ends where the bytes end, so that sanitizers see a read beyond them. */
static void try_open(struct damage *damage, size_t size)
{
    struct pipit_settings settings;
    struct pipit_error error = {""};
    struct pipit_model *model;
    struct pipit_info info;
    uint8_t *copy = malloc(size + !size);
    if (!copy)
        return;
    memcpy(copy, damage->bytes, size);
    pipit_settings_defaults(&settings);
    settings.threads = 1;
    int status = pipit_model_open_memory(&model, copy, size, &settings, &error);
    free(copy);
    if (status) {
        damage->failed |= !error.text[0];
        damage->refused++;
        return;
    }
    damage->opened++;
    pipit_model_info(model, &info);
    if (info.macs <= MACS_MAX)
        damage->failed |= pipit_model_run(model) != 0;
    pipit_model_destroy(model);
}

/* Cuts just before, at and just after a border, if this one is among those that are tried. */
static void cut_border(struct damage *damage, size_t at, bool whole)
{
    if (at < 1 || at >= damage->size || (!whole && random_below(8)))
        return;
    for (size_t size = at - 1; size <= at + 1; size++)
        try_open(damage, size);
}

static void cut_state_dict(struct damage *damage, bool whole)
{
    struct state_dict dict;
    struct pipit_error error;
    if (state_dict_init(&dict, damage->bytes, damage->size, &error))
        return;
    for (int i = 0; i < dict.tensors; i++) {
        const struct state_tensor *tensor = &dict.tensor[i];
        if (!tensor->data || tensor->data < damage->bytes || tensor->data > damage->bytes + damage->size)
            continue; /* it has none, or was inflated */
        size_t at = (size_t)(tensor->data - damage->bytes);
        cut_border(damage, at, whole);
        cut_border(damage, at + (size_t)tensor->elements * state_type_size(tensor->type), whole);
    }
    state_dict_finish(&dict);
}

static void cut_tflite(struct damage *damage, bool whole)
{
    enum { MODEL_BUFFERS = 4, BUFFER_DATA = 0 };
    struct fb fb = {.bytes = damage->bytes, .size = damage->size};
    struct fb_vector buffers = fb_vector(&fb, fb_root(&fb), MODEL_BUFFERS, 4);
    for (uint32_t i = 0; i < buffers.count && !fb.broken; i++) {
        struct fb_vector data = fb_vector(&fb, fb_at(&fb, buffers, i), BUFFER_DATA, 1);
        cut_border(damage, data.at, whole);
        cut_border(damage, data.at + data.count, whole);
    }
}

static void cut_borders(struct damage *damage, bool whole)
{
    if (state_dict_format(damage->bytes, damage->size) != STATE_NONE)
        cut_state_dict(damage, whole);
    else
        cut_tflite(damage, whole);
}

static void cut(struct damage *damage, size_t places, bool whole)
{
    size_t head = damage->size < HEAD ? damage->size : HEAD;
    size_t tail = damage->size < TAIL ? damage->size : TAIL;
    for (size_t i = 0; i < (whole ? head : places); i++)
        try_open(damage, whole ? i : random_below(head));
    for (size_t i = 0; i < (whole ? tail : places / 10); i++)
        try_open(damage, damage->size - 1 - (whole ? i : random_below(tail)));
    for (size_t i = 0; i < (whole ? 2000 : places / 10); i++)
        try_open(damage, random_below(damage->size));
}

static void turn_bits(struct damage *damage, size_t places, bool whole)
{
    size_t head = damage->size < HEAD ? damage->size : HEAD;
    for (size_t i = 0; i < (whole ? head : places); i++) {
        size_t at = whole ? i : random_below(i % 2 ? head : head / 8);
        uint8_t bit = (uint8_t)(1 << random_below(8));
        damage->bytes[at] ^= bit;
        try_open(damage, damage->size);
        damage->bytes[at] ^= bit;
    }
}

static bool read_all(const char *folder, const char *name, struct damage *damage)
{
    char path[1200];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    damage->bytes = size > 0 ? malloc((size_t)size) : NULL;
    damage->size = damage->bytes ? fread(damage->bytes, 1, (size_t)size, file) : 0;
    fclose(file);
    return damage->size > 0;
}

int main(int argc, char **argv)
{
    struct damage damage = {0};
    const char *all = getenv("PIPIT_TEST_ALL"), *data = getenv("PIPIT_TEST_DATA");
    if (argc != 3)
        return 64;
    if (!(data && *data && read_all(data, argv[2], &damage)) && !read_all(argv[1], argv[2], &damage)) {
        printf("%s is not there\n", argv[2]);
        return 77;
    }
    bool whole = all && *all;
    size_t places = damage.size > LARGE ? 100 : 1000;
    cut(&damage, places, whole);
    cut_borders(&damage, whole);
    turn_bits(&damage, places / 3, whole);
    printf("%s: %d opened, %d refused\n", argv[2], damage.opened, damage.refused);
    free(damage.bytes);
    return damage.failed || damage.refused == 0;
}
