# SPDX-License-Identifier: MIT
"""A few operators together, in the spellings of exporters that the optimiser knows; unusual files; what is refused."""
import errno
import struct

from tflite_writer import Model, Table

U8, I8 = dict(scale=0.05, zero=121), dict(scale=0.05, zero=-7)


def conv(m, x, depth, channels, size=1, act="NONE", padding="SAME", stride=1, bias=True, kind="f32", operator="CONV_2D",
         out=None):
    """A convolution in float, or in u8 or i8 with weights of that kind."""
    deep = operator == "DEPTHWISE_CONV_2D"
    shape = (1, size, size, channels) if deep else (channels, size, size, depth)
    options = dict(padding=padding, stride_w=stride, stride_h=stride, act=act)
    if deep:
        options["multiplier"] = channels // depth
    if kind == "f32":
        w, y = m.const("f32", shape), m.tensor("f32")
        b = m.const("f32", (channels,)) if bias else m.const("f32", (channels,), [0.0] * channels)
    else:
        w = m.const(kind, shape, scale=0.01, zero=130 if kind == "u8" else 0)
        b = m.const("i32", (channels,), scale=0.0005, zero=0)
        y = m.tensor(kind, **(out or (U8 if kind == "u8" else I8)))
    return m.op(operator, [x, w, b], [y], version=2, **options)


def scalar(m, value):
    return m.const("f32", (), [value])


def f32(m, op, inputs, **options):
    return m.op(op, inputs, [m.tensor("f32")], **options)


def hard_swish(m, x, spelling):
    """x * relu6(x + 3) / 6 as exporters write it."""
    shifted = f32(m, "ADD", [x, scalar(m, 3.0)], act="RELU6" if "fused" in spelling else "NONE")
    if "fused" not in spelling:
        shifted = f32(m, "RELU6", [shifted])
    if "gate" in spelling:
        sixth = f32(m, "MUL", [shifted, scalar(m, 1 / 6)])
        return f32(m, "MUL", [x, sixth] if "swapped" not in spelling else [sixth, x])
    product = f32(m, "MUL", [x, shifted])
    return f32(m, "DIV" if "div" in spelling else "MUL", [product, scalar(m, 6.0 if "div" in spelling else 1 / 6)])


def swishes():
    for spelling in ("plain", "fused", "fused_gate", "gate_swapped", "fused_div"):
        m = Model(f"net_hard_swish_{spelling}")
        x = conv(m, m.input("f32", (1, 3, 4, 3), low=-4, high=4), 3, 5)
        yield m.output(hard_swish(m, x, spelling))
    m = Model("net_hard_swish_read_twice")
    x = conv(m, m.input("f32", (1, 3, 4, 3), low=-4, high=4), 3, 5)
    shifted = f32(m, "ADD", [x, scalar(m, 3.0)], act="RELU6")
    gate = f32(m, "MUL", [shifted, scalar(m, 1 / 6)])
    yield m.output(f32(m, "MUL", [x, gate]), gate)
    m = Model("net_not_hard_swish")
    x = conv(m, m.input("f32", (1, 3, 4, 3), low=-4, high=4), 3, 5)
    shifted = f32(m, "ADD", [x, scalar(m, 2.5)], act="RELU6")
    yield m.output(f32(m, "MUL", [f32(m, "MUL", [x, shifted]), scalar(m, 0.2)]))
    for name, fused in (("fused", "RELU6"), ("apart", "NONE")):
        m = Model(f"net_squeeze_excite_{name}")
        x = conv(m, m.input("f32", (1, 5, 5, 3)), 3, 8, 3, "RELU")
        pooled = f32(m, "MEAN", [x, m.ints([1, 2])], keep_dims=1)
        small = conv(m, pooled, 8, 4, act="RELU")
        large = f32(m, "ADD", [conv(m, small, 4, 8), scalar(m, 3.0)], act=fused)
        if fused == "NONE":
            large = f32(m, "RELU6", [large])
        yield m.output(f32(m, "MUL", [x, f32(m, "MUL", [large, scalar(m, 1 / 6)])]))


def batch_norms():
    for operator in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        for name, order in (("mul_add", ("MUL", "ADD")), ("sub_mul_add", ("SUB", "MUL", "ADD")), ("mul", ("MUL",)),
                            ("add", ("ADD",))):
            m = Model(f"net_batch_norm_{operator.split('_')[0].lower()}_{name}")
            y = conv(m, m.input("f32", (1, 4, 4, 6)), 6, 6, 3, operator=operator, bias="sub" not in name)
            for op in order:
                y = f32(m, op, [y, m.const("f32", (6,))], act="RELU6" if op == "ADD" else "NONE")
            yield m.output(y)
    m = Model("net_batch_norm_per_pixel")
    y = conv(m, m.input("f32", (1, 4, 4, 6)), 6, 6, 3)
    yield m.output(f32(m, "MUL", [y, m.const("f32", (4, 4, 1))]))
    m = Model("net_batch_norm_after_relu")
    y = conv(m, m.input("f32", (1, 4, 4, 6)), 6, 6, 3, "RELU")
    yield m.output(f32(m, "ADD", [f32(m, "MUL", [y, m.const("f32", (6,))]), m.const("f32", (6,))]))
    m = Model("net_batch_norm_read_twice")
    y = conv(m, m.input("f32", (1, 4, 4, 6)), 6, 6, 3)
    yield m.output(f32(m, "MUL", [y, m.const("f32", (6,))]), y)


def dilations():
    """Dilation as TensorFlow 1 spells it, and padding as its own operator."""
    for kind in ("f32", "u8", "i8"):
        quant = {"f32": {}, "u8": U8, "i8": I8}[kind]
        for operator in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            for name, pads, crops in (("same", [2, 3, 2, 3], [0, 1, 0, 1]), ("valid", [0, 1, 0, 1], [0, 1, 0, 1])):
                m = Model(f"net_dilated_{kind}_{operator.split('_')[0].lower()}_{name}")
                x = m.input(kind, (1, 7, 7, 3), **quant)
                split = m.op("SPACE_TO_BATCH_ND", [x, m.ints([2, 2]), m.const("i32", (2, 2), pads)],
                             [m.tensor(kind, **quant)], version=2)
                y = conv(m, split, 3, 3, 3, padding="VALID", kind=kind, operator=operator)
                yield m.output(m.op("BATCH_TO_SPACE_ND", [y, m.ints([2, 2]), m.const("i32", (2, 2), crops)],
                                    [m.tensor(kind, **quant)], version=2))
            m = Model(f"net_padded_{kind}_{operator.split('_')[0].lower()}")
            x = m.input(kind, (1, 6, 5, 3), **quant)
            padded = m.op("PAD", [x, m.const("i32", (4, 2), [0, 0, 1, 1, 0, 2, 0, 0])], [m.tensor(kind, **quant)],
                          version=2)
            yield m.output(conv(m, padded, 3, 3, 3, padding="VALID", stride=2, kind=kind, operator=operator))
        if kind == "i8":
            m = Model(f"net_padded_{kind}_unscaled")
            padded = m.op("PAD", [m.input(kind, (1, 6, 5, 3)), m.const("i32", (4, 2), [0, 0, 1, 1, 0, 2, 0, 0])],
                          [m.tensor(kind, **quant)], version=2)
            yield m.output(conv(m, padded, 3, 3, 3, padding="VALID", kind=kind))
        m = Model(f"net_relu_after_conv_{kind}")
        x = conv(m, m.input(kind, (1, 4, 4, 3), **quant), 3, 4, kind=kind)
        yield m.output(m.op("RELU6", [x], [m.tensor(kind, **quant)], version=2))
        m = Model(f"net_residual_{kind}")
        x = conv(m, m.input(kind, (1, 4, 4, 3), **quant), 3, 6, act="RELU6", kind=kind)
        y = conv(m, x, 6, 6, 3, operator="DEPTHWISE_CONV_2D", kind=kind)
        y = conv(m, y, 6, 6, kind=kind)
        y = m.op("ADD", [y, x], [m.tensor(kind, **quant)], version=2)
        pooled = m.op("AVERAGE_POOL_2D", [y], [m.tensor(kind, **quant)], version=2, padding="VALID", stride_w=4,
                      stride_h=4, filter_w=4, filter_h=4)
        yield m.output(m.op("RESHAPE", [pooled, m.ints([1, 6])], [m.tensor(kind, (1, 6), **quant)]))


def files():
    """Files that are as they may be, but seldom are."""
    m = Model("net_input_is_output")
    x = m.input("f32", (1, 3))
    yield m.output(f32(m, "RELU", [x]), x)
    m = Model("net_output_twice")
    y = f32(m, "RELU", [m.input("f32", (1, 3))])
    yield m.output(y, y)
    m = Model("net_inner_output")
    x = m.input("u8", (1, 3), **U8)
    y = m.op("RELU", [x], [m.tensor("u8", **U8)], version=2)
    yield m.output(m.op("RELU6", [y], [m.tensor("u8", **U8)], version=2), y)
    m = Model("net_unused_operator")
    x = m.input("f32", (1, 3))
    f32(m, "EXP", [x])
    yield m.output(f32(m, "RELU", [x]))
    m = Model("net_dynamic_batch")
    x = m.input("f32", (1, 3, 3, 2))
    m.tensors[x][7] = ("[i32]", [-1, 3, 3, 2])
    yield m.output(conv(m, x, 2, 3))
    m = Model("net_shape_arithmetic")  # flatten as Keras exports it: the batch is read from the shape
    x = m.input("f32", (2, 2, 3))
    shape = m.op("SHAPE", [x], [m.tensor("i32")], out_type="i32")
    batch = m.op("STRIDED_SLICE", [shape, m.ints([0]), m.ints([1]), m.ints([1])], [m.tensor("i32")], version=1,
                 shrink_axis_mask=1)
    target = m.op("PACK", [batch, m.const("i32", (), [-1])], [m.tensor("i32")], version=2, count=2, axis=0)
    yield m.output(f32(m, "RESHAPE", [x, target]))
    m = Model("net_weights_through_half")
    x = m.input("f32", (1, 4, 4, 3))
    w = f32(m, "DEQUANTIZE", [m.const("f16", (5, 3, 3, 3))])
    b = f32(m, "DEQUANTIZE", [m.const("f16", (5,))])
    yield m.output(m.op("CONV_2D", [x, w, b], [m.tensor("f32")], padding="SAME", stride_w=1, stride_h=1))
    m = Model("net_weights_through_bytes")
    x = m.input("f32", (1, 4, 4, 3))
    w = f32(m, "DEQUANTIZE", [m.const("i8", (5, 1, 1, 3), scale=0.02, zero=3)], version=2)
    yield m.output(m.op("CONV_2D", [x, w, m.const("f32", (5,))], [m.tensor("f32")], padding="SAME", stride_w=1,
                        stride_h=1))
    for also in "", "_and_multiplied":  # weights of 66 KiB that several operators read
        m = Model(f"net_weights_shared{also}")
        x, w, b = m.input("f32", (1, 130)), m.const("f32", (130, 130)), m.const("f32", (130,))
        for _ in range(2):
            x = f32(m, "FULLY_CONNECTED", [x, w, b])
        if also:
            x = f32(m, "MEAN", [f32(m, "MUL", [x, w]), m.ints([0])])
        yield m.output(x)
    for kind, quant in (("u8", U8), ("i8", I8)):
        m = Model(f"net_quantised_inside_{kind}")
        x = m.op("QUANTIZE", [m.input("f32", (1, 4, 4, 3), low=-4, high=4)], [m.tensor(kind, **quant)])
        yield m.output(f32(m, "DEQUANTIZE", [conv(m, x, 3, 4, kind=kind)], version=2))


def refused(name, status, message, build):
    m = Model(name)
    build(m)
    m.refused = (-status, message)
    return m


def other(operator, **more):
    """An operator that is not supported, or one of our table with what is not."""
    def build(m):
        if operator == "WHILE":
            m.output(m.op("WHILE", [m.input("f32", (1, 3))], [m.tensor("f32", (1, 3))], cond=1, body=2))
        else:
            m.output(m.op(operator, [m.input("f32", (1, 3))], [m.tensor("f32", (1, 3))], **more))
    return build


def typed(kind):
    def build(m):
        m.output(m.op("RELU", [m.tensor(kind, (1, 3))], [m.tensor("f32", (1, 3))]))
        m.inputs = [0]
    return build


def sparse(m):
    w = m.const("f32", (2, 3), extra={6: ("table", Table({0: ("[i32]", [0, 1])}))})
    m.output(m.op("FULLY_CONNECTED", [m.input("f32", (1, 3)), w], [m.tensor("f32")]))


def short_data(m):
    w = m.tensor("f32", (2, 3), data=struct.pack("<5f", *range(5)))
    m.output(m.op("FULLY_CONNECTED", [m.input("f32", (1, 3)), w], [m.tensor("f32")]))


def early(m):
    y = m.tensor("f32", (1, 3))
    m.op("RELU", [y], [m.tensor("f32", (1, 3))])
    m.output(m.op("RELU", [m.input("f32", (1, 3))], [y]))


def twice(m):
    x = m.input("f32", (1, 3))
    y = f32(m, "RELU", [x])
    m.op("RELU6", [x], [y])
    m.output(y)


def bad_scale(value, zero=0):
    def build(m):
        x = m.input("i8", (1, 3), scale=value, zero=zero)
        m.output(m.op("RELU", [x], [m.tensor("i8", scale=0.5, zero=0)], version=2))
    return build


def three_scales(m):
    x = m.input("i8", (1, 4), scale=[0.5, 0.5, 0.5], axis=1)
    m.output(m.op("RELU", [x], [m.tensor("i8", scale=0.5, zero=0)], version=2))


def bad_index(m):
    m.input("f32", (1, 3))
    m.output(m.op("RELU", [77], [m.tensor("f32")]))


def bad_multiplier(m):
    m.output(m.op("DEPTHWISE_CONV_2D", [m.input("f32", (1, 3, 3, 2)), m.const("f32", (1, 1, 1, 5)),
                                        m.const("f32", (5,))], [m.tensor("f32")], padding="SAME", stride_w=1, stride_h=1,
                  multiplier=2))


def refusals():
    yield refused("refused_operator", errno.ENOTSUP, "GELU", other("GELU"))
    yield refused("refused_control_flow", errno.ENOTSUP, "WHILE", other("WHILE"))
    yield refused("refused_custom", errno.ENOTSUP, "MyOperator", other("MyOperator", custom=b""))
    for kind in ("f64", "u32", "i4"):
        yield refused(f"refused_type_{kind}", errno.ENOTSUP, "t0", typed(kind))
    yield refused("refused_sparse", errno.ENOTSUP, "sparse", sparse)
    yield refused("refused_short_data", errno.EINVAL, "20 bytes", short_data)
    yield refused("refused_order", errno.EINVAL, "before it is made", early)
    yield refused("refused_written_twice", errno.EINVAL, "has a value", twice)
    yield refused("refused_scale_nan", errno.EINVAL, "scale", bad_scale(float("nan")))
    yield refused("refused_scale_negative", errno.EINVAL, "scale", bad_scale(-1.0))
    yield refused("refused_scale_zero", errno.EINVAL, "scale", bad_scale(0.0))
    yield refused("refused_scale_infinite", errno.EINVAL, "scale", bad_scale(float("inf")))
    yield refused("refused_zero_point", errno.EINVAL, "zero point", bad_scale(0.5, 300))
    yield refused("refused_scales", errno.EINVAL, "3 scales", three_scales)
    yield refused("refused_index", errno.EINVAL, "RELU", bad_index)
    yield refused("refused_multiplier", errno.EINVAL, "DEPTHWISE_CONV_2D", bad_multiplier)


def overwrites():
    """What may be computed where an input lies, and what may not: inputs that are read again, outputs, the network's input."""
    m = Model("net_overwrites")
    x = m.input("f32", (1, 3, 4, 3), low=-4, high=4)
    negative = f32(m, "NEG", [x])
    size = f32(m, "ABS", [negative])
    kept = f32(m, "ADD", [negative, size])
    product = f32(m, "MUL", [kept, size])
    moved = f32(m, "SUB", [product, m.const("f32", (1, 1, 1, 3))])
    yield m.output(f32(m, "ADD", [f32(m, "RELU", [moved]), x]), kept)
    m = Model("net_overwrites_i8")
    x = conv(m, m.input("i8", (1, 3, 4, 3), **I8), 3, 5, kind="i8")
    swish = m.op("HARD_SWISH", [x], [m.tensor("i8", **I8)])
    total = m.op("ADD", [x, swish], [m.tensor("i8", **I8)])
    yield m.output(m.op("RELU", [m.op("ADD", [total, total], [m.tensor("i8", **I8)])], [m.tensor("i8", **I8)]), swish)


def cases():
    yield from overwrites()
    yield from swishes()
    yield from batch_norms()
    yield from dilations()
    yield from files()
    yield from refusals()
