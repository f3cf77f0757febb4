# SPDX-License-Identifier: MIT
"""Small models and pictures with answers that can be told by heart, and the command to try on them, which is the
tests' first argument."""
import json
import os
import pathlib
import shlex
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "conformance"))
from tflite_writer import Model, Rng  # noqa: E402, F401

# Cross-built, Meson says how it is run, as long as it is an argument.
PIPIT = [*shlex.split(os.environ.get("MESON_EXE_WRAPPER", "")), os.path.abspath(sys.argv.pop(1))]
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def png(width, height, colour):
    """A picture of one colour, or of those that colour(x, y) gives."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    if callable(colour):
        rows = b"".join(b"\0" + b"".join(bytes(colour(x, y)) for x in range(width)) for y in range(height))
    else:
        rows = (b"\0" + bytes(colour) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def png_size(data):
    return struct.unpack(">II", data[16:24])


def colours(kind="u8", side=8):
    """Answers with the mean of each channel: classes red, green and blue."""
    model = Model("colours")
    quant = {"scale": 1 / 255} if kind == "u8" else {}
    picture = model.input(kind, (1, side, side, 3), low=0, high=1, **quant)
    mean = model.tensor(kind, (1, 3), **quant)
    model.op("MEAN", [picture, model.ints([1, 2])], [mean])
    return model.output(mean).bytes()


def two_inputs():
    """The sum of two inputs of three floats."""
    model = Model("sum")
    a, b = model.input("f32", (1, 3)), model.input("f32", (1, 3))
    total = model.tensor("f32", (1, 3))
    model.op("ADD", [a, b], [total], act="NONE")
    return model.output(total).bytes()


def refused():
    """Has an operator that does not exist."""
    model = Model("refused")
    picture, out = model.input("f32", (1, 8, 8, 3)), model.tensor("f32", (1, 8, 8, 3))
    model.op("NoSuchOperator", [picture], [out], custom=b"")
    return model.output(out).bytes()


def _whatever_the_picture(model, mean, values, shape):
    """A tensor of these values that the input has no influence on."""
    nothing, out = model.tensor("f32", shape), model.tensor("f32", shape)
    count = len(values)
    model.op("MUL", [mean, model.const("f32", shape, [0.0] * count)], [nothing], act="NONE")
    model.op("ADD", [nothing, model.const("f32", shape, values)], [out], act="NONE")
    return out


def flexbuffer(values):
    """A FlexBuffers map of integers and floats, all 4 bytes wide."""
    keys, out = sorted(values), bytearray()
    places = {}
    for key in keys:
        places[key] = len(out)
        out += key.encode() + b"\0"
    while len(out) % 4:
        out.append(0)
    out += struct.pack("<I", len(keys))
    vector = len(out)
    for key in keys:
        out += struct.pack("<I", len(out) - places[key])
    out += struct.pack("<III", len(out) - vector, 4, len(keys))
    root = len(out)
    for key in keys:
        out += struct.pack("<f" if isinstance(values[key], float) else "<i", values[key])
    out += bytes((3 << 2 | 2) if isinstance(values[key], float) else (1 << 2 | 2) for key in keys)
    out += struct.pack("<I", len(out) - root)
    return bytes(out + bytes((9 << 2 | 2, 4)))


def _heads(scores):
    """Four anchors' boxes as they are, and three classes' scores for each."""
    model = Model("detector")
    picture = model.input("u8", (1, 8, 8, 3), scale=1 / 127.5, zero=127)
    real, mean = model.tensor("f32", (1, 8, 8, 3)), model.tensor("f32", (1, 1, 1))
    model.op("DEQUANTIZE", [picture], [real])
    small = model.tensor("f32", (1, 1, 1, 1))
    model.op("MEAN", [real, model.ints([1, 2, 3])], [small], keep_dims=1)
    model.op("RESHAPE", [small, model.ints([1, 1, 1])], [mean])
    boxes = _whatever_the_picture(model, mean, [0.0] * 16, (1, 4, 4))
    return model, boxes, _whatever_the_picture(model, mean, scores, (1, 4, 3))


def raw_heads():
    """Raw SSD heads: class 1 in the first anchor, class 2 in the last, as logits."""
    model, boxes, scores = _heads([-9.0, 2.0, -9.0, *[-9.0] * 6, -9.0, -9.0, 1.0])
    return model.output(boxes, scores).bytes()


RAW_CARD = """[model]
title = Raw heads
task = detect
file = raw.tflite
[output]
decoder = ssd
threshold = 0.6
background = 0
[ssd]
grids = 2
min_scale = 0.5
max_scale = 0.5
aspects = 1
divisors = 10 10 5 5
"""


def detector():
    """The same through TFLite_Detection_PostProcess, which counts classes from 0 behind the background."""
    model, boxes, scores = _heads([0.0, 0.9, 0.0, *[0.0] * 6, 0.0, 0.0, 0.7])
    anchors = model.const("f32", (4, 4), [v for y in (0.25, 0.75) for x in (0.25, 0.75) for v in (y, x, 0.5, 0.5)])
    outs = [model.tensor("f32", shape) for shape in ((1, 4, 4), (1, 4), (1, 4), (1,))]
    options = {"max_detections": 4, "max_classes_per_detection": 1, "num_classes": 2, "nms_score_threshold": 0.1,
               "nms_iou_threshold": 0.5, "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0}
    model.op("TFLite_Detection_PostProcess", [boxes, scores, anchors], outs, custom=flexbuffer(options))
    return model.output(*outs).bytes()


class CommandTest(unittest.TestCase):
    """Runs the command in an empty folder, in an environment with no models but those of the test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.environment = {"PATH": os.environ["PATH"], "HOME": folder.name, "PIPIT_MODELS": str(self.folder / "cards"),
                            "OMP_WAIT_POLICY": "passive", "PIPIT_SYSFS": str(self.folder / "sys"),
                            "LSAN_OPTIONS": f"suppressions={ROOT}/tests/app/leaks.txt:print_suppressions=0",
                            "TSAN_OPTIONS": f"suppressions={ROOT}/tests/app/races.txt:print_suppressions=0"}
        self.environment.update((key, os.environ[key]) for key in ("QEMU_CPU", "LD_LIBRARY_PATH", "ASAN_OPTIONS",
                                                                   "UBSAN_OPTIONS", "OMP_THREAD_LIMIT") if key in os.environ)

    def write(self, name, data):
        path = self.folder / name if isinstance(name, str) else pathlib.Path(os.fsdecode(os.fsencode(self.folder) + b"/" + name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path.name if path.parent == self.folder else str(path.relative_to(self.folder))

    def command(self, *arguments):
        return [*PIPIT, *map(str, arguments)]

    def pipit(self, *arguments, status=0, **options):
        """Runs it, checks the exit status, returns what it wrote (stdout, stderr)."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **options}
        if "input" in options:
            del options["stdin"]
        done = subprocess.run(self.command(*arguments), stderr=subprocess.PIPE, cwd=self.folder, timeout=120, check=False,
                              env=self.environment, **options)
        errors = done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, status, f"{arguments}: {errors}")
        self.assertNotIn("Sanitizer", errors)
        return (done.stdout or b"").decode(errors="surrogateescape"), errors

    def lines(self, *arguments, **options):
        """The JSON objects that it wrote."""
        out, _ = self.pipit(*arguments, "--json", **options)
        return [json.loads(line, parse_constant=lambda word: self.fail(f"{word} is no JSON")) for line in out.splitlines()]
