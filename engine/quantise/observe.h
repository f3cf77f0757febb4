/* SPDX-License-Identifier: MIT */
/* Running a plan node by node, and comparing an int8 plan with the float one that it was made from. */
#ifndef PIPIT_ENGINE_QUANTISE_OBSERVE_H
#define PIPIT_ENGINE_QUANTISE_OBSERVE_H

#include "engine/plan.h"

/* Runs the plan; calls back when all steps of a node are done, before anything is written over. */
void observe_run(const struct plan *plan, void (*done)(void *context, const struct step *step),
                 void *context);

struct comparison {
    const struct plan *exact; /* of the float graph */
    const struct plan *plan;  /* of the graph that scheme_apply() made of it */
    float **answer;           /* of each tensor of the float graph on the present picture */
    double *signal;           /* sums of squares over all pictures, of each of those tensors */
    double *own, *all;        /* of differences: on exact inputs; on the plan's own */
};

/* -ENOMEM. */
int comparison_init(struct comparison *comparison, const struct plan *exact, const struct plan *plan);
void comparison_finish(struct comparison *comparison);
/* Adds one picture: the first input's values. */
void comparison_add(struct comparison *comparison, const float *input);
/* Signal to noise of a tensor in decibels; INFINITY where there is no noise. */
float comparison_db(double signal, double noise);

#endif
