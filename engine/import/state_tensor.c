/* SPDX-License-Identifier: MIT */
#include "engine/import/state_dict.h"

#include "engine/ops/float16.h"

#include <stdio.h>
#include <string.h>

static float float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static uint64_t bits_of(const uint8_t *bytes, size_t width)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < width; i++)
        bits |= (uint64_t)bytes[i] << 8 * i;
    return bits;
}

static float read_f32(const uint8_t *bytes)
{
    return float_from_bits((uint32_t)bits_of(bytes, 4));
}

static float read_f16(const uint8_t *bytes)
{
    return float16_to_float((uint16_t)bits_of(bytes, 2));
}

static float read_bf16(const uint8_t *bytes)
{
    return float_from_bits((uint32_t)bits_of(bytes, 2) << 16);
}

static float read_f64(const uint8_t *bytes)
{
    uint64_t bits = bits_of(bytes, 8);
    double value;
    memcpy(&value, &bits, sizeof(value));
    if (value > 3.4e38 ||
        value < -3.4e38) /* what a float cannot hold is infinite, without undefined behaviour */
        return value > 0 ? float_from_bits(0x7f800000) : float_from_bits(0xff800000);
    return (float)value;
}

static float read_i8(const uint8_t *bytes)
{
    return (float)(int8_t)bytes[0];
}

static float read_u8(const uint8_t *bytes)
{
    return (float)bytes[0];
}

static float read_i16(const uint8_t *bytes)
{
    return (float)(int16_t)(uint16_t)bits_of(bytes, 2);
}

static float read_i32(const uint8_t *bytes)
{
    return (float)(int32_t)(uint32_t)bits_of(bytes, 4);
}

static float read_i64(const uint8_t *bytes)
{
    return (float)(int64_t)bits_of(bytes, 8);
}

/* Contiguous runs of the types that weights have, in loops that a compiler can unroll. */
static void run_f32(const uint8_t *bytes, float *out, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = read_f32(bytes + 4 * i);
}

static void run_f16(const uint8_t *bytes, float *out, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = read_f16(bytes + 2 * i);
}

static const struct {
    size_t size;
    float (*read)(const uint8_t *bytes);
    void (*run)(const uint8_t *bytes, float *out, int64_t count); /* NULL: element by element */
} types[] = {
    [STATE_F32] = {4, read_f32, run_f32},
    [STATE_F16] = {2, read_f16, run_f16},
    [STATE_BF16] = {2, read_bf16},
    [STATE_F64] = {8, read_f64},
    [STATE_I8] = {1, read_i8},
    [STATE_U8] = {1, read_u8},
    [STATE_I16] = {2, read_i16},
    [STATE_I32] = {4, read_i32},
    [STATE_I64] = {8, read_i64},
    [STATE_BOOL] = {1, read_u8},
    [STATE_OTHER] = {0, NULL},
};

size_t state_type_size(enum state_type type)
{
    return types[type].size;
}

int state_tensor_measure(struct state_tensor *tensor)
{
    int64_t elements = 1;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        tensor->stride[i] = elements;
        if (tensor->shape[i] < 0 || __builtin_mul_overflow(elements, tensor->shape[i], &elements) ||
            elements > INT64_MAX / 16)
            return -EINVAL;
    }
    tensor->elements = elements;
    return 0;
}

/* Steps to the next index in row-major order and moves `offset` (elements) along. */
static int64_t advance(const struct state_tensor *tensor, int64_t *index, int64_t offset)
{
    for (int i = tensor->rank - 1; i >= 0; i--) {
        offset += tensor->stride[i];
        if (++index[i] < tensor->shape[i])
            return offset;
        offset -= tensor->stride[i] * tensor->shape[i];
        index[i] = 0;
    }
    return offset;
}

static bool is_contiguous(const struct state_tensor *tensor)
{
    int64_t elements = 1;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        if (tensor->shape[i] > 1 && tensor->stride[i] != elements)
            return false;
        elements *= tensor->shape[i];
    }
    return true;
}

int state_tensor_read(const struct state_tensor *tensor, float *out)
{
    int64_t index[STATE_RANK_MAX] = {0}, offset = 0;
    size_t size = types[tensor->type].size;
    if (tensor->type == STATE_OTHER)
        return -ENOTSUP;
    if (types[tensor->type].run && is_contiguous(tensor)) {
        types[tensor->type].run(tensor->data, out, tensor->elements);
        return 0;
    }
    for (int64_t i = 0; i < tensor->elements; i++) {
        out[i] = types[tensor->type].read(tensor->data + (size_t)offset * size);
        offset = advance(tensor, index, offset);
    }
    return 0;
}

const char *state_shape_format(const struct state_tensor *tensor, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < tensor->rank && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, i ? ", %lld" : "%lld", (long long)tensor->shape[i]);
    if (used < size)
        snprintf(text + used, size - used, "]");
    return text;
}
