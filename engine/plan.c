/* SPDX-License-Identifier: MIT */
#include "engine/plan.h"

#include "engine/arena.h"
#include "engine/chain.h"
#include "engine/file.h"
#include "engine/op.h"
#include "engine/pages.h"
#include "engine/team.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- what prepare() calls ---- */

static void *alloc_in(struct plan *plan, struct pool *pool, size_t count, size_t size)
{
    const size_t budget = (size_t)graph_budget(plan->graph);
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > budget ||
        plan->pool.bytes + plan->weights.bytes + bytes > budget)
        return NULL;
    return pool_alloc(pool, count, size);
}

void *plan_alloc(struct plan *plan, size_t count, size_t size)
{
    return alloc_in(plan, &plan->pool, count, size);
}

void *plan_alloc_weights(struct plan *plan, size_t count, size_t size)
{
    return alloc_in(plan, &plan->weights, count, size);
}

/* A constant that a step reads is copied, so that the file's bytes can go. */
static void *constant_address(struct plan *plan, int index)
{
    const struct tensor *tensor = &plan->graph->tensor[index];
    if (plan->borrows)
        return (void *)(uintptr_t)tensor->data;
    if (!plan->address[index]) {
        size_t bytes = (size_t)tensor_bytes(tensor);
        plan->address[index] = plan_alloc(plan, bytes, 1);
        if (plan->address[index])
            memcpy(plan->address[index], tensor->data, bytes);
    }
    return plan->address[index];
}

static bool is_chained(const struct plan *plan, int n)
{
    return plan->chained && n >= 0 && plan->chained[n];
}

static bool set_inputs(struct plan *plan, const struct node *node, void **in)
{
    const struct op_info *info = op_info(node->op);
    for (int i = 0; i < node->inputs; i++) {
        int index = node->input[i];
        if (index < 0)
            continue;
        bool constant = plan->graph->tensor[index].data != NULL;
        if (info->packs && (info->data_input < 0 || (constant && i != info->data_input)))
            continue;
        if (i == 0 && is_chained(plan, (int)(node - plan->graph->node) - 1))
            continue;
        in[i] = constant ? constant_address(plan, index) : plan->address[index];
        if (!in[i])
            return false;
    }
    return true;
}

/* Room for one more behind `count`, in `list` of elements of `size` bytes; NULL: no memory. */
static void *grow(void *list, int count, int *room, size_t size)
{
    if (count < *room)
        return list;
    int wanted = *room ? 2 * *room : 128;
    void *bigger = realloc(list, (size_t)wanted * size);
    if (bigger)
        *room = wanted;
    return bigger;
}

static bool room_for_step(struct plan *plan)
{
    struct step *step = grow(plan->step, plan->steps, &plan->step_room, sizeof(*step));
    plan->step = step ? step : plan->step;
    return step;
}

int plan_pack_later(struct plan *plan, const struct plan_part *part)
{
    struct plan_part *list = grow(plan->part, plan->parts, &plan->part_room, sizeof(*list));
    if (!list)
        return -ENOMEM;
    plan->part = list;
    plan->part[plan->parts++] = *part;
    return 0;
}

static const struct step *take_last(struct plan *plan)
{
    struct step *step = plan_alloc(plan, 1, sizeof(*step));
    if (step)
        *step = plan->step[--plan->steps];
    return step;
}

struct step *plan_add_step(struct plan *plan, const struct node *node)
{
    void **in = plan_alloc(plan, (size_t)(node->inputs + node->outputs) + 1, sizeof(*in));
    if (!in || !set_inputs(plan, node, in) || !room_for_step(plan))
        return NULL;
    const struct step *source = NULL;
    if (is_chained(plan, (int)(node - plan->graph->node) - 1) && !(source = take_last(plan)))
        return NULL;
    void **out = in + node->inputs;
    for (int i = 0; i < node->outputs; i++)
        out[i] = plan->address[node->output[i]];
    struct step *step = &plan->step[plan->steps++];
    *step = (struct step){
        .kernels = plan->kernels, .in = in, .out = out, .node = node, .kernel = "", .source = source};
    return step;
}

/* ---- where activations live ---- */

struct layout {
    int *root; /* of each tensor: the tensor whose bytes it shares, itself when it has its own */
    int *first, *last;
};

static void use(struct layout *layout, int tensor, int step)
{
    int root = layout->root[tensor];
    if (layout->first[root] < 0)
        layout->first[root] = step;
    if (layout->last[root] < step)
        layout->last[root] = step;
}

/* What a chained node reads is read until the last of its chain has run. */
static int last_of_chain(const struct plan *plan, int n)
{
    while (is_chained(plan, n))
        n++;
    return n;
}

static void find_uses(const struct plan *plan, struct layout *layout)
{
    const struct graph *graph = plan->graph;
    for (int i = 0; i < graph->tensors; i++)
        layout->first[i] = layout->last[i] = -1;
    for (int i = 0; i < graph->inputs; i++) { /* kept, so that a run can be repeated */
        use(layout, graph->input[i], 0);
        use(layout, graph->input[i], graph->nodes);
    }
    for (int n = 0; n < graph->nodes; n++) {
        const struct node *node = &graph->node[n];
        for (int i = 0; i < node->inputs; i++)
            if (node->input[i] >= 0)
                use(layout, node->input[i], last_of_chain(plan, n));
        for (int i = 0; i < node->outputs; i++)
            use(layout, node->output[i], n);
    }
    for (int i = 0; i < graph->outputs; i++) {
        use(layout, graph->output[i], graph->nodes > 0 ? graph->nodes - 1 : 0);
        use(layout, graph->output[i], graph->nodes);
    }
}

static void share_bytes(const struct graph *graph, struct layout *layout)
{
    for (int i = 0; i < graph->tensors; i++)
        layout->root[i] = i;
    for (int n = 0; n < graph->nodes; n++)
        if (op_info(graph->node[n].op)->alias)
            layout->root[graph->node[n].output[0]] = layout->root[graph->node[n].input[0]];
}

/* The input whose bytes node n's output may be written over, as nobody reads them later; -1: none. No input
 * may be repeated along a dimension. */
static int input_to_overwrite(const struct graph *graph, const struct layout *layout, int n)
{
    const struct node *node = &graph->node[n];
    const struct tensor *out = node_output(graph, node, 0);
    int found = -1;
    for (int i = 0; i < op_info(node->op)->in_place; i++) {
        const struct tensor *in = node_input(graph, node, i);
        if (!in || tensor_bytes(in) != tensor_bytes(out) || out->data)
            return -1;
        if (found < 0 && !in->data && layout->last[layout->root[node->input[i]]] == n)
            found = node->input[i];
    }
    return found;
}

/* In the order of nodes, so that a chain of them stays where it began. `last` grows with what is added. */
static void overwrite(const struct graph *graph, struct layout *layout)
{
    for (int n = 0; n < graph->nodes; n++) {
        const struct node *node = &graph->node[n];
        int from = op_info(node->op)->alias ? node->input[0] : input_to_overwrite(graph, layout, n);
        if (from < 0)
            continue;
        int out = node->output[0], root = layout->root[from], last = layout->last[layout->root[out]];
        layout->root[out] = root;
        if (layout->last[root] < last)
            layout->last[root] = last;
    }
}

static void find_lifetimes(const struct plan *plan, struct layout *layout)
{
    const struct graph *graph = plan->graph;
    share_bytes(graph, layout);
    find_uses(plan, layout);
    overwrite(graph, layout);
    find_uses(plan, layout);
    for (int n = 0; n < graph->nodes; n++)
        if (is_chained(plan, n)) /* has no place */
            layout->first[graph->node[n].output[0]] = -1;
}

/* Constants are laid out by plan_add_step(), unless the graph answers with one. */
static bool lives_in_arena(const struct graph *graph, const struct layout *layout, int tensor)
{
    return layout->root[tensor] == tensor && layout->first[tensor] >= 0 && !graph->tensor[tensor].data;
}

/* int8 kernels may read some bytes behind. */
static size_t arena_pages(const struct plan *plan)
{
    return pages_round(plan->arena_bytes + 64);
}

static int place(struct plan *plan, const struct layout *layout, struct block *block,
                 struct pipit_error *error)
{
    const struct graph *graph = plan->graph;
    int count = 0;
    for (int i = 0; i < graph->tensors; i++)
        if (lives_in_arena(graph, layout, i))
            block[count++] =
                (struct block){(size_t)tensor_bytes(&graph->tensor[i]), layout->first[i], layout->last[i], 0};
    plan->arena_bytes = arena_layout(block, count);
    if (plan->arena_bytes > (size_t)graph_budget(graph))
        return fail(error, -ENOMEM,
                    "the network needs %zu MiB for activations, more than Pipit gives to a file "
                    "of this size",
                    plan->arena_bytes >> 20);
    plan->arena = pages_map(arena_pages(plan), arena_pages(plan));
    if (!plan->arena)
        return fail(error, -ENOMEM, "out of memory for activations (%zu MiB)", plan->arena_bytes >> 20);
    for (int i = 0, b = 0; i < graph->tensors; i++)
        if (lives_in_arena(graph, layout, i))
            plan->address[i] = plan->arena + block[b++].offset;
    return 0;
}

static int lay_out(struct plan *plan, struct pipit_error *error)
{
    size_t count = (size_t)plan->graph->tensors;
    int *lists = calloc(3 * count + 1, sizeof(*lists));
    struct block *block = calloc(count + 1, sizeof(*block));
    int status = -ENOMEM;
    if (lists && block) {
        struct layout layout = {lists, lists + count, lists + 2 * count};
        find_lifetimes(plan, &layout);
        status = place(plan, &layout, block, error);
        for (int i = 0; i < plan->graph->tensors && !status; i++)
            plan->address[i] = plan->address[layout.root[i]];
    }
    free(lists);
    free(block);
    return status;
}

/* ---- making and ending ---- */

int plan_init_empty(struct plan *plan, const struct graph *graph, const struct kernels *kernels, int workers,
                    struct pipit_error *error)
{
    *plan = (struct plan){.graph = graph, .kernels = kernels, .workers = workers};
    plan->borrows = true;
    plan->address = calloc((size_t)graph->tensors + 1, sizeof(*plan->address));
    return plan->address ? 0 : fail(error, -ENOMEM, "out of memory for a plan of %d tensors", graph->tensors);
}

static int give_scratch(struct plan *plan)
{
    for (int i = 0; i < plan->steps; i++) {
        size_t bytes = plan->step[i].worker_bytes * (size_t)plan->workers;
        plan->scratch_bytes = bytes > plan->scratch_bytes ? bytes : plan->scratch_bytes;
    }
    if (plan->scratch_bytes > (size_t)graph_budget(plan->graph))
        return -ENOMEM;
    plan->scratch = aligned_alloc(64, (plan->scratch_bytes + 127) / 64 * 64);
    if (!plan->scratch)
        return -ENOMEM;
    for (int i = 0; i < plan->steps; i++)
        plan->step[i].scratch = plan->scratch;
    return 0;
}

/* ---- giving a file's memory back while its weights are packed, so that they are not there twice ---- */

enum { NODES_MAX_FORGET = 1000 };

static bool packed_by(const struct graph *graph, const struct node *node, int input)
{
    const struct op_info *info = op_info(node->op);
    return info->packs && info->data_input >= 0 && input != info->data_input &&
           graph->tensor[node->input[input]].data;
}

/* Tensors may share a file's bytes: are these read by others than this node, or, NULL, by any that has not
 * packed them? */
static bool read_elsewhere(const struct graph *graph, const struct tensor *tensor, const struct node *node)
{
    for (int i = 0; i < graph->outputs; i++)
        if (tensors_overlap(tensor, &graph->tensor[graph->output[i]]))
            return true;
    for (const struct node *other = graph->node; other < graph->node + graph->nodes; other++)
        for (int i = 0; i < other->inputs; i++) {
            int index = other->input[i];
            if (index >= 0 && tensors_overlap(tensor, &graph->tensor[index]) &&
                !(packed_by(graph, other, i) && (!node || other == node)))
                return true;
        }
    return false;
}

static void forget(const struct plan *plan, const struct tensor *tensor, const struct node *node, size_t from,
                   size_t to)
{
    const struct graph *graph = plan->graph;
    if (!plan->borrows && to - from >= FORGET_LEAST && graph->nodes <= NODES_MAX_FORGET &&
        !read_elsewhere(graph, tensor, node))
        graph_forget(graph, (const char *)tensor->data + from, to - from);
}

void plan_packed(const struct plan *plan, const struct node *node, int input, size_t from, size_t to)
{
    forget(plan, node_input(plan->graph, node, input), node, from, to);
}

/* reader: as of read_elsewhere(). */
static void forget_weights(const struct plan *plan, const struct node *node, const struct node *reader)
{
    for (int i = 0; i < node->inputs; i++)
        if (node->input[i] >= 0 && packed_by(plan->graph, node, i)) {
            const struct tensor *tensor = node_input(plan->graph, node, i);
            forget(plan, tensor, reader, 0, (size_t)tensor_bytes(tensor));
        }
}

static void pack_part(const void *parts, int i)
{
    const struct plan_part *part = (const struct plan_part *)parts + i;
    part->pack(part);
}

static void pack_parts(struct plan *plan)
{
    team_share(plan->workers, plan->parts, pack_part, plan->part);
    plan->parts = 0;
}

/* Packed weights are about as large as they were. */
static size_t constant_bytes(const struct graph *graph)
{
    int64_t bytes = 0;
    for (int i = 0; i < graph->tensors; i++)
        bytes += graph->tensor[i].data ? tensor_bytes(&graph->tensor[i]) : 0;
    return bytes < graph_budget(graph) ? (size_t)bytes : 0;
}

static int prepare_nodes(struct plan *plan, struct pipit_error *error)
{
    const struct graph *graph = plan->graph;
    pool_expect(&plan->weights, constant_bytes(graph));
    for (int i = 0; i < graph->nodes; i++) {
        const struct op_info *info = op_info(graph->node[i].op);
        int parts = plan->parts, status = info->alias ? 0 : info->prepare(plan, &graph->node[i], error);
        if (status)
            return status;
        if (plan->parts == parts)
            forget_weights(plan, &graph->node[i], &graph->node[i]);
    }
    pack_parts(plan);
    for (int i = 0; i < graph->nodes; i++)
        forget_weights(plan, &graph->node[i], NULL);
    for (int i = 0; i < graph->outputs; i++) {
        int index = graph->output[i];
        if (graph->tensor[index].data && !constant_address(plan, index))
            return -ENOMEM;
    }
    return 0;
}

static int chain(struct plan *plan)
{
    plan->chained = calloc((size_t)plan->graph->nodes + 1, sizeof(*plan->chained));
    return plan->chained ? chain_nodes(plan->graph, plan->workers, plan->chained) : -ENOMEM;
}

int plan_init(struct plan *plan, const struct graph *graph, const struct kernels *kernels, int workers,
              bool whole, struct pipit_error *error)
{
    int status = plan_init_empty(plan, graph, kernels, workers, error);
    plan->borrows = false;
    if (!status && !whole)
        status = chain(plan);
    if (!status)
        status = lay_out(plan, error);
    if (!status)
        status = prepare_nodes(plan, error);
    if (!status)
        status = give_scratch(plan);
    if (status == -ENOMEM && error && !error->text[0])
        error_write(error, "out of memory, or the file asks for far more than its size justifies");
    if (status)
        plan_finish(plan);
    return status;
}

/* ---- chunks ---- */

enum { CHUNK_LEAST = 32 << 10, ELEMENT = 4 }; /* multiply-adds: of a chunk, and what an element counts for */

static int64_t work_of(const struct graph *graph, const struct node *node)
{
    const struct op_info *info = op_info(node->op);
    const struct tensor *in = node_input(graph, node, 0), *out = node_output(graph, node, 0);
    int64_t read = in ? tensor_elements(in) : 0, made = tensor_elements(out);
    return info->macs ? info->macs(graph, node) : ELEMENT * (read > made ? read : made);
}

void plan_cut(struct plan *plan, int each)
{
    for (struct step *step = plan->step; step < plan->step + plan->steps; step++) {
        int64_t most = step->grains ? step->grains : INT_MAX, work = 0;
        for (const struct step *part = step; part; part = part->source)
            work += work_of(plan->graph, part->node);
        most = most < work / CHUNK_LEAST ? most : work / CHUNK_LEAST;
        step->chunks = most < each * plan->workers ? (int)most : each * plan->workers;
    }
}

int plan_run_once(struct plan *plan)
{
    int status = give_scratch(plan);
    pack_parts(plan);
    if (!status)
        team_run(plan, NULL);
    return status;
}

static void forget_steps(struct plan *plan)
{
    pool_finish(&plan->pool);
    pool_finish(&plan->weights);
    free(plan->scratch);
    plan->scratch = NULL;
    plan->scratch_bytes = 0;
    plan->steps = plan->parts = 0;
}

void plan_reset(struct plan *plan, const struct node *node)
{
    forget_steps(plan);
    for (int i = 0; i < node->inputs; i++)
        if (node->input[i] >= 0)
            plan->address[node->input[i]] = NULL;
    for (int i = 0; i < node->outputs; i++)
        plan->address[node->output[i]] = NULL;
}

void plan_finish(struct plan *plan)
{
    forget_steps(plan);
    free(plan->step);
    free(plan->part);
    free(plan->address);
    free(plan->chained);
    pages_unmap(plan->arena, arena_pages(plan));
    *plan = (struct plan){0};
}
