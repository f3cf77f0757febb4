/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_ERROR_H
#define PIPIT_ENGINE_ERROR_H

#include "engine/pipit.h"

#include <errno.h>

/* Writes the sentence (error may be NULL) and returns `code`, so that `return fail(e, -EINVAL, "...")` reads well.
 * Control characters that came from a file are replaced by '?'. */
int fail(struct pipit_error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
