/* SPDX-License-Identifier: MIT */
#include "app/live/vote.h"

#include <math.h>
#include <stdlib.h>

struct vote {
    int classes, results, answer;
    float mean[];
};

struct vote *vote_create(int classes)
{
    struct vote *vote = NULL;
    if (classes > 0)
        vote = calloc(1, sizeof(*vote) + (size_t)classes * sizeof(vote->mean[0]));
    if (!vote)
        return NULL;
    vote->classes = classes;
    vote->answer = -1;
    return vote;
}

void vote_destroy(struct vote *vote)
{
    free(vote);
}

static float rest_of(const struct vote *vote, const struct pipit_class *best, int count)
{
    float rest = 1;
    for (int i = 0; i < count; i++)
        rest -= best[i].score;
    return count < vote->classes && rest > 0 ? rest / (float)(vote->classes - count) : 0;
}

/* One that is not would stay in the averages for good. */
static bool are_numbers(const struct pipit_class *best, int count)
{
    bool all = true;
    for (int i = 0; i < count; i++)
        all = all && isfinite(best[i].score);
    return all;
}

void vote_update(struct vote *vote, const struct vote_settings *settings, const struct pipit_class *best,
                 int count)
{
    if (!are_numbers(best, count))
        return;
    /* The first results are averaged evenly, so that the answer does not have to climb out of nothing. */
    int over = vote->results < settings->average ? vote->results + 1 : settings->average;
    float weight = 1 / (float)over, rest = weight * rest_of(vote, best, count);
    vote->results = over;
    for (int i = 0; i < vote->classes; i++)
        vote->mean[i] = (1 - weight) * vote->mean[i] + rest;
    for (int i = 0; i < count; i++)
        if (best[i].index >= 0 && best[i].index < vote->classes)
            vote->mean[best[i].index] += weight * best[i].score - rest;
}

int vote_top(const struct vote *vote, struct pipit_class *top, int k)
{
    int count = 0;
    for (int i = 0; i < vote->classes && vote->results; i++) {
        if (count == k && vote->mean[i] <= top[k - 1].score)
            continue;
        int at = count < k ? count++ : k - 1;
        for (; at > 0 && top[at - 1].score < vote->mean[i]; at--)
            top[at] = top[at - 1];
        top[at] = (struct pipit_class){i, vote->mean[i]};
    }
    return count;
}

float vote_entropy(const struct vote *vote)
{
    double sum = 0;
    for (int i = 0; i < vote->classes; i++)
        if (vote->mean[i] > 0)
            sum -= (double)vote->mean[i] * log((double)vote->mean[i]);
    return vote->classes > 1 ? (float)(sum / log(vote->classes)) : 0;
}

int vote_answer(struct vote *vote, const struct vote_settings *settings)
{
    struct pipit_class top[2] = {{-1, 0}, {-1, 0}};
    int count = vote_top(vote, top, 2);
    float slack = count && vote->answer == top[0].index ? 0.8f : 1;
    bool sure = count && top[0].score >= slack * settings->sure &&
                top[0].score - top[1].score >= slack * settings->lead &&
                slack * vote_entropy(vote) <= settings->uncertainty;
    vote->answer = sure ? top[0].index : -1;
    return vote->answer;
}
