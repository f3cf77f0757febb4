/* SPDX-License-Identifier: MIT */
#include "engine/import/state_dict.h"

#include "engine/float16.h"

#include <endian.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static uint64_t load(const uint8_t *bytes, size_t width)
{
    uint64_t bits = 0;
    memcpy(&bits, bytes, width);
    return le64toh(
        bits); /* on a big-endian machine memcpy filled the upper bytes, which le64toh() turns down */
}

static float read_f32(const uint8_t *bytes)
{
    uint32_t bits = (uint32_t)load(bytes, 4);
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static float read_f16(const uint8_t *bytes)
{
    return float16_to_float((uint16_t)load(bytes, 2));
}

static float read_bf16(const uint8_t *bytes)
{
    uint32_t bits = (uint32_t)load(bytes, 2) << 16;
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static float read_f64(const uint8_t *bytes)
{
    uint64_t bits = load(bytes, 8);
    double value;
    memcpy(&value, &bits, sizeof(value));
    if (value > (double)FLT_MAX || value < -(double)FLT_MAX) /* without undefined behaviour */
        return value > 0 ? INFINITY : -INFINITY;
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
    return (float)(int16_t)load(bytes, 2);
}

static float read_i32(const uint8_t *bytes)
{
    return (float)(int32_t)load(bytes, 4);
}

static float read_i64(const uint8_t *bytes)
{
    return (float)(int64_t)load(bytes, 8);
}

/* Runs of elements `step` bytes apart, for the types that weights have. */
static void run_f32(const uint8_t *bytes, ptrdiff_t step, float *out, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = read_f32(bytes + i * step);
}

static void run_f16(const uint8_t *bytes, ptrdiff_t step, float *out, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = read_f16(bytes + i * step);
}

static const struct {
    size_t size;
    float (*read)(const uint8_t *bytes);
    void (*run)(const uint8_t *bytes, ptrdiff_t step, float *out,
                int64_t count); /* NULL: element by element */
} types[] = {
    [STATE_F32] = {4, read_f32, run_f32}, [STATE_F16] = {2, read_f16, run_f16},
    [STATE_BF16] = {2, read_bf16, NULL},  [STATE_F64] = {8, read_f64, NULL},
    [STATE_I8] = {1, read_i8, NULL},      [STATE_U8] = {1, read_u8, NULL},
    [STATE_I16] = {2, read_i16, NULL},    [STATE_I32] = {4, read_i32, NULL},
    [STATE_I64] = {8, read_i64, NULL},    [STATE_BOOL] = {1, read_u8, NULL},
    [STATE_OTHER] = {0, NULL, NULL},
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

struct walk { /* a tensor's dimensions, those of 1 left out and those that run on joined */
    int rank;
    int64_t shape[STATE_RANK_MAX], stride[STATE_RANK_MAX];
};

static struct walk plan_walk(const struct state_tensor *tensor)
{
    struct walk walk = {.rank = 0};
    for (int i = 0; i < tensor->rank; i++) {
        int last = walk.rank - 1;
        if (tensor->shape[i] == 1)
            continue;
        if (last >= 0 && walk.stride[last] == tensor->stride[i] * tensor->shape[i]) {
            walk.shape[last] *= tensor->shape[i];
            walk.stride[last] = tensor->stride[i];
            continue;
        }
        walk.shape[walk.rank] = tensor->shape[i];
        walk.stride[walk.rank++] = tensor->stride[i];
    }
    if (walk.rank == 0)
        walk.shape[walk.rank++] = 1;
    return walk;
}

/* The next row's offset, in elements; the rows are those of the last dimension. */
static int64_t next_row(const struct walk *walk, int64_t *index, int64_t offset)
{
    for (int i = walk->rank - 2; i >= 0; i--) {
        offset += walk->stride[i];
        if (++index[i] < walk->shape[i])
            return offset;
        offset -= walk->stride[i] * walk->shape[i];
        index[i] = 0;
    }
    return offset;
}

static void read_row(enum state_type type, const uint8_t *bytes, ptrdiff_t step, float *out, int64_t count)
{
    if (types[type].run) {
        types[type].run(bytes, step, out, count);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        out[i] = types[type].read(bytes + i * step);
}

int state_tensor_read(const struct state_tensor *tensor, float *out)
{
    int64_t index[STATE_RANK_MAX] = {0}, offset = 0, size = (int64_t)types[tensor->type].size;
    if (tensor->type == STATE_OTHER)
        return -ENOTSUP;
    const struct walk walk = plan_walk(tensor);
    int64_t row = walk.shape[walk.rank - 1];
    for (int64_t done = 0; done < tensor->elements; done += row) {
        read_row(tensor->type, tensor->data + offset * size, (ptrdiff_t)(walk.stride[walk.rank - 1] * size),
                 out + done, row);
        offset = next_row(&walk, index, offset);
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
