/* SPDX-License-Identifier: MIT */
/*
 * torch.save's two formats, as torch/serialization.py writes them. The old one is a row of pickles (a magic
 * number, a version, the machine, the objects, the storages' keys), then each storage as an element count
 * (int64) and its bytes. The new one is a ZIP archive with NAME/data.pkl and NAME/data/KEY.
 */
#include "engine/import/torch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORAGE_ITEMS 5 /* of a persistent id */
#define INFLATED_MAX  3 /* compressed storages may grow by this, all together */
#define MAGIC         "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19" /* 0x1950a86a20f9469cfc6c, little-endian */

/* ---- storages ------------------------------------------------------------------------------------------ */

static int compare_keys(const void *left, const void *right)
{
    const struct torch_storage *a = left, *b = right;
    uint32_t shorter = a->key_length < b->key_length ? a->key_length : b->key_length;
    int order = shorter ? memcmp(a->key, b->key, shorter) : 0;
    return order ? order : (a->key_length > b->key_length) - (a->key_length < b->key_length);
}

static int parse_storage(struct torch *torch, const struct pickle_value *value, struct torch_storage *storage)
{
    struct pickle_value item[STORAGE_ITEMS];
    if (value->kind != PICKLE_STORAGE ||
        pickle_items(&torch->pickle, value, item, STORAGE_ITEMS) < STORAGE_ITEMS ||
        !pickle_is_text(&item[0], "storage") || item[1].kind != PICKLE_TYPE || item[2].kind != PICKLE_TEXT)
        return fail(torch->error, -EINVAL, "a tensor's storage is not described as torch does it");
    *storage = (struct torch_storage){
        .key = item[2].text,
        .key_length = item[2].length,
        .type = (enum state_type)item[1].integer,
    };
    return 0;
}

static void drop_repeated_keys(struct torch *torch)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < torch->storages; i++)
        if (kept == 0 || compare_keys(&torch->storage[kept - 1], &torch->storage[i]))
            torch->storage[kept++] = torch->storage[i];
    torch->storages = kept;
}

/* Every persistent id of the pickle, once, sorted by key. */
static int collect_storages(struct torch *torch)
{
    const struct pickle *pickle = &torch->pickle;
    uint32_t count = 0;
    for (uint32_t i = 0; i < pickle->items; i++)
        count += pickle->item[i].value.kind == PICKLE_STORAGE;
    torch->storage = calloc((size_t)count + 1, sizeof(*torch->storage));
    if (!torch->storage)
        return fail(torch->error, -ENOMEM, "no memory for %u storages", count);
    for (uint32_t i = 0; i < pickle->items; i++) {
        if (pickle->item[i].value.kind != PICKLE_STORAGE)
            continue;
        int error = parse_storage(torch, &pickle->item[i].value, &torch->storage[torch->storages++]);
        if (error)
            return error;
    }
    qsort(torch->storage, torch->storages, sizeof(*torch->storage), compare_keys);
    drop_repeated_keys(torch);
    return 0;
}

static struct torch_storage *find_storage(struct torch *torch, const char *key, uint32_t length)
{
    struct torch_storage wanted = {.key = key, .key_length = length};
    return bsearch(&wanted, torch->storage, torch->storages, sizeof(wanted), compare_keys);
}

static int missing_storage(struct torch *torch, const struct torch_storage *storage)
{
    return fail(torch->error, -EINVAL, "the values of storage '%.*s' are missing or damaged",
                storage->key_length > 40 ? 40 : (int)storage->key_length, storage->key);
}

static const struct zip_entry *find_entry(const struct torch *torch, const char *name, uint32_t length)
{
    char path[512];
    int used =
        snprintf(path, sizeof(path), "%.*s%.*s", (int)torch->folder_length, torch->folder, (int)length, name);
    return used < (int)sizeof(path) ? zip_find(&torch->zip, path, (size_t)used) : NULL;
}

/* The new format's storage is looked up when a tensor needs it, so that an optimiser's state is left alone.
 */
static int load_storage(struct torch *torch, struct torch_storage *storage)
{
    char name[256];
    int length = snprintf(name, sizeof(name), "data/%.*s",
                          storage->key_length > 200 ? 200 : (int)storage->key_length, storage->key);
    const struct zip_entry *entry = find_entry(torch, name, (uint32_t)length);
    void *owned = NULL;
    if (!entry)
        return missing_storage(torch, storage);
    if (entry->method && entry->size > torch->room)
        return fail(torch->error, -ENOTSUP, "its compressed tensors are more than %d times its size",
                    INFLATED_MAX);
    int error = zip_read(entry, &storage->data, &owned);
    if (error == -EINVAL)
        return missing_storage(torch, storage);
    if (error)
        return fail(torch->error, error, "'%s' of its archive cannot be unpacked", name);
    storage->elements = (int64_t)(entry->size / state_type_size(storage->type));
    torch->room -= owned ? entry->size : 0;
    return owned ? state_dict_own(torch->dict, owned) : 0;
}

int torch_find_storage(struct torch *torch, const struct pickle_value *value, struct torch_storage **found)
{
    struct torch_storage key;
    int error = parse_storage(torch, value, &key);
    if (error)
        return error;
    *found = find_storage(torch, key.key, key.key_length);
    if (!*found)
        return missing_storage(torch, &key);
    if ((*found)->data)
        return 0;
    return torch->zip.count ? load_storage(torch, *found) : missing_storage(torch, *found);
}

/* ---- the old format -------------------------------------------------------------------------------------
 */

static int check_machine(struct torch *torch, const struct pickle_value *machine)
{
    struct pickle *pickle = &torch->pickle;
    if (machine->kind != PICKLE_DICT)
        return fail(torch->error, -EINVAL, "not a file of torch.save");
    for (uint32_t i = pickle_first(pickle, machine); i != PICKLE_END; i = pickle_next(pickle, i)) {
        const struct pickle_value *key = &pickle->item[i].value;
        i = pickle_next(pickle, i);
        const struct pickle_value *value = &pickle->item[i].value;
        if (pickle_is_text(key, "little_endian") && value->kind == PICKLE_BOOL && !value->integer)
            return fail(torch->error, -ENOTSUP, "it was written on a big-endian machine");
    }
    return 0;
}

/* One storage's count and bytes, at pickle.at; leaves `at` behind them. */
static int place_storage(struct torch *torch, struct torch_storage *storage)
{
    struct pickle *pickle = &torch->pickle;
    uint64_t count = 0;
    if (pickle->size - pickle->at < 8)
        return missing_storage(torch, storage);
    for (int i = 0; i < 8; i++)
        count |= (uint64_t)pickle->bytes[pickle->at++] << 8 * i;
    size_t width = state_type_size(storage->type);
    if (count > (pickle->size - pickle->at) / width)
        return missing_storage(torch, storage);
    storage->data = pickle->bytes + pickle->at;
    storage->elements = (int64_t)count;
    pickle->at += (size_t)count * width;
    return 0;
}

static int place_storages(struct torch *torch, const struct pickle_value *keys)
{
    struct pickle *pickle = &torch->pickle;
    if (keys->kind != PICKLE_LIST)
        return fail(torch->error, -EINVAL, "the list of its storages is damaged");
    for (uint32_t i = pickle_first(pickle, keys); i != PICKLE_END; i = pickle_next(pickle, i)) {
        const struct pickle_value *key = &pickle->item[i].value;
        struct torch_storage *storage =
            key->kind == PICKLE_TEXT ? find_storage(torch, key->text, key->length) : NULL;
        if (!storage)
            return fail(torch->error, -EINVAL, "it lists a storage that no tensor uses");
        int error = place_storage(torch, storage);
        if (error)
            return error;
    }
    return 0;
}

static int read_old(struct torch *torch, const uint8_t *bytes, size_t size)
{
    struct pickle_value magic, version, machine, root, keys;
    pickle_init(&torch->pickle, bytes, size, torch->error);
    int error = pickle_load(&torch->pickle, &magic);
    if (error)
        return error;
    if (magic.kind != PICKLE_TEXT || magic.length != sizeof(MAGIC) - 1 ||
        memcmp(magic.text, MAGIC, magic.length))
        return fail(torch->error, -ENOTSUP, "a Python pickle, but not one that torch.save wrote");
    error = pickle_load(&torch->pickle, &version);
    if (!error)
        error = pickle_load(&torch->pickle, &machine);
    if (!error)
        error = check_machine(torch, &machine);
    if (!error)
        error = pickle_load(&torch->pickle, &root);
    if (!error)
        error = collect_storages(torch);
    if (!error)
        error = pickle_load(&torch->pickle, &keys);
    if (!error)
        error = place_storages(torch, &keys);
    return error ? error : torch_convert(torch, &root);
}

/* ---- the new format -------------------------------------------------------------------------------------
 */

static bool ends_with(const struct zip_entry *entry, const char *end)
{
    size_t length = strlen(end);
    return entry->name_length >= length && !memcmp(entry->name + entry->name_length - length, end, length);
}

/* The archive's one folder is that of data.pkl. */
static const struct zip_entry *find_pickle(struct torch *torch)
{
    static const char name[] = "data.pkl";
    for (size_t i = 0; i < torch->zip.count; i++) {
        const struct zip_entry *entry = &torch->zip.entries[i];
        size_t folder = entry->name_length - (sizeof(name) - 1);
        if (!ends_with(entry, name) || folder > 255 || (folder && entry->name[folder - 1] != '/'))
            continue;
        torch->folder = entry->name;
        torch->folder_length = folder;
        return entry;
    }
    return NULL;
}

static int check_archive(struct torch *torch)
{
    const struct zip_entry *order = find_entry(torch, "byteorder", 9);
    const uint8_t *text = NULL;
    void *owned = NULL;
    if (find_entry(torch, "constants.pkl", 13))
        return fail(
            torch->error, -ENOTSUP,
            "a TorchScript archive, and Pipit reads state dicts: torch.save(model.state_dict(), path)");
    if (!order || zip_read(order, &text, &owned))
        return 0;
    bool big = order->size == 3 && !memcmp(text, "big", 3);
    free(owned);
    return big ? fail(torch->error, -ENOTSUP, "it was written on a big-endian machine") : 0;
}

static int read_pickle(struct torch *torch, const struct zip_entry *entry, struct pickle_value *root)
{
    const uint8_t *bytes;
    void *owned;
    if (entry->method && entry->size > torch->room)
        return fail(torch->error, -ENOTSUP, "its data.pkl is compressed more than tensors' names are");
    int error = zip_read(entry, &bytes, &owned);
    if (!error && owned)
        error = state_dict_own(torch->dict, owned);
    if (error)
        return fail(torch->error, error, "its data.pkl cannot be unpacked");
    torch->room -= owned ? entry->size : 0;
    pickle_init(&torch->pickle, bytes, entry->size, torch->error);
    return pickle_load(&torch->pickle, root);
}

static int read_new(struct torch *torch, const uint8_t *bytes, size_t size)
{
    struct pickle_value root;
    int error = zip_init(&torch->zip, bytes, size);
    if (error)
        return fail(torch->error, error, "its ZIP archive is cut short or damaged");
    const struct zip_entry *entry = find_pickle(torch);
    if (!entry)
        return fail(torch->error, -ENOTSUP, "a ZIP archive without data.pkl, so not a file of torch.save");
    torch->room = size * INFLATED_MAX;
    error = check_archive(torch);
    if (!error)
        error = read_pickle(torch, entry, &root);
    if (!error)
        error = collect_storages(torch);
    return error ? error : torch_convert(torch, &root);
}

int state_dict_read_torch(struct state_dict *dict, const uint8_t *bytes, size_t size,
                          struct pipit_error *error)
{
    struct torch torch = {.dict = dict, .error = error};
    dict->format = "PyTorch state dict";
    int status = bytes[0] == 'P' ? read_new(&torch, bytes, size) : read_old(&torch, bytes, size);
    pickle_finish(&torch.pickle);
    zip_finish(&torch.zip);
    free(torch.storage);
    return status;
}
