/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_CHAIN_H
#define PIPIT_ENGINE_CHAIN_H

#include "engine/graph.h"

/* chained[n], of every node: its output is made row by row inside the step of node n + 1, and never lies in
 * memory as a whole. That is so of what is too large for a core's cache, as the first layers' outputs are,
 * where few weights have to be read again for each row. -ENOMEM. */
int chain_nodes(const struct graph *graph, int workers, bool *chained);

#endif
