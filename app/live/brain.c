/* SPDX-License-Identifier: MIT */
#include "app/live/brain.h"

#include "app/live/thread.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NICE = 5 };

struct order { /* which model to open */
    char model[CONFIG_TEXT], labels[CONFIG_TEXT], calibrate[CONFIG_TEXT], language[32];
    struct options options;
    bool stand_in;
};

struct brain {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int bell;
    bool started;
    /* guarded by the lock */
    bool stop, ordered, has_model, has_result;
    struct order order;
    struct frame *frame; /* the newest */
    struct turn turn;
    struct brain_model model;
    struct brain_result result;
    uint64_t busy_since; /* 0: idle */
    /* the thread's own */
    struct opened opened;
    int models; /* so far */
    struct brain_result work;
};

/* ---- on the thread ---- */

static void describe(struct brain *brain, struct brain_model *news, const char *language)
{
    bool translated;
    const struct pipit_tensor *output = pipit_model_output(brain->opened.model, 0);
    int failed = names_init(&news->names, &brain->opened, language, &translated);
    if (failed)
        log_warning("the names in '%s' cannot be used: %s", language,
                    failed == -EINVAL ? "another number of lines than the labels have" : strerror(-failed));
    else if (*language && !translated)
        log_info("the labels of '%s' have no translation to '%s'", brain->opened.name, language);
    snprintf(news->name, sizeof(news->name), "%s", brain->opened.name);
    news->threshold = brain->opened.threshold;
    if (pipit_model_decoder(brain->opened.model) == PIPIT_DECODER_CLASSES && output && output->rank)
        news->classes = output->shape[output->rank - 1];
}

static bool names_things(const struct pipit_model *model)
{
    enum pipit_decoder decoder = pipit_model_decoder(model);
    return decoder == PIPIT_DECODER_CLASSES || decoder == PIPIT_DECODER_SSD_BOXES ||
           decoder == PIPIT_DECODER_SSD_RAW;
}

static int open_one(struct opened *fresh, const struct options *options, const char *task,
                    struct pipit_error *error)
{
    int status = model_open(fresh, options, task, error);
    if (!status && !names_things(fresh->model))
        status = failure(error, EX_UNAVAILABLE, "the model '%s' is neither a classifier nor a detector",
                         fresh->name);
    if (status)
        model_close(fresh);
    return status;
}

/* The default detector, else the default classifier, with their own labels. */
static int open_stand_in(struct opened *fresh, const struct options *asked)
{
    struct options options = *asked;
    struct pipit_error error;
    options.model = options.labels = NULL;
    int status = asked->model ? open_one(fresh, &options, "detect", &error) : EX_UNAVAILABLE;
    return status ? open_one(fresh, &options, "classify", &error) : EX_OK;
}

/* The model before is only given up when the new one is there. */
static void open_model(struct brain *brain, struct order *order, struct brain_model *news)
{
    struct opened fresh;
    struct pipit_error error = {""};
    *news = (struct brain_model){0};
    order->options.model = *order->model ? order->model : NULL;
    order->options.labels = *order->labels ? order->labels : NULL;
    order->options.calibrate = *order->calibrate ? order->calibrate : NULL;
    news->status = open_one(&fresh, &order->options, "detect", &error);
    if (news->status)
        snprintf(news->why, sizeof(news->why), "%s", *error.text ? error.text : "out of memory");
    news->stand_in =
        news->status && order->stand_in && !brain->opened.model && !open_stand_in(&fresh, &order->options);
    if (news->status && !news->stand_in)
        return;
    news->status = EX_OK;
    model_close(&brain->opened);
    brain->opened = fresh;
    news->number = ++brain->models;
    describe(brain, news, order->language);
}

static struct pipit_image image_of(const struct frame *frame, struct turn turn)
{
    struct pipit_image image = {.format = frame->format,
                                .width = frame->width,
                                .height = frame->height,
                                .bt709 = frame->matrix == FRAME_MATRIX_709,
                                .full_range = frame->full_range,
                                .mirror = turn.mirror,
                                .rotation = turn.rotation};
    for (int p = 0; p < FRAME_PLANES_MAX; p++) {
        image.data[p] = frame->data[p];
        image.stride[p] = frame->stride[p];
    }
    return image;
}

static int answer(struct pipit_model *model, const struct pipit_image *image, bool classes,
                  struct brain_result *work)
{
    struct pipit_error error = {""};
    if (!image->data[0]) /* it is not mapped */
        return -ENOTSUP;
    return classes ? pipit_classify(model, image, work->best, BRAIN_CLASSES_MAX, &error)
                   : pipit_detect(model, image, work->object, BRAIN_OBJECTS_MAX, &error);
}

static void look(struct brain *brain, const struct frame *frame, struct turn turn)
{
    struct pipit_model *model = brain->opened.model;
    struct brain_result *work = &brain->work;
    struct pipit_image image = image_of(frame, turn);
    struct pipit_times times;
    bool classes = pipit_model_decoder(model) == PIPIT_DECODER_CLASSES;
    int count = answer(model, &image, classes, work);
    pipit_model_times(model, &times);
    work->status = count < 0 ? count : 0;
    work->classes = classes && count > 0 ? count : 0;
    work->objects = !classes && count > 0 ? count : 0;
    work->preprocess_ms = times.preprocess_ms;
    work->inference_ms = times.inference_ms;
    work->time_ns = frame->time_ns;
    work->model = brain->models;
}

/* Both are called with the lock held, and give it back while they work. */
static void do_order(struct brain *brain)
{
    struct order order = brain->order;
    struct brain_model news;
    brain->ordered = false;
    pthread_mutex_unlock(&brain->lock);
    open_model(brain, &order, &news);
    pthread_mutex_lock(&brain->lock);
    if (brain->has_model)
        names_finish(&brain->model.names);
    brain->model = news;
    brain->has_model = true;
}

static void do_frame(struct brain *brain)
{
    struct frame *frame = brain->frame;
    struct turn turn = brain->turn;
    brain->frame = NULL;
    brain->busy_since = clock_now_ns();
    pthread_mutex_unlock(&brain->lock);
    look(brain, frame, turn);
    frame_unref(frame);
    pthread_mutex_lock(&brain->lock);
    brain->busy_since = 0;
    brain->result = brain->work;
    brain->has_result = true;
}

static void *think(void *user)
{
    struct brain *brain = user;
    setpriority(PRIO_PROCESS, (id_t)gettid(),
                NICE); /* of this thread and its team alone: the picture comes first */
    pthread_mutex_lock(&brain->lock);
    while (!brain->stop) {
        if (brain->ordered)
            do_order(brain);
        else if (brain->frame && brain->opened.model)
            do_frame(brain);
        else {
            pthread_cond_wait(&brain->wake, &brain->lock);
            continue;
        }
        bell_ring(brain->bell);
    }
    pthread_mutex_unlock(&brain->lock);
    model_close(&brain->opened); /* where its OpenMP team lives */
    return NULL;
}

/* ---- on the loop's ---- */

struct brain *brain_create(void)
{
    struct brain *brain = calloc(1, sizeof(*brain));
    if (!brain)
        return NULL;
    pthread_mutex_init(&brain->lock, NULL);
    pthread_cond_init(&brain->wake, NULL);
    brain->bell = bell_create();
    brain->started = brain->bell >= 0 && !thread_start(&brain->thread, "pipit-infer", think, brain);
    if (brain->started)
        return brain;
    brain_destroy(brain, 0);
    return NULL;
}

bool brain_destroy(struct brain *brain, double patience_s)
{
    if (!brain)
        return true;
    pthread_mutex_lock(&brain->lock);
    brain->stop = true;
    pthread_cond_signal(&brain->wake);
    pthread_mutex_unlock(&brain->lock);
    if (brain->started && !thread_join(brain->thread, patience_s))
        return false;
    frame_unref(brain->frame);
    if (brain->has_model)
        names_finish(&brain->model.names);
    if (brain->bell >= 0)
        close(brain->bell);
    pthread_cond_destroy(&brain->wake);
    pthread_mutex_destroy(&brain->lock);
    free(brain);
    return true;
}

void brain_load(struct brain *brain, const struct config *config, bool stand_in)
{
    struct order order = {.options = {.verify = true,
                                      .threshold = (float)config->threshold,
                                      .leave = (float)config->leave,
                                      .threads = config->threads,
                                      .cpu_mask = config->cpu_mask,
                                      .precision = config->precision,
                                      .or_float = stand_in}};
    memcpy(order.model, config->model, sizeof(order.model));
    memcpy(order.labels, config->labels, sizeof(order.labels));
    memcpy(order.calibrate, config->calibrate, sizeof(order.calibrate));
    order.stand_in = stand_in;
    language_of(config->language, order.language, sizeof(order.language));
    pthread_mutex_lock(&brain->lock);
    brain->order = order;
    brain->ordered = true;
    pthread_cond_signal(&brain->wake);
    pthread_mutex_unlock(&brain->lock);
}

bool brain_look(struct brain *brain, struct frame *frame, struct turn turn)
{
    frame_ref(frame);
    pthread_mutex_lock(&brain->lock);
    struct frame *before = brain->frame;
    brain->frame = frame;
    brain->turn = turn;
    pthread_cond_signal(&brain->wake);
    pthread_mutex_unlock(&brain->lock);
    frame_unref(before);
    return !before;
}

void brain_forget(struct brain *brain)
{
    pthread_mutex_lock(&brain->lock);
    struct frame *before = brain->frame;
    brain->frame = NULL;
    pthread_mutex_unlock(&brain->lock);
    frame_unref(before);
}

bool brain_hungry(struct brain *brain)
{
    pthread_mutex_lock(&brain->lock);
    bool hungry = !brain->frame;
    pthread_mutex_unlock(&brain->lock);
    return hungry;
}

double brain_busy_s(struct brain *brain)
{
    pthread_mutex_lock(&brain->lock);
    uint64_t since = brain->busy_since;
    pthread_mutex_unlock(&brain->lock);
    return since ? clock_ms_since(since) / 1e3 : 0;
}

int brain_fd(const struct brain *brain)
{
    return brain->bell;
}

bool brain_model_news(struct brain *brain, struct brain_model *news)
{
    bell_hush(brain->bell);
    pthread_mutex_lock(&brain->lock);
    bool has = brain->has_model;
    if (has)
        *news = brain->model;
    brain->has_model = false;
    pthread_mutex_unlock(&brain->lock);
    return has;
}

bool brain_result_news(struct brain *brain, struct brain_result *news)
{
    pthread_mutex_lock(&brain->lock);
    bool has = brain->has_result;
    if (has)
        *news = brain->result;
    brain->has_result = false;
    pthread_mutex_unlock(&brain->lock);
    return has;
}

uint64_t brain_cpu_ns(const struct brain *brain)
{
    return thread_cpu_ns(brain->thread);
}
