/* SPDX-License-Identifier: MIT */
#include "engine/quantise/observe.h"

#include "engine/team.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void observe_run(const struct plan *plan, void (*done)(void *context, const struct step *step), void *context)
{
    struct plan one = *plan;
    one.steps = 1;
    for (int i = 0; i < plan->steps; i++) {
        one.step = &plan->step[i];
        team_run(&one, NULL);
        if (i + 1 == plan->steps || plan->step[i + 1].node != plan->step[i].node)
            done(context, &plan->step[i]);
    }
}

/* ---- int8 and float ---- */

static float real_of(const struct tensor *tensor, const void *data, int64_t i)
{
    if (tensor->type != PIPIT_I8)
        return ((const float *)data)[i];
    return tensor->quant.scale[0] * (float)(((const int8_t *)data)[i] - tensor->quant.zero[0]);
}

static void set_real(const struct tensor *tensor, void *data, const float *values)
{
    int64_t count = tensor_elements(tensor);
    if (tensor->type != PIPIT_I8) {
        memcpy(data, values, (size_t)count * sizeof(*values));
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        float value = roundf(values[i] / tensor->quant.scale[0]) + (float)tensor->quant.zero[0];
        ((int8_t *)data)[i] = (int8_t)(!(value > -128) ? -128 : value > 127 ? 127 : (int)value);
    }
}

/* ---- comparing ---- */

int comparison_init(struct comparison *c, const struct plan *exact, const struct plan *plan)
{
    const struct graph *graph = exact->graph;
    size_t count = (size_t)graph->tensors + 1;
    *c = (struct comparison){exact,
                             plan,
                             calloc(count, sizeof(*c->answer)),
                             calloc(count, sizeof(double)),
                             calloc(count, sizeof(double)),
                             calloc(count, sizeof(double))};
    bool good = c->answer && c->signal && c->own && c->all;
    for (int i = 0; good && i < exact->steps; i++) {
        const struct node *node = exact->step[i].node;
        for (int o = 0; o < node->outputs && good; o++) {
            int tensor = node->output[o];
            if (graph->tensor[tensor].type != PIPIT_F32 || c->answer[tensor])
                continue;
            c->answer[tensor] = malloc((size_t)tensor_bytes(&graph->tensor[tensor]));
            good = c->answer[tensor] != NULL;
        }
    }
    if (!good)
        comparison_finish(c);
    return good ? 0 : -ENOMEM;
}

void comparison_finish(struct comparison *c)
{
    for (int t = 0; c->answer && t < c->exact->graph->tensors; t++)
        free(c->answer[t]);
    free(c->answer);
    free(c->signal);
    free(c->own);
    free(c->all);
    *c = (struct comparison){0};
}

static void keep_answer(void *context, const struct step *step)
{
    struct comparison *c = context;
    for (int o = 0; o < step->node->outputs; o++) {
        int tensor = step->node->output[o];
        const float *values = step->out[o];
        if (!c->answer[tensor])
            continue;
        int64_t count = tensor_elements(&c->exact->graph->tensor[tensor]);
        memcpy(c->answer[tensor], values, (size_t)count * sizeof(*values));
        for (int64_t i = 0; i < count; i++)
            c->signal[tensor] += (double)values[i] * (double)values[i];
    }
}

static bool compared(const struct comparison *c, int tensor)
{
    return tensor < c->exact->graph->tensors && c->answer[tensor];
}

static void add_noise(struct comparison *c, const struct step *step, double *noise)
{
    for (int o = 0; o < step->node->outputs; o++) {
        int t = step->node->output[o];
        if (!compared(c, t))
            continue;
        const struct tensor *tensor = &c->plan->graph->tensor[t];
        for (int64_t i = 0; i < tensor_elements(tensor); i++) {
            double difference = (double)real_of(tensor, step->out[o], i) - (double)c->answer[t][i];
            noise[t] += difference * difference;
        }
    }
}

static void compare_all(void *context, const struct step *step)
{
    struct comparison *c = context;
    add_noise(c, step, c->all);
}

/* What comes next works on the float model's answer, rounded. */
static void compare_own(void *context, const struct step *step)
{
    struct comparison *c = context;
    add_noise(c, step, c->own);
    for (int o = 0; o < step->node->outputs; o++) {
        int t = step->node->output[o];
        if (compared(c, t))
            set_real(&c->plan->graph->tensor[t], step->out[o], c->answer[t]);
    }
}

void comparison_add(struct comparison *c, const float *input)
{
    int first = c->exact->graph->input[0];
    const struct tensor *tensor = &c->plan->graph->tensor[first];
    memcpy(c->exact->address[first], input, (size_t)tensor_bytes(&c->exact->graph->tensor[first]));
    observe_run(c->exact, keep_answer, c);
    set_real(tensor, c->plan->address[first], input);
    observe_run(c->plan, compare_all, c);
    observe_run(c->plan, compare_own, c);
}

float comparison_db(double signal, double noise)
{
    return noise > 0 ? (float)(10 * log10(signal / noise)) : INFINITY;
}
