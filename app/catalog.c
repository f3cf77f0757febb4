/* SPDX-License-Identifier: MIT */
#include "app/card.h"

#include "app/command.h"
#include "app/folders.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct card *)a)->name, ((const struct card *)b)->name);
}

static int add_card(struct catalog *catalog, const char *path)
{
    struct card card;
    char text[512];
    int status = card_read(&card, path, text, sizeof(text));
    if (status) {
        log_warning("%s; the card is left out", text);
        catalog->broken++;
        return status == -ENOMEM ? status : 0;
    }
    struct card *bigger = NULL;
    if (!catalog_find(catalog, card.name))
        bigger = realloc(catalog->card, ((size_t)catalog->count + 1) * sizeof(card));
    if (!bigger) { /* hidden by one of that name in a folder before, or no memory */
        card_finish(&card);
        return 0;
    }
    card.folder = catalog->folders;
    catalog->card = bigger;
    catalog->card[catalog->count++] = card;
    return 0;
}

static int is_card(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 4 && !strcmp(entry->d_name + length - 4, ".ini");
}

static int add_folder(void *user, const char *folder)
{
    struct catalog *catalog = user;
    struct dirent **list;
    int count = scandir(folder, &list, is_card, alphasort), status = 0;
    for (int i = 0; i < count; i++) {
        char *path;
        if (!status && asprintf(&path, "%s/%s", folder, list[i]->d_name) >= 0) {
            status = add_card(catalog, path);
            free(path);
        }
        free(list[i]);
    }
    if (count >= 0)
        free(list);
    catalog->folders++;
    return status;
}

int catalog_init(struct catalog *catalog)
{
    *catalog = (struct catalog){0};
    int status = folders_each(add_folder, catalog);
    if (catalog->count)
        qsort(catalog->card, (size_t)catalog->count, sizeof(*catalog->card), by_name);
    return status;
}

void catalog_finish(struct catalog *catalog)
{
    for (int i = 0; i < catalog->count; i++)
        card_finish(&catalog->card[i]);
    free(catalog->card);
    *catalog = (struct catalog){0};
}

const struct card *catalog_find(const struct catalog *catalog, const char *name)
{
    for (int i = 0; i < catalog->count; i++)
        if (!strcmp(catalog->card[i].name, name))
            return &catalog->card[i];
    return NULL;
}

const struct card *catalog_default(const struct catalog *catalog, const char *task)
{
    const struct card *found = NULL;
    for (int i = 0; i < catalog->count; i++) {
        const struct card *card = &catalog->card[i];
        if (card->is_default && !strcmp(card->task, task) && (!found || card->folder < found->folder))
            found = card;
    }
    return found;
}

const struct card *catalog_find_file(const struct catalog *catalog, const char *path)
{
    struct stat wanted, info;
    const struct card *found = NULL;
    if (stat(path, &wanted))
        return NULL;
    for (int i = 0; i < catalog->count && !found; i++) {
        char *model = card_model_path(&catalog->card[i]);
        if (model && !stat(model, &info) && info.st_dev == wanted.st_dev && info.st_ino == wanted.st_ino)
            found = &catalog->card[i];
        free(model);
    }
    return found;
}

const char *catalog_nearest(const struct catalog *catalog, const char *name)
{
    const char **names = calloc((size_t)catalog->count + 1, sizeof(*names));
    for (int i = 0; names && i < catalog->count; i++)
        names[i] = catalog->card[i].name;
    const char *meant = names ? nearest_name(name, names) : NULL;
    free(names);
    return meant;
}

char *card_model_path(const struct card *card)
{
    const char *slash = strrchr(card->path, '/');
    int folder = slash ? (int)(slash - card->path) : 1;
    char *user = folder_cache();
    for (int i = 0; i < 4; i++) {
        char *path = NULL;
        int made = -1;
        if (i < 2)
            made =
                asprintf(&path, "%.*s/%s%s", folder, slash ? card->path : ".", i ? "cache/" : "", card->file);
        else if (i == 2 && user)
            made = asprintf(&path, "%s/%s", user, card->file);
        else if (i == 3)
            made = asprintf(&path, "/var/lib/pipit/models/%s", card->file);
        if (made >= 0 && !access(path, F_OK)) {
            free(user);
            return path;
        }
        if (made >= 0)
            free(path);
    }
    free(user);
    return NULL;
}
