# SPDX-License-Identifier: MIT
"""CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED in every kind of arithmetic."""
from tflite_writer import Model, elements

KINDS = ("f32", "u8", "i8", "i8pc", "hybrid", "hybridpc")


def weights(m, kind, shape, axis, in_scale, hybrid_axis=None):
    """Weights of that kind, and their scales (None for float)."""
    channels = shape[axis]
    if kind == "f32":
        return m.const("f32", shape), None
    if kind == "f16":
        half = m.const("f16", shape)
        return m.op("DEQUANTIZE", [half], [m.tensor("f32", shape)]), None
    if kind == "u8":
        return m.const("u8", shape, scale=0.02, zero=m.rng.ints(1, 100, 150)[0]), [0.02]
    each = kind in ("i8pc", "hybridpc")
    scales = m.rng.floats(channels if each else 1, 0.005, 0.03)
    return m.const("i8", shape, low=-127, scale=scales, axis=axis), scales


def product(m, operator, kind, shape, weight_shape, axis, channels, bias=True, out_scale=None, act="NONE",
            fan=None, low=None, high=None, swap=False, before=(), **options):
    """One operator of input times weights. Returns the model."""
    fan = fan or elements(weight_shape) // channels
    if kind in ("u8", "i8", "i8pc"):
        base = kind[:2]
        in_zero = m.rng.ints(1, 100, 150)[0] - (0 if base == "u8" else 128)
        x = m.input(base, shape, scale=0.05, zero=in_zero, low=low, high=high)
        w, scales = weights(m, kind, weight_shape, axis, 0.05)
        scale = out_scale or 0.05 * scales[0] * 75 * 75 * fan ** 0.5 / 90
        out_zero = m.rng.ints(1, 90, 160)[0] - (0 if base == "u8" else 128)
        y = m.tensor(base, scale=scale, zero=out_zero)
        bias_scales = [0.05 * s for s in scales]
        b = m.const("i32", (channels,), low=-3000, high=3000, scale=bias_scales, zero=0) if bias else -1
    else:
        x = m.input("f32", shape, low=low, high=high)
        w, _ = weights(m, kind, weight_shape, axis, 1)
        y = m.tensor("f32")
        b = m.const("f32", (channels,)) if bias else -1
    inputs = list(before) + ([w, x] if swap else [x, w]) + ([b] if bias else [])
    m.op(operator, inputs, [y], act=act, **options)
    return m.output(y)


def conv(name, kind, shape, size, channels, stride=(1, 1), dilation=(1, 1), padding="SAME", depth=None, version=3,
         **more):
    depth = depth or shape[3]
    return product(Model(name), "CONV_2D", kind, shape, (channels, *size, depth), 0, channels, padding=padding,
                   stride_h=stride[0], stride_w=stride[1], dilation_h=dilation[0], dilation_w=dilation[1],
                   version=version, **more)


def depthwise(name, kind, shape, size, multiplier=1, stride=(1, 1), dilation=(1, 1), padding="SAME", **more):
    channels = shape[3] * multiplier
    return product(Model(name), "DEPTHWISE_CONV_2D", kind, shape, (1, *size, channels), 3, channels, padding=padding,
                   stride_h=stride[0], stride_w=stride[1], dilation_h=dilation[0], dilation_w=dilation[1],
                   multiplier=multiplier, **more)


def fully(name, kind, shape, channels, depth=None, version=4, **more):
    depth = depth or shape[-1]
    return product(Model(name), "FULLY_CONNECTED", kind, shape, (channels, depth), 0, channels, version=version,
                   **more)


def transposed(name, kind, shape, size, channels, stride, out, padding="SAME", version=1, **more):
    m = Model(name)
    before = [m.ints([shape[0], *out, channels])]
    return product(m, "TRANSPOSE_CONV", kind, shape, (channels, *size, shape[3]), 0, channels, before=before, swap=True,
                   padding=padding, stride_h=stride[0], stride_w=stride[1], version=version,
                   fan=size[0] * size[1] * shape[3] // stride[0] // stride[1] or 1, **more)


def convolutions():
    for kind in KINDS:
        yield conv(f"conv_{kind}_1x1", kind, (1, 3, 4, 5), (1, 1), 7)
        yield conv(f"conv_{kind}_3x3", kind, (1, 5, 4, 3), (3, 3), 4, act="RELU6")
        yield conv(f"conv_{kind}_3x3_stride2", kind, (1, 7, 6, 3), (3, 3), 5, (2, 2), act="RELU")
        yield conv(f"conv_{kind}_5x5_valid", kind, (1, 7, 8, 2), (5, 5), 3, padding="VALID")
        yield conv(f"conv_{kind}_dilated", kind, (1, 7, 7, 2), (3, 3), 3, dilation=(2, 2))
        yield conv(f"conv_{kind}_dilated_valid", kind, (1, 8, 9, 1), (3, 2), 2, dilation=(3, 2), padding="VALID")
        yield conv(f"conv_{kind}_odd_strides", kind, (1, 6, 9, 2), (2, 3), 3, (1, 3), padding="VALID")
        yield conv(f"conv_{kind}_batch", kind, (2, 3, 3, 4), (1, 3), 3, act="RELU_N1_TO_1")
        yield conv(f"conv_{kind}_wide", kind, (1, 2, 2, 33), (1, 1), 35)
    for kind in ("f32", "u8", "i8", "i8pc"):
        yield conv(f"conv_{kind}_one_pixel", kind, (1, 1, 1, 64), (1, 1), 21)
        yield conv(f"conv_{kind}_kernel_above_input", kind, (1, 2, 3, 4), (5, 7), 3)
        yield conv(f"conv_{kind}_stride_above_kernel", kind, (1, 9, 9, 3), (1, 1), 4, (2, 2))
        yield conv(f"conv_{kind}_stride4", kind, (1, 12, 11, 3), (4, 4), 4, (4, 4))
        yield conv(f"conv_{kind}_one_channel", kind, (1, 6, 6, 1), (3, 3), 8)
        yield conv(f"conv_{kind}_one_output", kind, (1, 4, 4, 8), (3, 3), 1)
        yield conv(f"conv_{kind}_row", kind, (1, 1, 17, 4), (1, 7), 3)
        yield conv(f"conv_{kind}_column", kind, (1, 17, 1, 4), (7, 1), 3, (2, 1))
        yield conv(f"conv_{kind}_dilated_stride", kind, (1, 9, 9, 2), (3, 3), 2, (2, 2), dilation=(2, 2))
        yield conv(f"conv_{kind}_uneven_dilation", kind, (1, 9, 7, 3), (3, 3), 2, dilation=(4, 1))
        yield conv(f"conv_{kind}_tile_edges", kind, (1, 5, 5, 17), (1, 1), 18)
    for kind in ("f32", "i8", "i8pc"):
        yield conv(f"conv_{kind}_groups", kind, (1, 4, 4, 6), (3, 3), 4, depth=3)
        yield conv(f"conv_{kind}_groups_of_one", kind, (1, 4, 4, 3), (3, 3), 6, depth=1)
    for kind in ("u8", "i8", "i8pc"):
        yield conv(f"conv_{kind}_large_multiplier", kind, (1, 3, 3, 4), (1, 1), 5, out_scale=0.00001, low=None)
        yield conv(f"conv_{kind}_multiplier_above_1", kind, (1, 3, 3, 4), (1, 1), 5, out_scale=0.0003)
        yield conv(f"conv_{kind}_multiplier_tiny", kind, (1, 3, 3, 4), (3, 3), 5, out_scale=50.0)
        yield conv(f"conv_{kind}_multiplier_vanishing", kind, (1, 3, 3, 4), (3, 3), 5, out_scale=3e7)
        yield conv(f"conv_{kind}_saturated", kind, (1, 3, 3, 4), (3, 3), 5, out_scale=0.02)
        yield conv(f"conv_{kind}_relu6_narrow", kind, (1, 3, 3, 4), (3, 3), 5, out_scale=0.1, act="RELU6")
        yield conv(f"conv_{kind}_power_of_two", kind, (1, 3, 3, 4), (3, 3), 5, out_scale=0.0625)
    yield conv("conv_f16_3x3", "f16", (1, 5, 4, 3), (3, 3), 4, act="RELU6")


def depthwises():
    yield depthwise("depthwise_f16_3x3", "f16", (1, 5, 6, 5), (3, 3))
    for kind in KINDS:
        if kind == "hybrid":  # the reference wants a scale for each channel
            continue
        yield depthwise(f"depthwise_{kind}_3x3", kind, (1, 5, 6, 5), (3, 3))
        yield depthwise(f"depthwise_{kind}_3x3_stride2", kind, (1, 6, 7, 3), (3, 3), stride=(2, 2), act="RELU6")
        yield depthwise(f"depthwise_{kind}_5x5", kind, (1, 6, 6, 3), (5, 5), act="RELU")
        yield depthwise(f"depthwise_{kind}_multiplier2", kind, (1, 4, 4, 3), (3, 3), 2)
        yield depthwise(f"depthwise_{kind}_dilated", kind, (1, 7, 7, 2), (3, 3), dilation=(2, 2))
        yield depthwise(f"depthwise_{kind}_valid", kind, (1, 6, 7, 4), (3, 3), padding="VALID")
        yield depthwise(f"depthwise_{kind}_no_bias", kind, (1, 4, 3, 3), (3, 3), bias=False)
        yield depthwise(f"depthwise_{kind}_batch", kind, (2, 4, 3, 3), (3, 3))
    for kind in ("f32", "u8", "i8", "i8pc"):
        yield depthwise(f"depthwise_{kind}_one_channel", kind, (1, 6, 6, 1), (3, 3), 8, (2, 2))
        yield depthwise(f"depthwise_{kind}_multiplier5", kind, (1, 3, 3, 2), (2, 2), 5, act="RELU_N1_TO_1")
        yield depthwise(f"depthwise_{kind}_wide", kind, (1, 3, 3, 35), (3, 3))
        yield depthwise(f"depthwise_{kind}_1x1", kind, (1, 3, 3, 8), (1, 1))
        yield depthwise(f"depthwise_{kind}_whole", kind, (1, 7, 7, 4), (7, 7), padding="VALID")
        yield depthwise(f"depthwise_{kind}_odd_strides", kind, (1, 7, 8, 3), (3, 5), 1, (1, 3))
        yield depthwise(f"depthwise_{kind}_dilated4", kind, (1, 9, 9, 2), (3, 3), dilation=(4, 4), padding="VALID")
        yield depthwise(f"depthwise_{kind}_uneven_dilation", kind, (1, 9, 6, 2), (3, 3), 2, dilation=(1, 2))
        yield depthwise(f"depthwise_{kind}_5x5_stride2", kind, (1, 8, 9, 4), (5, 5), stride=(2, 2))
    for kind in ("u8", "i8", "i8pc"):
        yield depthwise(f"depthwise_{kind}_large_multiplier", kind, (1, 3, 3, 4), (3, 3), out_scale=0.00002)
        yield depthwise(f"depthwise_{kind}_multiplier_tiny", kind, (1, 3, 3, 4), (3, 3), out_scale=40.0)
        yield depthwise(f"depthwise_{kind}_saturated", kind, (1, 3, 3, 4), (3, 3), out_scale=0.01)


def fully_connected():
    yield fully("fully_f16", "f16", (1, 19), 7)
    for kind in KINDS:
        yield fully(f"fully_{kind}", kind, (1, 19), 7)
        yield fully(f"fully_{kind}_batch", kind, (3, 8), 5, act="RELU")
        yield fully(f"fully_{kind}_flattens", kind, (1, 2, 2, 3), 4, depth=12)
        yield fully(f"fully_{kind}_no_bias", kind, (2, 6), 9, bias=False)
    for kind in ("f32", "u8", "i8"):
        yield fully(f"fully_{kind}_keep_dims", kind, (1, 3, 2, 5), 4, keep_num_dims=1, version=5)
        yield fully(f"fully_{kind}_folds_rows", kind, (2, 3, 4), 5, depth=4)
        yield fully(f"fully_{kind}_relu6", kind, (1, 40), 33, act="RELU6")
        yield fully(f"fully_{kind}_long", kind, (1, 200), 6)
    for kind in ("u8", "i8", "i8pc"):
        yield fully(f"fully_{kind}_multiplier_above_1", kind, (1, 5), 6, out_scale=0.0002)
    yield fully("fully_hybrid_asymmetric", "hybrid", (2, 24), 7, asymmetric=1, version=9)
    yield fully("fully_hybrid_asymmetric_positive", "hybrid", (2, 24), 7, asymmetric=1, low=0.5, high=6.0, version=9)
    yield fully("fully_hybrid_zero", "hybrid", (2, 24), 7, low=0.0, high=0.0)
    yield fully("fully_hybrid_relu", "hybrid", (3, 17), 5, act="RELU6", low=-9.0, high=9.0)


def transposes():
    for kind in KINDS:
        yield transposed(f"transposed_{kind}_2x2", kind, (1, 3, 2, 3), (2, 2), 4, (2, 2), (6, 4))
        yield transposed(f"transposed_{kind}_no_bias", kind, (1, 3, 3, 2), (3, 3), 3, (1, 1), (3, 3), bias=False)
        yield transposed(f"transposed_{kind}_3x3_same", kind, (1, 3, 4, 2), (3, 3), 3, (2, 2), (6, 8), bias=False)
        yield transposed(f"transposed_{kind}_3x3_valid", kind, (1, 2, 3, 2), (3, 3), 3, (2, 2), (5, 7),
                         padding="VALID", version=3)
        yield transposed(f"transposed_{kind}_4x4", kind, (1, 3, 3, 2), (4, 4), 2, (2, 2), (6, 6), version=3)
        yield transposed(f"transposed_{kind}_stride_above_kernel", kind, (1, 2, 2, 2), (1, 1), 3, (2, 2), (4, 4),
                         padding="SAME", version=3)
        yield transposed(f"transposed_{kind}_relu", kind, (1, 2, 3, 4), (3, 2), 2, (2, 1), (4, 3), act="RELU",
                         version=4)
        yield transposed(f"transposed_{kind}_batch", kind, (2, 2, 2, 2), (2, 2), 2, (2, 2), (4, 4), version=3)
    yield transposed("transposed_f16", "f16", (1, 2, 3, 4), (3, 3), 2, (2, 2), (4, 6), version=3)


def cases():
    yield from convolutions()
    yield from depthwises()
    yield from fully_connected()
    yield from transposes()
