/* SPDX-License-Identifier: MIT */
#include "app/json.h"
#include "app/photos.h"
#include "app/say.h"

#include <stdio.h>
#include <stdlib.h>

static void print_people(const struct opened *opened, const struct photo *photo,
                         const struct pipit_class *top, int k)
{
    char label[OVERLAY_LABEL_MAX];
    print_heading(opened, photo);
    for (int i = 0; i < k; i++)
        say("  %5.1f %%  %s\n", (double)top[i].score * 100,
            label_of(opened->model, top[i].index, label, sizeof(label)));
}

static void print_programs(const struct opened *opened, const struct photo *photo,
                           const struct pipit_class *top, int k)
{
    struct json_object *object = json_object_new_object(), *list = json_object_new_array();
    for (int i = 0; i < k; i++) {
        struct json_object *entry = json_object_new_object();
        json_add(entry, "index", json_object_new_int(top[i].index));
        json_add(entry, "label", json_text(pipit_model_label(opened->model, top[i].index)));
        json_add(entry, "score", json_real((double)top[i].score));
        json_object_array_add(list, entry);
    }
    json_add(object, "file", json_text(photo->path));
    json_add(object, "model", json_text(opened->name));
    json_add(object, "top", list);
    json_add(object, "ms", json_times(opened, photo));
    json_print(object);
}

static int draw(const struct opened *opened, const struct options *options, const struct photo *photo,
                const struct pipit_class *top, int k, struct pipit_error *error)
{
    enum { LINES_MAX = 10 };
    struct overlay_line line[LINES_MAX];
    int count = k < LINES_MAX ? k : LINES_MAX;
    for (int i = 0; i < count; i++) {
        label_of(opened->model, top[i].index, line[i].label, sizeof(line[i].label));
        snprintf(line[i].value, sizeof(line[i].value), "%.0f %%", (double)top[i].score * 100);
        line[i].bar = top[i].score;
    }
    struct overlay overlay = {.lines = line, .line_count = count};
    return draw_photo(options, photo, &overlay, error);
}

static int work(struct opened *opened, const struct options *options, const struct photo *photo,
                struct pipit_error *error)
{
    struct pipit_class *top = calloc((size_t)options->top, sizeof(*top));
    if (!top)
        return EX_OSERR;
    int k = pipit_classify(opened->model, &photo->image, top, options->top, error);
    int status = k < 0 ? exit_status(k) : EX_OK;
    if (!status && options->output)
        status = draw(opened, options, photo, top, k, error);
    if (!status && options->json)
        print_programs(opened, photo, top, k);
    else if (!status)
        print_people(opened, photo, top, k);
    free(top);
    return status;
}

static int run(const struct options *options)
{
    return photos_run(options, "classify", work);
}

const struct command command_classify = {
    .name = "classify",
    .summary = "name what a photo shows",
    .usage = "[-m MODEL] [-k COUNT] [OPTION]... FILE...",
    .options = "model top output labels mean std fit threads cpu-mask precision calibrate json verbose",
    .help =
        "Gives the best names for each photo (JPEG or PNG; '-' is standard input) with their probabilities.\n"
        "Without -m the default classifier of the catalogue is used.\n\n"
        "  pipit classify photo.jpg\n"
        "  pipit classify -k 1 --json holiday/*.jpg",
    .least = 1,
    .most = -1,
    .run = run,
};
