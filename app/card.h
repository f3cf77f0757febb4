/* SPDX-License-Identifier: MIT */
/* A model card: an INI file that says what a model is, where it comes from and how it is used
 * (models/README.md). */
#ifndef PIPIT_APP_CARD_H
#define PIPIT_APP_CARD_H

#include <pipit.h>

#include <stdbool.h>

struct card {
    char *name; /* the card's file name without .ini */
    char *path; /* of the card */
    char *title, *task, *licence, *attribution, *homepage,
        *origin;         /* NULL when not given; origin: "PyPI NAME", URL */
    char *file, *sha256; /* of the model; file has no folder */
    char *labels;        /* path of the label file, NULL: the model's own */
    int labels_skip;     /* lines before class 0 */
    bool is_default;     /* of its task */
    bool fetchable;      /* has a [source] */
    int folder;          /* of the catalogue, in its order */
    struct pipit_settings settings;
};

/* Reads a card. -ENOENT, -EACCES...; -EINVAL with FILE, line and the nearest known key in text. */
int card_read(struct card *card, const char *path, char *text, size_t text_size);
void card_finish(struct card *card);
/* Writes title, task, file and settings of a card, wholly or not at all. Without licence, source and labels.
 */
int card_write(const struct card *card, const char *path);

struct catalog {
    struct card *card; /* sorted by name; of equal names the first folder's */
    int count;
    int folders; /* that were looked into */
    int broken;  /* cards that were left out */
};

/* Reads all cards: $PIPIT_MODELS (colon-separated), $XDG_DATA_HOME/pipit/models, /etc/pipit/models, the
 * installed ones, or in a build tree the source's. A broken card is reported as a warning and left out. 0 or
 * -ENOMEM. */
int catalog_init(struct catalog *catalog);
void catalog_finish(struct catalog *catalog);
const struct card *catalog_find(const struct catalog *catalog, const char *name);
/* The name that `name` was meant to be, NULL when none is near. */
const char *catalog_nearest(const struct catalog *catalog, const char *name);
/* The default of "classify" or "detect" in the first folder that has one, else NULL. */
const struct card *catalog_default(const struct catalog *catalog, const char *task);
/* Where the card's model file is: beside the card, in cache/ there, or in the user's or the system's cache. A
 * string to be freed, or NULL when it has not been fetched. */
char *card_model_path(const struct card *card);
/* The card whose model file is this one, NULL when there is none. */
const struct card *catalog_find_file(const struct catalog *catalog, const char *path);

#endif
