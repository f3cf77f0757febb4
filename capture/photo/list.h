/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_CAPTURE_PHOTO_LIST_H
#define PIPIT_CAPTURE_PHOTO_LIST_H

struct photo_list { /* begins as zeros */
    char **path;
    int count;
};

/* Adds a file, whatever is in it; or the JPEG and PNG files of a folder, in the order of their names, numbers
 * by their value. 0; -ENOMEM; or the error of a folder that cannot be read. */
int photo_list_add(struct photo_list *list, const char *path);
void photo_list_finish(struct photo_list *list);

#endif
