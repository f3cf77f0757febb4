/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target on the files of folders, for compilers without libFuzzer: also cut short, and with bits
 * turned. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANGES = 200 }; /* of each file */

static uint64_t state = 1;

static uint64_t random_below(uint64_t bound)
{
    state = state * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
    return (state >> 33) % bound;
}

/* A copy that ends where the bytes end, so that sanitizers see a read beyond them. */
static void run_on(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    fuzz_check(copy);
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_changed(uint8_t *bytes, size_t size)
{
    run_on(bytes, size);
    for (int i = 0; i < CHANGES && size > 0; i++) {
        size_t at = (size_t)random_below(size < 4096 || i % 2 ? size : 4096);
        uint8_t bit = (uint8_t)(1 << random_below(8));
        run_on(bytes, at);
        bytes[at] ^= bit;
        run_on(bytes, size);
        bytes[at] ^= bit;
    }
}

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    uint8_t *bytes = size >= 0 && size < 1 << 28 ? malloc((size_t)size + 1) : NULL;
    int done = bytes && fread(bytes, 1, (size_t)size, file) == (size_t)size;
    fclose(file);
    if (done)
        run_changed(bytes, (size_t)size);
    free(bytes);
    return done;
}

static int run_folder(const char *folder)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    int files = 0;
    while (entries && (entry = readdir(entries))) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        files += entry->d_name[0] == '.' ? 0 : run_file(path);
    }
    if (entries)
        closedir(entries);
    return files;
}

int main(int count, char **folders)
{
    int files = 0;
    for (int i = 1; i < count; i++)
        files += run_folder(folders[i]);
    printf("%d files\n", files);
    return files ? 0 : 77;
}
