/* SPDX-License-Identifier: MIT */
/*
 * damage DATA MODEL: opens the file cut short and with one bit turned; nothing may crash, and what opens must
 * run. Cut at places in the first 64 KiB, at the end's last 4 KiB and beyond; bits in the first 64 KiB. A
 * sample, or with PIPIT_TEST_ALL each byte of the first 64 KiB and 2,000 places beyond. Exit status 77: the
 * file is absent.
 */
#include "engine/pipit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 64 << 10, TAIL = 4 << 10, MACS_MAX = 20 << 20 };

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

static bool read_all(const char *path, struct damage *damage)
{
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
    char path[1200];
    if (argc != 3)
        return 64;
    snprintf(path, sizeof(path), "%s/%s", data && *data ? data : argv[1], argv[2]);
    if (!read_all(path, &damage)) {
        printf("%s is not there\n", path);
        return 77;
    }
    bool whole = all && *all;
    cut(&damage, 1000, whole);
    turn_bits(&damage, 300, whole);
    printf("%s: %d opened, %d refused\n", argv[2], damage.opened, damage.refused);
    free(damage.bytes);
    return damage.failed || damage.refused == 0;
}
