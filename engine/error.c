/* SPDX-License-Identifier: MIT */
#include "engine/error.h"

#include <stdarg.h>
#include <stdio.h>

void error_write(struct pipit_error *error, const char *format, ...)
{
    if (!error)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    for (char *c = error->text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}
