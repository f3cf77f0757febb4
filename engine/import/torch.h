/* SPDX-License-Identifier: MIT */
/* Between the two halves of the torch.save reader: the files (torch.c) and what their pickles say
 * (torch_convert.c). */
#ifndef PIPIT_ENGINE_IMPORT_TORCH_H
#define PIPIT_ENGINE_IMPORT_TORCH_H

#include "engine/import/pickle.h"
#include "engine/import/zip.h"

struct torch_storage {
    const char *key; /* in the file, not terminated */
    uint32_t key_length;
    enum state_type type;
    const uint8_t *data; /* NULL until it has been found */
    int64_t elements;
};

struct torch {
    struct state_dict *dict;
    struct pickle pickle;
    struct zip zip;     /* of the new format */
    const char *folder; /* of data.pkl in the archive, with its slash */
    size_t folder_length;
    size_t room;                   /* bytes that may still be inflated */
    struct torch_storage *storage; /* sorted by key */
    uint32_t storages;
    struct pipit_error *error;
};

/* The storage of a persistent id, with its data. */
int torch_find_storage(struct torch *torch, const struct pickle_value *value, struct torch_storage **found);

/* Finds the state dict in what the pickle holds, and adds its tensors and what stands beside them. */
int torch_convert(struct torch *torch, const struct pickle_value *root);

#endif
