/* SPDX-License-Identifier: MIT */
#include "app/card.h"
#include "app/command.h"
#include "app/folders.h"
#include "app/json.h"
#include "app/sha256.h"
#include "base/log.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- list ---- */

static void list_people(const struct card *card, const char *path)
{
    if (card->is_default)
        printf("%s  (default to %s)\n", card->name, card->task);
    else
        printf("%s\n", card->name);
    printf("    %s\n", card->title ? card->title : card->task);
    printf("    licence %s%s%s\n", card->licence ? card->licence : "unknown", card->attribution ? ", " : "",
           card->attribution ? card->attribution : "");
    if (card->origin)
        printf("    source  %s\n", card->origin);
    printf("    file    %s\n", path ? path : "not fetched");
}

static void list_programs(const struct card *card, const char *path)
{
    struct json_object *object = json_object_new_object();
    json_add(object, "name", json_text(card->name));
    json_add(object, "title", json_text(card->title));
    json_add(object, "task", json_text(card->task));
    json_add(object, "default", json_object_new_boolean(card->is_default));
    json_add(object, "licence", json_text(card->licence));
    json_add(object, "attribution", json_text(card->attribution));
    json_add(object, "source", json_text(card->origin));
    json_add(object, "sha256", json_text(card->sha256));
    json_add(object, "file", json_text(path));
    json_print(object);
}

static int list(const struct catalog *catalog, const struct options *options)
{
    for (int i = 0; i < catalog->count; i++) {
        char *path = card_model_path(&catalog->card[i]);
        if (options->json)
            list_programs(&catalog->card[i], path);
        else
            list_people(&catalog->card[i], path);
        free(path);
    }
    return EX_OK;
}

/* ---- verify ---- */

static int verify_one(const struct card *card, const char *path, bool json)
{
    char found[65];
    int status = sha256_file(path, found);
    bool right = !status && card->sha256 && !strcmp(found, card->sha256);
    const char *verdict = status          ? strerror(-status)
                          : !card->sha256 ? "no checksum is known"
                          : right         ? "right"
                                          : "WRONG";
    if (json) {
        struct json_object *object = json_object_new_object();
        json_add(object, "name", json_text(card->name));
        json_add(object, "file", json_text(path));
        json_add(object, "sha256", json_text(status ? NULL : found));
        json_add(object, "right", card->sha256 && !status ? json_object_new_boolean(right) : NULL);
        json_print(object);
    } else {
        printf("%-30s %s  (%s)\n", card->name, verdict, path);
    }
    return status ? exit_status(status) : card->sha256 && !right ? EX_DATAERR : EX_OK;
}

static int verify(const struct catalog *catalog, const struct options *options)
{
    int first = EX_OK;
    for (int i = 0; i < catalog->count; i++) {
        char *path = card_model_path(&catalog->card[i]);
        int status = path ? verify_one(&catalog->card[i], path, options->json) : EX_OK;
        if (status == EX_DATAERR)
            log_error("%s is not the file that its card names: delete it and run 'pipit models fetch %s'",
                      path, catalog->card[i].name);
        first = first ? first : status;
        free(path);
    }
    return first;
}

/* ---- fetch ---- */

/* models/fetch, with the card's own folder, into the checkout's cache or the user's. */
static int run_fetch(const char *script, const char *cards, const char *to, const char *name)
{
    char *arguments[] = {(char *)script, "--cards", (char *)cards, "--to", (char *)to, (char *)name, NULL};
    pid_t child;
    int status;
    fflush(stdout);
    int failed = posix_spawn(&child, script, NULL, NULL, arguments, environ);
    if (failed) {
        log_error("cannot run '%s': %s", script, strerror(failed));
        return EX_UNAVAILABLE;
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return EX_OSERR;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EX_UNAVAILABLE;
}

static int fetch_one(const struct card *card, const char *own)
{
    char *script = NULL, *local = NULL, *user = folder_cache();
    if (asprintf(&script, "%s/fetch", own) < 0 || asprintf(&local, "%s/cache", own) < 0)
        return EX_OSERR;
    char *cards = strndup(card->path, (size_t)(strrchr(card->path, '/') - card->path));
    const char *to = access(own, W_OK) && user ? user : local;
    int status = cards ? run_fetch(script, cards, to, card->name) : EX_OSERR;
    free(script);
    free(local);
    free(user);
    free(cards);
    return status;
}

static int fetch(const struct catalog *catalog, const struct options *options)
{
    char *own = folder_own();
    int first = own ? EX_OK : EX_CONFIG;
    if (!own)
        log_error("the program 'fetch' of Pipit's models is not installed");
    for (int i = 1; own && i < options->arguments; i++) {
        const struct card *card = catalog_find(catalog, options->argument[i]);
        int status = EX_NOINPUT;
        if (!card)
            log_error("the catalogue has no model '%s'; 'pipit models list' names them",
                      options->argument[i]);
        else if (!card->fetchable)
            log_error("the card of '%s' names no source to fetch it from", card->name);
        else
            status = fetch_one(card, own);
        first = first ? first : status;
    }
    free(own);
    return first;
}

static int run(const struct options *options)
{
    static const char *const names[] = {"list", "fetch", "verify", NULL};
    const char *what = options->argument[0];
    struct catalog catalog;
    int status = EX_USAGE;
    bool fetches = !strcmp(what, "fetch"), alone = options->arguments == 1;
    if ((fetches && alone) || (!fetches && !alone)) {
        log_error("usage: pipit models %s", command_models.usage);
        return EX_USAGE;
    }
    if (catalog_init(&catalog)) {
        log_error("out of memory");
        status = EX_OSERR;
    } else if (!strcmp(what, "list")) {
        status = list(&catalog, options);
    } else if (fetches) {
        status = fetch(&catalog, options);
    } else if (!strcmp(what, "verify")) {
        status = verify(&catalog, options);
    } else {
        const char *meant = nearest_name(what, names);
        log_error("'pipit models' cannot '%s'; it can list, fetch and verify%s%s", what,
                  meant ? ": did you mean " : "", meant ? meant : "");
    }
    catalog_finish(&catalog);
    return status;
}

const struct command command_models = {
    .name = "models",
    .summary = "list, fetch and verify the models of the catalogue",
    .usage = "list | fetch NAME... | verify [--json]",
    .options = "json verbose",
    .help =
        "The catalogue is made of model cards (INI files) in $PIPIT_MODELS, ~/.local/share/pipit/models,\n"
        "/etc/pipit/models and Pipit's own folder. 'fetch' uses pip, npm or curl and checks the checksum; "
        "when it\n"
        "fails it says why and changes nothing. 'verify' compares the files that are here with their "
        "checksums.",
    .least = 1,
    .most = -1,
    .run = run,
};
