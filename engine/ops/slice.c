/* SPDX-License-Identifier: MIT */
/* SLICE, STRIDED_SLICE, TRANSPOSE, BROADCAST_TO, TILE: one copy with bent steps. */
#include "engine/ops/move.h"

static int same_type(const struct graph *graph, const struct node *node, struct pipit_error *error)
{
    if (node_input(graph, node, 0)->type == node_output(graph, node, 0)->type)
        return 0;
    return node_fail(graph, node, error, -EINVAL, "input and output must be of one type");
}

/* ---- SLICE ---- */

static int slice_bounds(const struct graph *graph, const struct node *node, int32_t *begin, int32_t *size,
                        struct pipit_error *error)
{
    const struct tensor *in = node_input(graph, node, 0);
    int begins = constant_ints(graph, node, 1, begin, PIPIT_RANK_MAX, error);
    int sizes = begins < 0 ? begins : constant_ints(graph, node, 2, size, PIPIT_RANK_MAX, error);
    if (sizes < 0)
        return sizes;
    if (begins != in->rank || sizes != in->rank)
        return node_fail(graph, node, error, -EINVAL, "wants one begin and one size a dimension");
    for (int i = 0; i < in->rank; i++) {
        if (begin[i] < 0 || begin[i] > in->shape[i])
            return node_fail(graph, node, error, -EINVAL, "begins outside its input");
        if (size[i] == -1)
            size[i] = in->shape[i] - begin[i];
        if (size[i] < 1 || size[i] > in->shape[i] - begin[i])
            return node_fail(graph, node, error, -EINVAL, "ends outside its input");
    }
    return 0;
}

static int infer_slice(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int32_t begin[PIPIT_RANK_MAX], size[PIPIT_RANK_MAX];
    int status = need_inputs(graph, node, 3, 3, error);
    if (!status)
        status = same_type(graph, node, error);
    if (!status)
        status = slice_bounds(graph, node, begin, size, error);
    if (!status)
        set_shape(node_output(graph, node, 0), node_input(graph, node, 0)->rank, size);
    return status;
}

static int prepare_slice(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    int32_t begin[PIPIT_RANK_MAX], size[PIPIT_RANK_MAX];
    int status = slice_bounds(plan->graph, node, begin, size, error);
    if (status)
        return status;
    const struct tensor *in = node_input(plan->graph, node, 0);
    struct copy copy = copy_of(node_output(plan->graph, node, 0));
    steps_of(in, copy.in_step);
    for (int i = 0; i < in->rank; i++)
        copy.in_at += begin[i] * copy.in_step[i];
    return move_prepare(plan, node, &copy, 1);
}

const struct op_info op_SLICE = {"SLICE", infer_slice, prepare_slice, .macs = NULL};

/* ---- STRIDED_SLICE (tf.strided_slice) ---- */

struct cut { /* of one dimension of the input, or a new one of 1 */
    int begin, stride, size;
    bool shrink, fresh;
};

struct cuts {
    int count; /* in the order of the output, shrunk ones included */
    struct cut cut[3 * PIPIT_RANK_MAX];
};

static int clamped(int64_t at, int size, int low)
{
    if (at < 0)
        at += size;
    int high = low < 0 ? size - 1 : size;
    return (int)(at < low ? low : at > high ? high : at);
}

static int cut_dimension(int size, const struct strided_slice *s, int i, int32_t begin, int32_t end,
                         int32_t stride, struct cut *cut)
{
    if (stride == 0)
        return -EINVAL;
    if (s->offset)
        end = (int32_t)((uint32_t)end + (uint32_t)begin);
    int low = stride < 0 ? -1 : 0;
    int from = s->begin_mask >> i & 1 ? (stride > 0 ? 0 : size - 1) : clamped(begin, size, low);
    int to = s->end_mask >> i & 1 ? (stride > 0 ? size : -1) : clamped(end, size, low);
    *cut = (struct cut){.begin = from, .stride = stride};
    if (s->shrink_axis_mask >> i & 1) {
        int64_t at = begin < 0 ? (int64_t)begin + size : begin;
        *cut = (struct cut){.begin = (int)at, .stride = 1, .size = 1, .shrink = true};
        return at < 0 || at >= size ? -EINVAL : 0;
    }
    int64_t length = stride > 0 ? (int64_t)to - from : (int64_t)from - to,
            pace = stride > 0 ? stride : -(int64_t)stride;
    cut->size = length <= 0 ? 0 : (int)((length + pace - 1) / pace);
    return cut->size < 1 ? -EINVAL : 0;
}

static int find_cuts(const struct graph *graph, const struct node *node, struct cuts *cuts,
                     struct pipit_error *error)
{
    enum { SPECS = 2 * PIPIT_RANK_MAX };
    const struct tensor *in = node_input(graph, node, 0);
    const struct strided_slice *s = &node->slice;
    int32_t begin[SPECS], end[SPECS], stride[SPECS];
    int count = constant_ints(graph, node, 1, begin, SPECS, error);
    int ends = count < 0 ? count : constant_ints(graph, node, 2, end, SPECS, error);
    int strides = ends < 0 ? ends : constant_ints(graph, node, 3, stride, SPECS, error);
    if (strides < 0)
        return strides;
    int used = 0, at = 0;
    for (int i = 0; i < count; i++)
        used += !(s->new_axis_mask >> i & 1) && !(s->ellipsis_mask >> i & 1);
    if (ends != count || strides != count || used > in->rank)
        return node_fail(graph, node, error, -EINVAL, "begin, end and strides do not fit the input");
    int open = in->rank - used; /* dimensions for the first ellipsis, or for the end */
    cuts->count = 0;
    for (int i = 0; i < count; i++) {
        if (s->ellipsis_mask >> i & 1) {
            for (; open > 0; open--, at++)
                cuts->cut[cuts->count++] = (struct cut){.stride = 1, .size = in->shape[at]};
        } else if (s->new_axis_mask >> i & 1) {
            cuts->cut[cuts->count++] = (struct cut){.size = 1, .fresh = true};
        } else if (cut_dimension(in->shape[at], s, i, begin[i], end[i], stride[i],
                                 &cuts->cut[cuts->count++])) {
            return node_fail(graph, node, error, -EINVAL, "the cut of dimension %d is empty or outside", at);
        } else {
            at++;
        }
    }
    for (; at < in->rank; at++)
        cuts->cut[cuts->count++] = (struct cut){.stride = 1, .size = in->shape[at]};
    return 0;
}

static int infer_strided_slice(struct graph *graph, struct node *node, struct pipit_error *error)
{
    struct cuts cuts;
    int status = need_inputs(graph, node, 4, 4, error);
    if (!status)
        status = same_type(graph, node, error);
    if (!status)
        status = find_cuts(graph, node, &cuts, error);
    if (status)
        return status;
    int32_t shape[3 * PIPIT_RANK_MAX];
    int rank = 0;
    for (int i = 0; i < cuts.count; i++)
        if (!cuts.cut[i].shrink)
            shape[rank++] = cuts.cut[i].size;
    if (rank > PIPIT_RANK_MAX)
        return node_fail(graph, node, error, -ENOTSUP, "more than %d dimensions", PIPIT_RANK_MAX);
    set_shape(node_output(graph, node, 0), rank, shape);
    return 0;
}

static int prepare_strided_slice(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    struct cuts cuts;
    int status = find_cuts(plan->graph, node, &cuts, error);
    if (status)
        return status;
    ptrdiff_t in_step[PIPIT_RANK_MAX];
    steps_of(node_input(plan->graph, node, 0), in_step);
    struct copy copy = copy_of(node_output(plan->graph, node, 0));
    for (int i = 0, in = 0, out = 0; i < cuts.count; i++) {
        const struct cut *cut = &cuts.cut[i];
        if (cut->fresh) {
            copy.in_step[out++] = 0;
            continue;
        }
        copy.in_at += cut->begin * in_step[in];
        if (!cut->shrink)
            copy.in_step[out++] = cut->stride * in_step[in];
        in++;
    }
    return move_prepare(plan, node, &copy, 1);
}

const struct op_info op_STRIDED_SLICE = {"STRIDED_SLICE", infer_strided_slice, prepare_strided_slice,
                                         .macs = NULL};

/* ---- TRANSPOSE ---- */

static int permutation(const struct graph *graph, const struct node *node, int32_t *axis,
                       struct pipit_error *error)
{
    const struct tensor *in = node_input(graph, node, 0);
    int count = constant_ints(graph, node, 1, axis, PIPIT_RANK_MAX, error);
    unsigned seen = 0;
    if (count < 0)
        return count;
    for (int i = 0; i < count; i++) {
        axis[i] += axis[i] < 0 ? in->rank : 0;
        if (axis[i] >= 0 && axis[i] < in->rank)
            seen |= 1u << axis[i];
    }
    if (count != in->rank || seen != (1u << in->rank) - 1)
        return node_fail(graph, node, error, -EINVAL, "does not name each dimension once");
    return 0;
}

static int infer_transpose(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int32_t axis[PIPIT_RANK_MAX], shape[PIPIT_RANK_MAX];
    int status = need_inputs(graph, node, 2, 2, error);
    if (!status)
        status = same_type(graph, node, error);
    if (!status)
        status = permutation(graph, node, axis, error);
    const struct tensor *in = node_input(graph, node, 0);
    for (int i = 0; !status && i < in->rank; i++)
        shape[i] = in->shape[axis[i]];
    if (!status)
        set_shape(node_output(graph, node, 0), in->rank, shape);
    return status;
}

static int prepare_transpose(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    int32_t axis[PIPIT_RANK_MAX];
    ptrdiff_t in_step[PIPIT_RANK_MAX];
    int status = permutation(plan->graph, node, axis, error);
    if (status)
        return status;
    steps_of(node_input(plan->graph, node, 0), in_step);
    struct copy copy = copy_of(node_output(plan->graph, node, 0));
    for (int i = 0; i < copy.rank; i++)
        copy.in_step[i] = in_step[axis[i]];
    return move_prepare(plan, node, &copy, 1);
}

const struct op_info op_TRANSPOSE = {"TRANSPOSE", infer_transpose, prepare_transpose, .half = half_always};

/* ---- BROADCAST_TO ---- */

static int infer_broadcast(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int32_t shape[PIPIT_RANK_MAX];
    int status = need_inputs(graph, node, 2, 2, error);
    if (!status)
        status = same_type(graph, node, error);
    int rank = status ? status : constant_ints(graph, node, 1, shape, PIPIT_RANK_MAX, error);
    if (rank < 0)
        return rank;
    const struct tensor *in = node_input(graph, node, 0);
    for (int i = 1; i <= in->rank; i++)
        if (rank < in->rank || (in->shape[in->rank - i] != 1 && in->shape[in->rank - i] != shape[rank - i]))
            return node_fail(graph, node, error, -EINVAL, "the input cannot be broadcast to that shape");
    set_shape(node_output(graph, node, 0), rank, shape);
    return 0;
}

static int prepare_broadcast(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0);
    ptrdiff_t in_step[PIPIT_RANK_MAX];
    steps_of(in, in_step);
    struct copy copy = copy_of(node_output(plan->graph, node, 0));
    for (int i = 0; i < copy.rank; i++) {
        int at = i - (copy.rank - in->rank);
        copy.in_step[i] = at < 0 || in->shape[at] == 1 ? 0 : in_step[at];
    }
    return move_prepare(plan, node, &copy, 1);
}

const struct op_info op_BROADCAST_TO = {"BROADCAST_TO", infer_broadcast, prepare_broadcast, .macs = NULL};

/* ---- TILE ---- */

static int infer_tile(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int32_t times[PIPIT_RANK_MAX] = {0};
    int status = need_inputs(graph, node, 2, 2, error);
    if (!status)
        status = same_type(graph, node, error);
    int count = status ? status : constant_ints(graph, node, 1, times, PIPIT_RANK_MAX, error);
    const struct tensor *in = node_input(graph, node, 0);
    if (count < 0)
        return count;
    if (count != in->rank)
        return node_fail(graph, node, error, -EINVAL, "wants one number a dimension");
    for (int i = 0; i < count; i++) {
        int64_t size = (int64_t)times[i] * in->shape[i];
        if (times[i] < 1 || size > INT32_MAX)
            return node_fail(graph, node, error, -EINVAL, "cannot repeat %d times", (int)times[i]);
        times[i] = (int32_t)size;
    }
    set_shape(node_output(graph, node, 0), count, times);
    return 0;
}

static int prepare_tile(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0), *out = node_output(plan->graph, node, 0);
    ptrdiff_t in_step[PIPIT_RANK_MAX], out_step[PIPIT_RANK_MAX];
    struct copy copy = {.rank = 2 * in->rank};
    steps_of(in, in_step);
    steps_of(out, out_step);
    for (int i = 0; i < in->rank; i++) { /* a repetition is a dimension without a step on the input's side */
        copy.size[2 * i] = out->shape[i] / in->shape[i];
        copy.out_step[2 * i] = out_step[i] * in->shape[i];
        copy.size[2 * i + 1] = in->shape[i];
        copy.in_step[2 * i + 1] = in_step[i];
        copy.out_step[2 * i + 1] = out_step[i];
    }
    return move_prepare(plan, node, &copy, 1);
}

const struct op_info op_TILE = {"TILE", infer_tile, prepare_tile, .macs = NULL};
