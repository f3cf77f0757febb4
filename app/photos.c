/* SPDX-License-Identifier: MIT */
#include "app/photos.h"

#include "app/json.h"
#include "base/clock.h"
#include "base/log.h"
#include "capture/photo.h"
#include "display/png_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(FRAME_RGB24 == PIPIT_RGB24, "frames and pictures share their format codes");

static int open_photo(struct photo *photo, const char *path, struct pipit_error *error)
{
    struct photo_error why;
    uint64_t start = clock_now_ns();
    *photo = (struct photo){.path = path};
    int status = photo_read(&photo->frame, path, &why);
    photo->decode_ms = clock_ms_since(start);
    if (status) {
        snprintf(error->text, sizeof(error->text), "%s", why.text);
        return status == -ENOTSUP ? EX_DATAERR : exit_status(status);
    }
    const struct frame *frame = photo->frame;
    photo->image = (struct pipit_image){.format = frame->format,
                                        .width = frame->width,
                                        .height = frame->height,
                                        .data = {frame->data[0]},
                                        .stride = {frame->stride[0]}};
    return EX_OK;
}

static int one_photo(struct opened *opened, const struct options *options, const char *path, photo_work *work)
{
    struct pipit_error error = {""};
    struct photo photo;
    int status = open_photo(&photo, path, &error);
    if (!status)
        status = work(opened, options, &photo, &error);
    frame_unref(photo.frame);
    if (!status)
        return EX_OK;
    if (options->json)
        json_print_error(path, error.text);
    log_error("%s: %s", path, error.text);
    return status;
}

static int check_output(const struct options *options)
{
    struct stat info;
    bool folder = options->output && !stat(options->output, &info) && S_ISDIR(info.st_mode);
    if (!options->output || folder || options->arguments == 1)
        return EX_OK;
    log_error("several photos cannot go into the one file '%s': give a folder that exists", options->output);
    return EX_USAGE;
}

int photos_run(const struct options *options, const char *task, photo_work *work)
{
    struct opened opened;
    int first = check_output(options);
    if (!first)
        first = model_open(&opened, options, task);
    if (first) {
        for (int i = 0; options->json && i < options->arguments && first != EX_USAGE; i++)
            json_print_error(options->argument[i], "the model could not be opened");
        return first;
    }
    for (int i = 0; i < options->arguments; i++) {
        int status = one_photo(&opened, options, options->argument[i], work);
        first = first ? first : status;
    }
    model_close(&opened);
    return first;
}

const char *label_of(const struct pipit_model *model, int index, char *text, size_t size)
{
    const char *label = pipit_model_label(model, index);
    if (label && *label)
        snprintf(text, size, "%s", label);
    else
        snprintf(text, size, "class %d", index);
    return text;
}

struct json_object *json_times(const struct opened *opened, const struct photo *photo)
{
    struct pipit_times times;
    struct json_object *ms = json_object_new_object();
    pipit_model_times(opened->model, &times);
    json_add(ms, "decode", json_ms(photo->decode_ms));
    json_add(ms, "preprocess", json_ms(times.preprocess_ms));
    json_add(ms, "inference", json_ms(times.inference_ms));
    return ms;
}

static bool colours(void)
{
    const char *off = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(off && *off) && !(term && !strcmp(term, "dumb"));
}

void print_heading(const struct opened *opened, const struct photo *photo)
{
    struct pipit_times times;
    pipit_model_times(opened->model, &times);
    bool bold = colours();
    printf("%s%s%s  (%s, %d x %d, decode %.1f ms, preprocess %.1f ms, inference %.1f ms)\n",
           bold ? "\033[1m" : "", photo->path, bold ? "\033[0m" : "", opened->name, photo->image.width,
           photo->image.height, photo->decode_ms, times.preprocess_ms, times.inference_ms);
}

/* ---- drawing ---- */

/* OUT.png itself, or DIR/PHOTO.png. */
static char *output_path(const char *output, const char *photo)
{
    struct stat info;
    char *path;
    if (stat(output, &info) || !S_ISDIR(info.st_mode))
        return strdup(output);
    const char *slash = strrchr(photo, '/'), *base = slash ? slash + 1 : photo, *dot = strrchr(base, '.');
    int length = (int)(dot && dot != base ? dot - base : (ptrdiff_t)strlen(base));
    if (!strcmp(photo, "-"))
        return asprintf(&path, "%s/stdin.png", output) < 0 ? NULL : path;
    return asprintf(&path, "%s/%.*s.png", output, length, base) < 0 ? NULL : path;
}

static int same_file(const char *a, const char *b)
{
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int draw_photo(const struct options *options, const struct photo *photo, const struct overlay *overlay,
               struct pipit_error *error)
{
    char *path = output_path(options->output, photo->path);
    if (!path)
        return EX_OSERR;
    int status = EX_CANTCREAT;
    if (same_file(path, photo->path)) {
        snprintf(error->text, sizeof(error->text), "'%s' is the photo itself: choose another place", path);
    } else {
        int failed = overlay_compose(overlay, photo->frame);
        if (!failed)
            failed = png_write(photo->frame, path);
        status = failed ? EX_CANTCREAT : EX_OK;
        if (failed)
            snprintf(error->text, sizeof(error->text), "cannot write '%s': %s", path, strerror(-failed));
    }
    free(path);
    return status;
}
