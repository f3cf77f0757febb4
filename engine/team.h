/* SPDX-License-Identifier: MIT */
/* The threads that run a plan's steps: one OpenMP parallel region for the whole network. */
#ifndef PIPIT_ENGINE_TEAM_H
#define PIPIT_ENGINE_TEAM_H

#include "engine/plan.h"

/* Runs all steps in order, each by all the plan's workers. ns: NULL, or plan->steps durations to be written.
 */
void team_run(const struct plan *plan, uint64_t *ns);
/* Does items 0 to count - 1, whoever is free the next one. */
void team_share(int workers, int count, void (*run)(const void *items, int item), const void *items);
/* run(argument) on so many threads at once; the sum of what they return. */
int64_t team_sum(int workers, int64_t (*run)(int argument), int argument);
/* Processors that this process may run on, 1 to WORKERS_MAX. */
int team_processors(void);

#endif
