/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_APP_PHOTO_LIST_H
#define PIPIT_APP_PHOTO_LIST_H

struct photo_list {
    char **path;
    int count;
};

/* What the arguments name, with each folder replaced by the JPEG and PNG files in it, by name. 0; -ENOMEM; or
 * the error of a folder that cannot be read, with the folder in *culprit. photo_list_finish() in any case. */
int photo_list_init(struct photo_list *list, char *const *argument, int arguments, const char **culprit);
void photo_list_finish(struct photo_list *list);

#endif
