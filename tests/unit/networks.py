#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prints the logits that test_nets.c expects: torch's answers for the values that networks.c makes from names.

Needs torch, torchvision and efficientnet-lite-pytorch, so it is no part of the tests; run it when a case is added.
"""

import numpy as np
import torch
import torchvision.models as models
from efficientnet_lite_pytorch import EfficientNet

MASK = (1 << 64) - 1


def named_values(name, count):
    """networks.c's named_values(): SplitMix64 on the name's FNV-1a hash."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(state) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = (z ^ (z >> np.uint64(31))) >> np.uint64(40)
    return z.astype(np.float32) * np.float32(2**-23) - np.float32(1)


def fill(model):
    """networks.c's make_values() for every tensor of the model."""
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        around_one = name.endswith("running_var") or (tensor.ndim == 1 and name.endswith("weight"))
        inputs = int(np.prod(tensor.shape[1:]))
        bound = np.float32(np.sqrt(6.0 / inputs)) if tensor.ndim > 1 else np.float32(0.25)
        values = named_values(name, tensor.numel()) * bound + np.float32(around_one)
        tensor.copy_(torch.from_numpy(values.reshape(tuple(tensor.shape))))
    return model.eval().double()


def lite(variant, width):
    return EfficientNet.from_name(f"efficientnet-lite{variant}", width_coefficient=width, num_classes=5)


CASES = [
    ("NET_V2, 0.1", 224, models.mobilenet_v2(num_classes=5, width_mult=0.1)),
    ("NET_V3_SMALL, 0.25", 224, models.mobilenet_v3_small(num_classes=5, width_mult=0.25)),
    ("NET_V3_LARGE, 0.2", 224, models.mobilenet_v3_large(num_classes=5, width_mult=0.2)),
    ("NET_LITE0, 0.25", 224, lite(0, 0.25)),
    ("NET_LITE3, 0.25", 280, lite(3, 0.3)),  # the family's own 1.2 times 0.25
]

for case, size, network in CASES:
    pixels = torch.from_numpy(named_values("input", size * size * 3).reshape(1, size, size, 3))
    with torch.no_grad():
        logits = fill(network)(pixels.permute(0, 3, 1, 2).double())[0].numpy()
    print("{%s, {%s}}," % (case, ", ".join("%.8gf" % value for value in logits)))
