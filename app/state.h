/* SPDX-License-Identifier: MIT */
/* What Pipit remembers, and that it runs once: in the folders that a service manager gives it. */
#ifndef PIPIT_APP_STATE_H
#define PIPIT_APP_STATE_H

#include <stdbool.h>
#include <stddef.h>

/* The file of this name in $STATE_DIRECTORY, to be freed; NULL: there is no such folder, or no memory. */
char *state_path(const char *name);

/* Makes the file's content `text`, so that after a loss of power it is all there or all as before. What is
 * there already is not written again. 0, or a negative errno: -ENOSPC... */
int state_write(const char *path, const char *text, size_t size);

/* Takes the lock that only one live picture of this machine holds, until the process ends: in
 * $RUNTIME_DIRECTORY, else, if `shared`, in /run/pipit if that is there. 0; -EBUSY: another has it, with its
 * process in *holder; 0 too where there is no such folder. */
int state_lock(bool shared, int *holder);

#endif
