# SPDX-License-Identifier: MIT
"""Element-wise operators, pools, reductions, softmax, quantisation and casts."""
from tflite_writer import Model

QUANT = {"u8": dict(scale=0.05, zero=121), "i8": dict(scale=0.05, zero=-7), "f32": {}, "i32": {}, "i64": {}}
OTHER = {"u8": dict(scale=0.03, zero=140), "i8": dict(scale=0.03, zero=12), "f32": {}, "i32": {}, "i64": {}}
RESULT = {"u8": dict(scale=0.06, zero=110), "i8": dict(scale=0.06, zero=-20), "f32": {}, "i32": {}, "i64": {}}
SHAPES = {"same": ((1, 3, 4, 5), (1, 3, 4, 5)), "scalar": ((2, 3, 5), ()), "one": ((1, 3, 3, 4), (1, 1, 1, 1)),
          "channel": ((1, 3, 4, 5), (5,)), "gate": ((1, 3, 4, 5), (1, 1, 1, 5)), "pixel": ((1, 3, 4, 5), (1, 3, 4, 1)),
          "both": ((1, 3, 1, 5), (1, 1, 4, 5)), "cross": ((4, 1), (1, 6)), "rank5": ((2, 1, 3, 1, 2), (1, 2, 3, 2, 2))}


ONLY_VERSION_1 = ("POW", "RELU_N1_TO_1", "RELU_0_TO_1", "HARD_SWISH", "ELU", "LOG", "SQRT", "SQUARE", "FLOOR", "CEIL",
                  "ROUND", "NEG")


def every(kind):
    """All values of the type."""
    return [i if kind == "u8" else i - 128 for i in range(256)]


def binary(name, op, kind, shapes, swap=False, constant=False, low=None, high=None, out=None, first=None, second=None,
           low2=None, high2=None, version=2, **options):
    m = Model(name)
    a_shape, b_shape = shapes[::-1] if swap else shapes
    a = m.input(kind, a_shape, low=low, high=high, **(first or QUANT[kind]))
    make = m.const if constant else m.input
    b = make(kind, b_shape, low=low2 if low2 is not None else low, high=high2 if high2 is not None else high,
             **(second or OTHER[kind]))
    y = m.tensor(kind, **(out or RESULT[kind]))
    m.op(op, [a, b], [y], version=1 if op in ONLY_VERSION_1 else version, **options)
    return m.output(y)


def unary(name, op, kind, shape=(1, 3, 4, 7), low=None, high=None, quant=None, out=None, values=None, version=2,
          **options):
    m = Model(name)
    x = m.input(kind, shape, values, low, high, **(quant if quant is not None else QUANT[kind]))
    y = m.tensor(kind, **(out if out is not None else RESULT[kind]))
    m.op(op, [x], [y], version=1 if op in ONLY_VERSION_1 else version, **options)
    return m.output(y)


def binaries():
    for kind in ("f32", "u8", "i8", "i32"):
        for op in ("ADD", "SUB", "MUL"):
            for shape in ("same", "scalar", "channel", "gate", "pixel", "both", "cross"):
                yield binary(f"{op.lower()}_{kind}_{shape}", op, kind, SHAPES[shape])
            yield binary(f"{op.lower()}_{kind}_gate_first", op, kind, SHAPES["gate"], swap=True)
    for kind in ("f32", "u8", "i8"):
        for op in ("ADD", "SUB", "MUL"):
            yield binary(f"{op.lower()}_{kind}_relu", op, kind, SHAPES["same"], act="RELU")
            yield binary(f"{op.lower()}_{kind}_relu6", op, kind, SHAPES["same"], low=None if kind != "f32" else -4,
                         high=None if kind != "f32" else 4, act="RELU6", out=dict(scale=0.1, zero=-3 if kind == "i8"
                                                                                   else 5) if kind != "f32" else None)
            yield binary(f"{op.lower()}_{kind}_relu_n1", op, kind, SHAPES["same"], act="RELU_N1_TO_1")
            yield binary(f"{op.lower()}_{kind}_constant", op, kind, SHAPES["channel"], constant=True)
            yield binary(f"{op.lower()}_{kind}_rank5", op, kind, SHAPES["rank5"], version=3 if op == "MUL" else 2)
    for kind in ("u8", "i8"):
        zero = 0 if kind == "i8" else 128
        for op in ("ADD", "SUB", "MUL"):
            yield binary(f"{op.lower()}_{kind}_uneven_scales", op, kind, SHAPES["same"], first=dict(scale=2.0, zero=zero),
                         second=dict(scale=0.001, zero=zero), out=dict(scale=1.7, zero=zero))
            yield binary(f"{op.lower()}_{kind}_same_scales", op, kind, SHAPES["same"], first=dict(scale=0.5, zero=zero),
                         second=dict(scale=0.5, zero=zero), out=dict(scale=0.5, zero=zero))
            yield binary(f"{op.lower()}_{kind}_large_result", op, kind, SHAPES["same"], out=dict(scale=0.001, zero=zero))
            yield binary(f"{op.lower()}_{kind}_small_result", op, kind, SHAPES["same"], out=dict(scale=3.0, zero=zero))
    for shape in ("same", "channel", "both"):
        yield binary(f"div_f32_{shape}", "DIV", "f32", SHAPES[shape], low2=0.25, high2=2.0)
        yield binary(f"div_i32_{shape}", "DIV", "i32", SHAPES[shape], low2=1, high2=40)
        yield binary(f"div_u8_{shape}", "DIV", "u8", SHAPES[shape], low2=150, high2=255)
        yield binary(f"floor_div_f32_{shape}", "FLOOR_DIV", "f32", SHAPES[shape], low=-9, high=9, low2=0.25, high2=2.0)
        yield binary(f"floor_div_i32_{shape}", "FLOOR_DIV", "i32", SHAPES[shape], low2=-7, high2=-1)
        yield binary(f"squared_difference_f32_{shape}", "SQUARED_DIFFERENCE", "f32", SHAPES[shape])
        yield binary(f"squared_difference_i32_{shape}", "SQUARED_DIFFERENCE", "i32", SHAPES[shape])
        yield binary(f"squared_difference_i8_{shape}", "SQUARED_DIFFERENCE", "i8", SHAPES[shape],
                     out=dict(scale=0.4, zero=-128))
        yield binary(f"pow_f32_{shape}", "POW", "f32", SHAPES[shape], low=0.1, high=3.0)
        yield binary(f"pow_i32_{shape}", "POW", "i32", SHAPES[shape], low=0, high=6)
        for kind in ("f32", "u8", "i8", "i32", "i64"):
            same = dict(out=QUANT[kind], second=QUANT[kind])
            yield binary(f"maximum_{kind}_{shape}", "MAXIMUM", kind, SHAPES[shape], **same)
            yield binary(f"minimum_{kind}_{shape}", "MINIMUM", kind, SHAPES[shape], **same)
    yield binary("div_u8_relu6", "DIV", "u8", SHAPES["same"], low2=150, high2=255, act="RELU6")
    yield binary("div_f32_relu", "DIV", "f32", SHAPES["same"], low2=0.5, high2=1.0, act="RELU")
    yield binary("add_i64", "ADD", "i64", SHAPES["same"], version=4)
    yield binary("sub_i64", "SUB", "i64", SHAPES["same"], version=4)


def activations():
    for kind in ("f32", "u8", "i8"):
        wide = dict(low=-8, high=8) if kind == "f32" else {}
        for op in ("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "HARD_SWISH"):
            yield unary(f"{op.lower()}_{kind}", op, kind, **wide)
        yield unary(f"leaky_relu_{kind}", "LEAKY_RELU", kind, alpha=0.1, **wide)
        yield unary(f"leaky_relu_{kind}_steep", "LEAKY_RELU", kind, alpha=1.5, **wide)
        yield unary(f"leaky_relu_{kind}_negative", "LEAKY_RELU", kind, alpha=-0.3, **wide)
        for beta in (1.0, 0.25, 3.0):
            out = {"f32": {}, "u8": dict(scale=1 / 256, zero=0), "i8": dict(scale=1 / 256, zero=-128)}[kind]
            for shape in ((2, 11), (1, 2, 3, 4), (7,)):
                if len(shape) == 1 and beta != 1.0:
                    continue
                yield unary(f"softmax_{kind}_{beta:g}_rank{len(shape)}", "SOFTMAX", kind, shape, out=out, beta=beta, **wide)
        out = {"f32": {}, "u8": dict(scale=1 / 256, zero=0), "i8": dict(scale=1 / 256, zero=-128)}[kind]
        yield unary(f"softmax_{kind}_sharp", "SOFTMAX", kind, (1, 33), out=out, beta=1.0,
                    quant=dict(scale=0.4, zero=QUANT[kind]["zero"]) if kind != "f32" else {},
                    low=-60 if kind == "f32" else None, high=60 if kind == "f32" else None)
        yield unary(f"logistic_{kind}", "LOGISTIC", kind, out=out, **wide)
        out = {"f32": {}, "u8": dict(scale=1 / 128, zero=128), "i8": dict(scale=1 / 128, zero=0)}[kind]
        yield unary(f"tanh_{kind}", "TANH", kind, out=out, **wide)
        yield unary(f"l2_normalization_{kind}", "L2_NORMALIZATION", kind, out=out, **wide)
        yield unary(f"l2_normalization_{kind}_rank2", "L2_NORMALIZATION", kind, (3, 9), out=out, **wide)
        out = {"f32": {}, "u8": dict(scale=16 / 256, zero=255), "i8": dict(scale=16 / 256, zero=127)}[kind]
        yield unary(f"log_softmax_{kind}", "LOG_SOFTMAX", kind, (3, 9), out=out, **wide)
    for kind in ("u8", "i8"):
        base = 128 if kind == "u8" else 0
        for n, (scale, out) in enumerate(((0.02, 0.02), (0.05, 0.025), (0.1, 0.033), (0.3, 0.4), (0.0235, 0.0157))):
            yield unary(f"hard_swish_{kind}_scale{n}", "HARD_SWISH", kind, (1, 1, 16, 16), values=every(kind), quant=dict(scale=scale, zero=base - 11 * n),
                        out=dict(scale=out, zero=base - 100 + 9 * n))
        yield unary(f"relu_{kind}_same_scale", "RELU", kind, out=QUANT[kind])
        yield unary(f"relu6_{kind}_rescales_up", "RELU6", kind, out=dict(scale=6 / 255, zero=base - 128))
        yield unary(f"logistic_{kind}_wide", "LOGISTIC", kind, (256,), values=every(kind), quant=dict(scale=0.12, zero=base + 3),
                    out=dict(scale=1 / 256, zero=base - 128))
        yield unary(f"tanh_{kind}_wide", "TANH", kind, (256,), values=every(kind), quant=dict(scale=0.03, zero=base + 3),
                    out=dict(scale=1 / 128, zero=base))
    yield unary("elu_f32", "ELU", "f32", low=-4, high=4)
    yield unary("elu_i8", "ELU", "i8")
    for op in ("EXP", "LOG", "SQRT", "RSQRT", "SQUARE", "ABS", "NEG", "FLOOR", "CEIL", "ROUND"):
        low = 0.01 if op in ("LOG", "SQRT", "RSQRT") else -3.0
        yield unary(f"{op.lower()}_f32", op, "f32", low=low, high=4.0)
    yield unary("round_f32_halves", "ROUND", "f32", (9,), values=[-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49, -0.51, 3.0])
    yield unary("exp_i8", "EXP", "i8", quant=dict(scale=0.02, zero=5), out=dict(scale=0.06, zero=-128))
    yield unary("log_i8", "LOG", "i8", low=-60, high=127, quant=dict(scale=0.03, zero=-64), out=dict(scale=0.05, zero=40))
    yield unary("rsqrt_i8", "RSQRT", "i8", low=-60, high=127, quant=dict(scale=0.03, zero=-64),
                out=dict(scale=0.03, zero=-128))
    yield unary("sqrt_i8", "SQRT", "i8", low=-60, high=127, quant=dict(scale=0.03, zero=-64),
                out=dict(scale=0.03, zero=-128))
    yield unary("abs_i8", "ABS", "i8", version=2)
    yield unary("abs_i8_same", "ABS", "i8", out=QUANT["i8"])
    yield unary("abs_i32", "ABS", "i32", version=5)
    yield unary("neg_i32", "NEG", "i32")
    yield unary("neg_i8", "NEG", "i8", out=dict(scale=0.05, zero=7))
    for kind in ("f32", "u8", "i8"):
        for shape, alpha in (((1, 3, 4, 5), (1, 1, 5)), ((1, 3, 4, 5), (5,)), ((1, 3, 4, 5), (3, 4, 5)), ((2, 6), (6,))):
            m = Model(f"prelu_{kind}_{'x'.join(map(str, alpha))}_of_{len(shape)}")
            x = m.input(kind, shape, **QUANT[kind])
            slope = m.const(kind, alpha, **(dict(scale=0.01, zero=120 if kind == "u8" else 4) if kind != "f32" else {}))
            y = m.tensor(kind, **RESULT[kind])
            m.op("PRELU", [x, slope], [y])
            yield m.output(y)


def pools():
    for kind in ("f32", "u8", "i8"):
        for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
            start = f"{op.split('_')[0].lower()}_pool_{kind}"
            for name, shape, size, stride, padding, act in (
                    ("2x2", (1, 4, 6, 5), (2, 2), (2, 2), "VALID", "NONE"),
                    ("3x3_same", (1, 5, 6, 3), (3, 3), (2, 2), "SAME", "NONE"),
                    ("3x2_odd", (2, 5, 7, 3), (3, 2), (1, 3), "VALID", "RELU"),
                    ("whole", (1, 7, 7, 6), (7, 7), (1, 1), "VALID", "NONE"),
                    ("whole_stride", (1, 5, 5, 17), (5, 5), (5, 5), "SAME", "RELU6"),
                    ("same_stride1", (1, 3, 3, 2), (3, 3), (1, 1), "SAME", "RELU_N1_TO_1"),
                    ("above_input", (1, 2, 2, 3), (5, 5), (1, 1), "SAME", "NONE"),
                    ("1x1_stride2", (1, 5, 5, 3), (1, 1), (2, 2), "SAME", "NONE"),
                    ("wide", (1, 2, 2, 67), (2, 2), (2, 2), "VALID", "NONE")):
                yield unary(f"{start}_{name}", op, kind, shape, out=QUANT[kind], padding=padding, filter_h=size[0],
                            filter_w=size[1], stride_h=stride[0], stride_w=stride[1], act=act)


def reduction(name, op, kind, shape, axes, keep, quant=None, out=None, low=None, high=None, scalar_axis=False):
    m = Model(name)
    x = m.input(kind, shape, low=low, high=high, **(quant or QUANT[kind]))
    axis = m.const("i32", (), list(axes)) if scalar_axis else m.ints(list(axes))
    y = m.tensor(kind, **(out or RESULT[kind]))
    m.op(op, [x, axis], [y], version=2, keep_dims=int(keep))
    return m.output(y)


def reductions():
    axes = {"hw": (1, 2), "hw_keep": (1, 2), "c": (3,), "negative": (-1,), "h": (1,), "all": (0, 1, 2, 3), "hc": (1, 3),
            "twice": (2, 2, 1), "backwards": (2, 1)}
    for kind in ("f32", "u8", "i8"):
        for op in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"):
            for name, list_ in axes.items():
                same = {"out": QUANT[kind]} if op.startswith("REDUCE") else {}
                yield reduction(f"{op.lower()}_{kind}_{name}", op, kind, (1, 3, 4, 5), list_, name == "hw_keep", **same)
        for op in ("MEAN", "SUM"):
            yield reduction(f"{op.lower()}_{kind}_same_scale", op, kind, (1, 5, 5, 6), (1, 2), True, out=QUANT[kind])
            yield reduction(f"{op.lower()}_{kind}_large_scale", op, kind, (1, 5, 5, 6), (1, 2), True,
                            quant=dict(scale=2.0, zero=QUANT[kind]["zero"]) if kind != "f32" else None)
            yield reduction(f"{op.lower()}_{kind}_batch", op, kind, (3, 2, 3, 5), (1, 2), False)
            yield reduction(f"{op.lower()}_{kind}_whole_picture", op, kind, (1, 14, 14, 8), (1, 2), True)
        yield reduction(f"mean_{kind}_rank2", "MEAN", kind, (4, 5), (1,), False)
        yield reduction(f"mean_{kind}_rank3", "MEAN", kind, (2, 4, 5), (0, 1), True)
        yield reduction(f"mean_{kind}_scalar_axis", "MEAN", kind, (2, 4, 5), (1,), False, scalar_axis=True)
    for op in ("SUM", "MEAN", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN"):
        yield reduction(f"{op.lower()}_i32", op, "i32", (2, 3, 4), (1,), False, low=-9, high=9)
    yield reduction("reduce_prod_f32", "REDUCE_PROD", "f32", (2, 3, 4), (1, 2), True)
    for kind in ("f32", "u8", "i8", "i32"):
        for op in ("ARG_MAX", "ARG_MIN"):
            for axis, out in ((3, "i32"), (-1, "i64"), (1, "i32"), (0, "i64")):
                m = Model(f"{op.lower()}_{kind}_axis{axis}")
                x = m.input(kind, (2, 3, 4, 5), low=None if kind == "f32" else 0, high=None if kind == "f32" else 9,
                            **QUANT[kind])
                y = m.tensor(out)
                m.op(op, [x, m.const("i32", () if axis == 1 else (1,), [axis])], [y], version=2, out_type=out)
                yield m.output(y)


def converted(name, op, source, target, shape=(1, 2, 3, 7), low=None, high=None, values=None, quant=None, out=None,
              **options):
    m = Model(name)
    x = m.input(source, shape, values, low, high, **(quant or {}))
    y = m.tensor(target, **(out or {}))
    m.op(op, [x], [y], version=3, **options)
    return m.output(y)


def conversions():
    halves = [i / 4 - 3 for i in range(24)]
    for kind in ("u8", "i8"):
        other = "i8" if kind == "u8" else "u8"
        yield converted(f"quantize_f32_{kind}", "QUANTIZE", "f32", kind, low=-8, high=8, out=QUANT[kind])
        yield converted(f"quantize_f32_{kind}_halves", "QUANTIZE", "f32", kind, (24,), values=halves,
                        out=dict(scale=0.5, zero=10))
        yield converted(f"quantize_{kind}_{kind}", "QUANTIZE", kind, kind, quant=QUANT[kind], out=RESULT[kind])
        yield converted(f"quantize_{kind}_{kind}_up", "QUANTIZE", kind, kind, quant=QUANT[kind],
                        out=dict(scale=0.013, zero=3))
        yield converted(f"quantize_{kind}_{other}", "QUANTIZE", kind, other, quant=QUANT[kind], out=RESULT[other])
        yield converted(f"quantize_{kind}_{other}_by_128", "QUANTIZE", kind, other, quant=QUANT[kind], out=dict(
            scale=0.05, zero=QUANT[kind]["zero"] + (128 if other == "u8" else -128)))
        yield converted(f"dequantize_{kind}", "DEQUANTIZE", kind, "f32", quant=QUANT[kind])
    yield converted("dequantize_f16", "DEQUANTIZE", "f16", "f32", low=-70, high=70)
    for source, target in (("f32", "i32"), ("i32", "f32"), ("u8", "f32"), ("f32", "u8"), ("i8", "f32"), ("f32", "i8"),
                           ("i32", "i64"), ("i64", "i32"), ("u8", "i32"), ("i32", "u8"), ("bool", "f32"),
                           ("f32", "bool"), ("i64", "f32"), ("f32", "i64"), ("bool", "i32"), ("f32", "f32")):
        yield converted(f"cast_{source}_{target}", "CAST", source, target, low=0 if source in ("bool",) or
                        target == "u8" else -9, high=1 if source == "bool" else 9 if source != "u8" else 255,
                        in_type=source, out_type=target) if source != "u8" else converted(
                            f"cast_{source}_{target}", "CAST", source, target, in_type=source, out_type=target)
    yield converted("cast_quantised_u8_f32", "CAST", "u8", "f32", quant=QUANT["u8"], in_type="u8", out_type="f32")
    yield converted("cast_f32_quantised_u8", "CAST", "f32", "u8", low=0, high=255, out=QUANT["u8"], in_type="f32",
                    out_type="u8")


def cases():
    yield from binaries()
    yield from activations()
    yield from pools()
    yield from reductions()
    yield from conversions()
