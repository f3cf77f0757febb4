/* SPDX-License-Identifier: MIT */
#include "app/live/worker.h"

#include "app/live/thread.h"
#include "base/clock.h"

#include <stdlib.h>
#include <unistd.h>

struct worker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int bell;
    bool started, stop;
    struct task *next, *finished; /* guarded by the lock */
    struct task *task;            /* the loop's: what is under way, */
    uint64_t since;               /* and since when */
};

static void *work(void *user)
{
    struct worker *worker = user;
    pthread_mutex_lock(&worker->lock);
    while (!worker->stop) {
        struct task *task = worker->next;
        if (!task) {
            pthread_cond_wait(&worker->wake, &worker->lock);
            continue;
        }
        worker->next = NULL;
        pthread_mutex_unlock(&worker->lock);
        task->run(task);
        pthread_mutex_lock(&worker->lock);
        worker->finished = task;
        bell_ring(worker->bell);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

struct worker *worker_create(void)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (!worker)
        return NULL;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->wake, NULL);
    worker->bell = bell_create();
    worker->started = worker->bell >= 0 && !thread_start(&worker->thread, "pipit-worker", work, worker);
    if (worker->started)
        return worker;
    worker_destroy(worker, 0);
    return NULL;
}

bool worker_destroy(struct worker *worker, double patience_s)
{
    if (!worker)
        return true;
    pthread_mutex_lock(&worker->lock);
    worker->stop = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
    if (worker->started && !thread_join(worker->thread, patience_s))
        return false;
    if (worker->bell >= 0)
        close(worker->bell);
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
    return true;
}

bool worker_idle(const struct worker *worker)
{
    return !worker->task;
}

double worker_busy_s(const struct worker *worker)
{
    return worker->task ? clock_ms_since(worker->since) / 1e3 : 0;
}

void worker_submit(struct worker *worker, struct task *task)
{
    worker->task = task;
    worker->since = clock_now_ns();
    pthread_mutex_lock(&worker->lock);
    worker->next = task;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
}

int worker_fd(const struct worker *worker)
{
    return worker->bell;
}

void worker_dispatch(struct worker *worker)
{
    bell_hush(worker->bell);
    pthread_mutex_lock(&worker->lock);
    struct task *task = worker->finished;
    worker->finished = NULL;
    pthread_mutex_unlock(&worker->lock);
    if (!task)
        return;
    worker->task = NULL;
    task->done(task);
}

uint64_t worker_cpu_ns(const struct worker *worker)
{
    return thread_cpu_ns(worker->thread);
}
