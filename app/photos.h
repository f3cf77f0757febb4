/* SPDX-License-Identifier: MIT */
/* What classify and detect have in common: each photo in turn, failures reported, the others still done. */
#ifndef PIPIT_APP_PHOTOS_H
#define PIPIT_APP_PHOTOS_H

#include "app/model_open.h"
#include "base/frame.h"
#include "display/overlay/overlay.h"

#include <json-c/json.h>

struct photo {
    const char *path;
    int index; /* in options->argument */
    struct frame *frame;
    struct pipit_image image; /* the frame's pixels, as the engine takes them */
    double decode_ms;
};

/* Reads a photo; EX_OK, or an exit status with a sentence. frame_unref(photo->frame) in any case. */
int photo_open(struct photo *photo, const char *path, struct pipit_error *error);

/* Works on one photo. Returns EX_OK, or an exit status with a sentence in *error. */
typedef int photo_work(struct opened *opened, const struct options *options, const struct photo *photo,
                       struct pipit_error *error);

/* Opens the model and works on options->argument[0..]. Returns the first failure's status. */
int photos_run(const struct options *options, const char *task, photo_work *work);

/* A label, or "class N" where the model has none; written to text. */
const char *label_of(const struct pipit_model *model, int index, char *text, size_t size);
struct json_object *json_times(const struct opened *opened, const struct photo *photo);
/* Prints "FILE  (MODEL, decode ... ms, inference ... ms)" for people. */
void print_heading(const struct opened *opened, const struct photo *photo);

/* Looks whether options->output fits the number of photos; makes the folder. EX_OK, or an exit status with a
 * message. */
int output_check(const struct options *options);
/* Draws onto the photo and writes it to options->output. EX_OK, or a status with a sentence. */
int draw_photo(const struct options *options, const struct photo *photo, const struct overlay *overlay,
               struct pipit_error *error);

#endif
