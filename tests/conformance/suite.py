#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes the conformance suite: suite.py OUT.bin packs every case's model, inputs and expected outputs for `conformance`;
suite.py --models FOLDER STEP writes every STEPth model alone, as seeds for fuzzing.

OUT.bin, little-endian: "PCS1", u32 cases; a case is
  str name; f32 tolerance; i32 steps; i32 status; str message; str model; u32 inputs; str each; u32 outputs; each
  u32 type (enum pipit_type), u32 rank, i32 each dimension, str data;   str: u32 length, bytes
"""
import base64
import os
import struct
import sys
import zlib

import cases_arith
import cases_conv
import cases_moves
import cases_nets

FAMILIES = {"conv": cases_conv, "arith": cases_arith, "moves": cases_moves, "nets": cases_nets}
PIPIT_TYPES = {"f32": 0, "f16": 1, "u8": 2, "i8": 3, "i16": 4, "i32": 5, "i64": 6, "bool": 7}
HERE = os.path.dirname(os.path.abspath(__file__))


def checksum(model):
    return f"{zlib.crc32(model.bytes() + b''.join(model.data)):08x}"


def expected_path(family):
    return os.path.join(HERE, "expected", family + ".txt")


def unpack(field):
    """"i8 1x3 AP+A" -> type, shape, bytes."""
    kind, shape, data = field.split(" ")
    return kind, [int(n) for n in shape.split("x")] if shape != "-" else [], base64.b64decode(data)


def read_expected(family):
    """Name -> (checksum, outputs)."""
    found = {}
    with open(expected_path(family), encoding="ascii") as lines:
        for line in lines:
            head, *outputs = line.rstrip("\n").split("|")
            name, crc = head.split()
            found[name] = (crc, [unpack(output) for output in outputs])
    return found


def text(data):
    return struct.pack("<I", len(data)) + data


def pack_case(model, outputs):
    status, message = model.refused or (0, "")
    out = text(model.name.encode()) + struct.pack("<fii", model.tolerance, model.steps, status)
    out += text(message.encode()) + text(model.bytes())
    out += struct.pack("<I", len(model.data)) + b"".join(map(text, model.data)) + struct.pack("<I", len(outputs))
    for kind, shape, data in outputs:
        out += struct.pack(f"<II{len(shape)}i", PIPIT_TYPES[kind], len(shape), *shape) + text(data)
    return out


def pack_family(family):
    expected = read_expected(family)
    packed = []
    for model in FAMILIES[family].cases():
        crc, outputs = expected.pop(model.name, (None, [])) if not model.refused else (checksum(model), [])
        if crc != checksum(model):
            sys.exit(f"{model.name}: its expected output is missing or of another model; run record.py")
        packed.append(pack_case(model, outputs))
    if expected:
        sys.exit(f"{expected_path(family)}: no such cases: {' '.join(expected)}")
    return packed


def main():
    if sys.argv[1] == "--models":
        os.makedirs(sys.argv[2], exist_ok=True)
        models = [model for module in FAMILIES.values() for model in module.cases()]
        for model in models[::int(sys.argv[3])]:
            with open(os.path.join(sys.argv[2], model.name + ".tflite"), "wb") as out:
                out.write(model.bytes())
        return
    packed = [case for family in FAMILIES for case in pack_family(family)]
    with open(sys.argv[1], "wb") as out:
        out.write(b"PCS1" + struct.pack("<I", len(packed)) + b"".join(packed))


if __name__ == "__main__":
    main()
