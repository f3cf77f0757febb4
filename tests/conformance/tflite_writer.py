# SPDX-License-Identifier: MIT
"""Writes small TensorFlow Lite files, with Python's standard library only.

FlatBuffers (flatbuffers.dev, "Internals") are written front to back: a table, then what it points to. Field numbers
are those of tensorflow/lite/schema/schema.fbs.
"""
import random
import struct

# A scalar's FlatBuffers type, as struct spells it.
SCALAR = {"i8": "b", "u8": "B", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q", "f32": "f"}

# TensorType: number in the schema, how one element is packed.
TYPES = {"f32": (0, "f"), "f16": (1, "e"), "i32": (2, "i"), "u8": (3, "B"), "i64": (4, "q"), "bool": (6, "B"),
         "i16": (7, "h"), "i8": (9, "b"), "f64": (10, "d"), "u32": (15, "I"), "i4": (17, "B")}

ACTIVATION = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3, "TANH": 4, "SIGN_BIT": 5}
PADDING = {"SAME": 0, "VALID": 1}
MIRROR = {"REFLECT": 0, "SYMMETRIC": 1}

# Operator: its code, its options' number in the union BuiltinOptions, their fields as name:type in order.
OPERATORS = {
    "ADD": (0, 11, "act:i8 pot_scale_int16:i8"), "AVERAGE_POOL_2D": (1, 5, "padding:i8 stride_w:i32 stride_h:i32 "
            "filter_w:i32 filter_h:i32 act:i8"), "CONCATENATION": (2, 10, "axis:i32 act:i8"),
    "CONV_2D": (3, 1, "padding:i8 stride_w:i32 stride_h:i32 act:i8 dilation_w:i32 dilation_h:i32"),
    "DEPTHWISE_CONV_2D": (4, 2, "padding:i8 stride_w:i32 stride_h:i32 multiplier:i32 act:i8 dilation_w:i32 "
                                "dilation_h:i32"),
    "DEPTH_TO_SPACE": (5, 94, "block:i32"), "DEQUANTIZE": (6, 38, ""), "FLOOR": (8, 0, ""),
    "FULLY_CONNECTED": (9, 8, "act:i8 weights_format:i8 keep_num_dims:i8 asymmetric:i8"),
    "L2_NORMALIZATION": (11, 12, "act:i8"), "LOGISTIC": (14, 0, ""),
    "MAX_POOL_2D": (17, 5, "padding:i8 stride_w:i32 stride_h:i32 filter_w:i32 filter_h:i32 act:i8"),
    "MUL": (18, 21, "act:i8"), "RELU": (19, 0, ""), "RELU_N1_TO_1": (20, 0, ""), "RELU6": (21, 0, ""),
    "RESHAPE": (22, 17, "new_shape:[i32]"), "RESIZE_BILINEAR": (23, 15, "_:i32 _:i32 align_corners:i8 half_pixel:i8"),
    "SOFTMAX": (25, 9, "beta:f32"), "SPACE_TO_DEPTH": (26, 19, "block:i32"), "TANH": (28, 0, ""),
    "PAD": (34, 22, ""), "GATHER": (36, 23, "axis:i32 batch_dims:i32"), "BATCH_TO_SPACE_ND": (37, 24, ""),
    "SPACE_TO_BATCH_ND": (38, 25, ""), "TRANSPOSE": (39, 26, ""), "MEAN": (40, 27, "keep_dims:i8"),
    "SUB": (41, 28, "act:i8 pot_scale_int16:i8"), "DIV": (42, 29, "act:i8"), "SQUEEZE": (43, 30, "dims:[i32]"),
    "STRIDED_SLICE": (45, 32, "begin_mask:i32 end_mask:i32 ellipsis_mask:i32 new_axis_mask:i32 shrink_axis_mask:i32 "
                              "offset:i8"),
    "EXP": (47, 33, ""), "SPLIT": (49, 35, "count:i32"), "LOG_SOFTMAX": (50, 36, ""),
    "CAST": (53, 37, "in_type:i8 out_type:i8"), "PRELU": (54, 0, ""), "MAXIMUM": (55, 39, ""),
    "ARG_MAX": (56, 40, "out_type:i8"), "MINIMUM": (57, 39, ""), "NEG": (59, 42, ""), "PADV2": (60, 43, ""),
    "GREATER": (61, 44, ""), "SLICE": (65, 48, ""), "TRANSPOSE_CONV": (67, 49, "padding:i8 stride_w:i32 stride_h:i32 "
                                                                       "act:i8"),
    "TILE": (69, 51, ""), "EXPAND_DIMS": (70, 52, ""), "LOG": (73, 0, ""), "SUM": (74, 27, "keep_dims:i8"),
    "SQRT": (75, 0, ""), "RSQRT": (76, 0, ""), "SHAPE": (77, 55, "out_type:i8"), "POW": (78, 56, ""),
    "ARG_MIN": (79, 57, "out_type:i8"), "REDUCE_PROD": (81, 27, "keep_dims:i8"),
    "REDUCE_MAX": (82, 27, "keep_dims:i8"), "PACK": (83, 59, "count:i32 axis:i32"), "UNPACK": (88, 64,
                                                                                             "count:i32 axis:i32"),
    "REDUCE_MIN": (89, 27, "keep_dims:i8"), "FLOOR_DIV": (90, 65, ""), "SQUARE": (92, 66, ""), "FILL": (94, 68, ""),
    "RESIZE_NEAREST_NEIGHBOR": (97, 74, "align_corners:i8 half_pixel:i8"), "LEAKY_RELU": (98, 75, "alpha:f32"),
    "SQUARED_DIFFERENCE": (99, 76, ""), "MIRROR_PAD": (100, 77, "mode:i8"), "ABS": (101, 78, ""),
    "SPLIT_V": (102, 79, "count:i32"), "CEIL": (104, 0, ""), "ELU": (111, 0, ""), "QUANTIZE": (114, 89, ""),
    "ROUND": (116, 0, ""), "HARD_SWISH": (117, 91, ""), "WHILE": (119, 93, "cond:i32 body:i32"),
    "BROADCAST_TO": (130, 104, ""), "GELU": (150, 116, "approximate:i8"), "RELU_0_TO_1": (152, 0, ""),
}
NAMED = {"act": ACTIVATION, "padding": PADDING, "mode": MIRROR, "in_type": {k: v[0] for k, v in TYPES.items()},
         "out_type": {k: v[0] for k, v in TYPES.items()}}


class Table(dict):
    """Field number -> (type, value). Types: those of SCALAR, "[i32]" for a vector of scalars, "bytes", "str",
    "table", "[table]"."""


def _align(out, size, ahead=0):
    while (len(out) + ahead) % size:
        out.append(0)


def _write_vector(out, kind, values):
    if kind == "[table]":
        _align(out, 4)
        at = len(out)
        out += struct.pack("<I", len(values)) + bytes(4 * len(values))
        for i, table in enumerate(values):
            _patch(out, at + 4 + 4 * i, _write_table(out, table))
        return at
    size = 16 if kind == "bytes" else 1 if kind == "str" else struct.calcsize(SCALAR[kind[1:-1]])
    if kind == "str":
        values = values.encode()
    _align(out, max(size, 4), 4)
    at = len(out)
    out += struct.pack("<I", len(values))
    if kind in ("bytes", "str"):
        out += values + (b"\0" if kind == "str" else b"")
    else:
        out += struct.pack(f"<{len(values)}{SCALAR[kind[1:-1]]}", *values)
    return at


def _patch(out, at, target):
    out[at:at + 4] = struct.pack("<I", target - at)


def _write_table(out, table):
    size = {n: struct.calcsize(SCALAR.get(kind, "I")) for n, (kind, _) in table.items()}
    order = sorted(table, key=lambda n: -size[n])
    offsets, end = {}, 4
    for n in order:  # the table starts at 4 after a multiple of 8, so the largest fields come first
        offsets[n], end = end, end + size[n]
    slots = max(table, default=-1) + 1
    _align(out, 2)
    vtable = len(out)
    out += struct.pack("<HH", 4 + 2 * slots, end) + b"".join(struct.pack("<H", offsets.get(n, 0)) for n in range(slots))
    _align(out, 8, 4)
    at = len(out)
    out += struct.pack("<i", at - vtable) + bytes(end - 4)
    for n in order:
        kind, value = table[n]
        field = at + offsets[n]
        if kind in SCALAR:
            struct.pack_into("<" + SCALAR[kind], out, field, value)
        else:
            _patch(out, field, _write_table(out, value) if kind == "table" else _write_vector(out, kind, value))
    return at


def flatbuffer(root, identifier):
    out = bytearray(4) + identifier
    _patch(out, 0, _write_table(out, root))
    return bytes(out)


class Rng:
    """The same numbers from the same name, with any version of Python."""

    def __init__(self, name):
        self.source = random.Random(name)

    def ints(self, count, low, high):
        return [low + self.source.getrandbits(32) % (high - low + 1) for _ in range(count)]

    def floats(self, count, low=-1.0, high=1.0):
        return [low + (high - low) * self.source.getrandbits(24) / (1 << 24) for _ in range(count)]


def elements(shape):
    count = 1
    for n in shape:
        count *= n
    return count


RANGE = {"u8": (0, 255), "i8": (-128, 127), "i32": (-1000, 1000), "i64": (-1000, 1000), "bool": (0, 1),
         "i16": (-32768, 32767), "i4": (0, 255)}


class Model:
    """One model with the data of its inputs. Tensors are numbered as they are made."""

    def __init__(self, name):
        self.name, self.rng = name, Rng(name)
        self.tensors, self.buffers, self.operators, self.codes = [], [Table()], [], []
        self.inputs, self.outputs, self.data = [], [], []
        self.tolerance, self.steps, self.refused = 1e-5, 0, None
        self.metadata, self.tail = [], b""

    def pack(self, kind, values):
        return struct.pack(f"<{len(values)}{TYPES[kind][1]}", *values)

    def random(self, kind, shape, low=None, high=None):
        if kind in ("f32", "f16"):
            return self.rng.floats(elements(shape), -1.0 if low is None else low, 1.0 if high is None else high)
        limits = RANGE[kind]
        return self.rng.ints(elements(shape), limits[0] if low is None else low, limits[1] if high is None else high)

    def buffer(self, data):
        self.buffers.append(Table({0: ("bytes", data)}))
        return len(self.buffers) - 1

    def tensor(self, kind, shape=None, scale=None, zero=0, axis=0, data=None, **fields):
        table = Table({1: ("i8", TYPES[kind][0]), 2: ("u32", 0), 3: ("str", f"t{len(self.tensors)}")})
        if shape is not None:
            table[0] = ("[i32]", list(shape))
        if data is not None:
            table[2] = ("u32", self.buffer(data))
        if scale is not None:
            scales = list(scale) if isinstance(scale, (list, tuple)) else [scale]
            zeros = list(zero) if isinstance(zero, (list, tuple)) else [zero] * len(scales)
            table[4] = ("table", Table({2: ("[f32]", scales), 3: ("[i64]", zeros), 6: ("i32", axis)}))
        table.update(fields.get("extra", {}))
        self.tensors.append(table)
        return len(self.tensors) - 1

    def input(self, kind, shape, values=None, low=None, high=None, **quant):
        index = self.tensor(kind, shape, **quant)
        values = self.random(kind, shape, low, high) if values is None else values
        self.inputs.append(index)
        self.data.append(self.pack(kind, values))
        return index

    def const(self, kind, shape, values=None, low=None, high=None, **quant):
        values = self.random(kind, shape, low, high) if values is None else values
        return self.tensor(kind, shape, data=self.pack(kind, values), **quant)

    def ints(self, values):
        return self.const("i32", (len(values),), values)

    def output(self, *tensors):
        self.outputs += tensors
        return self

    def code(self, operator, version):
        if operator in OPERATORS:
            number = OPERATORS[operator][0]
            entry = Table({0: ("i8", min(number, 127)), 2: ("i32", version), 3: ("i32", number)})
        else:
            entry = Table({0: ("i8", 32), 1: ("str", operator), 2: ("i32", version), 3: ("i32", 32)})
        if entry not in self.codes:
            self.codes.append(entry)
        return self.codes.index(entry)

    def op(self, operator, inputs, outputs, custom=None, version=1, **options):
        """Appends an operator; options by their names in OPERATORS. Returns its first output."""
        table = Table({0: ("u32", self.code(operator, version)), 1: ("[i32]", list(inputs)),
                       2: ("[i32]", list(outputs))})
        if custom is not None:
            table[5] = ("bytes", custom)
        elif OPERATORS[operator][1]:
            fields = Table()
            for number, field in enumerate(OPERATORS[operator][2].split()):
                name, kind = field.split(":")
                if name in options:
                    value = options.pop(name)
                    fields[number] = (kind, NAMED[name][value] if name in NAMED else value)
            table[3] = ("u8", OPERATORS[operator][1])
            table[4] = ("table", fields)
        if options:
            raise ValueError(f"{operator} has no options {options}")
        self.operators.append(table)
        return outputs[0]

    def bytes(self):
        subgraph = Table({0: ("[table]", self.tensors), 1: ("[i32]", self.inputs), 2: ("[i32]", self.outputs),
                          3: ("[table]", self.operators), 4: ("str", "main")})
        root = Table({0: ("u32", 3), 1: ("[table]", self.codes), 2: ("[table]", [subgraph]), 3: ("str", self.name),
                      4: ("[table]", self.buffers)})
        if self.metadata:
            root[6] = ("[table]", [Table({0: ("str", name), 1: ("u32", buffer)}) for name, buffer in self.metadata])
        return flatbuffer(root, b"TFL3") + self.tail
