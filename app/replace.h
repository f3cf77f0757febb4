/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_APP_REPLACE_H
#define PIPIT_APP_REPLACE_H

#include <stddef.h>

/* Writes a file, so that after a loss of power it is all there or all as before: by way of PATH.new. 0, or a
 * negative errno: -ENOSPC... */
int replace_file(const char *path, const void *bytes, size_t size);

#endif
