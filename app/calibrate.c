/* SPDX-License-Identifier: MIT */
#include "app/calibrate.h"

#include "app/photos.h"
#include "app/say.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Layers with less signal to noise than this cost answers; see docs/benchmarks.md. */
#define KEEP_BELOW_DB 20.0f

enum { PHOTOS_MAX = 64 }; /* so that opening a model has an end */

/* ---- parts ---- */

int calibrate_list(struct photo_list *list, char *const *path, int count, struct pipit_error *error)
{
    for (int i = 0; i < count; i++) {
        int status = photo_list_add(list, path[i]);
        if (status)
            return failure(error, exit_status(status), "cannot read the folder '%s': %s", path[i],
                           strerror(-status));
    }
    return list->count
               ? EX_OK
               : failure(error, EX_NOINPUT, "there are no JPEG or PNG photos in '%s'", path[count - 1]);
}

void calibrate_defaults(struct pipit_quantize *how)
{
    pipit_quantize_defaults(how);
    how->keep_below = KEEP_BELOW_DB;
}

struct pipit_settings calibrate_settings(const struct pipit_settings *settings)
{
    struct pipit_settings own = *settings;
    own.has_normalisation = false;
    return own;
}

int calibrate_open(struct pipit_model **model, const struct pipit_quantizer *quantizer,
                   const struct pipit_settings *settings, struct pipit_error *error)
{
    struct pipit_settings own = calibrate_settings(settings);
    size_t size;
    const void *bytes = pipit_quantizer_file(quantizer, &size);
    return pipit_model_open_memory(model, bytes, size, &own, error);
}

/* ---- all of it ---- */

static int add(struct pipit_quantizer *quantizer, const struct photo *photo, int *added,
               struct pipit_error *error)
{
    int status = pipit_quantizer_add(quantizer, &photo->image, error);
    *added += !status;
    return exit_status(status);
}

/* A photo that cannot be read is left out; with one that the model cannot take, it takes none. */
static int learn(struct pipit_quantizer *quantizer, const struct photo_list *list, struct pipit_error *error)
{
    int count = list->count < PHOTOS_MAX ? list->count : PHOTOS_MAX, added = 0, status = EX_OK,
        unread = EX_OK;
    for (int i = 0; i < count && !status; i++) {
        struct photo photo;
        const char *path = list->path[(long)i * list->count / count];
        say_progress("calibrating on photo", i + 1, count);
        int failed = photo_open(&photo, path, error);
        if (!failed)
            status = add(quantizer, &photo, &added, error);
        else
            log_warning("%s: %s: it is left out", path, error->text);
        unread = failed ? failed : unread;
        frame_unref(photo.frame);
    }
    if (status || added)
        return status;
    return failure(error, unread, "no photo to calibrate on can be read");
}

static int make(struct opened *opened, struct pipit_quantizer *quantizer, struct pipit_error *error)
{
    struct pipit_quantize how;
    calibrate_defaults(&how);
    int status = pipit_quantizer_make(quantizer, &how, error);
    if (!status)
        status = calibrate_open(&opened->model, quantizer, &opened->settings, error);
    return exit_status(status);
}

/* What cannot be read at all is told in one sentence, not photo by photo. */
static int list_photos(struct photo_list *list, const char *photos, struct pipit_error *error)
{
    if (!photos)
        return failure(error, EX_USAGE,
                       "for int8 a float model needs photos like those that it will see, to calibrate on: "
                       "give --calibrate FOLDER; or make an int8 file of it once, with 'pipit quantize'");
    if (access(photos, R_OK))
        return failure(error, exit_status(-errno), "cannot read the photos to calibrate on in '%s': %s",
                       photos, strerror(errno));
    return calibrate_list(list, &(char *){(char *)(uintptr_t)photos}, 1, error);
}

static bool open_kept(struct opened *opened, const char *path)
{
    struct pipit_settings own = calibrate_settings(&opened->settings);
    if (!path || pipit_model_open(&opened->model, path, &own, NULL))
        return false;
    log_info("'%s' is int8 by %s, which was made of it before", opened->name, path);
    return true;
}

static int make_and_keep(struct opened *opened, struct pipit_quantizer *quantizer,
                         const struct photo_list *list, const char *path, struct pipit_error *error)
{
    uint64_t start = clock_now_ns();
    int status = learn(quantizer, list, error);
    if (!status)
        status = make(opened, quantizer, error);
    say_progress("", 0, 0);
    if (status)
        return status;
    log_info("'%s' is int8 by photos, in %.1f s", opened->name, clock_ms_since(start) / 1e3);
    if (path)
        calibrate_keep(path, quantizer);
    return EX_OK;
}

/* What is wrong with the model is told before what is wrong with the photos. */
int calibrate_model(struct opened *opened, const char *photos, struct pipit_error *error)
{
    struct pipit_quantizer *quantizer = NULL;
    struct photo_list list = {0};
    struct pipit_error why = {""};
    int listed = list_photos(&list, photos, &why), status = EX_OK;
    char *kept = listed ? NULL : calibrate_kept(opened, &list);
    if (!open_kept(opened, kept)) {
        status = exit_status(pipit_quantizer_create(&quantizer, opened->path, &opened->settings, error));
        if (!status && listed)
            status = failure(error, listed, "%s", why.text);
        if (!status)
            status = make_and_keep(opened, quantizer, &list, kept, error);
    }
    pipit_quantizer_destroy(quantizer);
    photo_list_finish(&list);
    free(kept);
    return status;
}
