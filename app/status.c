/* SPDX-License-Identifier: MIT */
#include "app/command.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int exit_status(int error)
{
    switch (-error) {
    case 0:
        return EX_OK;
    case ENOENT:
    case EISDIR:
    case ENOTDIR:
        return EX_NOINPUT;
    case EACCES:
    case EPERM:
        return EX_NOPERM;
    case EINVAL:
    case E2BIG:
    case ENODATA:
        return EX_DATAERR;
    case ENOTSUP:
        return EX_UNAVAILABLE;
    case ENOMEM:
        return EX_OSERR;
    case EIO:
    case ENOSPC:
        return EX_IOERR;
    default:
        return EX_SOFTWARE;
    }
}

int finish_output(int status)
{
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout))
        return status;
    if (errno != EPIPE) /* a reader that has seen enough is no failure to speak of */
        log_error("cannot write to standard output: %s", strerror(errno ? errno : EIO));
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
