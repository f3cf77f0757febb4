/* SPDX-License-Identifier: MIT */
#include "engine/import/pickle.h"

#include <stdlib.h>
#include <string.h>

#define OBJECTS_MAX (1u << 22) /* a network of 2,000 tensors needs some 100,000 */
#define MARKED      (-1)
#define MEMO_SLACK  16 /* picklers number their memo from 0 or 1 on, without gaps */

enum call { CALL_ORDERED_DICT, CALL_TENSOR, CALL_PARAMETER, CALL_SIZE };

static const struct global {
    const char *module, *name;
    enum pickle_kind kind;
    int which;
} globals[] = {
    {"collections", "OrderedDict", PICKLE_CALL, CALL_ORDERED_DICT},
    {"torch._utils", "_rebuild_tensor_v2", PICKLE_CALL, CALL_TENSOR},
    {"torch._utils", "_rebuild_tensor", PICKLE_CALL, CALL_TENSOR},
    {"torch._utils", "_rebuild_parameter", PICKLE_CALL, CALL_PARAMETER},
    {"torch", "Size", PICKLE_CALL, CALL_SIZE},
    {"torch", "FloatStorage", PICKLE_TYPE, STATE_F32},
    {"torch", "HalfStorage", PICKLE_TYPE, STATE_F16},
    {"torch", "BFloat16Storage", PICKLE_TYPE, STATE_BF16},
    {"torch", "DoubleStorage", PICKLE_TYPE, STATE_F64},
    {"torch", "CharStorage", PICKLE_TYPE, STATE_I8},
    {"torch", "ByteStorage", PICKLE_TYPE, STATE_U8},
    {"torch", "ShortStorage", PICKLE_TYPE, STATE_I16},
    {"torch", "IntStorage", PICKLE_TYPE, STATE_I32},
    {"torch", "LongStorage", PICKLE_TYPE, STATE_I64},
    {"torch", "BoolStorage", PICKLE_TYPE, STATE_BOOL},
};

void pickle_init(struct pickle *pickle, const void *bytes, size_t size, struct pipit_error *error)
{
    *pickle = (struct pickle){.bytes = bytes, .size = size, .error = error};
}

void pickle_finish(struct pickle *pickle)
{
    free(pickle->stack);
    free(pickle->memo);
    free(pickle->container);
    free(pickle->item);
    pickle_init(pickle, NULL, 0, NULL);
}

static int damaged(struct pickle *p)
{
    return fail(p->error, -EINVAL, "its pickle is damaged near byte %zu", p->at);
}

static int grow(struct pickle *p, void **array, uint32_t used, uint32_t *room, size_t size)
{
    if (used < *room)
        return 0;
    if (used >= OBJECTS_MAX)
        return fail(p->error, -E2BIG, "its pickle holds more objects than any network has");
    uint32_t wanted = used < 64 ? 64 : used * 2;
    void *bigger = realloc(*array, wanted * size);
    if (!bigger)
        return fail(p->error, -ENOMEM, "no memory for its pickle");
    *array = bigger;
    *room = wanted;
    return 0;
}

/* The next `count` bytes, or NULL at the end. */
static const uint8_t *take(struct pickle *p, size_t count)
{
    if (count > p->size - p->at)
        return NULL;
    const uint8_t *bytes = p->bytes + p->at;
    p->at += count;
    return bytes;
}

/* A little-endian number of `width` bytes. */
static int number(struct pickle *p, int width, uint64_t *value)
{
    const uint8_t *bytes = take(p, (size_t)width);
    *value = 0;
    if (!bytes)
        return damaged(p);
    for (int i = 0; i < width; i++)
        *value |= (uint64_t)bytes[i] << 8 * i;
    return 0;
}

static int push(struct pickle *p, struct pickle_value value)
{
    int error = grow(p, (void **)&p->stack, p->depth, &p->stack_room, sizeof(*p->stack));
    if (!error)
        p->stack[p->depth++] = value;
    return error;
}

/* The value `below` places under the top, NULL when there is none or it is a mark. */
static struct pickle_value *peek(struct pickle *p, uint32_t below)
{
    if (below >= p->depth || p->stack[p->depth - 1 - below].kind == PICKLE_MARK)
        return NULL;
    return &p->stack[p->depth - 1 - below];
}

/* How many values stand above the topmost mark, -1 when there is none. */
static int64_t above_mark(const struct pickle *p)
{
    for (uint32_t i = p->depth; i-- > 0;)
        if (p->stack[i].kind == PICKLE_MARK)
            return p->depth - 1 - i;
    return -1;
}

static bool holds_items(const struct pickle_value *value)
{
    return value && value->kind >= PICKLE_TUPLE && value->kind <= PICKLE_STORAGE;
}

static int new_container(struct pickle *p, enum pickle_kind kind, struct pickle_value *value)
{
    int error = grow(p, (void **)&p->container, p->containers, &p->container_room, sizeof(*p->container));
    if (error)
        return error;
    p->container[p->containers] = (struct pickle_container){0};
    *value = (struct pickle_value){.kind = kind, .container = p->containers++};
    return 0;
}

static int append(struct pickle *p, const struct pickle_value *to, const struct pickle_value *values,
                  uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int error = grow(p, (void **)&p->item, p->items, &p->item_room, sizeof(*p->item));
        if (error)
            return error;
        struct pickle_container *container = &p->container[to->container];
        p->item[p->items] = (struct pickle_item){.value = values[i], .next = PICKLE_END};
        if (container->count++)
            p->item[container->last].next = p->items;
        else
            container->first = p->items;
        container->last = p->items++;
    }
    return 0;
}

/* Resolves MARKED to how many values stand above the topmost mark. -EINVAL: fewer than `operand` are there.
 */
static int marked(const struct pickle *p, int operand, uint32_t *count, bool *mark)
{
    *mark = operand == MARKED;
    int64_t wanted = *mark ? above_mark(p) : operand;
    *count = (uint32_t)wanted;
    return wanted < 0 || wanted > p->depth ? -EINVAL : 0;
}

/* Replaces the top values, and a mark under them, by a container that holds them. */
static int gather(struct pickle *p, enum pickle_kind kind, int operand)
{
    struct pickle_value value = {0};
    uint32_t count;
    bool mark;
    if (marked(p, operand, &count, &mark) || (kind == PICKLE_DICT && count % 2))
        return damaged(p);
    int error = new_container(p, kind, &value);
    if (!error && count)
        error = append(p, &value, &p->stack[p->depth - count], count);
    if (error)
        return error;
    p->depth -= count + mark;
    return push(p, value);
}

/* Moves the top values into the list or dict below them (and below the mark). */
static int extend(struct pickle *p, enum pickle_kind kind, int operand)
{
    uint32_t count;
    bool mark;
    if (marked(p, operand, &count, &mark) || (kind == PICKLE_DICT && count % 2) || count + mark >= p->depth)
        return damaged(p);
    const struct pickle_value to = p->stack[p->depth - 1 - mark - count];
    if (to.kind != kind)
        return damaged(p);
    int error = append(p, &to, &p->stack[p->depth - count], count);
    p->depth -= count + mark;
    return error;
}

static int act_tuple(struct pickle *p, int operand)
{
    return gather(p, PICKLE_TUPLE, operand);
}

static int act_list(struct pickle *p, int operand)
{
    return gather(p, PICKLE_LIST, operand);
}

static int act_dict(struct pickle *p, int operand)
{
    return gather(p, PICKLE_DICT, operand);
}

static int act_append(struct pickle *p, int operand)
{
    return extend(p, PICKLE_LIST, operand);
}

static int act_set_items(struct pickle *p, int operand)
{
    return extend(p, PICKLE_DICT, operand);
}

static int act_text(struct pickle *p, int width)
{
    uint64_t length;
    int error = number(p, width, &length);
    if (error)
        return error;
    if (length > UINT32_MAX)
        return damaged(p);
    const uint8_t *text = take(p, (size_t)length);
    if (!text)
        return damaged(p);
    return push(p, (struct pickle_value){
                       .kind = PICKLE_TEXT, .length = (uint32_t)length, .text = (const char *)text});
}

static int act_integer(struct pickle *p, int width)
{
    uint64_t value;
    int error = number(p, width, &value);
    if (error)
        return error;
    int64_t integer = width == 4 ? (int32_t)(uint32_t)value : (int64_t)value; /* only BININT has a sign */
    return push(p, (struct pickle_value){.kind = PICKLE_INT, .integer = integer});
}

/* LONG1: a two's complement of any length. Longer than 64 bits (only the magic number is) becomes text. */
static int act_long(struct pickle *p, int operand)
{
    uint64_t length, value = 0;
    int error = number(p, 1, &length);
    if (error)
        return error;
    const uint8_t *bytes = take(p, (size_t)length);
    if (!bytes)
        return damaged(p);
    if (length > 8)
        return push(p, (struct pickle_value){
                           .kind = PICKLE_TEXT, .length = (uint32_t)length, .text = (const char *)bytes});
    for (size_t i = 0; i < 8; i++) {
        uint8_t sign = length && bytes[length - 1] & 0x80 ? 0xff : 0;
        value |= (uint64_t)(i < length ? bytes[i] : sign) << 8 * i;
    }
    return push(p, (struct pickle_value){.kind = PICKLE_INT, .integer = (int64_t)value});
}

static int act_real(struct pickle *p, int operand)
{
    const uint8_t *bytes = take(p, 8);
    if (!bytes)
        return damaged(p);
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | bytes[i];
    struct pickle_value value = {.kind = PICKLE_REAL};
    memcpy(&value.real, &bits, sizeof(bits));
    return push(p, value);
}

static int act_constant(struct pickle *p, int operand)
{
    return push(p, (struct pickle_value){.kind = (enum pickle_kind)operand});
}

static int act_bool(struct pickle *p, int operand)
{
    return push(p, (struct pickle_value){.kind = PICKLE_BOOL, .integer = operand});
}

static int memo_put(struct pickle *p, uint64_t index)
{
    const struct pickle_value *top = peek(p, 0);
    if (!top || index > (uint64_t)p->memos + MEMO_SLACK)
        return damaged(p);
    while (p->memos <= index) {
        int error = grow(p, (void **)&p->memo, p->memos, &p->memo_room, sizeof(*p->memo));
        if (error)
            return error;
        p->memo[p->memos++] = (struct pickle_value){.kind = PICKLE_MARK};
    }
    p->memo[index] = *top;
    return 0;
}

static int act_put(struct pickle *p, int operand)
{
    uint64_t index;
    int error = number(p, operand, &index);
    return error ? error : memo_put(p, index);
}

static int act_memoize(struct pickle *p, int operand)
{
    return memo_put(p, p->memos);
}

static int act_get(struct pickle *p, int operand)
{
    uint64_t index;
    int error = number(p, operand, &index);
    if (error)
        return error;
    if (index >= p->memos || p->memo[index].kind == PICKLE_MARK)
        return damaged(p);
    return push(p, p->memo[index]);
}

static bool same(const char *text, const char *bytes, size_t length)
{
    return strlen(text) == length && !memcmp(text, bytes, length);
}

static int push_global(struct pickle *p, const char *module, size_t module_length, const char *name,
                       size_t name_length)
{
    for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++)
        if (same(globals[i].module, module, module_length) && same(globals[i].name, name, name_length))
            return push(p, (struct pickle_value){.kind = globals[i].kind, .integer = globals[i].which});
    return fail(
        p->error, -ENOTSUP,
        "it holds a Python object, %.*s.%.*s, and Pipit reads only tensors, dicts of them and plain values: "
        "save the network with torch.save(model.state_dict(), path)",
        module_length > 80 ? 80 : (int)module_length, module, name_length > 80 ? 80 : (int)name_length, name);
}

static const char *take_line(struct pickle *p, size_t *length)
{
    const char *line = (const char *)p->bytes + p->at;
    const char *end = memchr(line, '\n', p->size - p->at);
    if (!end)
        return NULL;
    *length = (size_t)(end - line);
    p->at += *length + 1;
    return line;
}

static int act_global(struct pickle *p, int operand)
{
    size_t module_length, name_length;
    const char *module = take_line(p, &module_length);
    const char *name = module ? take_line(p, &name_length) : NULL;
    return name ? push_global(p, module, module_length, name, name_length) : damaged(p);
}

static int act_stack_global(struct pickle *p, int operand)
{
    const struct pickle_value *name = peek(p, 0), *module = peek(p, 1);
    if (!name || !module || name->kind != PICKLE_TEXT || module->kind != PICKLE_TEXT)
        return damaged(p);
    p->depth -= 2;
    return push_global(p, module->text, module->length, name->text, name->length);
}

/* OrderedDict(): empty, or from one list of pairs, as Python 2 wrote it. */
static int make_dict(struct pickle *p, const struct pickle_value *args, struct pickle_value *made)
{
    struct pickle_value pairs = {0}, pair[2];
    uint32_t count = pickle_items(p, args, &pairs, 1);
    int error = new_container(p, PICKLE_DICT, made);
    if (error || count == 0)
        return error;
    if (count > 1 || !holds_items(&pairs))
        return damaged(p);
    for (uint32_t i = pickle_first(p, &pairs); !error && i != PICKLE_END; i = pickle_next(p, i)) {
        if (!holds_items(&p->item[i].value) || pickle_items(p, &p->item[i].value, pair, 2) != 2)
            return damaged(p);
        error = append(p, made, pair, 2);
    }
    return error;
}

/* REDUCE and NEWOBJ: a known function and its arguments become the value that they describe. */
static int act_call(struct pickle *p, int operand)
{
    const struct pickle_value *top = peek(p, 0), *under = peek(p, 1);
    if (!top || !under || top->kind != PICKLE_TUPLE || under->kind != PICKLE_CALL)
        return damaged(p);
    struct pickle_value args = *top, made = args;
    enum call which = (enum call)under->integer;
    int error = 0;
    if (which == CALL_ORDERED_DICT)
        error = make_dict(p, &args, &made);
    else if (which == CALL_TENSOR)
        made.kind = PICKLE_TENSOR;
    else if (pickle_items(p, &args, &made, 1) < 1)
        error = damaged(p); /* _rebuild_parameter(data, ...) and Size(tuple) are their first argument */
    p->depth -= 2;
    return error ? error : push(p, made);
}

/* BUILD sets attributes. An OrderedDict's are torch's _metadata (module versions), which say nothing here. */
static int act_build(struct pickle *p, int operand)
{
    const struct pickle_value *state = peek(p, 0), *object = peek(p, 1);
    if (!state || !object || object->kind != PICKLE_DICT)
        return damaged(p);
    p->depth--;
    return 0;
}

static int act_persistent_id(struct pickle *p, int operand)
{
    struct pickle_value *top = peek(p, 0);
    if (!top || top->kind != PICKLE_TUPLE)
        return damaged(p);
    top->kind = PICKLE_STORAGE;
    return 0;
}

static int act_pop(struct pickle *p, int operand)
{
    uint32_t count;
    bool mark;
    if (marked(p, operand, &count, &mark))
        return damaged(p);
    p->depth -= count + mark;
    return 0;
}

static int act_duplicate(struct pickle *p, int operand)
{
    const struct pickle_value *top = peek(p, 0);
    return top ? push(p, *top) : damaged(p);
}

static int act_skip(struct pickle *p, int operand)
{
    return take(p, (size_t)operand) ? 0 : damaged(p);
}

typedef int act_fn(struct pickle *p, int operand);

/* Opcodes as in CPython's Lib/pickletools.py. Operands: bytes to read, values to gather (MARKED: all above
 * the topmost mark), or what to push. */
static const struct opcode {
    act_fn *act;
    int operand;
} opcodes[256] = {
    [0x80] = {act_skip, 1}, /* PROTO */
    [0x95] = {act_skip, 8}, /* FRAME */
    ['('] = {act_constant, PICKLE_MARK},
    ['N'] = {act_constant, PICKLE_NONE},
    [0x88] = {act_bool, 1},
    [0x89] = {act_bool, 0},
    ['0'] = {act_pop, 1},
    ['1'] = {act_pop, MARKED},
    ['2'] = {act_duplicate, 0},
    ['K'] = {act_integer, 1},
    ['M'] = {act_integer, 2},
    ['J'] = {act_integer, 4},
    [0x8a] = {act_long, 0},
    ['G'] = {act_real, 0},
    ['U'] = {act_text, 1},
    ['C'] = {act_text, 1},
    [0x8c] = {act_text, 1},
    ['T'] = {act_text, 4},
    ['B'] = {act_text, 4},
    ['X'] = {act_text, 4},
    [0x8d] = {act_text, 8},
    [0x8e] = {act_text, 8},
    [')'] = {act_tuple, 0},
    [0x85] = {act_tuple, 1},
    [0x86] = {act_tuple, 2},
    [0x87] = {act_tuple, 3},
    ['t'] = {act_tuple, MARKED},
    [']'] = {act_list, 0},
    ['l'] = {act_list, MARKED},
    ['}'] = {act_dict, 0},
    ['d'] = {act_dict, MARKED},
    ['a'] = {act_append, 1},
    ['e'] = {act_append, MARKED},
    ['s'] = {act_set_items, 2},
    ['u'] = {act_set_items, MARKED},
    ['q'] = {act_put, 1},
    ['r'] = {act_put, 4},
    [0x94] = {act_memoize, 0},
    ['h'] = {act_get, 1},
    ['j'] = {act_get, 4},
    ['c'] = {act_global, 0},
    [0x93] = {act_stack_global, 0},
    ['R'] = {act_call, 0},
    [0x81] = {act_call, 0}, /* NEWOBJ */
    ['b'] = {act_build, 0},
    ['Q'] = {act_persistent_id, 0},
};

static int step(struct pickle *p, uint8_t opcode)
{
    const struct opcode *entry = &opcodes[opcode];
    if (!entry->act)
        return fail(p->error, -ENOTSUP, "its pickle uses opcode 0x%02x, which no state dict needs", opcode);
    return entry->act(p, entry->operand);
}

int pickle_load(struct pickle *pickle, struct pickle_value *value)
{
    pickle->depth = pickle->memos = 0;
    for (;;) {
        const uint8_t *opcode = take(pickle, 1);
        if (!opcode)
            return damaged(pickle);
        if (*opcode == '.')
            break;
        int error = step(pickle, *opcode);
        if (error)
            return error;
    }
    const struct pickle_value *top = peek(pickle, 0);
    if (!top)
        return damaged(pickle);
    *value = *top;
    return 0;
}

uint32_t pickle_first(const struct pickle *pickle, const struct pickle_value *value)
{
    const struct pickle_container *container = &pickle->container[value->container];
    return container->count ? container->first : PICKLE_END;
}

uint32_t pickle_next(const struct pickle *pickle, uint32_t item)
{
    return pickle->item[item].next;
}

uint32_t pickle_items(const struct pickle *pickle, const struct pickle_value *value,
                      struct pickle_value *values, uint32_t most)
{
    uint32_t count = 0;
    for (uint32_t i = pickle_first(pickle, value); i != PICKLE_END && count < most; i = pickle->item[i].next)
        values[count++] = pickle->item[i].value;
    return pickle->container[value->container].count;
}

bool pickle_is_text(const struct pickle_value *value, const char *text)
{
    return value->kind == PICKLE_TEXT && same(text, value->text, value->length);
}
