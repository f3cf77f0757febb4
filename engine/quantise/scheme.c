/* SPDX-License-Identifier: MIT */
#include "engine/quantise/scheme.h"

#include "engine/ops/activation.h"
#include "engine/passes/pass.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OWN(name)                                                                                            \
    {                                                                                                        \
        OP_##name, RULE_OWN, 0, 0, 0, 0,                                                                     \
        {                                                                                                    \
            0, 0                                                                                             \
        }                                                                                                    \
    }
#define SAME(name)                                                                                           \
    {                                                                                                        \
        OP_##name, RULE_SAME, 0, 0, 0, 0,                                                                    \
        {                                                                                                    \
            0, 0                                                                                             \
        }                                                                                                    \
    }

static const struct operator_rule rules[] = {
    {OP_CONV_2D, RULE_PRODUCT, 0, 1, 2, 0, {0, 0}},
    {OP_DEPTHWISE_CONV_2D, RULE_PRODUCT, 0, 1, 2, 3, {0, 0}},
    {OP_TRANSPOSE_CONV, RULE_PRODUCT, 2, 1, 3, 0, {0, 0}},
    {OP_FULLY_CONNECTED, RULE_PRODUCT, 0, 1, 2, -1, {0, 0}},
    {OP_SOFTMAX, RULE_FIXED, 0, 0, 0, 0, {1.0f / 256, -128}},
    {OP_LOGISTIC, RULE_FIXED, 0, 0, 0, 0, {1.0f / 256, -128}},
    {OP_TANH, RULE_FIXED, 0, 0, 0, 0, {1.0f / 128, 0}},
    {OP_LOG_SOFTMAX, RULE_FIXED, 0, 0, 0, 0, {16.0f / 256, 127}},
    {OP_L2_NORMALIZATION, RULE_FIXED, 0, 0, 0, 0, {1.0f / 128, 0}},
    OWN(ADD),
    OWN(SUB),
    OWN(MUL),
    OWN(MEAN),
    OWN(HARD_SWISH),
    OWN(LEAKY_RELU),
    OWN(PRELU),
    OWN(RELU),
    OWN(RELU6),
    OWN(RELU_N1_TO_1),
    SAME(AVERAGE_POOL_2D),
    SAME(MAX_POOL_2D),
    SAME(MAXIMUM),
    SAME(MINIMUM),
    SAME(CONCATENATION),
    SAME(RESHAPE),
    SAME(SQUEEZE),
    SAME(EXPAND_DIMS),
    SAME(TRANSPOSE),
    SAME(SPLIT),
    SAME(SPLIT_V),
    SAME(PACK),
    SAME(UNPACK),
    SAME(SLICE),
    SAME(STRIDED_SLICE),
    SAME(GATHER),
    SAME(PAD),
    SAME(MIRROR_PAD),
    SAME(RESIZE_BILINEAR),
    SAME(RESIZE_NEAREST_NEIGHBOR),
    SAME(DEPTH_TO_SPACE),
    SAME(SPACE_TO_DEPTH),
    SAME(SPACE_TO_BATCH_ND),
    SAME(BATCH_TO_SPACE_ND),
};

const struct operator_rule *operator_rule(enum op op)
{
    static const struct operator_rule none = {.rule = RULE_FLOAT};
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].op == op)
            return &rules[i];
    return &none;
}

/* ---- which nodes ---- */

static bool is_activation(const struct tensor *tensor)
{
    return tensor && !tensor->data && tensor->type == PIPIT_F32;
}

static bool is_constant(const struct tensor *tensor)
{
    return tensor && tensor->data && tensor->type == PIPIT_F32;
}

static bool good_product(const struct graph *graph, const struct node *node, const struct operator_rule *rule)
{
    const struct tensor *bias = node_input(graph, node, rule->bias);
    return is_activation(node_input(graph, node, rule->data)) &&
           is_constant(node_input(graph, node, rule->weights)) && (!bias || is_constant(bias));
}

/* Whole numbers beside them (shapes, axes) do not matter. */
static bool good_others(const struct graph *graph, const struct node *node)
{
    int activations = 0;
    for (int i = 0; i < node->inputs; i++)
        activations += is_activation(node_input(graph, node, i));
    for (int i = 0; i < node->outputs; i++)
        if (node_output(graph, node, i)->type != PIPIT_F32)
            return false;
    return activations > 0;
}

static const char *why_float(const struct graph *graph, const struct node *node, bool keep)
{
    const struct operator_rule *rule = operator_rule(node->op);
    if (rule->rule == RULE_FLOAT)
        return "this operator has no int8 form";
    if (!(rule->rule == RULE_PRODUCT ? good_product(graph, node, rule) : good_others(graph, node)) ||
        !activation_is_clamp(node->act))
        return "not in this form or of this type";
    return keep ? "sensitive" : NULL;
}

/* ---- one scale for many tensors ---- */

struct groups {
    int *parent;         /* of each tensor; a root is its own */
    struct range *range; /* of a root: all its members' */
    struct affine *fixed;
};

static int root_of(struct groups *g, int tensor)
{
    while (g->parent[tensor] != tensor) {
        g->parent[tensor] = g->parent[g->parent[tensor]];
        tensor = g->parent[tensor];
    }
    return tensor;
}

/* All but the last step: a fixed scale of 1/256 ends at 255/256. */
static bool fits(struct affine affine, struct range range)
{
    float low = affine.scale * (float)(-129 - affine.zero), high = affine.scale * (float)(128 - affine.zero);
    return range.low >= low && range.high <= high;
}

static struct range both(struct range a, struct range b)
{
    return (struct range){fminf(a.low, b.low), fmaxf(a.high, b.high)};
}

/* False: they cannot have one scale. */
static bool join(struct groups *g, int a, int b)
{
    a = root_of(g, a);
    b = root_of(g, b);
    if (a == b)
        return true;
    struct affine x = g->fixed[a], y = g->fixed[b], fixed = x.scale > 0 ? x : y;
    struct range range = both(g->range[a], g->range[b]);
    if ((x.scale > 0 && y.scale > 0 && (x.scale != y.scale || x.zero != y.zero)) ||
        (fixed.scale > 0 && !fits(fixed, range)))
        return false;
    g->parent[b] = a;
    g->range[a] = range;
    g->fixed[a] = fixed;
    return true;
}

static bool join_node(struct groups *g, const struct graph *graph, const struct node *node)
{
    int first = node->output[0];
    for (int i = 1; i < node->outputs; i++)
        if (!join(g, first, node->output[i]))
            return false;
    for (int i = 0; i < node->inputs; i++) {
        const struct tensor *in = node_input(graph, node, i);
        if (in && in->type == PIPIT_F32 && !join(g, first, node->input[i]))
            return false;
    }
    return true;
}

static struct range constant_range(const struct tensor *tensor)
{
    struct range range = {0, 0};
    const float *value = tensor->data;
    for (int64_t i = 0; i < tensor_elements(tensor); i++)
        range = both(range, (struct range){value[i], value[i]});
    return range;
}

static void start_groups(struct groups *g, const struct graph *graph, const struct range *range,
                         const struct scheme *scheme, struct affine input)
{
    for (int t = 0; t < graph->tensors; t++) {
        g->parent[t] = t;
        g->range[t] = is_constant(&graph->tensor[t]) ? constant_range(&graph->tensor[t]) : range[t];
        g->fixed[t] = (struct affine){0, 0};
    }
    g->fixed[graph->input[0]] = input;
    for (int n = 0; n < graph->nodes; n++) {
        const struct operator_rule *rule = operator_rule(graph->node[n].op);
        if (!scheme->why[n] && rule->rule == RULE_FIXED)
            g->fixed[graph->node[n].output[0]] = rule->fixed;
    }
}

/* False: a node had to go back to float, and all begins again. */
static bool group_all(struct groups *g, const struct graph *graph, struct scheme *scheme)
{
    for (int n = 0; n < graph->nodes; n++) {
        const struct node *node = &graph->node[n];
        if (scheme->why[n] || operator_rule(node->op)->rule != RULE_SAME || join_node(g, graph, node))
            continue;
        scheme->why[n] = "what it reads cannot have one scale";
        return false;
    }
    return true;
}

static struct affine affine_of(struct range range)
{
    float span = range.high - range.low;
    if (!(span > 1e-6f)) /* always 0: any scale will do */
        return (struct affine){1.0f / 255, -128};
    float scale = span / 255, zero = roundf(-128 - range.low / scale);
    return (struct affine){scale, (int32_t)(zero < -128 ? -128 : zero > 127 ? 127 : zero)};
}

/* ---- the whole ---- */

/* What only moves values is worth nothing in int8 between floats. */
static void mark_int8(struct scheme *scheme, const struct graph *graph, struct affine input)
{
    memset(scheme->is_int8, 0, (size_t)graph->tensors * sizeof(*scheme->is_int8));
    scheme->is_int8[graph->input[0]] = input.scale > 0;
    for (int n = 0; n < graph->nodes; n++) {
        const struct node *node = &graph->node[n];
        bool reads = operator_rule(node->op)->rule != RULE_SAME;
        for (int i = 0; i < node->inputs; i++)
            reads = reads || (node->input[i] >= 0 && scheme->is_int8[node->input[i]]);
        if (!scheme->why[n] && !reads)
            scheme->why[n] = "it moves values between layers in float";
        for (int i = 0; i < node->outputs; i++)
            scheme->is_int8[node->output[i]] = !scheme->why[n];
    }
}

static int choose_scales(struct scheme *scheme, const struct graph *graph, const struct range *range,
                         struct affine input)
{
    size_t count = (size_t)graph->tensors + 1;
    struct groups g = {malloc(count * sizeof(*g.parent)), malloc(count * sizeof(*g.range)),
                       malloc(count * sizeof(*g.fixed))};
    bool good = g.parent && g.range && g.fixed;
    if (good)
        do {
            mark_int8(scheme, graph, input);
            start_groups(&g, graph, range, scheme, input);
        } while (!group_all(&g, graph, scheme));
    for (int t = 0; good && t < graph->tensors; t++) {
        int root = root_of(&g, t);
        scheme->affine[t] = g.fixed[root].scale > 0 ? g.fixed[root] : affine_of(g.range[root]);
    }
    free(g.parent);
    free(g.range);
    free(g.fixed);
    return good ? 0 : -ENOMEM;
}

int scheme_init(struct scheme *scheme, const struct graph *graph, const struct range *range,
                const bool *keep_float, struct affine input)
{
    size_t nodes = (size_t)graph->nodes + 1, tensors = (size_t)graph->tensors + 1;
    *scheme = (struct scheme){calloc(nodes, sizeof(*scheme->why)), calloc(tensors, sizeof(*scheme->affine)),
                              calloc(tensors, sizeof(*scheme->is_int8))};
    int status = scheme->why && scheme->affine && scheme->is_int8 ? 0 : -ENOMEM;
    for (int n = 0; n < graph->nodes && !status; n++)
        scheme->why[n] = why_float(graph, &graph->node[n], keep_float[n]);
    if (!status)
        status = choose_scales(scheme, graph, range, input);
    if (status)
        scheme_finish(scheme);
    return status;
}

void scheme_finish(struct scheme *scheme)
{
    free(scheme->why);
    free(scheme->affine);
    free(scheme->is_int8);
    *scheme = (struct scheme){0};
}
