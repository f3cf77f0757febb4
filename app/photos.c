/* SPDX-License-Identifier: MIT */
#include "app/photos.h"

#include "app/json.h"
#include "app/say.h"
#include "base/clock.h"
#include "base/log.h"
#include "capture/photo/photo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(FRAME_RGB24 == PIPIT_RGB24, "frames and pictures share their format codes");

int photo_open(struct photo *photo, const char *path, struct pipit_error *error)
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

static int one_photo(struct opened *opened, const struct options *options, int index, photo_work *work)
{
    const char *path = options->argument[index];
    struct pipit_error error = {""};
    struct photo photo;
    int status = photo_open(&photo, path, &error);
    photo.index = index;
    if (!status)
        status = work(opened, options, &photo, &error);
    frame_unref(photo.frame);
    if (status)
        report(options, path, &error);
    return status;
}

static int all_photos(struct opened *opened, const struct options *options, photo_work *work)
{
    int first = EX_OK;
    for (int i = 0; i < options->arguments; i++) {
        int status = one_photo(opened, options, i, work);
        first = first ? first : status;
        if (finish_output(EX_OK)) /* whoever reads gets each answer at once */
            return first ? first : EX_IOERR;
    }
    return first;
}

static void no_model(const struct options *options, const struct pipit_error *error)
{
    for (int i = 0; options->json && i < options->arguments; i++)
        json_print_error(options->argument[i], error->text);
    log_error("%s", error->text);
}

int photos_run(const struct options *options, const char *task, photo_work *work)
{
    struct pipit_error error = {""};
    struct opened opened;
    int first = output_check(options);
    if (first)
        return first;
    first = model_open(&opened, options, task, &error);
    if (first)
        no_model(options, &error);
    else
        first = all_photos(&opened, options, work);
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

void print_heading(const struct opened *opened, const struct photo *photo)
{
    struct pipit_times times;
    pipit_model_times(opened->model, &times);
    say_heading(photo->path);
    say("  (%s, %d x %d, decode %.1f ms, preprocess %.1f ms, inference %.1f ms)\n", opened->name,
        photo->image.width, photo->image.height, photo->decode_ms, times.preprocess_ms, times.inference_ms);
}
