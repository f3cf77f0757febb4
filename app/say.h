/* SPDX-License-Identifier: MIT */
/* Lines for people on standard output. */
#ifndef PIPIT_APP_SAY_H
#define PIPIT_APP_SAY_H

/* printf() in which control characters other than newlines, which names of files, labels and tensors may
 * hold, become
 * '?', so that nothing from outside moves a terminal's cursor. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Text in bold where standard output is a terminal and NO_COLOR (no-color.org) is not set. */
void say_heading(const char *text);

/* "WHAT 3 of 20" on standard error where that is a terminal, to be written over; 0 of 0 takes it away. */
void say_progress(const char *what, int now, int all);

#endif
