/* SPDX-License-Identifier: MIT */
#include "app/command.h"

#include "app/json.h"
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>

int exit_status(int error)
{
    switch (-error) {
    case 0:
        return EX_OK;
    case ENOENT:
    case EISDIR:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case ENXIO:
    case EBADF: /* standard input was closed */
        return EX_NOINPUT;
    case EACCES:
    case EPERM:
        return EX_NOPERM;
    case EINVAL:
    case E2BIG:
    case ENODATA:
    case EBADMSG:
        return EX_DATAERR;
    case ENOTSUP:
        return EX_UNAVAILABLE;
    case ENOMEM:
        return EX_OSERR;
    case EIO:
    case EPIPE:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return EX_IOERR;
    default:
        return EX_SOFTWARE;
    }
}

int output_status(int error)
{
    int status = exit_status(error);
    return status == EX_IOERR || status == EX_OSERR ? status : EX_CANTCREAT;
}

int failure(struct pipit_error *error, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return status;
}

void report(const struct options *options, const char *file, const struct pipit_error *error)
{
    const char *text = *error->text ? error->text : "out of memory";
    if (options->json)
        json_print_error(file, text);
    if (strstr(text, file))
        log_error("%s", text);
    else
        log_error("%s: %s", file, text);
}

int finish_output(int status)
{
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout))
        return status;
    if (errno != EPIPE) /* a reader that has seen enough is no failure to speak of */
        log_error("cannot write to standard output: %s", strerror(errno ? errno : EIO));
    __fpurge(stdout); /* told once is enough */
    clearerr(stdout);
    return status ? status : EX_IOERR;
}

/* Edits (insert, delete, replace) between two short words; Wagner and Fischer, 1974. */
static int distance(const char *a, const char *b)
{
    enum { MOST = 40 };
    int row[MOST + 1], n = (int)strlen(b);
    if (n > MOST || strlen(a) > MOST)
        return MOST;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; *a; a++, i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int replaced = diagonal + (*a != b[j - 1]);
            diagonal = row[j];
            int other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = replaced < other ? replaced : other;
        }
    }
    return row[n];
}

const char *nearest_name(const char *text, const char *const *names)
{
    const char *best = NULL;
    int least = (int)strlen(text) / 3 + 2;
    for (; *names; names++) {
        int d = distance(text, *names);
        if (d < least) {
            least = d;
            best = *names;
        }
    }
    return best;
}
