/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_ERROR_H
#define PIPIT_ENGINE_ERROR_H

#include "engine/pipit.h"

#include <errno.h>

/* Writes the sentence (error may be NULL). Control characters that came from a file are replaced by '?'. */
void error_write(struct pipit_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, and its value is `code`, so that `return fail(e, -EINVAL, "...")` reads well and the compiler
 * sees that it is no success. */
#define fail(error, code, ...) (error_write(error, __VA_ARGS__), (code))

#endif
