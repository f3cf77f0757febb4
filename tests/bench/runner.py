# SPDX-License-Identifier: MIT
"""Runs a peer as runner.c runs Pipit: runner.py ENGINE MODEL PRECISION THREADS PICTURE; its commands are there."""
import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # numpy would start a thread

import numpy as np  # noqa: E402


def quantised(picture, scale, zero_point, kind):
    limits = np.iinfo(kind)
    return np.clip(np.rint(picture / scale) + zero_point, limits.min, limits.max).astype(kind)


class LiteRT:
    def __init__(self):
        from ai_edge_litert import interpreter
        self.make, self.kernels = interpreter.Interpreter, interpreter.OpResolverType.AUTO

    def open(self, path, precision, threads):
        self.interpreter = self.make(model_path=path, num_threads=threads, experimental_op_resolver_type=self.kernels)
        self.interpreter.allocate_tensors()
        self.entry = self.interpreter.get_input_details()[0]

    def prepare(self, picture):
        scale, zero_point = self.entry["quantization"]
        data = quantised(picture, scale, zero_point, self.entry["dtype"]) if scale else picture
        self.interpreter.set_tensor(self.entry["index"], data.reshape(self.entry["shape"]))

    def run(self):
        self.interpreter.invoke()

    def answer(self):
        for detail in self.interpreter.get_output_details():
            value, (scale, zero_point) = self.interpreter.get_tensor(detail["index"]), detail["quantization"]
            yield (value.astype(np.float32) - zero_point) * np.float32(scale) if scale else value


class Reference(LiteRT):
    """LiteRT without XNNPACK, whose roundings in 8 bits are others than the format's specification says."""

    def __init__(self):
        super().__init__()
        from ai_edge_litert.interpreter import OpResolverType
        self.kernels = OpResolverType.BUILTIN_REF


class OnnxRuntime:
    def __init__(self):
        import onnxruntime
        onnxruntime.set_default_logger_severity(3)
        self.module = onnxruntime

    def open(self, path, precision, threads):
        options = self.module.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self.session = self.module.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def prepare(self, picture):
        self.feed = {"input": np.ascontiguousarray(picture.transpose(2, 0, 1)[None])}

    def run(self):
        self.result = self.session.run(None, self.feed)

    def answer(self):
        return self.result


class Ncnn:
    def __init__(self):
        import ncnn
        self.module = ncnn

    def open(self, path, precision, threads):
        self.net = self.module.Net()
        options = self.net.opt
        options.num_threads = threads
        for name in "use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic":
            setattr(options, name, precision == "float16")
        options.use_bf16_storage = precision == "bfloat16"
        self.net.load_param(path + ".param")
        self.net.load_model(path + ".bin")

    def prepare(self, picture):
        planes = np.ascontiguousarray(picture.transpose(2, 0, 1))  # a Mat of an array does not keep the array alive
        self.input = self.module.Mat(planes).clone()

    def run(self):
        self.extractor = extractor = self.net.create_extractor()  # owns the memory of what it answers
        extractor.input("in0", self.input)
        self.result = extractor.extract("out0")[1]

    def answer(self):
        return [np.array(self.result)]


def resident_kib(key):
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key))


def forget_peak():
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    except OSError:
        pass


def obey(engine, line, before):
    word, _, argument = line.partition(" ")
    if word == "run":
        times = []
        for _ in range(int(argument)):
            start = time.perf_counter()
            engine.run()
            times.append(f"{(time.perf_counter() - start) * 1e3:.6f}")
        return " ".join(times)
    if word == "answer":
        np.concatenate([np.float32(part).reshape(-1) for part in engine.answer()]).tofile(argument)
        return "written"
    return f"{before} {resident_kib('VmHWM')}"


def main():
    name, path, precision, threads, picture = sys.argv[1:]
    engine = {"litert": LiteRT, "reference": Reference, "onnxruntime": OnnxRuntime, "ncnn": Ncnn}[name]()
    pixels = np.fromfile(picture, np.uint8)
    side = round((pixels.size / 3) ** 0.5)
    pixels = pixels.reshape(side, side, 3).astype(np.float32) / np.float32(127.5) - 1
    forget_peak()
    before = resident_kib("VmRSS")
    start = time.perf_counter()
    engine.open(path, precision, int(threads))
    opened = time.perf_counter() - start
    engine.prepare(pixels)
    start = time.perf_counter()
    engine.run()
    print(f"ready {(opened + time.perf_counter() - start) * 1e3:.6f}", flush=True)
    for line in sys.stdin:
        print(obey(engine, line.rstrip("\n"), before), flush=True)


if __name__ == "__main__":
    main()
