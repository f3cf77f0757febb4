/* SPDX-License-Identifier: MIT */
/* What classes and notices are called in the language of the people in front of the screen. */
#ifndef PIPIT_APP_NAMES_H
#define PIPIT_APP_NAMES_H

#include "app/model_open.h"

/* Names of a model's classes. Not bound to the model: they stay when it is closed. */
struct names {
    char *text;        /* owns all of them */
    const char **name; /* UTF-8, by class; "" where there is none */
    int count;
};

/* "auto": of LC_ALL, LC_MESSAGES or LANG. Writes "de_AT", "de", or "" for none, C and English. */
void language_of(const char *setting, char *language, size_t size);

/* The model's labels, or the lines of the translation beside its label file: for "labels/coco.txt" and
 * "de_AT" "labels/coco.de_AT.txt", else "labels/coco.de.txt". *translated says which. 0; -ENOMEM; another
 * error of reading a translation that is there, or -EINVAL: it has another number of lines than there are
 * labels. The labels are taken then. */
int names_init(struct names *names, const struct opened *opened, const char *language, bool *translated);
void names_finish(struct names *names);
/* The name, or "class N"; written to text where it is not in names. */
const char *names_of(const struct names *names, int index, char *text, size_t size);

enum phrase {
    PHRASE_NOT_SURE,
    PHRASE_NO_CAMERA,
    PHRASE_CAMERA_BUSY,
    PHRASE_CAMERA_REFUSED,
    PHRASE_CAMERA_STALLED,
    PHRASE_CAMERA_UNFIT,
    PHRASE_NO_MODEL,
    PHRASE_HUNG,
    PHRASE_OTHER_MODEL,
    PHRASE_SETTINGS,
    PHRASES
};
/* In English where the language is not known. */
const char *phrase_in(const char *language, enum phrase phrase);

#endif
