/* SPDX-License-Identifier: MIT */
#include "app/json.h"
#include "app/photos.h"
#include "app/say.h"

#include <stdio.h>
#include <stdlib.h>

enum { OBJECTS_MAX = 1000 };

static void print_people(const struct opened *opened, const struct photo *photo,
                         const struct pipit_object *objects, int count)
{
    char label[OVERLAY_LABEL_MAX];
    print_heading(opened, photo);
    for (int i = 0; i < count; i++) {
        const struct pipit_object *o = &objects[i];
        say("  %5.1f %%  %-20s left %.3f  top %.3f  right %.3f  bottom %.3f\n", (double)o->score * 100,
            label_of(opened->model, o->index, label, sizeof(label)), (double)o->box[0], (double)o->box[1],
            (double)o->box[2], (double)o->box[3]);
    }
    if (!count)
        say("  nothing above the threshold\n");
}

static struct json_object *json_object_of(const struct opened *opened, const struct pipit_object *o)
{
    struct json_object *entry = json_object_new_object(), *box = json_object_new_array();
    json_add(entry, "index", json_object_new_int(o->index));
    json_add(entry, "label", json_text(pipit_model_label(opened->model, o->index)));
    json_add(entry, "score", json_real((double)o->score));
    for (int k = 0; k < 4; k++)
        json_object_array_add(box, json_real((double)o->box[k]));
    json_add(entry, "box", box);
    return entry;
}

static void print_programs(const struct opened *opened, const struct photo *photo,
                           const struct pipit_object *objects, int count)
{
    struct json_object *object = json_object_new_object(), *list = json_object_new_array();
    for (int i = 0; i < count; i++)
        json_object_array_add(list, json_object_of(opened, &objects[i]));
    json_add(object, "file", json_text(photo->path));
    json_add(object, "model", json_text(opened->name));
    json_add(object, "width", json_object_new_int(photo->image.width));
    json_add(object, "height", json_object_new_int(photo->image.height));
    json_add(object, "objects", list);
    json_add(object, "ms", json_times(opened, photo));
    json_print(object);
}

static int draw(const struct opened *opened, const struct options *options, const struct photo *photo,
                const struct pipit_object *objects, int count, struct pipit_error *error)
{
    struct overlay_box *boxes = calloc((size_t)count + 1, sizeof(*boxes));
    if (!boxes)
        return EX_OSERR;
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < 4; k++)
            boxes[i].box[k] = objects[i].box[k];
        boxes[i].colour = objects[i].index;
        label_of(opened->model, objects[i].index, boxes[i].label, sizeof(boxes[i].label));
        snprintf(boxes[i].value, sizeof(boxes[i].value), "%.0f %%", (double)objects[i].score * 100);
    }
    struct overlay overlay = {.boxes = boxes, .box_count = count};
    int status = draw_photo(options, photo, &overlay, error);
    free(boxes);
    return status;
}

static int work(struct opened *opened, const struct options *options, const struct photo *photo,
                struct pipit_error *error)
{
    struct pipit_object *objects = calloc(OBJECTS_MAX, sizeof(*objects));
    if (!objects)
        return EX_OSERR;
    int count = pipit_detect(opened->model, &photo->image, objects, OBJECTS_MAX, error);
    int status = count < 0 ? exit_status(count) : EX_OK;
    if (!status && options->output)
        status = draw(opened, options, photo, objects, count, error);
    if (!status && options->json)
        print_programs(opened, photo, objects, count);
    else if (!status)
        print_people(opened, photo, objects, count);
    free(objects);
    return status;
}

static int run(const struct options *options)
{
    return photos_run(options, "detect", work);
}

const struct command command_detect = {
    .name = "detect",
    .summary = "find objects in a photo, and draw them",
    .usage = "[-m MODEL] [--threshold T] [-o OUT.png|DIR] [OPTION]... FILE...",
    .options = "model threshold output labels mean std fit threads cpu-mask precision calibrate json verbose",
    .help = "Gives name, score and box (as fractions of the picture) of each object in each photo (JPEG or "
            "PNG; '-' is\n"
            "standard input). Without -m the default detector of the catalogue is used, with its card's "
            "threshold.\n\n"
            "  pipit detect -o drawn.png street.jpg\n"
            "  pipit detect --threshold 0.4 --json *.jpg",
    .least = 1,
    .most = -1,
    .run = run,
};
