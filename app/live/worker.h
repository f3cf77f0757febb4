/* SPDX-License-Identifier: MIT */
/* A thread that does one task at a time for the event loop: decoding, composing, opening cameras. */
#ifndef PIPIT_APP_LIVE_WORKER_H
#define PIPIT_APP_LIVE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

struct task {
    void (*run)(struct task *task);  /* on the worker's thread */
    void (*done)(struct task *task); /* afterwards, on the loop's, from worker_dispatch() */
};

struct worker;
struct worker *worker_create(void); /* NULL: out of memory, threads or descriptors */
/* Takes NULL. Waits for the task's end, without calling its done(). False: that takes longer than
 * `patience_s`, and the thread stays. */
bool worker_destroy(struct worker *worker, double patience_s);

bool worker_idle(const struct worker *worker);
double worker_busy_s(const struct worker *worker); /* with its task; 0: it is idle */
/* Takes the task, which stays the caller's and must live until done(). Only when idle. */
void worker_submit(struct worker *worker, struct task *task);

int worker_fd(const struct worker *worker); /* readable means worker_dispatch() */
void worker_dispatch(struct worker *worker);
uint64_t worker_cpu_ns(const struct worker *worker); /* processor time of its thread */

#endif
