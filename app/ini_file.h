/* SPDX-License-Identifier: MIT */
/* INI files, through libinih, with the line of whatever is wrong. */
#ifndef PIPIT_APP_INI_FILE_H
#define PIPIT_APP_INI_FILE_H

#include <stddef.h>

/* Takes one key. Returns 0, or a negative errno with what is wrong with it in `why`. */
typedef int ini_file_take(void *user, const char *section, const char *name, const char *value, char *why,
                          size_t why_size);

/* Hands every key of the file to `take` until one fails. -ENOENT, -EACCES, -EIO...; -EINVAL: a key was
 * refused, or a line is no INI. `text` is then "FILE: line N: why" or "FILE: why". */
int ini_file_read(const char *path, ini_file_take *take, void *user, char *text, size_t text_size);

/* "there is no key 'x'; did you mean 'y'?"; names ends with NULL. Returns -EINVAL. */
int ini_file_unknown(const char *key, const char *const *names, char *why, size_t why_size);

#endif
