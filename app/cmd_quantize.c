/* SPDX-License-Identifier: MIT */
/* From a float model to an int8 one. */
#include "app/calibrate.h"
#include "app/card.h"
#include "app/quantize.h"
#include "app/replace.h"
#include "app/say.h"
#include "base/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- names ---- */

/* A path's end without its extension; its length in *length. */
static const char *stem(const char *path, int *length)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    *length = (int)(dot && dot != name ? (size_t)(dot - name) : strlen(name));
    return name;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int name_output(struct quantized *q, const struct options *options, struct pipit_error *error)
{
    int length;
    const char *name = stem(q->opened.name ? q->opened.name : "model", &length);
    if (options->output)
        q->output = strdup(options->output);
    else if (asprintf(&q->output, "%.*s.int8.tflite", length, name) < 0)
        q->output = NULL;
    if (!q->output) {
        (void)failure(error, EX_OSERR, "out of memory");
        return EX_OSERR;
    }
    if (same_file(q->output, q->opened.path))
        return failure(error, EX_CANTCREAT, "'%s' is the float model itself: choose another place with -o",
                       q->output);
    return EX_OK;
}

/* What the file cannot say itself goes into a card beside it. */
static bool needs_card(const struct pipit_settings *settings)
{
    struct pipit_settings usual;
    pipit_settings_defaults(&usual);
    return settings->fit == PIPIT_FIT_CROP || settings->decoder != usual.decoder ||
           settings->threshold >= 0 || settings->nms_iou != usual.nms_iou;
}

static int name_card(struct quantized *q, struct pipit_error *error)
{
    int length;
    if (!needs_card(&q->opened.settings))
        return EX_OK;
    const char *name = stem(q->output, &length);
    char *card;
    if (asprintf(&card, "%.*s.ini", (int)(name - q->output) + length, q->output) < 0)
        return failure(error, EX_OSERR, "out of memory");
    q->card = card;
    return EX_OK;
}

/* ---- photos ---- */

/* Each photo; what cannot be read is reported by the first round, and left out. Returns its status. */
static int each_photo(struct quantized *q, const struct options *options, bool first,
                      int (*work)(struct quantized *q, const struct photo *photo, struct pipit_error *error))
{
    int worst = EX_OK;
    for (int i = 0; i < q->list.count; i++) {
        struct pipit_error error = {""};
        struct photo photo;
        say_progress(first ? "calibrating on photo" : "comparing on photo", i + 1, q->list.count);
        int status = photo_open(&photo, q->list.path[i], &error);
        if (!status)
            status = work(q, &photo, &error);
        frame_unref(photo.frame);
        if (status && first)
            report(options, q->list.path[i], &error);
        worst = worst ? worst : status;
    }
    say_progress("", 0, 0);
    return worst;
}

static int learn(struct quantized *q, const struct photo *photo, struct pipit_error *error)
{
    int status = pipit_quantizer_add(q->quantizer, &photo->image, error);
    q->photos += !status;
    return exit_status(status);
}

static int ask(struct quantized *q, const struct photo *photo, struct pipit_error *error)
{
    return answers_add(&q->answers, q, photo, error);
}

/* ---- the steps ---- */

static int open_float(struct quantized *q, const struct options *options, struct pipit_error *error)
{
    struct options wanted = *options;
    struct stat info;
    wanted.model = options->argument[0];
    int status = model_open(&q->opened, &wanted, "classify", error);
    if (!status)
        status = name_output(q, options, error);
    if (!status)
        status = name_card(q, error);
    if (status)
        return status;
    q->float_bytes = stat(q->opened.path, &info) ? 0 : (size_t)info.st_size;
    struct pipit_error why = {""};
    status = pipit_quantizer_create(&q->quantizer, q->opened.path, &q->opened.settings, &why);
    return status ? failure(error, exit_status(status), "the model '%s': %s", q->opened.name, why.text)
                  : EX_OK;
}

static int make(struct quantized *q, const struct options *options, struct pipit_error *error)
{
    int labels = pipit_model_labels(q->opened.model);
    const char **label = calloc((size_t)labels + 1, sizeof(*label));
    if (!label)
        return failure(error, EX_OSERR, "out of memory");
    for (int i = 0; i < labels; i++)
        label[i] = pipit_model_label(q->opened.model, i);
    calibrate_defaults(&q->how);
    q->how.calibration = options->calibration;
    q->how.label = label;
    q->how.labels = labels;
    if (options->keep_float != KEEP_FLOAT_AUTO) {
        q->how.keep_below = -INFINITY;
        q->how.keep_worst = options->keep_float;
    }
    int status = pipit_quantizer_make(q->quantizer, &q->how, error);
    q->how.label = NULL;
    free(label);
    return exit_status(status);
}

static int write_card(const struct quantized *q)
{
    static const char *const tasks[] = {[PIPIT_DECODER_CLASSES] = "classify",
                                        [PIPIT_DECODER_SSD_BOXES] = "detect",
                                        [PIPIT_DECODER_SSD_RAW] = "detect",
                                        [PIPIT_DECODER_NONE] = "segment"};
    const char *slash = strrchr(q->output, '/');
    struct card card = {.task = (char *)(uintptr_t)tasks[pipit_model_decoder(q->model)],
                        .file = slash ? (char *)(uintptr_t)(slash + 1) : q->output,
                        .settings = q->opened.settings};
    card.settings.has_normalisation = false;
    return card_write(&card, q->card);
}

static int write_files(struct quantized *q, struct pipit_error *error)
{
    const void *bytes = pipit_quantizer_file(q->quantizer, &q->bytes);
    const char *path = q->output;
    int status = replace_file(path, bytes, q->bytes);
    if (!status && q->card) {
        path = q->card;
        status = write_card(q);
    }
    return status ? failure(error, output_status(status), "cannot write '%s': %s", path, strerror(-status))
                  : EX_OK;
}

/* The photos that fail do not keep a file from being made of the others. */
static int quantise(struct quantized *q, const struct options *options, int *photos,
                    struct pipit_error *error)
{
    int status = calibrate_list(&q->list, options->argument + 1, options->arguments - 1, error);
    if (!status)
        status = open_float(q, options, error);
    if (status)
        return status;
    *photos = each_photo(q, options, true, learn);
    if (!q->photos)
        return failure(error, *photos, "there is no photo to learn from: nothing was written");
    status = make(q, options, error);
    if (!status)
        status = exit_status(calibrate_open(&q->model, q->quantizer, &q->opened.settings, error));
    if (status)
        return status;
    (void)each_photo(q, options, false, ask);
    answers_finish(&q->answers);
    return write_files(q, error);
}

static int run(const struct options *options)
{
    struct pipit_error error = {""};
    struct quantized q = {0};
    int photos = EX_OK;
    int status = quantise(&q, options, &photos, &error);
    if (status)
        report(options, options->argument[0], &error);
    else if (options->json)
        quantized_print_programs(&q);
    else
        quantized_print_people(&q, options);
    pipit_quantizer_destroy(q.quantizer);
    pipit_model_destroy(q.model);
    model_close(&q.opened);
    photo_list_finish(&q.list);
    free(q.output);
    free(q.card);
    return status ? status : photos;
}

const struct command command_quantize = {
    .name = "quantize",
    .summary = "make an int8 file of a float model",
    .usage = "MODEL FILE|DIR... [-o OUT.tflite] [--method minmax|percentile|mse] [OPTION]...",
    .options = "output-file method keep-float per-layer labels mean std fit threads cpu-mask json verbose",
    .help =
        "Makes a TensorFlow Lite file that computes in 8 bits out of a float model: a quarter of the size, "
        "and faster.\n"
        "The photos (JPEG or PNG; all of them in a folder) show which values its layers take: give some "
        "dozens of\n"
        "the kind that it will have to recognise. It tells how large the error of each layer is, and how "
        "the answers\n"
        "on these photos change. Labels and normalisation go into the file.\n\n"
        "  pipit quantize birds.pth --labels birds.txt --mean 127.5 --std 127.5 photos/\n"
        "  pipit classify -m birds.int8.tflite photo.jpg",
    .least = 2,
    .most = -1,
    .run = run,
};
