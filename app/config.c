/* SPDX-License-Identifier: MIT */
#include "app/config.h"

#include "app/ini_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEYS_MAX = 64, CONTROL_SECTION_MAX = 96 };

/* ---- one value ---- */

const struct config_key *config_find(const char *name)
{
    for (int i = 0; i < config_keys_count; i++)
        if (!strcmp(config_keys[i].name, name))
            return &config_keys[i];
    return NULL;
}

static int set(struct config *config, const struct config_key *key, const char *value, char *why, size_t size)
{
    int status = key->set(key, (char *)config + key->offset, value);
    if (status)
        snprintf(why, size, "'%s' makes no sense for %s %s (%s)", value, key->name,
                 key->argument ? key->argument : "yes|no", key->help);
    return status;
}

int config_set(struct config *config, const struct config_key *key, const char *value,
               struct config_error *error)
{
    return set(config, key, value, error->text, sizeof(error->text));
}

void config_defaults(struct config *config)
{
    memset(config, 0, sizeof(*config));
    for (int i = 0; i < config_keys_count; i++)
        config_keys[i].set(&config_keys[i], (char *)config + config_keys[i].offset, config_keys[i].fallback);
}

unsigned config_changed(const struct config *a, const struct config *b)
{
    unsigned parts = 0;
    for (int i = 0; i < config_keys_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (memcmp((const char *)a + key->offset, (const char *)b + key->offset, key->size))
            parts |= key->part;
    }
    return parts;
}

/* ---- one file ---- */

struct reading {
    struct config *config;
    FILE *copy;    /* of every key, or NULL */
    bool repeats;  /* what stands there twice is no mistake */
    uint64_t seen; /* keys of this file, by their place in the table */
};

static int unknown_key(const char *name, char *why, size_t size)
{
    const char *names[KEYS_MAX] = {0};
    for (int i = 0; i < config_keys_count && i < KEYS_MAX - 1; i++)
        names[i] = config_keys[i].name;
    return ini_file_unknown(name, names, why, size);
}

static int take_control(struct config *config, const char *name, const char *value, char *why, size_t size)
{
    char text[CONTROL_SECTION_MAX];
    if (snprintf(text, sizeof(text), "%s=%s", name, value) >= (int)sizeof(text)) {
        snprintf(why, size, "the camera control '%s' is too long", name);
        return -EINVAL;
    }
    return set(config, config_find("camera-control"), text, why, size);
}

static int take_key(void *user, const char *section, const char *name, const char *value, char *why,
                    size_t size)
{
    struct reading *reading = user;
    if (!strcmp(section, "camera-controls"))
        return take_control(reading->config, name, value, why, size);
    if (*section && strcmp(section, "pipit")) {
        snprintf(why, size, "there is no section [%s]; there are [pipit] and [camera-controls]", section);
        return -EINVAL;
    }
    const struct config_key *key = config_find(name);
    if (!key)
        return unknown_key(name, why, size);
    uint64_t bit = (uint64_t)1 << (key - config_keys);
    if ((reading->seen & bit) && !reading->repeats && strcmp(name, "camera-control")) {
        snprintf(why, size, "'%s' stands there twice, or goes on on a second line", name);
        return -EINVAL;
    }
    reading->seen |= bit;
    return set(reading->config, key, value, why, size);
}

static int take(void *user, const char *section, const char *name, const char *value, char *why, size_t size)
{
    struct reading *reading = user;
    int status = take_key(user, section, name, value, why, size);
    if (!status && reading->copy)
        fprintf(reading->copy, strcmp(section, "camera-controls") ? "%s = %s\n" : "camera-control = %s=%s\n",
                name, value);
    return status;
}

static int read_one(struct reading *reading, const char *path, struct config_error *error)
{
    reading->seen = 0;
    return ini_file_read(path, take, reading, error->text, sizeof(error->text));
}

/* ---- folders ---- */

struct drop_ins {
    char **path;
    int count;
};

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int by_base(const void *a, const void *b)
{
    return strcmp(base_of(*(char *const *)a), base_of(*(char *const *)b));
}

static int is_drop_in(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 5 && !strcmp(entry->d_name + length - 5, ".conf");
}

/* Adds a path, or puts it in the place of the one with its base name. Takes the string. */
static int add_path(struct drop_ins *list, char *path)
{
    for (int i = 0; path && i < list->count; i++)
        if (!by_base(&list->path[i], &path)) {
            free(list->path[i]);
            list->path[i] = path;
            return 0;
        }
    char **bigger = path ? realloc(list->path, ((size_t)list->count + 1) * sizeof(*bigger)) : NULL;
    if (!bigger) {
        free(path);
        return -ENOMEM;
    }
    list->path = bigger;
    list->path[list->count++] = path;
    return 0;
}

static int list_folder(struct drop_ins *list, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_drop_in, alphasort), status = 0;
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (!status)
            status = add_path(list, asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0 ? NULL : path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return status;
}

/* Nothing is read after a failure; the list is freed. */
static int read_drop_ins(struct reading *reading, struct drop_ins *list, int status,
                         struct config_error *error)
{
    if (list->count)
        qsort(list->path, (size_t)list->count, sizeof(*list->path), by_base);
    for (int i = 0; i < list->count; i++) {
        if (!status)
            status = read_one(reading, list->path[i], error);
        free(list->path[i]);
    }
    free(list->path);
    return status;
}

static int read_file(struct reading *reading, const char *file, struct config_error *error)
{
    char folder[CONFIG_TEXT];
    struct drop_ins list = {0};
    int status = read_one(reading, file, error);
    if (!status && snprintf(folder, sizeof(folder), "%s.d", file) < (int)sizeof(folder))
        status = list_folder(&list, folder);
    return read_drop_ins(reading, &list, status, error);
}

static int read_folders(struct reading *reading, const char *const *folders, struct config_error *error)
{
    char path[CONFIG_TEXT], main_file[CONFIG_TEXT] = "";
    struct drop_ins list = {0};
    int status = 0;
    for (; *folders && !status; folders++) {
        snprintf(path, sizeof(path), "%s/pipit.conf", *folders);
        if (!access(path, F_OK))
            memcpy(main_file, path, sizeof(path));
        snprintf(path, sizeof(path), "%s/pipit.conf.d", *folders);
        status = list_folder(&list, path);
    }
    if (!status && *main_file)
        status = read_one(reading, main_file, error);
    return read_drop_ins(reading, &list, status, error);
}

int config_read_file(struct config *config, const char *file, struct config_error *error)
{
    struct reading reading = {.config = config};
    return read_file(&reading, file, error);
}

int config_read_folders(struct config *config, const char *const *folders, struct config_error *error)
{
    struct reading reading = {.config = config};
    return read_folders(&reading, folders, error);
}

/* ---- all of it ---- */

static int outputs_differ(const struct config *config, struct config_error *error)
{
    int dashes =
        !strcmp(config->stats, "-") + !strcmp(config->events, "-") + !strcmp(config->screen, "mjpeg:-");
    if (dashes <= 1)
        return 0;
    snprintf(error->text, sizeof(error->text),
             "only one of stats, events and screen can go to standard output: give the others a file");
    return -EINVAL;
}

static int read_files(struct reading *reading, const struct config_origin *origin, struct config_error *error)
{
    static const char *const system[] = {"/usr/lib/pipit", "/run/pipit", "/etc/pipit", NULL};
    if (origin->is_copy)
        return read_one(reading, origin->file, error);
    return origin->file ? read_file(reading, origin->file, error) : read_folders(reading, system, error);
}

int config_load(struct config *config, const struct config_origin *origin, struct config_error *error)
{
    struct config fresh;
    struct reading reading = {.config = &fresh, .copy = origin->copy, .repeats = origin->is_copy};
    config_defaults(&fresh);
    int status = read_files(&reading, origin, error);
    for (int i = 0; i < origin->options && !status; i++)
        status = config_set(&fresh, origin->option[i].key, origin->option[i].value, error);
    if (!status)
        status = outputs_differ(&fresh, error);
    if (!status)
        *config = fresh;
    return status;
}
