/* SPDX-License-Identifier: MIT */
/* What was made int8 is kept for the next start, for as long as nothing that it was made of changes. */
#include "app/calibrate.h"
#include "app/replace.h"
#include "app/sha256.h"
#include "app/state.h"
#include "base/log.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEPT = 2 }; /* a model, and the one for when the board is hot */

static void add_text(struct sha256 *sha, const char *text)
{
    sha256_add(sha, text, strlen(text) + 1);
}

static void add_file(struct sha256 *sha, const char *path)
{
    char text[80] = "";
    struct stat info;
    if (!stat(path, &info))
        snprintf(text, sizeof(text), "%lld %lld.%09ld", (long long)info.st_size,
                 (long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    add_text(sha, path);
    add_text(sha, text);
}

/* Those that change what the layers see. */
static void add_settings(struct sha256 *sha, const struct pipit_settings *settings)
{
    int whole[] = {settings->has_normalisation, settings->fit, settings->resize, settings->decoder,
                   (int)settings->cpu_mask};
    add_text(sha, pipit_version());
    sha256_add(sha, whole, sizeof(whole));
    sha256_add(sha, settings->mean, sizeof(settings->mean));
    sha256_add(sha, settings->std, sizeof(settings->std));
    sha256_add(sha, &settings->batch_norm_epsilon, sizeof(settings->batch_norm_epsilon));
}

char *calibrate_kept(const struct opened *opened, const struct photo_list *list)
{
    struct sha256 sha;
    char text[65], name[80];
    sha256_init(&sha);
    add_settings(&sha, &opened->settings);
    add_file(&sha, opened->path);
    for (int i = 0; i < list->count; i++)
        add_file(&sha, list->path[i]);
    sha256_text(&sha, text);
    snprintf(name, sizeof(name), "int8-%.16s.tflite", text);
    return state_path(name);
}

static double time_of(const char *path)
{
    struct stat info = {0};
    stat(path, &info);
    return (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec;
}

static int newest_first(const void *a, const void *b)
{
    double x = time_of(*(char *const *)a), y = time_of(*(char *const *)b);
    return (x < y) - (x > y);
}

static void remove_older(void)
{
    char *pattern = state_path("int8-*");
    glob_t found;
    if (pattern && !glob(pattern, 0, NULL, &found)) {
        qsort(found.gl_pathv, found.gl_pathc, sizeof(*found.gl_pathv), newest_first);
        for (size_t i = KEPT; i < found.gl_pathc; i++)
            unlink(found.gl_pathv[i]);
        globfree(&found);
    }
    free(pattern);
}

void calibrate_keep(const char *path, const struct pipit_quantizer *quantizer)
{
    size_t size;
    const void *bytes = pipit_quantizer_file(quantizer, &size);
    int status = replace_file(path, bytes, size);
    if (status)
        log_warning("the int8 model cannot be kept in %s, and is made again at the next start: %s", path,
                    strerror(-status));
    else
        remove_older();
}
