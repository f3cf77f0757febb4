/* SPDX-License-Identifier: MIT */
/* JSON lines to a file, a pipe or standard output, without ever waiting for whoever reads them. */
#ifndef PIPIT_APP_LIVE_LINES_H
#define PIPIT_APP_LIVE_LINES_H

#include <json-c/json.h>
#include <stdbool.h>

struct lines {
    int fd; /* -1: none are wanted */
    char name[512];
    char *waiting; /* bytes that the reader has no room for yet */
    int count;
    bool failed; /* it was told */
};

/* "": none; "-": standard output; else a file that is added to. 0, or a negative errno; -ENXIO: a named
 * pipe that nobody reads. */
int lines_open(struct lines *lines, const char *name);
void lines_close(struct lines *lines);
/* Takes the object. A reader that is too slow misses whole lines. 0; -EPIPE: nobody reads any more. Other
 * errors are told once, and the lines are lost. */
int lines_add(struct lines *lines, struct json_object *object);

#endif
