/* SPDX-License-Identifier: MIT */
/*
 * A reader of Python pickles (protocols 2 to 5, as in CPython's Lib/pickletools.py) that knows what
 * torch.save writes for a state dict: numbers, text, tuples, lists, dicts and tensors. It builds values and
 * calls nothing: a pickle that names any other class or function is refused, and the name is told.
 */
#ifndef PIPIT_ENGINE_IMPORT_PICKLE_H
#define PIPIT_ENGINE_IMPORT_PICKLE_H

#include "engine/error.h"
#include "engine/import/state_dict.h"

enum pickle_kind {
    PICKLE_MARK, /* only on the stack */
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT,
    PICKLE_REAL,
    PICKLE_TEXT, /* str or bytes */
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT,    /* dict or OrderedDict: its items are keys and values in turn */
    PICKLE_TENSOR,  /* its items are the arguments of torch._utils._rebuild_tensor_v2 */
    PICKLE_STORAGE, /* its items are a persistent id: 'storage', type, key, location, elements */
    PICKLE_TYPE,    /* torch.FloatStorage and the like; integer: enum state_type */
    PICKLE_CALL,    /* a function that pickle.c knows */
};

struct pickle_value {
    enum pickle_kind kind;
    uint32_t length; /* of text, bytes */
    union {
        int64_t integer; /* INT, BOOL, TYPE, CALL */
        double real;
        const char *text;   /* in the file, not terminated */
        uint32_t container; /* TUPLE, LIST, DICT, TENSOR, STORAGE */
    };
};

struct pickle_container {
    uint32_t first, last, count; /* items, as indices into `item`; valid when count > 0 */
};

struct pickle_item {
    struct pickle_value value;
    uint32_t next;
};

struct pickle {
    const uint8_t *bytes;
    size_t size, at;
    struct pickle_value *stack, *memo;
    struct pickle_container *container;
    struct pickle_item *item;
    uint32_t depth, stack_room, memos, memo_room, containers, container_room, items, item_room;
    struct pipit_error *error;
};

/* The bytes are borrowed until pickle_finish(). */
void pickle_init(struct pickle *pickle, const void *bytes, size_t size, struct pipit_error *error);
void pickle_finish(struct pickle *pickle);

/* Reads the pickle that begins at pickle->at and leaves `at` behind it. -EINVAL: damaged; -ENOTSUP: it holds
 * something that is not read here; -ENOMEM; -E2BIG: more than some million objects. Values of earlier pickles
 * of the same bytes stay valid. */
int pickle_load(struct pickle *pickle, struct pickle_value *value);

/* Walks a container's items: for (uint32_t i = pickle_first(..); i != PICKLE_END; i = pickle_next(..)). */
#define PICKLE_END UINT32_MAX
uint32_t pickle_first(const struct pickle *pickle, const struct pickle_value *value);
uint32_t pickle_next(const struct pickle *pickle, uint32_t item);
/* Up to `most` items of a container into values; returns how many there are. */
uint32_t pickle_items(const struct pickle *pickle, const struct pickle_value *value,
                      struct pickle_value *values, uint32_t most);
bool pickle_is_text(const struct pickle_value *value, const char *text);

#endif
