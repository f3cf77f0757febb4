/* SPDX-License-Identifier: MIT */
/* Where the drawn pictures go. */
#include "app/photos.h"
#include "base/log.h"
#include "display/headless/png_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), own = strlen(end);
    return length > own && !strcasecmp(text + length - own, end);
}

static bool is_folder(const char *path)
{
    struct stat info;
    return !stat(path, &info) && S_ISDIR(info.st_mode);
}

/* A folder that is there, or any name that is not OUT.png. */
static bool goes_into_folder(const char *output)
{
    return is_folder(output) || !ends_in(output, ".png");
}

int output_check(const struct options *options)
{
    static const char *const others[] = {".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm"};
    const char *output = options->output;
    if (!output)
        return EX_OK;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (ends_in(output, others[i]) && !is_folder(output)) {
            log_error("'%s': pictures are written as PNG only: choose OUT.png or a folder", output);
            return EX_USAGE;
        }
    if (!goes_into_folder(output) && options->arguments > 1) {
        log_error("several photos cannot go into the one file '%s': give a folder", output);
        return EX_USAGE;
    }
    if (goes_into_folder(output) && mkdir(output, 0777) && !is_folder(output)) {
        log_error("cannot make the folder '%s': %s", output, strerror(errno));
        return EX_CANTCREAT;
    }
    return EX_OK;
}

/* A photo's name without folder and extension; its length in *length. */
static const char *stem(const char *photo, int *length)
{
    const char *slash = strrchr(photo, '/'), *base = slash ? slash + 1 : photo, *dot = strrchr(base, '.');
    if (!strcmp(photo, "-"))
        base = "stdin";
    *length = (int)(dot && dot != base ? (size_t)(dot - base) : strlen(base));
    return base;
}

/* How many photos before this one have its name. */
static int namesakes(const struct options *options, int index)
{
    int own, other, count = 0;
    const char *name = stem(options->argument[index], &own);
    for (int i = 0; i < index; i++) {
        const char *before = stem(options->argument[i], &other);
        count += own == other && !strncmp(name, before, (size_t)own);
    }
    return count;
}

/* OUT.png itself, or DIR/PHOTO.png, DIR/PHOTO-2.png ... */
static char *output_path(const struct options *options, int index)
{
    char *path, number[24] = "";
    int length, before = namesakes(options, index);
    if (!goes_into_folder(options->output))
        return strdup(options->output);
    const char *name = stem(options->argument[index], &length);
    if (before)
        snprintf(number, sizeof(number), "-%d", before + 1);
    return asprintf(&path, "%s/%.*s%s.png", options->output, length, name, number) < 0 ? NULL : path;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int draw_to(const char *path, const struct photo *photo, const struct overlay *overlay,
                   struct pipit_error *error)
{
    if (same_file(path, photo->path))
        return failure(error, EX_CANTCREAT, "'%s' is the photo itself: choose another place", path);
    int failed = overlay_compose(overlay, photo->frame);
    if (!failed)
        failed = png_write(photo->frame, path);
    if (!failed)
        return EX_OK;
    return failure(error, output_status(failed), "cannot write '%s': %s", path, strerror(-failed));
}

int draw_photo(const struct options *options, const struct photo *photo, const struct overlay *overlay,
               struct pipit_error *error)
{
    char *path = output_path(options, photo->index);
    int status = path ? draw_to(path, photo, overlay, error) : EX_OSERR;
    free(path);
    return status;
}
