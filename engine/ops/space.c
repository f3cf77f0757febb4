/* SPDX-License-Identifier: MIT */
/* Between space and depth, and between space and batch. */
#include "engine/ops/move.h"

/* ---- DEPTH_TO_SPACE and SPACE_TO_DEPTH ---- */

static int infer_depth(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 1, 1, error), block = node->block.block;
    if (status)
        return status;
    const struct tensor *in = node_input(graph, node, 0);
    struct tensor *out = node_output(graph, node, 0);
    if (in->rank != 4 || in->type != out->type || block < 1 || block > 1024)
        return node_fail(graph, node, error, -EINVAL, "wants 4 dimensions and a block size above 0");
    int32_t shape[4] = {in->shape[0], in->shape[1], in->shape[2], in->shape[3]};
    if (node->op == OP_DEPTH_TO_SPACE) {
        if (shape[3] % (block * block) || shape[1] > INT32_MAX / block || shape[2] > INT32_MAX / block)
            return node_fail(graph, node, error, -EINVAL, "depth %d cannot be spread over blocks of %d",
                             (int)shape[3], block);
        set_shape(out, 4,
                  (int32_t[]){shape[0], shape[1] * block, shape[2] * block, shape[3] / (block * block)});
        return 0;
    }
    if (shape[1] % block || shape[2] % block || shape[3] > INT32_MAX / (block * block))
        return node_fail(graph, node, error, -EINVAL, "sides are no multiple of %d", block);
    set_shape(out, 4, (int32_t[]){shape[0], shape[1] / block, shape[2] / block, shape[3] * block * block});
    return 0;
}

static int prepare_depth(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct tensor *in = node_input(plan->graph, node, 0), *out = node_output(plan->graph, node, 0);
    bool to_space = node->op == OP_DEPTH_TO_SPACE;
    const struct tensor *wide = to_space ? out : in, *deep = to_space ? in : out;
    int block = node->block.block;
    ptrdiff_t depth = wide->shape[3], row = wide->shape[2] * depth, deep_depth = deep->shape[3];
    /* batch, row, row in block, column, column in block, depth */
    ptrdiff_t wide_step[6] = {wide->shape[1] * row, block * row, row, block * depth, depth, 1};
    ptrdiff_t deep_step[6] = {(ptrdiff_t)deep->shape[1] * deep->shape[2] * deep_depth,
                              deep->shape[2] * deep_depth,
                              block * depth,
                              deep_depth,
                              depth,
                              1};
    int size[6] = {wide->shape[0], deep->shape[1], block, deep->shape[2], block, (int)depth};
    struct copy copy = {.rank = 6};
    for (int i = 0; i < 6; i++) {
        copy.size[i] = size[i];
        copy.in_step[i] = to_space ? deep_step[i] : wide_step[i];
        copy.out_step[i] = to_space ? wide_step[i] : deep_step[i];
    }
    return move_prepare(plan, node, &copy, 1);
}

const struct op_info op_DEPTH_TO_SPACE = {"DEPTH_TO_SPACE", infer_depth, prepare_depth, .macs = NULL};
const struct op_info op_SPACE_TO_DEPTH = {"SPACE_TO_DEPTH", infer_depth, prepare_depth, .macs = NULL};

/* ---- SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: [batch, height, (width,) depth] ---- */

struct blocks {
    int dims;                  /* 1 or 2 */
    int32_t block[2], edge[4]; /* edge: padding, or crops */
    int wide[2], small[2];     /* sides of the tensor in space, and in batches */
    int batch, depth;          /* of the tensor in space */
};

static int read_edges(const struct graph *graph, const struct node *node, struct blocks *b,
                      struct pipit_error *error)
{
    const struct tensor *edge = node_input(graph, node, 2);
    if (!edge->data || edge->type != PIPIT_I32 || tensor_elements(edge) != 2 * b->dims)
        return node_fail(graph, node, error, -ENOTSUP, "wants constant padding or crops");
    for (int i = 0; i < 2 * b->dims; i++) {
        b->edge[i] = ((const int32_t *)edge->data)[i];
        if (b->edge[i] < 0 || b->edge[i] > 1 << 20)
            return node_fail(graph, node, error, -EINVAL, "padding or crops of %d", (int)b->edge[i]);
    }
    return 0;
}

static int read_blocks(const struct graph *graph, const struct node *node, struct blocks *b,
                       struct pipit_error *error)
{
    const struct tensor *in = node_input(graph, node, 0);
    *b = (struct blocks){.dims = in->rank - 2, .block = {1, 1}, .wide = {1, 1}, .small = {1, 1}};
    if ((in->rank != 3 && in->rank != 4) || in->type != node_output(graph, node, 0)->type ||
        tensor_elements(in) < 1)
        return node_fail(graph, node, error, -ENOTSUP, "wants 3 or 4 dimensions");
    int count = constant_ints(graph, node, 1, b->block, 2, error);
    if (count < 0)
        return count;
    if (count != b->dims || b->block[0] < 1 || b->block[1] < 1 || b->block[0] > 4096 || b->block[1] > 4096)
        return node_fail(graph, node, error, -EINVAL, "block sizes do not fit the input");
    b->depth = in->shape[in->rank - 1];
    return read_edges(graph, node, b, error);
}

static int spread(const struct graph *graph, const struct node *node, struct blocks *b,
                  struct pipit_error *error)
{
    const struct tensor *in = node_input(graph, node, 0);
    int status = read_blocks(graph, node, b, error);
    if (status)
        return status;
    int blocks = b->block[0] * b->block[1];
    bool to_batch = node->op == OP_SPACE_TO_BATCH_ND;
    if (!to_batch && in->shape[0] % blocks)
        return node_fail(graph, node, error, -EINVAL, "%d batches are no multiple of %d", (int)in->shape[0],
                         blocks);
    b->batch = to_batch ? in->shape[0] : in->shape[0] / blocks;
    for (int d = 0; d < b->dims; d++) {
        int64_t edges = b->edge[2 * d] + b->edge[2 * d + 1];
        int64_t wide = to_batch ? in->shape[1 + d] : (int64_t)in->shape[1 + d] * b->block[d] - edges;
        int64_t small = to_batch ? (wide + edges) / b->block[d] : in->shape[1 + d];
        if (wide < 1 || small < 1 || wide > INT32_MAX || (to_batch && (wide + edges) % b->block[d]))
            return node_fail(graph, node, error, -EINVAL, "sides, blocks and edges do not fit");
        b->wide[d] = (int)wide;
        b->small[d] = (int)small;
    }
    return 0;
}

static int infer_batch(struct graph *graph, struct node *node, struct pipit_error *error)
{
    struct blocks b;
    int status = need_inputs(graph, node, 3, 3, error);
    if (!status)
        status = spread(graph, node, &b, error);
    if (status)
        return status;
    bool to_batch = node->op == OP_SPACE_TO_BATCH_ND;
    int64_t batch = (int64_t)b.batch * (to_batch ? b.block[0] * b.block[1] : 1);
    int32_t shape[4] = {(int32_t)(batch > INT32_MAX ? INT32_MAX : batch)};
    for (int d = 0; d < b.dims; d++)
        shape[1 + d] = to_batch ? b.small[d] : b.wide[d];
    shape[1 + b.dims] = b.depth;
    set_shape(node_output(graph, node, 0), b.dims + 2, shape);
    return 0;
}

/* Of the small tensor's places along d for offset `o` in the block, those that lie inside the wide one. */
static void inside(const struct blocks *b, int d, int o, int *first, int *count, ptrdiff_t *wide_at)
{
    int before = b->edge[2 * d], block = b->block[d];
    int low = before > o ? (before - o + block - 1) / block : 0;
    int high = (b->wide[d] - 1 + before - o);
    high = high < 0 ? -1 : high / block;
    high = high < b->small[d] - 1 ? high : b->small[d] - 1;
    *first = low;
    *count = high < low ? 0 : high - low + 1;
    *wide_at = low * block + o - before;
}

static struct copy block_copy(const struct blocks *b, int oy, int ox, bool to_batch)
{
    ptrdiff_t depth = b->depth, wide_row = b->wide[1] * depth, small_row = b->small[1] * depth;
    ptrdiff_t wide_image = b->wide[0] * wide_row, small_image = b->small[0] * small_row, y, x;
    int first_y, rows, first_x, columns;
    inside(b, 0, oy, &first_y, &rows, &y);
    inside(b, 1, ox, &first_x, &columns, &x);
    ptrdiff_t wide_step[4] = {wide_image, b->block[0] * wide_row, b->block[1] * depth, 1};
    ptrdiff_t small_step[4] = {small_image, small_row, depth, 1};
    int size[4] = {b->batch, rows, columns, b->depth};
    ptrdiff_t wide_at = y * wide_row + x * depth;
    ptrdiff_t small_at =
        (oy * b->block[1] + ox) * b->batch * small_image + first_y * small_row + first_x * depth;
    struct copy copy = {
        .rank = 4, .in_at = to_batch ? wide_at : small_at, .out_at = to_batch ? small_at : wide_at};
    for (int i = 0; i < 4; i++) {
        copy.size[i] = size[i];
        copy.in_step[i] = to_batch ? wide_step[i] : small_step[i];
        copy.out_step[i] = to_batch ? small_step[i] : wide_step[i];
    }
    return copy;
}

static int prepare_batch(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    struct blocks b;
    char element[8];
    int status = spread(plan->graph, node, &b, error);
    bool to_batch = node->op == OP_SPACE_TO_BATCH_ND;
    int count = b.block[0] * b.block[1];
    struct copy *copies = status ? NULL : copies_alloc(plan, count);
    if (!copies)
        return status ? status : -ENOMEM;
    for (int i = 0; i < count; i++)
        copies[i] = block_copy(&b, i / b.block[1], i % b.block[1], to_batch);
    zero_element(node_output(plan->graph, node, 0), element);
    if (to_batch)
        status = fill_prepare(plan, node, element);
    return status ? status : move_prepare(plan, node, copies, count);
}

const struct op_info op_SPACE_TO_BATCH_ND = {"SPACE_TO_BATCH_ND", infer_batch, prepare_batch, .macs = NULL};
const struct op_info op_BATCH_TO_SPACE_ND = {"BATCH_TO_SPACE_ND", infer_batch, prepare_batch, .macs = NULL};
