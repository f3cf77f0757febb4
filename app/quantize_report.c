/* SPDX-License-Identifier: MIT */
#include "app/json.h"
#include "app/quantize.h"
#include "app/say.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORST = 8 }; /* layers that are shown without --per-layer */

static const char *method_name(enum pipit_calibration calibration)
{
    static const char *const names[] = {[PIPIT_CALIBRATION_MSE] = "mse",
                                        [PIPIT_CALIBRATION_MINMAX] = "minmax",
                                        [PIPIT_CALIBRATION_PERCENTILE] = "percentile"};
    return names[calibration];
}

static bool is_detector(const struct quantized *q)
{
    enum pipit_decoder decoder = pipit_model_decoder(q->model);
    return decoder == PIPIT_DECODER_SSD_BOXES || decoder == PIPIT_DECODER_SSD_RAW;
}

/* ---- layers ---- */

static int by_own(const void *a, const void *b)
{
    float x = ((const struct pipit_layer *)a)->own_db, y = ((const struct pipit_layer *)b)->own_db;
    return x < y ? -1 : x > y;
}

static struct pipit_layer *layers_of(const struct quantized *q, int *count)
{
    *count = pipit_quantizer_layers(q->quantizer);
    struct pipit_layer *layers = calloc((size_t)*count + 1, sizeof(*layers));
    for (int i = 0; layers && i < *count; i++)
        (void)pipit_quantizer_layer(q->quantizer, i, &layers[i]);
    return layers;
}

static void print_layer(const struct pipit_layer *layer)
{
    char own[32] = "    -";
    if (!layer->why)
        snprintf(own, sizeof(own), "%5.1f", (double)fminf(layer->own_db, 99.9f));
    say("  %s  %5.1f  %-28.28s  %s%s%s\n", own, (double)fminf(layer->all_db, 99.9f), layer->operation,
        layer->name, layer->why ? "  float: " : "", layer->why ? layer->why : "");
}

static void print_layers(const struct quantized *q, bool all)
{
    int count, shown = 0, in_float = 0;
    struct pipit_layer *layers = layers_of(q, &count);
    if (!layers)
        return;
    for (int i = 0; i < count; i++)
        in_float += layers[i].why != NULL;
    if (!all)
        qsort(layers, (size_t)count, sizeof(*layers), by_own);
    say("%d layers in int8, %d in float; signal to noise in dB (of the layer alone, and with all before "
        "it)%s\n",
        count - in_float, in_float, all ? "" : ", the worst:");
    for (int i = 0; i < count; i++) {
        if (all || (!layers[i].why && shown < WORST) || layers[i].why)
            print_layer(&layers[i]);
        shown += !layers[i].why;
    }
    free(layers);
}

/* ---- answers ---- */

static void print_answers(const struct quantized *q)
{
    const struct answers *a = &q->answers;
    if (is_detector(q)) {
        say("answers: of %d objects in %d photos %d are found again (overlap %.3f, score changed by %.3f on "
            "average,\n%.3f at most), %d are new\n",
            a->objects, a->photos, a->matched, a->overlap, a->score_change, a->score_most, a->extra);
    } else if (pipit_model_decoder(q->model) == PIPIT_DECODER_CLASSES) {
        say("answers: the best name is the same for %d of %d photos; its score changed by %.3f on average, "
            "%.3f at most\n",
            a->same_best, a->photos, a->score_change, a->score_most);
    }
}

void quantized_print_people(const struct quantized *q, const struct options *options)
{
    say_heading(q->output);
    say("  (%.1f MB; %s has %.1f MB; ranges by %s from %d photos)\n", (double)q->bytes / 1e6, q->opened.name,
        (double)q->float_bytes / 1e6, method_name(q->how.calibration), q->photos);
    print_layers(q, options->per_layer);
    print_answers(q);
    if (q->card)
        say("%s says the rest that Pipit must know of it: keep it beside the model\n", q->card);
}

/* ---- for programs ---- */

static struct json_object *json_layer(const struct pipit_layer *layer)
{
    struct json_object *object = json_object_new_object();
    json_add(object, "name", json_text(layer->name));
    json_add(object, "operation", json_text(layer->operation));
    json_add(object, "type", json_text(layer->why ? "float32" : "int8"));
    json_add(object, "why", json_text(layer->why));
    json_add(object, "macs", json_object_new_int64(layer->macs));
    json_add(object, "own_db", json_real((double)layer->own_db));
    json_add(object, "all_db", json_real((double)layer->all_db));
    return object;
}

static struct json_object *json_answers(const struct quantized *q)
{
    const struct answers *a = &q->answers;
    struct json_object *object = json_object_new_object();
    json_add(object, "photos", json_object_new_int(a->photos));
    if (is_detector(q)) {
        json_add(object, "objects", json_object_new_int(a->objects));
        json_add(object, "matched", json_object_new_int(a->matched));
        json_add(object, "extra", json_object_new_int(a->extra));
        json_add(object, "overlap", json_real(a->overlap));
    } else {
        json_add(object, "same_best", json_object_new_int(a->same_best));
    }
    json_add(object, "score_change", json_real(a->score_change));
    json_add(object, "score_change_most", json_real(a->score_most));
    return object;
}

void quantized_print_programs(const struct quantized *q)
{
    struct json_object *object = json_object_new_object(), *list = json_object_new_array();
    int count;
    struct pipit_layer *layers = layers_of(q, &count);
    for (int i = 0; layers && i < count; i++)
        json_object_array_add(list, json_layer(&layers[i]));
    free(layers);
    json_add(object, "model", json_text(q->opened.name));
    json_add(object, "file", json_text(q->output));
    json_add(object, "card", json_text(q->card));
    json_add(object, "method", json_text(method_name(q->how.calibration)));
    json_add(object, "photos", json_object_new_int(q->photos));
    json_add(object, "float_bytes", json_object_new_int64((int64_t)q->float_bytes));
    json_add(object, "bytes", json_object_new_int64((int64_t)q->bytes));
    json_add(object, "layers", list);
    json_add(object, "answers", json_answers(q));
    json_print(object);
}
