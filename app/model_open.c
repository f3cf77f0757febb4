/* SPDX-License-Identifier: MIT */
#include "app/model_open.h"

#include "app/card.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LABELS_BYTES_MAX = 16 << 20 };

/* ---- finding ---- */

static int unknown_model(const struct catalog *catalog, const char *name)
{
    const char **names = calloc((size_t)catalog->count + 1, sizeof(*names));
    for (int i = 0; names && i < catalog->count; i++)
        names[i] = catalog->card[i].name;
    const char *meant = names ? nearest_name(name, names) : NULL;
    if (meant)
        log_error("there is no file and no model '%s'; did you mean '%s'?", name, meant);
    else
        log_error("there is no file and no model '%s'; 'pipit models list' names the catalogue's", name);
    free(names);
    return EX_NOINPUT;
}

static int use_card(const struct card *card, char **path, char **name, struct pipit_settings *settings,
                    char **labels, int *labels_skip)
{
    *path = card_model_path(card);
    if (!*path) {
        log_error("the model '%s' is not here yet: run 'pipit models fetch %s'", card->name, card->name);
        return EX_NOINPUT;
    }
    *name = strdup(card->name);
    *settings = card->settings;
    *labels = card->labels ? strdup(card->labels) : NULL;
    *labels_skip = card->labels_skip;
    return *name && (*labels || !card->labels) ? EX_OK : EX_OSERR;
}

static int find_in(const struct catalog *catalog, const struct options *options, const char *task,
                   char **path, char **name, struct pipit_settings *settings, char **labels, int *labels_skip)
{
    const struct card *card =
        options->model ? catalog_find(catalog, options->model) : catalog_default(catalog, task);
    if (card)
        return use_card(card, path, name, settings, labels, labels_skip);
    if (!options->model) {
        log_error("the catalogue has no default model to %s with: give one with -m", task);
        return EX_CONFIG;
    }
    if (access(options->model, F_OK) && !strchr(options->model, '/'))
        return unknown_model(catalog, options->model);
    *path = strdup(options->model);
    *name = strdup(options->model);
    return *path && *name ? EX_OK : EX_OSERR;
}

static void apply_options(const struct options *options, struct pipit_settings *settings)
{
    settings->threads = options->threads;
    settings->cpu_mask = options->cpu_mask;
    if (options->threshold >= 0)
        settings->threshold = options->threshold;
    if (options->fit != PIPIT_FIT_AUTO)
        settings->fit = options->fit;
    if (options->has_mean) {
        settings->has_normalisation = true;
        memcpy(settings->mean, options->mean, sizeof(settings->mean));
        memcpy(settings->std, options->std, sizeof(settings->std));
    }
}

int model_find(const struct options *options, const char *task, char **path, char **name,
               struct pipit_settings *settings, char **labels, int *labels_skip)
{
    struct catalog catalog;
    *path = *name = *labels = NULL;
    *labels_skip = 0;
    pipit_settings_defaults(settings);
    int status = catalog_init(&catalog)
                     ? EX_OSERR
                     : find_in(&catalog, options, task, path, name, settings, labels, labels_skip);
    catalog_finish(&catalog);
    apply_options(options, settings);
    return status;
}

/* ---- labels ---- */

static int read_text(const char *path, char **text, size_t *size)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    *text = malloc(LABELS_BYTES_MAX + 1);
    *size = *text ? fread(*text, 1, LABELS_BYTES_MAX + 1, file) : 0;
    int status = !*text                     ? -ENOMEM
                 : ferror(file)             ? -(errno ? errno : EIO)
                 : *size > LABELS_BYTES_MAX ? -E2BIG
                                            : 0;
    fclose(file);
    return status;
}

int model_load_labels(struct pipit_model *model, const char *path, int skip)
{
    char *text = NULL;
    size_t size = 0;
    int status = read_text(path, &text, &size);
    if (!status)
        status = pipit_model_set_labels(model, text, size, skip);
    free(text);
    if (status)
        log_error("cannot read the labels in '%s': %s", path, strerror(-status));
    return exit_status(status);
}

/* ---- opening ---- */

int model_open(struct opened *opened, const struct options *options, const char *task)
{
    struct pipit_settings settings;
    struct pipit_error error;
    char *labels;
    int skip;
    *opened = (struct opened){0};
    int status = model_find(options, task, &opened->path, &opened->name, &settings, &labels, &skip);
    if (!status) {
        status = pipit_model_open(&opened->model, opened->path, &settings, &error);
        if (status)
            log_error("%s: %s", opened->path, error.text);
        status = exit_status(status);
    }
    if (!status && options->labels)
        status = model_load_labels(opened->model, options->labels, 0);
    else if (!status && labels)
        status = model_load_labels(opened->model, labels, skip);
    free(labels);
    if (status)
        model_close(opened);
    return status;
}

void model_close(struct opened *opened)
{
    pipit_model_destroy(opened->model);
    free(opened->name);
    free(opened->path);
    *opened = (struct opened){0};
}
