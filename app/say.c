/* SPDX-License-Identifier: MIT */
#include "app/say.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* C0 and DEL, and C1 as UTF-8 has it (0xc2 0x80 to 0xc2 0x9f). */
static void clean(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at; at++) {
        if ((*at < 0x20 && *at != '\n') || *at == 0x7f)
            *at = '?';
        else if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
            at[0] = at[1] = '?';
    }
}

void say(const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        return;
    clean(text);
    fputs(text, stdout);
    free(text);
}

static bool colours(void)
{
    const char *off = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(off && *off) && term && *term && strcmp(term, "dumb");
}

void say_heading(const char *text)
{
    bool bold = colours();
    fputs(bold ? "\033[1m" : "", stdout);
    say("%s", text);
    fputs(bold ? "\033[0m" : "", stdout);
}

void say_progress(const char *what, int now, int all)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (all)
        fprintf(stderr, "%s %d of %d\r", what, now, all);
    else
        fprintf(stderr, "%60s\r", "");
}
