/* SPDX-License-Identifier: MIT */
/* By photos from a float model to an int8 one: what pipit quantize and --precision int8 have in common. */
#ifndef PIPIT_APP_CALIBRATE_H
#define PIPIT_APP_CALIBRATE_H

#include "app/model_open.h"
#include "capture/photo/list.h"

/* The photos that the paths name, files and folders. EX_OK, or an exit status with a sentence, also where
 * there are none. */
int calibrate_list(struct photo_list *list, char *const *path, int count, struct pipit_error *error);
/* How a file is made where nothing else is asked for. */
void calibrate_defaults(struct pipit_quantize *how);
/* The settings of whoever uses the int8 file: those of the float model, but it knows its normalisation. */
struct pipit_settings calibrate_settings(const struct pipit_settings *settings);
/* Opens the file that was made last, with these settings. 0, or as pipit_model_open(). */
int calibrate_open(struct pipit_model **model, const struct pipit_quantizer *quantizer,
                   const struct pipit_settings *settings, struct pipit_error *error);

/* All of it, for opened->path and opened->settings: opened->model is the int8 model, by the photos (of a
 * large folder by some, from all over it), or the one of them that was kept. Photos that cannot be read are
 * told and left out. photos NULL: none, which is refused. EX_OK, or an exit status with a sentence. */
int calibrate_model(struct opened *opened, const char *photos, struct pipit_error *error);

/* Where the int8 file is kept of this model, opened like this, and these photos, to be freed; NULL: nowhere,
 * as there is no $STATE_DIRECTORY. Another one where any of these files has changed. */
char *calibrate_kept(const struct opened *opened, const struct photo_list *list);
/* Writes the file that was made last there, and removes all others but the newest. That this fails is only
 * told. */
void calibrate_keep(const char *path, const struct pipit_quantizer *quantizer);

#endif
