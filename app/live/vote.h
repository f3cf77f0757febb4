/* SPDX-License-Identifier: MIT */
/* A classifier's answers over time: probabilities averaged over results, and whether the answer is sure.
 * Pure. */
#ifndef PIPIT_APP_LIVE_VOTE_H
#define PIPIT_APP_LIVE_VOTE_H

#include <pipit.h>

struct vote_settings {
    int average;       /* results; an exponential average of weight 1 / average */
    float sure;        /* the best's probability at least */
    float lead;        /* the best's probability minus the second's at least */
    float uncertainty; /* entropy at most, as a part of that of equal probabilities */
};

struct vote;
struct vote *vote_create(int classes); /* NULL: out of memory, or classes < 1 */
void vote_destroy(struct vote *vote);  /* takes NULL */

/* Takes in the best classes of a result; the rest of the probability is spread evenly over the others. A
 * result with a score that is no number does not count. */
void vote_update(struct vote *vote, const struct vote_settings *settings, const struct pipit_class *best,
                 int count);
/* The k best averages, best first, equal ones by the lower index. Returns how many there are. */
int vote_top(const struct vote *vote, struct pipit_class *top, int k);
/* The class that it is sure of, or -1. What was sure stays so down to four fifths of the limits. */
int vote_answer(struct vote *vote, const struct vote_settings *settings);

/* Of what is averaged, 0 (one class) to 1 (all alike). */
float vote_entropy(const struct vote *vote);

#endif
