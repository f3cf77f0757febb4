/* SPDX-License-Identifier: MIT */
/* From what the user calls a model to an open one with its labels. */
#ifndef PIPIT_APP_MODEL_OPEN_H
#define PIPIT_APP_MODEL_OPEN_H

#include "app/command.h"

struct opened {
    struct pipit_model *model;
    char *name; /* as the user, or the catalogue, calls it */
    char *path;
};

/* Opens options->model, a catalogue name or a file, else the default of the task ("classify", "detect"), with
 * what its card and the options say. Reports failures; returns EX_OK or an exit status. */
int model_open(struct opened *opened, const struct options *options, const char *task);
void model_close(struct opened *opened);

/* Finds the file, and the card's settings (defaults without a card), but does not open it. The path is to be
 * freed. */
int model_find(const struct options *options, const char *task, char **path, char **name,
               struct pipit_settings *settings, char **labels, int *labels_skip);
/* Labels from a text file. EX_OK or an exit status. */
int model_load_labels(struct pipit_model *model, const char *path, int skip);

#endif
