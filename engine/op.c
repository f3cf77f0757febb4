/* SPDX-License-Identifier: MIT */
#include "engine/op.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define X(name) extern const struct op_info op_##name;
PIPIT_OPERATORS(X)
#undef X

const struct op_info *op_info(enum op op)
{
    static const struct op_info *const table[OP_COUNT] = {
#define X(name) [OP_##name] = &op_##name,
        PIPIT_OPERATORS(X)
#undef X
    };
    return table[op];
}

const char *op_name(enum op op)
{
    static const char *const names[OP_COUNT] = {
#define X(name) [OP_##name] = #name,
        PIPIT_OPERATORS(X)
#undef X
    };
    return names[op];
}

void node_error_write(const struct graph *graph, const struct node *node, struct pipit_error *error,
                      const char *format, ...)
{
    char who[200], what[200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    error_write(error, "%s: %s", node_describe(graph, node, who, sizeof(who)), what);
}

int need_inputs(const struct graph *graph, const struct node *node, int least, int most,
                struct pipit_error *error)
{
    if (node->inputs < least || node->inputs > most || node->outputs < 1)
        return node_fail(graph, node, error, -EINVAL, "has %d inputs and %d outputs", node->inputs,
                         node->outputs);
    for (int i = 0; i < least; i++)
        if (node->input[i] < 0)
            return node_fail(graph, node, error, -EINVAL, "input %d is missing", i);
    return 0;
}

int need_type(const struct graph *graph, const struct node *node, const struct tensor *tensor, unsigned types,
              struct pipit_error *error)
{
    if (tensor && types & TYPE_BIT(tensor->type))
        return 0;
    return node_fail(graph, node, error, tensor ? -ENOTSUP : -EINVAL, "cannot work on %s",
                     tensor ? pipit_type_name(tensor->type) : "an absent tensor");
}

bool half_always(const struct graph *graph, const struct node *node)
{
    (void)graph;
    (void)node;
    return true;
}

void set_shape(struct tensor *tensor, int rank, const int32_t *shape)
{
    tensor->rank = rank;
    for (int i = 0; i < rank; i++)
        tensor->shape[i] = shape[i];
}

int constant_ints(const struct graph *graph, const struct node *node, int input, int32_t *values, int most,
                  struct pipit_error *error)
{
    const struct tensor *tensor = node_input(graph, node, input);
    if (!tensor || !tensor->data || tensor->rank > 1 || tensor_elements(tensor) > most ||
        (tensor->type != PIPIT_I32 && tensor->type != PIPIT_I64))
        return node_fail(graph, node, error, -ENOTSUP,
                         "input %d must be a constant list of at most %d integers", input, most);
    int count = (int)tensor_elements(tensor);
    for (int i = 0; i < count; i++) {
        int64_t value;
        if (tensor->type == PIPIT_I32)
            value = ((const int32_t *)tensor->data)[i];
        else
            value = ((const int64_t *)tensor->data)[i];
        if (value < INT32_MIN || value > INT32_MAX)
            return node_fail(graph, node, error, -EINVAL, "input %d holds %lld", input, (long long)value);
        values[i] = (int32_t)value;
    }
    return count;
}

int infer_window(struct window *window, int dimension, int input, int size, int *output)
{
    int stride = window->stride[dimension], dilation = window->dilation[dimension];
    if (stride < 1 || dilation < 1 || size < 1 || input < 1 || stride > 4096 || dilation > 4096 ||
        size > 4096)
        return -EINVAL;
    int reach = (size - 1) * dilation + 1;
    if (window->padding == PAD_SAME) {
        *output = (input + stride - 1) / stride;
        int total = (*output - 1) * stride + reach - input;
        window->before[dimension] = total > 0 ? total / 2 : 0;
        window->after[dimension] = total > 0 ? total - total / 2 : 0;
        return 0;
    }
    if (window->padding == PAD_VALID)
        window->before[dimension] = window->after[dimension] = 0;
    int before = window->before[dimension], after = window->after[dimension];
    if (before < 0 || after < 0 || before > 1 << 20 || after > 1 << 20 || input > 1 << 24)
        return -EINVAL;
    int room = input + before + after - reach;
    *output = room < 0 ? 0 : room / stride + 1;
    return *output < 1 ? -EINVAL : 0;
}
