#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes expected/FAMILY.txt: what LiteRT's reference kernels answer for the cases. record.py [FAMILY]...

A line is the case's name, a checksum of its model and inputs, and for each output type, shape and base64 of its bytes.

Needs the Python package ai-edge-litert, which nothing else here does. The recorded files are of version 2.3.0.
"""
import base64
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import suite

NAMES = {"float32": "f32", "float16": "f16", "uint8": "u8", "int8": "i8", "int16": "i16", "int32": "i32",
         "int64": "i64", "bool": "bool"}


def run(model, resolver):
    interpreter = Interpreter(model_content=model.bytes(), num_threads=1, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    for detail, data in zip(interpreter.get_input_details(), model.data):
        interpreter.set_tensor(detail["index"], np.frombuffer(data, detail["dtype"]).reshape(detail["shape"]))
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def answer(model):
    """A few operators have no entry among the reference kernels; the optimised set's are the same functions. And SUM of
    int8 gives -1 for everything there."""
    try:
        if model.name.startswith("sum_i8"):
            return run(model, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
        return run(model, OpResolverType.BUILTIN_REF)
    except (RuntimeError, ValueError) as error:
        if "Registration failed" not in str(error):
            raise
        return run(model, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)


def pack(array):
    shape = "x".join(map(str, array.shape)) or "-"
    return f"{NAMES[array.dtype.name]} {shape} {base64.b64encode(array.tobytes()).decode()}"


def main():
    for family in sys.argv[1:] or suite.FAMILIES:
        lines = []
        for model in suite.FAMILIES[family].cases():
            if model.refused:
                continue
            try:
                outputs = answer(model)
            except (RuntimeError, ValueError) as error:
                print(f"{model.name}: {str(error).splitlines()[-1]}")
                continue
            lines.append(f"{model.name} {suite.checksum(model)}|" + "|".join(map(pack, outputs)) + "\n")
        with open(suite.expected_path(family), "w", encoding="ascii") as out:
            out.writelines(lines)
        print(f"{family}: {len(lines)} cases, {sum(map(len, lines))} bytes")


main()
