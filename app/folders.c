/* SPDX-License-Identifier: MIT */
#include "app/folders.h"

#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* Without /proc, as in a small container, by the name that it was started with (getauxval(3)). */
static bool find_program(char program[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", program, PATH_MAX - 1);
    const char *started = length < 0 ? (const char *)getauxval(AT_EXECFN) : NULL;
    program[length > 0 ? length : 0] = 0;
    return length > 0 || (started && realpath(started, program));
}

static char *folder_beside(const char *folder, const char *place)
{
    char *path, *real = NULL;
    if (asprintf(&path, "%s/%s/fetch", folder, place) < 0)
        return NULL;
    if (!access(path, F_OK)) {
        path[strlen(path) - strlen("/fetch")] = 0;
        real = realpath(path, NULL);
    }
    free(path);
    return real;
}

/* The checkout's models/ when the program runs from its build folder, else the installed ones. */
char *folder_own(void)
{
    char program[PATH_MAX], *own = NULL;
    if (find_program(program)) {
        const char *folder = dirname(program);
        own = folder_beside(folder, "../../models");
        own = own ? own : folder_beside(folder, "../share/pipit/models");
    }
    return own || access(PIPIT_MODELS_DIR, F_OK) ? own : strdup(PIPIT_MODELS_DIR);
}

static char *home_folder(const char *variable, const char *otherwise, const char *rest)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    char *path;
    if (base && base[0] == '/')
        return asprintf(&path, "%s/%s", base, rest) < 0 ? NULL : path;
    if (!home || home[0] != '/')
        return NULL;
    return asprintf(&path, "%s/%s/%s", home, otherwise, rest) < 0 ? NULL : path;
}

char *folder_cache(void)
{
    return home_folder("XDG_CACHE_HOME", ".cache", "pipit/models");
}

static int visit_list(const char *list, int (*visit)(void *user, const char *folder), void *user)
{
    char *copy = list ? strdup(list) : NULL, *rest = NULL;
    int status = 0;
    for (char *at = copy ? strtok_r(copy, ":", &rest) : NULL; at && !status; at = strtok_r(NULL, ":", &rest))
        status = visit(user, at);
    free(copy);
    return status;
}

int folders_each(int (*visit)(void *user, const char *folder), void *user)
{
    char *mine = home_folder("XDG_DATA_HOME", ".local/share", "pipit/models"), *own = folder_own();
    int status = visit_list(getenv("PIPIT_MODELS"), visit, user);
    if (!status && mine)
        status = visit(user, mine);
    if (!status)
        status = visit(user, "/etc/pipit/models");
    if (!status && own)
        status = visit(user, own);
    free(mine);
    free(own);
    return status;
}
