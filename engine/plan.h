/* SPDX-License-Identifier: MIT */
/*
 * A plan: what is left of a graph when all sizes are known. Memory is laid out (each activation has its place
 * in one arena), weights are packed for this machine's kernels, and a run is a list of steps.
 */
#ifndef PIPIT_ENGINE_PLAN_H
#define PIPIT_ENGINE_PLAN_H

#include "engine/graph.h"
#include "engine/kernels/kernels.h"

#define STEP_BUFFERS_MAX (NODE_INPUTS_MAX + NODE_OUTPUTS_MAX)
#define WORKERS_MAX      64

struct rows;

/* What of a step is made at one go. */
struct chunk {
    int index, count; /* 0 <= index < count; what is made follows from these alone, */
    int worker;       /* and whose scratch it is made with from this */
};

struct step {
    /* Makes a chunk. Those of a step are made at the same time and write to different bytes; between two
     * steps all workers wait for each other. No allocation, no system call. */
    void (*run)(const struct step *step, struct chunk chunk);
    const void *args; /* of run(); made by prepare(), lives in the plan's pool */
    const struct kernels *kernels;
    void *const
        *in; /* addresses of the node's inputs; NULL where absent, or a constant of a packing operator */
    void *const *out;
    char *scratch;       /* the workers' own, one behind the other: chunk_scratch() */
    size_t worker_bytes; /* of it, asked for by prepare() */
    const struct node *node;
    const char *kernel; /* name of the kernel, for people */

    const struct step *source; /* of a chained node before: what makes the input's rows; else NULL */
    /* Where run() can also work row by row (engine/ops/rows.h): begins, in worker_bytes of scratch. */
    struct rows *(*rows)(const struct step *step, char *scratch);

    int grains; /* chunks that prepare() finds worth making, at most; 0: by its size alone */
    int chunks; /* see plan_cut(); no more than there are workers: each makes one */
};

/* A part of what is to be packed when all nodes are prepared. */
struct plan_part {
    void (*pack)(const struct plan_part *part);
    const void *args; /* of pack(); lives in the plan's pool */
    int from, to;     /* pack()'s own */
};

struct plan {
    struct pool pool;    /* steps' arguments */
    struct pool weights; /* packed */
    const struct graph *graph;
    const struct kernels *kernels;
    int workers;  /* that will run the steps */
    bool borrows; /* steps read constants where they are, in place of a copy */
    struct step *step;
    int steps, step_room;
    struct plan_part *part;
    int parts, part_room;
    void **address; /* of every tensor of the graph; NULL when no step needs it */
    bool *chained;  /* of every node: see engine/chain.h; NULL: of none */
    char *arena;
    size_t arena_bytes;
    char *scratch;
    size_t scratch_bytes;
};

/* Lays out the arena and prepares every node. whole: every node's output lies in the arena when its step has
 * run. The graph must be inferred and outlive the plan, but for the data of its constants, which the plan has
 * packed or copied when this returns. */
int plan_init(struct plan *plan, const struct graph *graph, const struct kernels *kernels, int workers,
              bool whole, struct pipit_error *error);
void plan_finish(struct plan *plan);
/* For workers of unlike speed: cuts steps into up to so many chunks for each, so that who is fast makes more
 * of them. 0 or 1: into one for each, as plan_init() leaves them. */
void plan_cut(struct plan *plan, int each);

/* For computing single nodes ahead of a plan: nothing is laid out, the caller sets `address` of outputs. */
int plan_init_empty(struct plan *plan, const struct graph *graph, const struct kernels *kernels, int workers,
                    struct pipit_error *error);
int plan_run_once(struct plan *plan); /* allocates scratch and runs the steps; -ENOMEM */
void plan_reset(struct plan *plan,
                const struct node *node); /* forgets steps, memory and the node's addresses */

/* For prepare(): a new step of this node with its buffers' addresses, run and args to be set. When the node
 * before is chained to this one, its step leaves the plan and is the new one's source. NULL: no memory. */
struct step *plan_add_step(struct plan *plan, const struct node *node);
/* Zeroed memory that lives as long as the plan, 64-byte aligned. NULL: none, or more than the graph's budget.
 */
void *plan_alloc(struct plan *plan, size_t count, size_t size);
/* The same for what only pack() fills: beside memory that is used at once, its pages would come before the
 * file's have gone. */
void *plan_alloc_weights(struct plan *plan, size_t count, size_t size);
/* For prepare(): has this packed later, by any worker, beside other parts. Returns 0 or -ENOMEM. */
int plan_pack_later(struct plan *plan, const struct plan_part *part);
/* For pack(): these bytes of the node's constant input have been packed, and are not read again. */
void plan_packed(const struct plan *plan, const struct node *node, int input, size_t from, size_t to);
/* A worker's own: worker_bytes, shared by all steps, 64-byte aligned, contents undefined. */
static inline char *chunk_scratch(const struct step *step, struct chunk chunk)
{
    return step->scratch + (size_t)chunk.worker * step->worker_bytes;
}

/* The share [*begin, *end) of `count` items, in multiples of `grain`. */
static inline void share(int count, int grain, struct chunk chunk, int *begin, int *end)
{
    int grains = (count + grain - 1) / grain;
    int from = (int)((int64_t)grains * chunk.index / chunk.count) * grain;
    int to = (int)((int64_t)grains * (chunk.index + 1) / chunk.count) * grain;
    *begin = from < count ? from : count;
    *end = to < count ? to : count;
}

#endif
