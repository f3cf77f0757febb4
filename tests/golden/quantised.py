#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Quantises a fetched model with the photos that are there: quantised.py PIPIT MODEL FILE FOLDER... [--litert]

The answers must stay what they are. With --litert, LiteRT's reference kernels must answer with the same bytes as
Pipit for the file that was made; that needs the Python package ai-edge-litert, which tests/bench/peers fetches.
"""
import glob
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
from counting import cache  # noqa: E402


def skip(reason):
    print(reason)
    sys.exit(77)


def lines(*command):
    done = subprocess.run([*map(str, command), "--json"], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_answers(report):
    answers = report["answers"]
    print(json.dumps({key: report[key] for key in ("model", "photos", "float_bytes", "bytes", "answers")}))
    if "objects" in answers:
        assert answers["objects"] and answers["matched"] >= 0.7 * answers["objects"], "objects were lost"
        assert answers["extra"] <= 0.3 * answers["objects"], "objects came up"
        assert answers["overlap"] > 0.85, "boxes moved"
    else:
        assert answers["same_best"] >= 0.85 * answers["photos"], "best names changed"
    assert answers["score_change"] < 0.12, "scores changed"
    assert report["bytes"] < 0.7 * report["float_bytes"], "it is no smaller"


def interpreter():
    sys.path += sorted(glob.glob(cache(f"python{sys.version_info[0]}{sys.version_info[1]}-????????")))
    try:
        import numpy
        from ai_edge_litert import interpreter as module
    except ImportError:
        skip("the Python package ai-edge-litert is not here; tests/bench/peers fetches it")
    return numpy, module


def check_litert(pipit, path, folder):
    numpy, module = interpreter()
    runtime = module.Interpreter(str(path), num_threads=1,
                                 experimental_op_resolver_type=module.OpResolverType.BUILTIN_REF)
    runtime.allocate_tensors()
    detail, = runtime.get_input_details()
    rng = numpy.random.default_rng(1)
    values = rng.integers(-128, 128, detail["shape"]).astype(numpy.int8)
    if detail["dtype"] == numpy.float32:
        values = rng.uniform(-1, 1, detail["shape"]).astype(numpy.float32)
    runtime.set_tensor(detail["index"], values)
    runtime.invoke()
    values.tofile(folder / "input")
    lines(pipit, "infer", path, folder / "input", "--tensor", "--output-dir", folder)
    for i, output in enumerate(runtime.get_output_details()):
        expected = runtime.get_tensor(output["index"])
        got = numpy.fromfile(folder / f"out{i}.bin", expected.dtype).reshape(expected.shape)
        print(f"output {i}: {expected.shape}, largest difference {abs(got - expected).max()}")
        assert numpy.array_equal(got, expected), "LiteRT's answer is another"


def main():
    litert = "--litert" in sys.argv
    pipit, model, file, *folders = [argument for argument in sys.argv[1:] if argument != "--litert"]
    folders = [folder for folder in folders if os.path.isdir(folder)]
    if not os.path.exists(file) or not folders:
        skip(f"{model} or photos for it are not here")
    with tempfile.TemporaryDirectory() as place:
        path = pathlib.Path(place) / "int8.tflite"
        report, = lines(pipit, "quantize", model, *folders, "-o", path)
        if litert:
            check_litert(pipit, path, pathlib.Path(place))
        else:
            check_answers(report)


main()
