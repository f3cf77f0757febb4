/* SPDX-License-Identifier: MIT */
#include "app/model_open.h"

#include "app/calibrate.h"
#include "app/card.h"
#include "app/sha256.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LABELS_BYTES_MAX = 16 << 20 };

/* What is found out before the file is opened. */
struct choice {
    struct opened *opened;
    struct pipit_settings settings;
    char *labels; /* file, or NULL */
    int labels_skip;
    char *sha256; /* that the file must have, or NULL */
    struct pipit_error *error;
};

/* ---- finding ---- */

static int unknown_model(const struct catalog *catalog, const char *name, struct pipit_error *error)
{
    const char *meant = catalog_nearest(catalog, name);
    int status = catalog->broken ? EX_CONFIG : EX_NOINPUT;
    if (meant)
        return failure(error, status, "there is no file and no model '%s'; did you mean '%s'?", name, meant);
    return failure(error, status,
                   "there is no file and no model '%s'; 'pipit models list' names the catalogue's", name);
}

static int use_card(struct choice *choice, const struct card *card)
{
    struct opened *opened = choice->opened;
    if (!opened->path)
        opened->path = card_model_path(card);
    if (!opened->path)
        return card->fetchable
                   ? failure(choice->error, EX_UNAVAILABLE,
                             "the model '%s' is not here yet: run 'pipit models fetch %s'", card->name,
                             card->name)
                   : failure(choice->error, EX_UNAVAILABLE, "the file '%s' that '%s' names is not beside it",
                             card->file, card->path);
    if (!opened->name)
        opened->name = strdup(card->name);
    choice->settings = card->settings;
    choice->labels = card->labels ? strdup(card->labels) : NULL;
    choice->labels_skip = card->labels_skip;
    choice->sha256 = card->sha256 ? strdup(card->sha256) : NULL;
    opened->normalisation = card->settings.has_normalisation ? "card" : NULL;
    return opened->name && (choice->labels || !card->labels)
               ? EX_OK
               : failure(choice->error, EX_OSERR, "out of memory");
}

static int use_card_file(struct choice *choice, const char *path)
{
    struct card card;
    int status = card_read(&card, path, choice->error->text, sizeof(choice->error->text));
    if (status)
        return status == -EINVAL ? EX_CONFIG : exit_status(status);
    status = use_card(choice, &card);
    card_finish(&card);
    return status;
}

/* Of "birds.tflite" the card "birds.ini" in the same folder, if it names that file; else NULL. */
static char *card_beside(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    struct card card = {0};
    char text[256], *beside;
    if (asprintf(&beside, "%.*s.ini", (int)((dot ? dot : name + strlen(name)) - path), path) < 0)
        return NULL;
    bool good = !access(beside, F_OK) && !card_read(&card, beside, text, sizeof(text)) && card.file &&
                !strcmp(card.file, name);
    card_finish(&card);
    if (good)
        return beside;
    free(beside);
    return NULL;
}

static int use_path(struct choice *choice, const struct catalog *catalog, const char *path)
{
    size_t length = strlen(path);
    if (access(path, F_OK))
        return errno == ENOENT ? unknown_model(catalog, path, choice->error)
                               : failure(choice->error, exit_status(-errno), "%s: %s", path, strerror(errno));
    if (length > 4 && !strcmp(path + length - 4, ".ini"))
        return use_card_file(choice, path);
    choice->opened->path = strdup(path);
    choice->opened->name = strdup(path);
    if (!choice->opened->path || !choice->opened->name)
        return failure(choice->error, EX_OSERR, "out of memory");
    const struct card *card = catalog_find_file(catalog, path);
    char *beside = card ? NULL : card_beside(path);
    int status = card ? use_card(choice, card) : beside ? use_card_file(choice, beside) : EX_OK;
    free(beside);
    return status;
}

static int choose_from(struct choice *choice, const struct catalog *catalog, const char *name,
                       const char *task)
{
    const struct card *card = name ? catalog_find(catalog, name) : catalog_default(catalog, task);
    if (card)
        return use_card(choice, card);
    if (!name)
        return failure(choice->error, EX_CONFIG,
                       "the catalogue has no default model to %s with: give one with -m", task);
    return use_path(choice, catalog, name);
}

static void apply_options(struct choice *choice, const struct options *options)
{
    struct pipit_settings *settings = &choice->settings;
    settings->threads = options->threads;
    settings->cpu_mask = options->cpu_mask;
    settings->precision = options->precision;
    if (options->threshold >= 0)
        settings->threshold = options->threshold;
    choice->opened->threshold = settings->threshold >= 0 ? settings->threshold : 0.5f;
    if (options->leave > 0)
        settings->threshold = choice->opened->threshold * options->leave;
    if (options->fit != PIPIT_FIT_AUTO)
        settings->fit = options->fit;
    if (options->has_mean) {
        settings->has_normalisation = true;
        memcpy(settings->mean, options->mean, sizeof(settings->mean));
        memcpy(settings->std, options->std, sizeof(settings->std));
        choice->opened->normalisation = "options";
    }
}

static int choose(struct choice *choice, const struct options *options, const char *task)
{
    struct catalog catalog;
    pipit_settings_defaults(&choice->settings);
    int status = catalog_init(&catalog) ? failure(choice->error, EX_OSERR, "out of memory")
                                        : choose_from(choice, &catalog, options->model, task);
    catalog_finish(&catalog);
    apply_options(choice, options);
    choice->opened->settings = choice->settings;
    return status;
}

/* ---- labels ---- */

int text_read(const char *path, char **text, size_t *size)
{
    FILE *file = fopen(path, "re");
    *text = NULL;
    if (!file)
        return -errno;
    *text = malloc(LABELS_BYTES_MAX + 1);
    errno = 0;
    *size = *text ? fread(*text, 1, LABELS_BYTES_MAX + 1, file) : 0;
    int status = !*text                     ? -ENOMEM
                 : ferror(file)             ? -(errno ? errno : EIO)
                 : *size > LABELS_BYTES_MAX ? -E2BIG
                                            : 0;
    fclose(file);
    if (!status) {
        (*text)[*size] = 0;
        return 0;
    }
    free(*text);
    *text = NULL;
    return status;
}

/* How many classes the model tells apart, 0 when it is no classifier. */
static int classes_of(const struct pipit_model *model)
{
    const struct pipit_tensor *output = pipit_model_output(model, 0);
    bool classes = pipit_model_decoder(model) == PIPIT_DECODER_CLASSES && output && output->rank > 0;
    return classes ? output->shape[output->rank - 1] : 0;
}

/* Files of ImageNet's names begin with a background class that many networks lack: it is left out where the
 * file has just that one line too many. Any other mismatch is for the user to know. */
static int fit_labels(struct opened *opened, const char *path, const char *text, size_t size)
{
    struct pipit_model *model = opened->model;
    int lines = pipit_model_labels(model), classes = classes_of(model);
    const char *first = pipit_model_label(model, 0);
    if (classes && lines == classes + 1 && first && !strcmp(first, "background")) {
        log_info("'%s' has a background class that the model lacks: it is left out", path);
        opened->labels_skip = 1;
        return pipit_model_set_labels(model, text, size, 1);
    }
    if (classes && lines != classes)
        log_warning("'%s' has %d lines, but the model has %d classes: names may be wrong", path, lines,
                    classes);
    return 0;
}

static int load_labels(struct opened *opened, const char *path, int skip, bool check,
                       struct pipit_error *error)
{
    char *text = NULL;
    size_t size = 0;
    int status = text_read(path, &text, &size);
    if (!status)
        status = pipit_model_set_labels(opened->model, text, size, skip);
    opened->labels = strdup(path);
    opened->labels_skip = skip;
    if (!status && check)
        status = fit_labels(opened, path, text, size);
    free(text);
    return status ? failure(error, exit_status(status), "cannot read the labels in '%s': %s", path,
                            strerror(-status))
                  : EX_OK;
}

/* ---- opening ---- */

void model_tell_precision(const struct pipit_model *model, const char *name, const struct options *options)
{
    struct pipit_info info;
    pipit_model_info(model, &info);
    const bool bf16 = options->precision == PIPIT_PRECISION_BF16;
    if (info.precision == options->precision || options->precision == PIPIT_PRECISION_INT8)
        return; /* of int8 open_somehow() tells */
    if (info.cpu & (bf16 ? PIPIT_CPU_BF16 : PIPIT_CPU_FP16))
        log_info("'%s' has no float32 layers: --precision %s changes nothing", name,
                 pipit_precision_name(options->precision));
    else
        log_warning(
            "this processor has no %s, or may not use it: '%s' runs as if with --precision f32, which gives "
            "the exact answer and takes longer",
            bf16 ? "bfloat16 arithmetic (FEAT_BF16, AVX512_BF16)" : "float16 arithmetic (FEAT_FP16)", name);
}

static int verify_file(const struct choice *choice)
{
    char found[65];
    const char *path = choice->opened->path;
    if (!choice->sha256 || sha256_file(path, found) || !strcmp(found, choice->sha256))
        return EX_OK; /* whoever opens it says why that fails */
    return failure(choice->error, EX_DATAERR,
                   "the model '%s' is damaged: %s has another checksum than its card says",
                   choice->opened->name, path);
}

/* In the settings' precision. A model that is quantised is int8 as it is, a float one becomes so. */
static int open_file(struct opened *opened, const struct options *options, struct pipit_error *error)
{
    struct pipit_error why = {""};
    const char *path = opened->path;
    bool int8 = opened->settings.precision == PIPIT_PRECISION_INT8;
    int failed = pipit_model_open(&opened->model, path, &opened->settings, &why);
    int status =
        int8 && failed == -ENOTSUP ? calibrate_model(opened, options->calibrate, &why) : exit_status(failed);
    if (!status)
        return EX_OK;
    /* The engine's sentence names the file when it cannot be read. */
    return strstr(why.text, path) ? failure(error, status, "%s", why.text)
                                  : failure(error, status, "the model '%s': %s", path, why.text);
}

static int open_somehow(struct opened *opened, const struct options *options, struct pipit_error *error)
{
    struct pipit_error why;
    int status = open_file(opened, options, error);
    if (!status || !options->or_float || options->precision != PIPIT_PRECISION_INT8)
        return status;
    opened->settings.precision = PIPIT_PRECISION_F32;
    if (open_file(opened, options, &why))
        return status;
    log_warning("%s. It runs as if with --precision f32, which gives the exact answer and takes longer",
                error->text);
    return EX_OK;
}

int model_open(struct opened *opened, const struct options *options, const char *task,
               struct pipit_error *error)
{
    *opened = (struct opened){0};
    struct choice choice = {.opened = opened, .error = error};
    int status = choose(&choice, options, task);
    if (!status && options->verify)
        status = verify_file(&choice);
    if (!status)
        status = open_somehow(opened, options, error);
    if (!status)
        model_tell_precision(opened->model, opened->name, options);
    if (!status && options->labels)
        status = load_labels(opened, options->labels, 0, true, error);
    else if (!status && choice.labels)
        status = load_labels(opened, choice.labels, choice.labels_skip, false, error);
    free(choice.labels);
    free(choice.sha256);
    return status;
}

const char *model_normalisation(const struct opened *opened)
{
    struct pipit_info info;
    pipit_model_info(opened->model, &info);
    return strcmp(info.normalisation, "settings") || !opened->normalisation ? info.normalisation
                                                                            : opened->normalisation;
}

void model_close(struct opened *opened)
{
    pipit_model_destroy(opened->model);
    free(opened->name);
    free(opened->path);
    free(opened->labels);
    *opened = (struct opened){0};
}
