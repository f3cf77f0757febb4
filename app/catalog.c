/* SPDX-License-Identifier: MIT */
#include "app/card.h"

#include "app/folders.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
        return status == -ENOMEM ? status : 0;
    }
    struct card *bigger = NULL;
    if (!catalog_find(catalog, card.name))
        bigger = realloc(catalog->card, ((size_t)catalog->count + 1) * sizeof(card));
    if (!bigger) { /* hidden by one of that name in a folder before, or no memory */
        card_finish(&card);
        return 0;
    }
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
    struct dirent **list;
    int count = scandir(folder, &list, is_card, alphasort), status = 0;
    for (int i = 0; i < count; i++) {
        char *path;
        if (!status && asprintf(&path, "%s/%s", folder, list[i]->d_name) >= 0) {
            status = add_card(user, path);
            free(path);
        }
        free(list[i]);
    }
    if (count >= 0)
        free(list);
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
    for (int i = 0; i < catalog->count; i++)
        if (catalog->card[i].is_default && !strcmp(catalog->card[i].task, task))
            return &catalog->card[i];
    return NULL;
}

char *card_model_path(const struct card *card)
{
    int folder = (int)(strrchr(card->path, '/') ? strrchr(card->path, '/') - card->path : 0);
    char *user = folder_cache();
    for (int i = 0; i < 4; i++) {
        char *path = NULL;
        int made = -1;
        if (i < 2)
            made = asprintf(&path, "%.*s/%s%s", folder, card->path, i ? "cache/" : "", card->file);
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
