/* SPDX-License-Identifier: MIT */
/* From what the user calls a model to an open one with its labels. */
#ifndef PIPIT_APP_MODEL_OPEN_H
#define PIPIT_APP_MODEL_OPEN_H

#include "app/command.h"

struct opened {
    struct pipit_model *model;
    char *name;                     /* as the user, or the catalogue, calls it */
    char *path;                     /* NULL: no such model was found */
    const char *normalisation;      /* "options" or "card", else as pipit_info says */
    float threshold;                /* that the options, the card, or the default ask for */
    char *labels;                   /* the label file, NULL: none but the model's own */
    int labels_skip;                /* its lines before class 0 */
    struct pipit_settings settings; /* that it was opened with */
};

/* Opens options->model, a name of the catalogue, a card or a model file, else the default of the task
 * ("classify", "detect"), with what its card and the options say. A file that a card of the catalogue names
 * is opened by that card. Returns EX_OK, or an exit status with a sentence in *error; model_close() in any
 * case. */
int model_open(struct opened *opened, const struct options *options, const char *task,
               struct pipit_error *error);
void model_close(struct opened *opened);

/* A text file of at most 16 MiB, ended by a 0, to be freed. -ENOENT...; -E2BIG; -ENOMEM; *text is NULL then.
 */
int text_read(const char *path, char **text, size_t *size);

/* Where mean and std come from. */
const char *model_normalisation(const struct opened *opened);
/* Says so when the model does not run in the precision that the options ask for. */
void model_tell_precision(const struct pipit_model *model, const char *name, const struct options *options);

#endif
