/* SPDX-License-Identifier: MIT */
/* Element-wise operators of two tensors, with NumPy's broadcasting. */
#include "engine/ops/activation.h"

#include <math.h>
#include <string.h>

/* The loop nest after neighbouring dimensions that broadcast alike were merged: rows of `n` elements. */
struct broadcast {
    int rank; /* outer dimensions */
    int size[PIPIT_RANK_MAX];
    int a[PIPIT_RANK_MAX], b[PIPIT_RANK_MAX]; /* steps of the inputs, elements */
    int n, step_a, step_b;                    /* the innermost */
    int rows;
};

struct binary_args {
    struct broadcast loop;
    enum op op;
    enum pipit_type type;
    enum binary_f32 function; /* of the kernel table, or BINARY_COUNT */
    float min, max;
    struct add_i8 add;
    struct mul_i8 mul;
    float scale[3]; /* of a, b and the output, for what is computed in float */
    int32_t zero[3], min_i8, max_i8;
};

/* ---- broadcasting ---- */

static int dim(const struct tensor *tensor, int rank, int i)
{
    int at = i - (rank - tensor->rank);
    return at < 0 ? 1 : tensor->shape[at];
}

static struct broadcast broadcast_of(const struct tensor *a, const struct tensor *b, const struct tensor *out)
{
    struct broadcast loop = {.n = 1, .rows = 1};
    int size[PIPIT_RANK_MAX + 1] = {1}, same_a[PIPIT_RANK_MAX + 1] = {1}, same_b[PIPIT_RANK_MAX + 1] = {1},
                              count = 0;
    for (int i = 0; i < out->rank; i++) { /* merge */
        bool has_a = dim(a, out->rank, i) == out->shape[i], has_b = dim(b, out->rank, i) == out->shape[i];
        if (out->shape[i] == 1)
            continue;
        if (count && same_a[count - 1] == has_a && same_b[count - 1] == has_b) {
            size[count - 1] *= out->shape[i];
            continue;
        }
        size[count] = out->shape[i];
        same_a[count] = has_a;
        same_b[count++] = has_b;
    }
    if (!count)
        count = 1;
    int step_a = 1, step_b = 1;
    for (int i = count - 1; i >= 0; i--) {
        int by_a = same_a[i] ? step_a : 0, by_b = same_b[i] ? step_b : 0;
        if (i == count - 1) {
            loop.n = size[i];
            loop.step_a = by_a;
            loop.step_b = by_b;
        } else {
            loop.size[i] = size[i];
            loop.a[i] = by_a;
            loop.b[i] = by_b;
            loop.rows *= size[i];
        }
        step_a *= same_a[i] ? size[i] : 1;
        step_b *= same_b[i] ? size[i] : 1;
    }
    loop.rank = count - 1;
    return loop;
}

static void row_offsets(const struct broadcast *loop, int row, size_t *a, size_t *b)
{
    *a = *b = 0;
    for (int i = loop->rank - 1; i >= 0; i--) {
        int index = row % loop->size[i];
        row /= loop->size[i];
        *a += (size_t)index * (size_t)loop->a[i];
        *b += (size_t)index * (size_t)loop->b[i];
    }
}

/* ---- one element, for what has no kernel of its own ---- */

static double of_doubles(enum op op, double x, double y)
{
    switch (op) {
    case OP_ADD:
        return x + y;
    case OP_SUB:
        return x - y;
    case OP_MUL:
        return x * y;
    case OP_DIV:
        return x / y;
    case OP_FLOOR_DIV:
        return floor(x / y);
    case OP_MAXIMUM:
        return x > y ? x : y;
    case OP_MINIMUM:
        return x < y ? x : y;
    case OP_SQUARED_DIFFERENCE:
        return (x - y) * (x - y);
    default:
        return pow(x, y);
    }
}

static int64_t power(int64_t x, int64_t y)
{
    uint64_t result = 1, base = (uint64_t)x;
    for (; y > 0; y >>= 1, base *= base)
        if (y & 1)
            result *= base;
    return (int64_t)result;
}

static int64_t floor_div(int64_t x, int64_t y)
{
    if (y == 0 || y == -1) /* a division by zero has no answer; 0 - x cannot trap as INT64_MIN / -1 does */
        return y ? (int64_t)(0 - (uint64_t)x) : 0;
    return x / y - (x % y != 0 && (x < 0) != (y < 0));
}

static int64_t of_ints(enum op op, int64_t x, int64_t y)
{
    uint64_t ux = (uint64_t)x, uy = (uint64_t)y;
    switch (op) {
    case OP_ADD:
        return (int64_t)(ux + uy);
    case OP_SUB:
        return (int64_t)(ux - uy);
    case OP_MUL:
        return (int64_t)(ux * uy);
    case OP_DIV:
        return y == 0 ? 0 : y == -1 ? (int64_t)(0 - ux) : x / y;
    case OP_FLOOR_DIV:
        return floor_div(x, y);
    case OP_MAXIMUM:
        return x > y ? x : y;
    case OP_MINIMUM:
        return x < y ? x : y;
    case OP_SQUARED_DIFFERENCE:
        return (int64_t)((ux - uy) * (ux - uy));
    default:
        return power(x, y);
    }
}

/* ---- rows ---- */

static void row_f32(const struct binary_args *args, float *out, const float *a, const float *b)
{
    const struct broadcast *loop = &args->loop;
    for (int i = 0; i < loop->n; i++) {
        float value = (float)of_doubles(args->op, (double)a[i * loop->step_a], (double)b[i * loop->step_b]);
        out[i] = value < args->min ? args->min : value > args->max ? args->max : value;
    }
}

static void row_i32(const struct binary_args *args, int32_t *out, const int32_t *a, const int32_t *b)
{
    const struct broadcast *loop = &args->loop;
    for (int i = 0; i < loop->n; i++)
        out[i] = (int32_t)of_ints(args->op, a[i * loop->step_a], b[i * loop->step_b]);
}

static void row_i64(const struct binary_args *args, int64_t *out, const int64_t *a, const int64_t *b)
{
    const struct broadcast *loop = &args->loop;
    for (int i = 0; i < loop->n; i++)
        out[i] = of_ints(args->op, a[i * loop->step_a], b[i * loop->step_b]);
}

static int8_t of_reals(const struct binary_args *args, int8_t x, int8_t y)
{
    double a = (double)args->scale[0] * (x - args->zero[0]), b = (double)args->scale[1] * (y - args->zero[1]);
    double value = round(of_doubles(args->op, a, b) / (double)args->scale[2]) + args->zero[2];
    return (int8_t)(!(value > args->min_i8) ? args->min_i8
                    : value > args->max_i8  ? args->max_i8
                                            : (int)value);
}

/* As tensorflow/lite/kernels/squared_difference.cc: both inputs to twice the larger scale, 7 bits up. */
static int8_t squared_difference(const struct binary_args *args, int8_t x, int8_t y)
{
    const struct add_i8 *add = &args->add;
    int32_t a = requantise((x - add->zero_a) * (1 << add->left_shift), add->a);
    int32_t b = requantise((y - add->zero_b) * (1 << add->left_shift), add->b);
    int32_t value = requantise_to((uint32_t)((a - b) * (a - b)), add->out, add->zero_out);
    return (int8_t)(value < args->min_i8 ? args->min_i8 : value > args->max_i8 ? args->max_i8 : value);
}

static void row_i8(const struct step *step, const struct binary_args *args, int8_t *out, const int8_t *a,
                   const int8_t *b)
{
    const struct broadcast *loop = &args->loop;
    if (args->op == OP_ADD || args->op == OP_SUB)
        step->kernels->add_i8(out, a, loop->step_a, b, loop->step_b, loop->n, &args->add);
    else if (args->op == OP_MUL)
        step->kernels->mul_i8(out, a, loop->step_a, b, loop->step_b, loop->n, &args->mul);
    else if (args->op == OP_MAXIMUM || args->op == OP_MINIMUM)
        for (int i = 0; i < loop->n; i++)
            out[i] = (int8_t)of_ints(args->op, a[i * loop->step_a], b[i * loop->step_b]);
    else if (args->op == OP_SQUARED_DIFFERENCE)
        for (int i = 0; i < loop->n; i++)
            out[i] = squared_difference(args, a[i * loop->step_a], b[i * loop->step_b]);
    else
        for (int i = 0; i < loop->n; i++)
            out[i] = of_reals(args, a[i * loop->step_a], b[i * loop->step_b]);
}

static void run_row(const struct step *step, const struct binary_args *args, int row)
{
    size_t a_at, b_at, out_at = (size_t)row * (size_t)args->loop.n;
    const void *a = step->in[0], *b = step->in[1];
    void *out = step->out[0];
    row_offsets(&args->loop, row, &a_at, &b_at);
    if (args->type == PIPIT_F16)
        step->kernels->binary_f16[args->function]((uint16_t *)out + out_at, (const uint16_t *)a + a_at,
                                                  args->loop.step_a, (const uint16_t *)b + b_at,
                                                  args->loop.step_b, args->loop.n, args->min, args->max);
    else if (args->function != BINARY_COUNT)
        step->kernels->binary_f32[args->function]((float *)out + out_at, (const float *)a + a_at,
                                                  args->loop.step_a, (const float *)b + b_at,
                                                  args->loop.step_b, args->loop.n, args->min, args->max);
    else if (args->type == PIPIT_F32)
        row_f32(args, (float *)out + out_at, (const float *)a + a_at, (const float *)b + b_at);
    else if (args->type == PIPIT_I8)
        row_i8(step, args, (int8_t *)out + out_at, (const int8_t *)a + a_at, (const int8_t *)b + b_at);
    else if (args->type == PIPIT_I32)
        row_i32(args, (int32_t *)out + out_at, (const int32_t *)a + a_at, (const int32_t *)b + b_at);
    else
        row_i64(args, (int64_t *)out + out_at, (const int64_t *)a + a_at, (const int64_t *)b + b_at);
}

static void run(const struct step *step, struct chunk chunk)
{
    const struct binary_args *args = step->args;
    int begin, end;
    share(args->loop.rows, 1, chunk, &begin, &end);
    for (int row = begin; row < end; row++)
        run_row(step, args, row);
}

/* One row only: it is cut in pieces, so that every worker has some. */
static void run_flat(const struct step *step, struct chunk chunk)
{
    struct binary_args piece = *(const struct binary_args *)step->args;
    size_t element = pipit_type_size(piece.type);
    int begin, end;
    share(piece.loop.n, 256, chunk, &begin, &end);
    if (begin >= end)
        return;
    void *in[2] = {(char *)step->in[0] + (size_t)begin * (size_t)piece.loop.step_a * element,
                   (char *)step->in[1] + (size_t)begin * (size_t)piece.loop.step_b * element};
    void *out[1] = {(char *)step->out[0] + (size_t)begin * element};
    struct step part = *step;
    part.in = in;
    part.out = out;
    piece.loop.n = end - begin;
    run_row(&part, &piece, 0);
}

/* Squeeze-excite: all pixels of one image by one factor a channel. */
static void run_scale(const struct step *step, struct chunk chunk)
{
    const struct binary_args *args = step->args;
    int begin, end, n = args->loop.n;
    share(args->loop.rows, 1, chunk, &begin, &end);
    size_t at = (size_t)begin * (size_t)n, row = (size_t)n;
    if (args->type == PIPIT_F16)
        step->kernels->scale_f16((uint16_t *)step->out[0] + at, (const uint16_t *)step->in[0] + at,
                                 step->in[1], n, end - begin, row);
    else if (args->type == PIPIT_F32)
        step->kernels->scale_f32((float *)step->out[0] + at, (const float *)step->in[0] + at, step->in[1], n,
                                 end - begin, row);
    else
        step->kernels->scale_i8((int8_t *)step->out[0] + at, (const int8_t *)step->in[0] + at, step->in[1], n,
                                end - begin, row, &args->mul);
}

static bool is_scale(const struct binary_args *args, const struct node *node)
{
    const struct broadcast *loop = &args->loop;
    bool type = args->type == PIPIT_F32 || args->type == PIPIT_F16 || args->type == PIPIT_I8;
    return type && args->op == OP_MUL && node->act == ACT_NONE && loop->rank == 1 && loop->step_a == 1 &&
           loop->step_b == 1 && loop->a[0] == loop->n && loop->b[0] == 0;
}

/* ---- preparing ---- */

/* The reference brings both inputs to twice the larger scale, 20 bits up (tensorflow/lite/kernels/add.cc). */
static struct add_i8 add_constants(const struct tensor *a, const struct tensor *b, const struct tensor *out,
                                   bool subtract)
{
    float larger = a->quant.scale[0] > b->quant.scale[0] ? a->quant.scale[0] : b->quant.scale[0];
    double twice = (double)(2 * larger);
    struct add_i8 add = {
        .zero_a = a->quant.zero[0],
        .zero_b = b->quant.zero[0],
        .zero_out = out->quant.zero[0],
        .left_shift = 20,
        .a = requant_from_double((double)a->quant.scale[0] / twice),
        .b = requant_from_double((double)b->quant.scale[0] / twice),
        .out = requant_from_double(twice / (double)((1 << 20) * out->quant.scale[0])),
        .sign_b = subtract ? -1 : 1,
    };
    return add;
}

static void square_constants(struct add_i8 *add, const struct tensor *const *t)
{
    float larger = t[0]->quant.scale[0] > t[1]->quant.scale[0] ? t[0]->quant.scale[0] : t[1]->quant.scale[0];
    double twice = 2.0 * (double)larger;
    add->left_shift = 7;
    add->a = requant_from_double((double)t[0]->quant.scale[0] / twice);
    add->b = requant_from_double((double)t[1]->quant.scale[0] / twice);
    add->out = requant_from_double(twice * twice / ((double)(1 << 14) * (double)t[2]->quant.scale[0]));
}

static void quantised_constants(struct binary_args *args, const struct tensor *const *t, enum activation act)
{
    for (int i = 0; i < 3; i++) {
        args->scale[i] = t[i]->quant.scale[0];
        args->zero[i] = t[i]->quant.zero[0];
    }
    activation_range_i8(t[2], act, &args->min_i8, &args->max_i8);
    args->add = add_constants(t[0], t[1], t[2], args->op == OP_SUB);
    if (args->op == OP_SQUARED_DIFFERENCE)
        square_constants(&args->add, t);
    args->add.min = args->mul.min = args->min_i8;
    args->add.max = args->mul.max = args->max_i8;
    args->mul.zero_a = args->zero[0];
    args->mul.zero_b = args->zero[1];
    args->mul.zero_out = args->zero[2];
    args->mul.out = requant_from_double((double)(args->scale[0] * args->scale[1] / args->scale[2]));
}

static enum binary_f32 table_function(enum op op)
{
    switch (op) {
    case OP_ADD:
        return BINARY_ADD;
    case OP_SUB:
        return BINARY_SUB;
    case OP_MUL:
        return BINARY_MUL;
    case OP_DIV:
        return BINARY_DIV;
    case OP_MAXIMUM:
        return BINARY_MAX;
    case OP_MINIMUM:
        return BINARY_MIN;
    default:
        return BINARY_COUNT;
    }
}

static int prepare(struct plan *plan, const struct node *node, struct pipit_error *error)
{
    const struct graph *graph = plan->graph;
    const struct tensor *t[3] = {node_input(graph, node, 0), node_input(graph, node, 1),
                                 node_output(graph, node, 0)};
    struct binary_args *args = plan_alloc(plan, 1, sizeof(*args));
    struct step *step = plan_add_step(plan, node);
    if (!args || !step)
        return -ENOMEM;
    args->loop = broadcast_of(t[0], t[1], t[2]);
    args->op = node->op;
    args->type = t[0]->type;
    args->function =
        args->type == PIPIT_F32 || args->type == PIPIT_F16 ? table_function(node->op) : BINARY_COUNT;
    activation_range_f32(node->act, &args->min, &args->max);
    if (args->type == PIPIT_I8)
        quantised_constants(args, t, node->act);
    if (args->type == PIPIT_I8 && (node->op == OP_ADD || node->op == OP_SUB) && plan->kernels->add_products)
        args->add.products = add_products(&args->add);
    step->run = is_scale(args, node) ? run_scale : args->loop.rows == 1 ? run_flat : run;
    step->args = args;
    step->kernel = args->type == PIPIT_F32   ? "binary_f32"
                   : args->type == PIPIT_F16 ? "binary_f16"
                   : args->type == PIPIT_I8  ? "binary_i8"
                                             : "binary_int";
    return 0;
}

static int infer(struct graph *graph, struct node *node, struct pipit_error *error)
{
    int status = need_inputs(graph, node, 2, 2, error);
    if (status)
        return status;
    const struct tensor *a = node_input(graph, node, 0), *b = node_input(graph, node, 1);
    struct tensor *out = node_output(graph, node, 0);
    unsigned types = TYPE_BIT(PIPIT_F32) | TYPE_BIT(PIPIT_I32) | TYPE_BIT(PIPIT_I64) | TYPE_BIT(PIPIT_I8);
    status = need_type(graph, node, a, types, error);
    if (!status && (a->type != b->type || a->type != out->type))
        return node_fail(graph, node, error, -EINVAL, "inputs and output must be of one type");
    const struct tensor *all[3] = {a, b, out};
    for (int i = 0; i < 3 && !status && a->type == PIPIT_I8; i++)
        status = need_scale(graph, node, all[i], error);
    if (!status && !activation_is_clamp(node->act))
        return node_fail(graph, node, error, -ENOTSUP, "this fused activation");
    if (!status && node->act != ACT_NONE && (a->type == PIPIT_I32 || a->type == PIPIT_I64))
        return node_fail(graph, node, error, -ENOTSUP, "a fused activation on integers");
    if (status)
        return status;
    int rank = a->rank > b->rank ? a->rank : b->rank;
    int32_t shape[PIPIT_RANK_MAX];
    for (int i = 0; i < rank; i++) {
        int x = dim(a, rank, i), y = dim(b, rank, i);
        if (x != y && x != 1 && y != 1)
            return node_fail(graph, node, error, -EINVAL, "shapes cannot be broadcast (%d and %d)", x, y);
        shape[i] = x == 1 ? y : x;
    }
    set_shape(out, rank, shape);
    return 0;
}

#define BINARY_WITH_HALF(name)                                                                               \
    const struct op_info op_##name = {#name, infer, prepare, .half = half_always, .in_place = 2}
BINARY_WITH_HALF(ADD);
BINARY_WITH_HALF(SUB);
BINARY_WITH_HALF(MUL);
BINARY_WITH_HALF(DIV);
BINARY_WITH_HALF(MAXIMUM);
BINARY_WITH_HALF(MINIMUM);

#define BINARY(name) const struct op_info op_##name = {#name, infer, prepare, .in_place = 2}
BINARY(FLOOR_DIV);
BINARY(SQUARED_DIFFERENCE);
BINARY(POW);
