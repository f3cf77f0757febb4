/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static enum log_level limit = LOG_WARNING;

void log_set_level(enum log_level level)
{
    limit = level;
}

static void vlog(enum log_level level, const char *format, va_list args)
{
    if (level > limit)
        return;
    char line[2048];
    vsnprintf(line, sizeof(line), format, args);
    for (char *at = line; *at; at++) /* names of files may hold anything */
        *at = (unsigned char)*at < 0x20 || *at == 0x7f ? '?' : *at;
    fprintf(stderr, "pipit: %s%s\n", level == LOG_WARNING ? "warning: " : "", line);
}

#define LOG_FUNCTION(name, level)                                                                            \
    void name(const char *format, ...)                                                                       \
    {                                                                                                        \
        va_list args;                                                                                        \
        va_start(args, format);                                                                              \
        vlog(level, format, args);                                                                           \
        va_end(args);                                                                                        \
    }

LOG_FUNCTION(log_error, LOG_ERROR)
LOG_FUNCTION(log_warning, LOG_WARNING)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)
