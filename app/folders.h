/* SPDX-License-Identifier: MIT */
/* Where models and their cards are. */
#ifndef PIPIT_APP_FOLDERS_H
#define PIPIT_APP_FOLDERS_H

/* Calls `visit` with each folder of cards, the one that counts most first, until it returns non-zero; returns
 * that. */
int folders_each(int (*visit)(void *user, const char *folder), void *user);
/* The user's folder for fetched models, to be freed; NULL when there is no home. */
char *folder_cache(void);
/* In a checkout, or installed: the folder of Pipit's own cards and of models/fetch, to be freed. NULL: not
 * found. */
char *folder_own(void);

#endif
