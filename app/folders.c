/* SPDX-License-Identifier: MIT */
#include "app/folders.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The checkout's models/ when the program runs from its build folder, else the installed ones. */
char *folder_own(void)
{
    static const char *const places[] = {"../../models", "../share/pipit/models"};
    char program[4096], *path;
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (length < 0)
        return NULL;
    program[length] = 0;
    const char *folder = dirname(program);
    for (int i = 0; i < 2; i++) {
        char *real = NULL;
        if (asprintf(&path, "%s/%s/fetch", folder, places[i]) < 0)
            return NULL;
        if (!access(path, F_OK)) {
            path[strlen(path) - strlen("/fetch")] = 0;
            real = realpath(path, NULL);
        }
        free(path);
        if (real)
            return real;
    }
    return access(PIPIT_MODELS_DIR, F_OK) ? NULL : strdup(PIPIT_MODELS_DIR);
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
