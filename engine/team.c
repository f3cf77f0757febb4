/* SPDX-License-Identifier: MIT */
#include "engine/team.h"

#include "base/clock.h"

#include <omp.h>
#include <sched.h>
#include <stdatomic.h>

/* Between two steps there are microseconds at most, so workers spin for that long before they give way;
 * OpenMP's own barrier would sleep in the kernel each time under OMP_WAIT_POLICY=passive. */
enum { SPINS = 4000 };

struct barrier {
    atomic_int arrived, phase;
    int workers;
};

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void barrier_wait(struct barrier *barrier)
{
    int phase = atomic_load_explicit(&barrier->phase, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&barrier->arrived, 1, memory_order_acq_rel) == barrier->workers - 1) {
        atomic_store_explicit(&barrier->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&barrier->phase, phase + 1, memory_order_release);
        return;
    }
    for (int spin = 0; atomic_load_explicit(&barrier->phase, memory_order_acquire) == phase; spin++) {
        if (spin < SPINS)
            relax();
        else
            sched_yield();
    }
}

static void run_steps(const struct plan *plan, struct barrier *barrier, int worker, uint64_t *ns)
{
    for (int i = 0; i < plan->steps; i++) {
        const struct step *step = &plan->step[i];
        uint64_t start = ns && worker == 0 ? clock_now_ns() : 0;
        step->run(step, worker, barrier->workers);
        if (barrier->workers > 1)
            barrier_wait(barrier);
        if (ns && worker == 0)
            ns[i] = clock_now_ns() - start;
    }
}

void team_run(const struct plan *plan, uint64_t *ns)
{
    struct barrier barrier = {.workers = plan->workers};
    if (plan->workers == 1) {
        run_steps(plan, &barrier, 0, ns);
        return;
    }
#pragma omp parallel num_threads(plan->workers)
    {
#pragma omp single
        barrier.workers = omp_get_num_threads(); /* fewer when the system or OMP_THREAD_LIMIT says so */
        run_steps(plan, &barrier, omp_get_thread_num(), ns);
    }
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
