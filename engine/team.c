/* SPDX-License-Identifier: MIT */
#include "engine/team.h"

#include "base/clock.h"
#include "engine/processors.h"

#include <linux/futex.h>
#include <omp.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Between two steps there are microseconds at most, so workers spin for that long; OpenMP's own barrier would
 * sleep in the kernel each time under OMP_WAIT_POLICY=passive. Then they do sleep: the other worker may wait
 * for this processor, and who is woken is put on an idle one. */
enum { SPINS = 4000 };

struct barrier {
    atomic_int arrived, asleep;
    _Atomic uint32_t phase;
};

struct team {
    struct barrier barrier;
    _Alignas(64) atomic_int claims; /* apart from what those who wait read */
};

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void sleep_in(struct barrier *barrier, uint32_t phase)
{
    atomic_fetch_add(&barrier->asleep, 1);
    while (atomic_load(&barrier->phase) == phase)
        syscall(SYS_futex, &barrier->phase, FUTEX_WAIT_PRIVATE, phase, NULL, NULL, 0);
    atomic_fetch_sub(&barrier->asleep, 1);
}

static void barrier_wait(struct barrier *barrier, int workers)
{
    uint32_t phase = atomic_load_explicit(&barrier->phase, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&barrier->arrived, 1, memory_order_acq_rel) == workers - 1) {
        atomic_store_explicit(&barrier->arrived, 0, memory_order_relaxed);
        atomic_store(&barrier->phase, phase + 1);
        if (atomic_load(&barrier->asleep))
            syscall(SYS_futex, &barrier->phase, FUTEX_WAKE_PRIVATE, WORKERS_MAX, NULL, NULL, 0);
        return;
    }
    for (int spin = 0; spin < SPINS; spin++) {
        if (atomic_load_explicit(&barrier->phase, memory_order_acquire) != phase)
            return;
        relax();
    }
    sleep_in(barrier, phase);
}

/* Each worker makes the chunk of its number, then what is not claimed yet. A worker's last claim is one too
 * many, so that a step takes as many as it has chunks: the counter goes on from step to step. */
static int claim_chunks(const struct step *step, atomic_int *claims, int before, int worker, int workers)
{
    struct chunk chunk = {worker, step->chunks, worker};
    while (chunk.index < chunk.count) {
        step->run(step, chunk);
        chunk.index = workers + atomic_fetch_add_explicit(claims, 1, memory_order_relaxed) - before;
    }
    return before + chunk.count;
}

static void run_steps(const struct plan *plan, struct team *team, int worker, int workers, uint64_t *ns)
{
    int claims = 0; /* of the steps before */
    for (int i = 0; i < plan->steps; i++) {
        const struct step *step = &plan->step[i];
        uint64_t start = ns && worker == 0 ? clock_now_ns() : 0;
        if (workers > 1 && step->chunks > workers)
            claims = claim_chunks(step, &team->claims, claims, worker, workers);
        else
            step->run(step, (struct chunk){worker, workers, worker});
        if (workers > 1)
            barrier_wait(&team->barrier, workers);
        if (ns && worker == 0)
            ns[i] = clock_now_ns() - start;
    }
}

void team_run(const struct plan *plan, uint64_t *ns)
{
    struct team team = {0};
    if (plan->workers == 1) {
        run_steps(plan, &team, 0, 1, ns);
        return;
    }
    /* Fewer than wanted when the system or OMP_THREAD_LIMIT says so. */
#pragma omp parallel num_threads(plan->workers)
    run_steps(plan, &team, omp_get_thread_num(), omp_get_num_threads(), ns);
}

/* GNU's OpenMP spins for milliseconds until a new thread has begun, which it may not do before, on this very
 * processor; not so where there are more threads than processors, so the first team is one. Each thread
 * begins on a processor of its own: where it was last it is woken again, and two on one wait for each other's
 * time slice, 4 ms, before the system looks for a better place. */
static void start_threads(int workers)
{
    static _Thread_local bool started;
    if (started || workers == 1 || workers < team_processors())
        return;
    started = true;
    const int mine = sched_getcpu();
#pragma omp parallel num_threads(team_processors() + 1)
    if (omp_get_thread_num() > 0)
        processors_begin_on(mine, omp_get_thread_num());
}

void team_share(int workers, int count, void (*run)(const void *items, int item), const void *items)
{
    start_threads(workers);
#pragma omp parallel for schedule(dynamic) num_threads(workers) if (workers > 1)
    for (int i = 0; i < count; i++)
        run(items, i);
}

int64_t team_sum(int workers, int64_t (*run)(int argument), int argument)
{
    int64_t sum = 0;
#pragma omp parallel num_threads(workers) reduction(+ : sum)
    sum += run(argument);
    return sum;
}

int team_processors(void)
{
    int count = omp_get_num_procs();
    return count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : count;
}
