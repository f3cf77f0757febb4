/* SPDX-License-Identifier: MIT */
#include "engine/ops/move.h"

#include <string.h>

struct move_args {
    const struct copy *copy;
    int copies;
    size_t element;
};

void steps_of(const struct tensor *tensor, ptrdiff_t *step)
{
    ptrdiff_t next = 1;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        step[i] = next;
        next *= tensor->shape[i];
    }
}

struct copy copy_of(const struct tensor *tensor)
{
    struct copy copy = {.rank = tensor->rank};
    for (int i = 0; i < tensor->rank; i++)
        copy.size[i] = tensor->shape[i];
    steps_of(tensor, copy.in_step);
    steps_of(tensor, copy.out_step);
    return copy;
}

struct copy *copies_alloc(struct plan *plan, int count)
{
    return plan_alloc(plan, (size_t)count, sizeof(struct copy));
}

/* ---- running ---- */

static void copy_row(char *out, ptrdiff_t out_step, const char *in, ptrdiff_t in_step, int n, size_t element)
{
    ptrdiff_t each = (ptrdiff_t)element;
    if (in_step == 1 && out_step == 1) {
        memcpy(out, in, (size_t)n * element);
        return;
    }
    for (int i = 0; i < n; i++, in += in_step * each, out += out_step * each)
        memcpy(out, in, element);
}

static void copy_rows(const struct step *step, const struct copy *copy, size_t element, struct chunk chunk)
{
    int last = copy->rank - 1, rows = 1, begin, end;
    for (int i = 0; i < last; i++)
        rows *= copy->size[i];
    share(rows, 1, chunk, &begin, &end);
    for (int row = begin; row < end; row++) {
        ptrdiff_t in = copy->in_at, out = copy->out_at;
        for (int i = last - 1, rest = row; i >= 0; i--) {
            in += rest % copy->size[i] * copy->in_step[i];
            out += rest % copy->size[i] * copy->out_step[i];
            rest /= copy->size[i];
        }
        copy_row((char *)step->out[copy->output] + out * (ptrdiff_t)element, copy->out_step[last],
                 (const char *)step->in[copy->input] + in * (ptrdiff_t)element, copy->in_step[last],
                 copy->size[last], element);
    }
}

static void run_move(const struct step *step, struct chunk chunk)
{
    const struct move_args *args = step->args;
    for (int i = 0; i < args->copies; i++)
        copy_rows(step, &args->copy[i], args->element, chunk);
}

/* ---- preparing ---- */

static bool continues(const struct copy *copy, int i)
{
    return copy->in_step[i] == copy->in_step[i + 1] * copy->size[i + 1] &&
           copy->out_step[i] == copy->out_step[i + 1] * copy->size[i + 1];
}

/* Neighbouring dimensions that lie one behind the other on both sides become one, so that rows are long. */
static struct copy merged(const struct copy *from)
{
    struct copy copy = *from;
    int kept = 0;
    for (int i = 0; i < from->rank; i++) { /* dimensions of 1 say nothing */
        if (from->size[i] == 1)
            continue;
        copy.size[kept] = from->size[i];
        copy.in_step[kept] = from->in_step[i];
        copy.out_step[kept++] = from->out_step[i];
    }
    copy.rank = kept;
    for (int i = copy.rank - 2; i >= 0; i--) {
        if (!continues(&copy, i))
            continue;
        copy.size[i] *= copy.size[i + 1];
        copy.in_step[i] = copy.in_step[i + 1];
        copy.out_step[i] = copy.out_step[i + 1];
        for (int j = i + 1; j < copy.rank - 1; j++) {
            copy.size[j] = copy.size[j + 1];
            copy.in_step[j] = copy.in_step[j + 1];
            copy.out_step[j] = copy.out_step[j + 1];
        }
        copy.rank--;
    }
    if (!copy.rank) {
        copy.size[0] = 1;
        copy.rank = 1;
    }
    return copy;
}

static bool is_empty(const struct copy *copy)
{
    for (int i = 0; i < copy->rank; i++)
        if (copy->size[i] < 1)
            return true;
    return false;
}

int move_prepare(struct plan *plan, const struct node *node, const struct copy *copies, int count)
{
    struct move_args *args = plan_alloc(plan, 1, sizeof(*args));
    struct copy *list = plan_alloc(plan, (size_t)count, sizeof(*list));
    struct step *step = plan_add_step(plan, node);
    if (!args || !list || !step)
        return -ENOMEM;
    for (int i = 0; i < count; i++)
        if (!is_empty(&copies[i]))
            list[args->copies++] = merged(&copies[i]);
    args->copy = list;
    args->element = pipit_type_size(node_output(plan->graph, node, 0)->type);
    step->run = run_move;
    step->args = args;
    step->kernel = "copy";
    return 0;
}

/* ---- filling ---- */

struct fill_args {
    char element[8];
    size_t size;
    int count;
};

static void run_fill(const struct step *step, struct chunk chunk)
{
    const struct fill_args *args = step->args;
    int begin, end;
    share(args->count, 64, chunk, &begin, &end);
    char *out = (char *)step->out[0] + (size_t)begin * args->size;
    for (int i = begin; i < end; i++, out += args->size)
        memcpy(out, args->element, args->size);
}

int fill_prepare(struct plan *plan, const struct node *node, const void *element)
{
    const struct tensor *out = node_output(plan->graph, node, 0);
    struct fill_args *args = plan_alloc(plan, 1, sizeof(*args));
    struct step *step = plan_add_step(plan, node);
    if (!args || !step)
        return -ENOMEM;
    args->size = pipit_type_size(out->type);
    args->count = (int)tensor_elements(out);
    memcpy(args->element, element, args->size);
    step->run = run_fill;
    step->args = args;
    step->kernel = "fill";
    return 0;
}

void zero_element(const struct tensor *tensor, char element[8])
{
    memset(element, 0, 8);
    if (tensor->type == PIPIT_I8 && tensor->quant.count > 0)
        element[0] = (char)tensor->quant.zero[0];
}

int checked_axis(const struct graph *graph, const struct node *node, int axis, int rank,
                 struct pipit_error *error)
{
    int at = axis < 0 ? axis + rank : axis;
    return at >= 0 && at < rank ? at : node_fail(graph, node, error, -EINVAL, "axis %d does not exist", axis);
}
