/* SPDX-License-Identifier: MIT */
/*
 * The inference thread: opens the model, owns its OpenMP team, and looks at the newest frame whenever it is
 * free. It never holds anything up: a frame that it has no time for is replaced by the next.
 */
#ifndef PIPIT_APP_LIVE_BRAIN_H
#define PIPIT_APP_LIVE_BRAIN_H

#include "app/config.h"
#include "app/names.h"
#include "base/convert.h"

#define BRAIN_OBJECTS_MAX 100
#define BRAIN_CLASSES_MAX 32

/* A model that was opened, or why it was not. */
struct brain_model {
    int status;    /* EX_OK, or an exit status of sysexits.h with a sentence */
    bool stand_in; /* the one that was asked for cannot be used, `why` says why; this is a default one */
    char why[480];
    int number; /* counts the models that were opened, from 1 */
    char name[128];
    int classes; /* of a classifier; 0: a detector */
    float threshold;
    struct names names; /* whoever takes it finishes it */
};

struct brain_result {
    int status; /* 0, or a negative errno: the network failed on this frame */
    int model;  /* the number of the one that answered */
    int classes, objects;
    struct pipit_class best[BRAIN_CLASSES_MAX];
    struct pipit_object object[BRAIN_OBJECTS_MAX];
    double preprocess_ms, inference_ms;
    uint64_t time_ns; /* of the frame */
};

struct brain;
struct brain *brain_create(void); /* NULL: out of memory, threads or descriptors */
/* Ends the thread. Takes NULL. False: it is stuck in a network for longer than `patience_s`, and stays. */
bool brain_destroy(struct brain *brain, double patience_s);

/* Opens a model, while the one before goes on; the answer comes by brain_model_news(). With `stand_in`, when
 * there is none before and it cannot be used, one of the catalogue's defaults is opened instead. */
void brain_load(struct brain *brain, const struct config *config, bool stand_in);
/* Takes a reference to the frame. False: it replaces one that was never looked at. */
bool brain_look(struct brain *brain, struct frame *frame, struct turn turn);
void brain_forget(struct brain *brain); /* the frame that waits, if any */
/* No frame waits: the next would be looked at soon. */
bool brain_hungry(struct brain *brain);
/* How long it has been working on one frame, seconds; 0: it is not. Opening a model does not count. */
double brain_busy_s(struct brain *brain);

int brain_fd(const struct brain *brain); /* readable means news */
/* Each moves what there is to *news and says whether there was any. Call both, this one first: a result may
 * be that of the model that has just come. */
bool brain_model_news(struct brain *brain, struct brain_model *news);
bool brain_result_news(struct brain *brain, struct brain_result *news);
uint64_t brain_cpu_ns(const struct brain *brain); /* processor time of its own thread */

#endif
