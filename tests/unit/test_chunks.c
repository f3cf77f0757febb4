/* SPDX-License-Identifier: MIT */
/* A step is made in its chunks, each of them once, when all of the step before are made, and a worker makes
 * one at a time. */
#include "engine/team.h"

#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { STEPS = 6, CHUNKS_MAX = 200, RUNS = 150 };

static struct made {
    atomic_int times[CHUNKS_MAX], all;
    int seen[CHUNKS_MAX]; /* written by the chunk, read by those of the next step: for ThreadSanitizer */
} made[STEPS];
static struct step steps[STEPS];
static atomic_int busy[WORKERS_MAX], wrong;
static int workers;

/* One worker needs none. */
static int chunks_of(const struct step *step)
{
    return workers > 1 && step->chunks > workers ? step->chunks : workers;
}

static void look_back(const struct step *step)
{
    const int last = (int)(step - steps) - 1;
    if (last < 0)
        return;
    wrong += made[last].all != chunks_of(&steps[last]);
    for (int i = 0; i < chunks_of(&steps[last]); i++)
        wrong += made[last].seen[i] != i + 1;
}

static void run(const struct step *step, struct chunk chunk)
{
    struct made *mine = &made[step - steps];
    if (chunk.count != chunks_of(step) || chunk.index < 0 || chunk.index >= chunk.count || chunk.worker < 0 ||
        chunk.worker >= workers) {
        wrong++;
        return;
    }
    wrong += atomic_fetch_add(&busy[chunk.worker], 1) != 0;
    look_back(step);
    mine->seen[chunk.index] = chunk.index + 1;
    mine->times[chunk.index]++;
    mine->all++;
    busy[chunk.worker]--;
}

static void check_and_forget(void)
{
    for (int i = 0; i < STEPS; i++) {
        for (int k = 0; k < chunks_of(&steps[i]); k++)
            ck_assert_int_eq(made[i].times[k], 1);
        ck_assert_int_eq(made[i].all, chunks_of(&steps[i]));
        made[i] = (struct made){0};
    }
    ck_assert_int_eq(wrong, 0);
}

static const int worker_counts[] = {1, 2, 3, 8};

START_TEST(every_chunk_is_made_once)
{
    workers = worker_counts[_i];
    const int chunks[STEPS] = {2 * workers, 0, workers + 1, workers, CHUNKS_MAX, 3 * workers};
    struct plan plan = {.workers = workers, .step = steps, .steps = STEPS};
    for (int i = 0; i < STEPS; i++)
        steps[i] = (struct step){.run = run, .chunks = chunks[i]};
    for (int i = 0; i < RUNS; i++) {
        team_run(&plan, NULL);
        check_and_forget();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chunks");
    TCase *tests = tcase_create("chunks");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, every_chunk_is_made_once, 0, sizeof(worker_counts) / sizeof(*worker_counts));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
