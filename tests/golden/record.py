#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prints a line of pattern.txt: record.py efficientnet-lite0|mobilenetv3-3class|ssd-mobilenet-v2-oidv4 FILE

What the model's reference runtime answers for the picture of pattern.c: torch with efficientnet_lite_pytorch or
torchvision, in double precision, or LiteRT. Nothing else here needs these packages.
"""
import struct
import sys

import numpy as np

IMAGENET = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
HALF = ([127.5] * 3, [127.5] * 3)


def picture(size, mean, std):
    y, x, c = np.meshgrid(np.arange(size), np.arange(size), np.arange(3), indexing="ij")
    byte = (x * 255 // size + y * 3 * (c + 1) + (x * y * (c + 2) >> 5)) & 255
    return ((byte.astype(np.float32) - np.float32(mean)) / np.float32(std)).astype(np.float32)[None]


def run_torch(model, image):
    import torch
    with torch.no_grad():
        return [model.double().eval()(torch.from_numpy(image).permute(0, 3, 1, 2).double()).numpy()]


def efficientnet(path):
    import torch
    from efficientnet_lite_pytorch import EfficientNet
    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(path, map_location="cpu"))
    return HALF, run_torch(model, picture(224, *HALF))


def read_gguf(data):
    """Tensors of a GGUF file of float32 and float16 (ggml's docs/gguf.md), by name, flat."""
    at = 8

    def take(kind):
        nonlocal at
        at += struct.calcsize("<" + kind)
        return struct.unpack_from("<" + kind, data, at - struct.calcsize("<" + kind))[0]

    def text():
        nonlocal at
        length = take("Q")
        at += length
        return data[at - length:at].decode()

    def value(kind):
        if kind == 8:
            return text()
        if kind == 9:
            inner, count = take("I"), take("Q")
            return [value(inner) for _ in range(count)]
        return take("BbHhIif?  Qqd"[kind])

    tensors, pairs = take("Q"), take("Q")
    metadata = {text(): value(take("I")) for _ in range(pairs)}
    entries = []
    for _ in range(tensors):
        name, rank = text(), take("I")
        shape = [take("Q") for _ in range(rank)]
        entries.append((name, int(np.prod(shape)), np.float16 if take("I") == 1 else np.float32, take("Q")))
    start = -(-at // metadata.get("general.alignment", 32)) * metadata.get("general.alignment", 32)
    return {name: np.frombuffer(data, kind, count, start + offset).astype(np.float32)
            for name, count, kind, offset in entries}


def three_classes(path):
    import torch
    import torchvision
    model = torchvision.models.mobilenet_v3_small(num_classes=3)
    with open(path, "rb") as file:
        tensors = {name: torch.from_numpy(data) for name, data in read_gguf(file.read()).items()}
    state = {name: tensors[name].reshape(value.shape) if name in tensors else value
             for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    return IMAGENET, run_torch(model, picture(224, *IMAGENET))


def detector(path):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    interpreter = Interpreter(model_path=path, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture(300, *HALF))
    interpreter.invoke()
    return HALF, [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


RUN = {"efficientnet-lite0": efficientnet, "mobilenetv3-3class": three_classes, "ssd-mobilenet-v2-oidv4": detector}


def main():
    name, path = sys.argv[1:]
    (mean, std), outputs = RUN[name](path)
    for number, output in enumerate(outputs):
        flat = output.ravel()
        chosen = sorted({int(flat.argmax()), int(flat.argmin()), *range(0, flat.size, max(1, flat.size // 40))})
        pairs = " ".join(f"{i} {flat[i]:.7g}" for i in chosen)
        print(name, number, *mean, *std, f"{np.ptp(flat):.6g}", pairs)


main()
