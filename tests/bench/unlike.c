/* SPDX-License-Identifier: MIT */
/* Processors of unlike speed: unlike [NETWORK...]. On two threads, with the second as fast as the first and
 * SLOWNESS times slower; and what four fast and four slow ones would do, from the time that each chunk takes
 * here. */
#include "engine/model.h"
#include "engine/team.h"

#include "base/clock.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 15, RUNS = 10, EACH_MOST = 4, STEPS_MAX = 400, FAST = 4, SLOW = 4, CHUNKS_MAX = 64 };

static const double slowness = 3, slow_speed = 0.3;
static const double barrier_us = 1, claim_us = 0.1; /* of the model */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof(*values), by_value);
    return values[count / 2];
}

static struct pipit_model *open_network(const char *name, int threads)
{
    struct pipit_settings settings;
    struct pipit_error error;
    struct pipit_model *model;
    pipit_settings_defaults(&settings);
    settings.threads = threads;
    if (pipit_model_random(&model, name, 1, &settings, &error))
        errx(1, "%s", error.text);
    if (model->plan.steps > STEPS_MAX)
        errx(1, "%s: more than %d steps", name, STEPS_MAX);
    pipit_model_run(model); /* the first one warms up */
    return model;
}

/* ---- two threads ---- */

static const struct step *first;
static void (*whole[STEPS_MAX])(const struct step *step, struct chunk chunk);

/* It does nothing for the time that is missing, and takes no memory's time from the other. */
static void run_slowly(const struct step *step, struct chunk chunk)
{
    uint64_t start = clock_now_ns();
    whole[step - first](step, chunk);
    uint64_t ns = clock_now_ns() - start;
    while (chunk.worker > 0 && (double)(clock_now_ns() - start) < slowness * (double)ns)
        ;
}

static void slow_down(struct plan *plan, bool slow)
{
    first = plan->step;
    for (int i = 0; i < plan->steps; i++) {
        if (plan->step[i].run != run_slowly)
            whole[i] = plan->step[i].run;
        plan->step[i].run = slow ? run_slowly : whole[i];
    }
}

static double run_ms(struct pipit_model *model)
{
    double ms[RUNS];
    for (int i = 0; i < RUNS; i++) {
        uint64_t start = clock_now_ns();
        pipit_model_run(model);
        ms[i] = clock_ms_since(start);
    }
    return median(ms, RUNS);
}

static void measure(const char *name)
{
    double ms[2][EACH_MOST + 1][ROUNDS];
    struct pipit_model *model = open_network(name, 2);
    for (int round = 0; round < ROUNDS; round++)
        for (int slow = 0; slow < 2; slow++)
            for (int each = 1; each <= EACH_MOST; each++) {
                plan_cut(&model->plan, each);
                slow_down(&model->plan, slow);
                ms[slow][each][round] = run_ms(model);
            }
    slow_down(&model->plan, false);
    for (int slow = 0; slow < 2; slow++) {
        printf("| %s | %s |", name, slow ? "1 + 1/3" : "1 + 1");
        for (int each = 1; each <= EACH_MOST; each++)
            printf(" %.3f |", median(ms[slow][each], ROUNDS));
        putchar('\n');
    }
    fflush(stdout);
    pipit_model_destroy(model);
}

/* ---- eight, by a model ---- */

static double chunk_us(const struct step *step, struct chunk chunk)
{
    double us[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = clock_now_ns();
        step->run(step, chunk);
        us[i] = (double)(clock_now_ns() - start) / 1e3;
    }
    return median(us, ROUNDS);
}

/* Whoever is free makes the next one. */
static double step_us(const struct step *step, int fast, int workers)
{
    double busy[FAST + SLOW] = {0}, last = 0;
    int count = step->chunks > workers ? step->chunks : workers;
    for (int i = 0; i < count; i++) {
        int worker = 0;
        for (int w = 1; w < workers; w++)
            worker = busy[w] < busy[worker] ? w : worker;
        worker = i < workers ? i : worker;
        double us = chunk_us(step, (struct chunk){i, count, 0}) + (count > workers ? claim_us : 0);
        busy[worker] += us / (worker < fast ? 1 : slow_speed);
        last = busy[worker] > last ? busy[worker] : last;
    }
    return last + barrier_us;
}

static double model_ms(const char *name, int fast, int slow, int each)
{
    double us = 0;
    struct pipit_model *model = open_network(name, fast + slow);
    plan_cut(&model->plan, each);
    for (int i = 0; i < model->plan.steps; i++)
        us += step_us(&model->plan.step[i], fast, fast + slow);
    pipit_model_destroy(model);
    return us / 1e3;
}

static void simulate(const char *name)
{
    printf("| %s | %.3f |", name, model_ms(name, FAST, 0, 1));
    for (int each = 1; each <= EACH_MOST; each++)
        printf(" %.3f |", model_ms(name, FAST, SLOW, each));
    putchar('\n');
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static char *usual[] = {"mobilenet-v3-small",      "mobilenet-v3-large",      "mobilenet-v2",
                            "mobilenet-v3-small/int8", "mobilenet-v3-large/int8", "mobilenet-v2/int8"};
    char **names = argc > 1 ? argv + 1 : usual;
    int count = argc > 1 ? argc - 1 : (int)(sizeof(usual) / sizeof(*usual));
    puts("| network | processors | static | 2 chunks each | 3 | 4 |\n|---|---|---|---|---|---|");
    for (int i = 0; i < count; i++)
        measure(names[i]);
    printf("\nFour fast, and four of %.1f times their speed:\n", slow_speed);
    puts("| network | fast ones alone | all, static | 2 chunks each | 3 | 4 |\n|---|---|---|---|---|---|");
    for (int i = 0; i < count; i++)
        simulate(names[i]);
    return 0;
}
