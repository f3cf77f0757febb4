/* SPDX-License-Identifier: MIT */
#include "app/card.h"
#include "app/command.h"
#include "app/folders.h"
#include "app/json.h"
#include "app/say.h"
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
        say("%s  (default to %s)\n", card->name, card->task);
    else
        say("%s\n", card->name);
    say("    %s\n", card->title ? card->title : card->task);
    say("    licence %s%s%s\n", card->licence ? card->licence : "unknown", card->attribution ? ", " : "",
        card->attribution ? card->attribution : "");
    if (card->origin)
        say("    source  %s\n", card->origin);
    say("    file    %s\n", path ? path : "not fetched");
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
        say("%-30s %s  (%s)\n", card->name, verdict, path);
    }
    return status ? exit_status(status) : card->sha256 && !right ? EX_DATAERR : EX_OK;
}

static int verify(const struct catalog *catalog, const struct options *options)
{
    int first = EX_OK;
    int present = 0;
    for (int i = 0; i < catalog->count; i++) {
        char *path = card_model_path(&catalog->card[i]);
        present += path != NULL;
        int status = path ? verify_one(&catalog->card[i], path, options->json) : EX_OK;
        if (status == EX_DATAERR)
            log_error("%s is not the file that its card names: delete it and run 'pipit models fetch %s'",
                      path, catalog->card[i].name);
        first = first ? first : status;
        free(path);
    }
    if (!present)
        log_warning("no model of the catalogue is here: 'pipit models fetch NAME' gets one");
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

/* cache/ beside the card where it may be written; but what is installed with the system is left to its
 * packages, and root's models go to /var/lib then. To be freed. */
static char *fetch_to(const char *cards)
{
    char *to;
    bool installed = !strncmp(cards, "/usr/", 5) || !strncmp(cards, "/etc/", 5);
    if (installed && geteuid() == 0)
        return strdup("/var/lib/pipit/models");
    if (installed || access(cards, W_OK))
        return folder_cache();
    return asprintf(&to, "%s/cache", cards) < 0 ? NULL : to;
}

static int fetch_one(const struct card *card, const char *own)
{
    const char *slash = strrchr(card->path, '/');
    char *cards = slash ? strndup(card->path, (size_t)(slash - card->path)) : strdup("."), *script = NULL;
    char *to = cards ? fetch_to(cards) : NULL;
    int status = EX_OSERR;
    if (!to)
        log_error("there is no folder to fetch '%s' to: HOME is not set", card->name);
    else if (asprintf(&script, "%s/fetch", own) >= 0)
        status = run_fetch(script, cards, to, card->name);
    free(script);
    free(cards);
    free(to);
    return status;
}

static void unknown_name(const struct catalog *catalog, const char *name)
{
    const char *meant = catalog_nearest(catalog, name);
    if (meant)
        log_error("the catalogue has no model '%s'; did you mean '%s'?", name, meant);
    else
        log_error("the catalogue has no model '%s'; 'pipit models list' names them", name);
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
            unknown_name(catalog, options->argument[i]);
        else if (!card->fetchable)
            log_error("the card of '%s' names no source to fetch it from", card->name);
        else
            status = fetch_one(card, own);
        first = first ? first : status;
    }
    free(own);
    return first;
}

static const struct {
    const char *name;
    int (*run)(const struct catalog *catalog, const struct options *options);
    bool names; /* takes NAME... */
} works[] = {{"list", list, false}, {"fetch", fetch, true}, {"verify", verify, false}};
enum { WORKS = sizeof(works) / sizeof(works[0]) };

static int unknown_work(const char *what)
{
    const char *names[WORKS + 1] = {0};
    for (int i = 0; i < WORKS; i++)
        names[i] = works[i].name;
    const char *meant = nearest_name(what, names);
    log_error("there is no 'pipit models %s'; it can list, fetch and verify%s%s%s", what,
              meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
    return EX_USAGE;
}

static int run(const struct options *options)
{
    struct catalog catalog;
    int at = 0;
    while (at < WORKS && strcmp(options->argument[0], works[at].name))
        at++;
    if (at == WORKS)
        return unknown_work(options->argument[0]);
    if (works[at].names == (options->arguments == 1)) {
        log_error("usage: pipit models %s", command_models.usage);
        return EX_USAGE;
    }
    int status = EX_OSERR;
    if (catalog_init(&catalog))
        log_error("out of memory");
    else
        status = works[at].run(&catalog, options);
    if (!status && catalog.broken)
        status = EX_CONFIG;
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
