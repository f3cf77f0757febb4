# SPDX-License-Identifier: MIT
"""Reads TensorFlow Lite files (flatbuffers.dev, "Internals"; field numbers of tensorflow/lite/schema/schema.fbs)."""
import struct
from types import SimpleNamespace

INT8, INT32, FLOAT32 = 9, 2, 0


class Table:
    def __init__(self, data, at):
        self.data, self.at = data, at
        self.vtable = at - struct.unpack_from("<i", data, at)[0]
        self.slots = struct.unpack_from("<H", data, self.vtable)[0] // 2 - 2

    def place(self, field):
        offset = struct.unpack_from("<H", self.data, self.vtable + 4 + 2 * field)[0] if field < self.slots else 0
        return self.at + offset if offset else None

    def scalar(self, field, kind, default=0):
        at = self.place(field)
        if at is None:
            return default
        if at % struct.calcsize(kind):
            raise ValueError(f"field {field} is not aligned")
        return struct.unpack_from("<" + kind, self.data, at)[0]

    def target(self, field):
        at = self.place(field)
        return None if at is None else at + struct.unpack_from("<I", self.data, at)[0]

    def table(self, field):
        at = self.target(field)
        return None if at is None else Table(self.data, at)

    def vector(self, field, kind):
        at = self.target(field)
        if at is None:
            return []
        count, size = struct.unpack_from("<I", self.data, at)[0], struct.calcsize(kind)
        if at % 4 or (at + 4) % size:
            raise ValueError(f"vector {field} is not aligned")
        return list(struct.unpack_from(f"<{count}{kind}", self.data, at + 4))

    def text(self, field):
        return bytes(self.vector(field, "B")).decode()

    def tables(self, field):
        start, places = self.target(field), self.vector(field, "I")
        return [Table(self.data, start + 4 + 4 * i + offset) for i, offset in enumerate(places)]


def read_tflite(data):
    """Tensors (name, type, shape, scale, zero, axis, data), operators (builtin, custom, version, inputs, outputs),
    inputs and outputs."""
    if data[4:8] != b"TFL3":
        raise ValueError("no TFL3")
    model = Table(data, struct.unpack_from("<I", data)[0])
    graph, codes = model.tables(2)[0], model.tables(1)
    buffers = [bytes(buffer.vector(0, "B")) for buffer in model.tables(4)]
    tensors = []
    for tensor in graph.tables(0):
        quant = tensor.table(4)
        tensors.append(SimpleNamespace(
            name=tensor.text(3), type=tensor.scalar(1, "b"), shape=tensor.vector(0, "i"), data=buffers[tensor.scalar(2, "I")],
            scale=quant.vector(2, "f") if quant else [], zero=quant.vector(3, "q") if quant else [],
            axis=quant.scalar(6, "i") if quant else 0))
    operators = []
    for operator in graph.tables(3):
        code = codes[operator.scalar(0, "I")]
        operators.append(SimpleNamespace(
            builtin=max(code.scalar(0, "b"), code.scalar(3, "i")), custom=code.text(1), version=code.scalar(2, "i"),
            inputs=[tensors[i] if i >= 0 else None for i in operator.vector(1, "i")],
            outputs=[tensors[i] for i in operator.vector(2, "i")]))
    return SimpleNamespace(tensors=tensors, operators=operators, inputs=[tensors[i] for i in graph.vector(1, "i")],
                           outputs=[tensors[i] for i in graph.vector(2, "i")])
