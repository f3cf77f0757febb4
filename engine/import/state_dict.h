/* SPDX-License-Identifier: MIT */
/*
 * A state dict: named tensors as training frameworks save them, and what else a file says about them. Read
 * from torch.save's two formats (.pth, .pt), safetensors and GGUF, without a copy of the tensors.
 */
#ifndef PIPIT_ENGINE_IMPORT_STATE_DICT_H
#define PIPIT_ENGINE_IMPORT_STATE_DICT_H

#include "engine/error.h"
#include "engine/pool.h"

enum state_type {
    STATE_F32,
    STATE_F16,  /* IEEE 754 binary16 */
    STATE_BF16, /* the upper half of an F32 */
    STATE_F64,
    STATE_I8,
    STATE_U8,
    STATE_I16,
    STATE_I32,
    STATE_I64,
    STATE_BOOL,
    STATE_OTHER, /* quantised and other types that cannot be read; the tensor has a name and a shape only */
};

#define STATE_RANK_MAX 8

struct state_tensor {
    const char *name;
    enum state_type type;
    const char *type_name; /* as the format calls it: "float16", "F16", "Q4_K" */
    int rank;
    int64_t shape[STATE_RANK_MAX];  /* in PyTorch's order: [out, in, height, width] */
    int64_t stride[STATE_RANK_MAX]; /* elements */
    int64_t elements;
    const uint8_t
        *data; /* element [0, 0, ...]; little-endian, not aligned. NULL for STATE_OTHER or no elements */
};

enum state_value { STATE_TEXT, STATE_NUMBER, STATE_TEXTS, STATE_NUMBERS };

struct state_meta {
    const char *key;
    enum state_value kind;
    const char *text;
    double number;
    int count; /* of texts or numbers */
    const char **texts;
    const double *numbers;
};

struct state_dict {
    const char *format; /* "PyTorch state dict", "safetensors", "GGUF" */
    struct state_tensor *tensor;
    int tensors, tensor_room;
    struct state_tensor **by_name;
    struct state_meta *meta;
    int metas, meta_room;
    struct pool pool;
    void **owned; /* inflated storages */
    int owns, own_room;
};

enum state_format { STATE_NONE, STATE_TORCH, STATE_SAFETENSORS, STATE_GGUF };
enum state_format state_dict_format(const void *bytes, size_t size); /* by the first bytes */

/* The bytes are borrowed until state_dict_finish(). -EINVAL: damaged; -ENOTSUP: sound, but not read here;
 * -ENOMEM; -E2BIG: more tensors or entries than any network has. After an error nothing is held. */
int state_dict_init(struct state_dict *dict, const void *bytes, size_t size, struct pipit_error *error);
void state_dict_finish(struct state_dict *dict);

const struct state_tensor *state_dict_find(const struct state_dict *dict, const char *name);
const struct state_meta *state_dict_meta(const struct state_dict *dict, const char *key);

/* All elements as floats, in row-major order of the shape. -ENOTSUP: STATE_OTHER. */
int state_tensor_read(const struct state_tensor *tensor, float *out);
const char *state_shape_format(const struct state_tensor *tensor, char *text,
                               size_t size); /* "[32, 3, 3, 3]" */

/* For the readers of the formats. ----------------------------------------------------------------------- */

int state_dict_read_torch(struct state_dict *dict, const uint8_t *bytes, size_t size,
                          struct pipit_error *error);
int state_dict_read_safetensors(struct state_dict *dict, const uint8_t *bytes, size_t size,
                                struct pipit_error *error);
int state_dict_read_gguf(struct state_dict *dict, const uint8_t *bytes, size_t size,
                         struct pipit_error *error);

/* A new zeroed tensor or entry with its name (copied). NULL: no memory, too many, or a name of above 255
 * bytes. */
struct state_tensor *state_dict_add(struct state_dict *dict, const char *name, size_t length);
struct state_meta *state_dict_add_meta(struct state_dict *dict, const char *key, size_t length);
int state_dict_own(struct state_dict *dict, void *memory); /* freed by finish(), and here when it fails */
/* Sets elements and row-major strides from rank and shape. -EINVAL: negative or more than fit in memory. */
int state_tensor_measure(struct state_tensor *tensor);
size_t state_type_size(enum state_type type); /* bytes; 0 for STATE_OTHER */

#endif
