# SPDX-License-Identifier: MIT
"""Operators that move, cut, join and resize, and TFLite_Detection_PostProcess."""
import struct

from tflite_writer import Model

QUANT = {"u8": dict(scale=0.05, zero=121), "i8": dict(scale=0.05, zero=-7)}
RESULT = {"u8": dict(scale=0.06, zero=110), "i8": dict(scale=0.06, zero=-20)}
SECOND = {"u8": dict(scale=0.03, zero=140), "i8": dict(scale=0.08, zero=12)}


def quant(kind):
    return QUANT.get(kind, {})


def move(name, op, kind, shape, parameters=(), out=None, version=1, **options):
    """An operator of one data input and int32 parameters; a parameter is (shape, values) or a list."""
    m = Model(name)
    x = m.input(kind, shape, **quant(kind))
    inputs = [x]
    for parameter in parameters:
        inputs.append(m.const("i32", *parameter) if isinstance(parameter, tuple) else m.ints(parameter))
    y = m.tensor(kind, **(quant(kind) if out is None else out))
    m.op(op, inputs, [y], version=version, **options)
    return m.output(y)


def reshapes():
    for kind in ("f32", "u8"):
        yield move(f"reshape_{kind}", "RESHAPE", kind, (1, 2, 3, 4), [[1, 24]], new_shape=[1, 24])
        yield move(f"reshape_{kind}_rest", "RESHAPE", kind, (2, 3, 4), [[-1, 4]], new_shape=[-1, 4])
        yield move(f"reshape_{kind}_options", "RESHAPE", kind, (2, 3, 4), new_shape=[4, -1, 2])
        yield move(f"reshape_{kind}_tensor_wins", "RESHAPE", kind, (2, 3, 4), [[6, 4]], new_shape=[24])
        yield move(f"squeeze_{kind}", "SQUEEZE", kind, (1, 1, 1, 7), dims=[1, 2])
        yield move(f"squeeze_{kind}_all", "SQUEEZE", kind, (1, 3, 1, 2), dims=[])
        yield move(f"squeeze_{kind}_negative", "SQUEEZE", kind, (2, 1, 3, 1), dims=[-1])
        yield move(f"expand_dims_{kind}", "EXPAND_DIMS", kind, (2, 3), [((1,), [1])])
        yield move(f"expand_dims_{kind}_last", "EXPAND_DIMS", kind, (2, 3), [((), [-1])])
    yield move("reshape_to_scalar", "RESHAPE", "f32", (1, 1), [((0,), [])])
    m = Model("shape_i32")
    y = m.tensor("i32")
    m.op("SHAPE", [m.input("f32", (2, 3, 4))], [y], out_type="i32")
    yield m.output(y)
    m = Model("fill_f32")
    filled = m.op("FILL", [m.ints([2, 3]), m.const("f32", ())], [m.tensor("f32")])
    yield m.output(m.op("ADD", [m.input("f32", (2, 3)), filled], [m.tensor("f32")]))


def orders():
    permutations = [(0, 3, 1, 2), (0, 2, 3, 1), (3, 2, 1, 0), (0, 2, 1, 3), (0, 1, 3, 2), (1, 0, 2, 3), (0, 1, 2, 3)]
    for kind in ("f32", "u8", "i8"):
        for order in permutations if kind in ("f32", "i8") else permutations[:2]:
            yield move(f"transpose_{kind}_{''.join(map(str, order))}", "TRANSPOSE", kind, (2, 3, 4, 5), [list(order)])
        yield move(f"transpose_{kind}_rank2", "TRANSPOSE", kind, (5, 7), [[1, 0]])
        yield move(f"transpose_{kind}_rank3", "TRANSPOSE", kind, (2, 3, 4), [[2, 0, 1]])
        yield move(f"transpose_{kind}_rank5", "TRANSPOSE", kind, (2, 1, 3, 2, 2), [[4, 2, 0, 3, 1]])
        yield move(f"tile_{kind}", "TILE", kind, (2, 3), [[2, 3]])
        yield move(f"broadcast_to_{kind}", "BROADCAST_TO", kind, (3, 1), [[2, 3, 4]], version=2)
    for kind in ("f32", "u8", "i8"):
        yield move(f"depth_to_space_{kind}", "DEPTH_TO_SPACE", kind, (1, 2, 3, 8), block=2)
        yield move(f"depth_to_space_{kind}_3", "DEPTH_TO_SPACE", kind, (2, 1, 2, 18), block=3)
        yield move(f"space_to_depth_{kind}", "SPACE_TO_DEPTH", kind, (1, 4, 6, 3), block=2)
        for name, shape, block, pads in (("even", (1, 4, 6, 2), [2, 2], [0, 0, 0, 0]),
                                         ("padded", (1, 5, 6, 2), [3, 2], [2, 2, 1, 1]),
                                         ("uneven", (2, 3, 4, 1), [2, 4], [0, 1, 3, 1])):
            yield move(f"space_to_batch_{kind}_{name}", "SPACE_TO_BATCH_ND", kind, shape,
                       [block, ((2, 2), pads)], version=2)
        for name, shape, block, crops in (("even", (4, 2, 3, 2), [2, 2], [0, 0, 0, 0]),
                                          ("cropped", (6, 3, 3, 2), [3, 2], [1, 1, 0, 1]),
                                          ("uneven", (8, 2, 2, 1), [2, 4], [1, 0, 2, 1])):
            yield move(f"batch_to_space_{kind}_{name}", "BATCH_TO_SPACE_ND", kind, shape,
                       [block, ((2, 2), crops)], version=2)


def joins():
    for kind in ("f32", "u8", "i8", "i32"):
        for axis in (0, 1, 3, -1):
            m = Model(f"concatenation_{kind}_axis{axis}")
            shapes = [[2, 1, 3, 2] for _ in range(3)]
            for n, shape in enumerate(shapes):
                shape[axis] = n + 1
            inputs = [m.input(kind, shape, **quant(kind)) for shape in shapes]
            yield m.output(m.op("CONCATENATION", inputs, [m.tensor(kind, **quant(kind))], version=2, axis=axis))
        m = Model(f"pack_{kind}")
        inputs = [m.input(kind, (2, 3), **quant(kind)) for _ in range(3)]
        yield m.output(m.op("PACK", inputs, [m.tensor(kind, **quant(kind))], version=2, count=3, axis=1))
        m = Model(f"pack_{kind}_last")
        inputs = [m.input(kind, (4,), **quant(kind)) for _ in range(2)]
        yield m.output(m.op("PACK", inputs, [m.tensor(kind, **quant(kind))], version=2, count=2, axis=-1))
        for axis in (0, -1):
            m = Model(f"unpack_{kind}_axis{axis}")
            x = m.input(kind, (3, 2, 3), **quant(kind))
            outs = [m.tensor(kind, **quant(kind)) for _ in range(3)]
            m.op("UNPACK", [x], outs, version=2, count=3, axis=axis)
            yield m.output(*outs)
        for axis in (1, -1):
            m = Model(f"split_{kind}_axis{axis}")
            x = m.input(kind, (2, 4, 1, 6), **quant(kind))
            outs = [m.tensor(kind, **quant(kind)) for _ in range(2)]
            m.op("SPLIT", [m.const("i32", (), [axis]), x], outs, version=2, count=2)
            yield m.output(*outs)
        m = Model(f"split_v_{kind}")
        x = m.input(kind, (2, 6, 3), **quant(kind))
        outs = [m.tensor(kind, **quant(kind)) for _ in range(3)]
        m.op("SPLIT_V", [x, m.ints([1, -1, 2]), m.const("i32", (), [1])], outs, version=2, count=3)
        yield m.output(*outs)
    m = Model("concatenation_u8_rescales")
    inputs = [m.input("u8", (1, 2, 3), **q) for q in (QUANT["u8"], SECOND["u8"], RESULT["u8"])]
    yield m.output(m.op("CONCATENATION", inputs, [m.tensor("u8", **RESULT["u8"])], axis=2))
    m = Model("concatenation_f32_one")
    yield m.output(m.op("CONCATENATION", [m.input("f32", (2, 3))], [m.tensor("f32")], axis=0))
    m = Model("concatenation_with_constant")
    inputs = [m.input("f32", (1, 3)), m.const("f32", (2, 3)), m.input("f32", (1, 3))]
    yield m.output(m.op("CONCATENATION", inputs, [m.tensor("f32")], axis=0))


def strided(name, kind, shape, begin, end, strides, **masks):
    return move(name, "STRIDED_SLICE", kind, shape, [begin, end, strides], version=2, **masks)


def slices():
    for kind in ("f32", "u8", "i8", "i32"):
        yield move(f"slice_{kind}", "SLICE", kind, (2, 4, 5, 3), [[0, 1, 2, 0], [2, 2, -1, 3]], version=2)
        yield move(f"slice_{kind}_rank1", "SLICE", kind, (9,), [[3], [4]], version=2)
        yield strided(f"strided_slice_{kind}", kind, (2, 5, 6), [0, 1, 0], [2, 5, 6], [1, 2, 3])
        yield strided(f"strided_slice_{kind}_backwards", kind, (4, 5), [3, 4], [0, 0], [-1, -2])
        yield strided(f"strided_slice_{kind}_masks", kind, (3, 4, 5), [1, 1, 1], [2, 2, 2], [1, 1, 1], begin_mask=5,
                      end_mask=3)
        yield strided(f"strided_slice_{kind}_shrinks", kind, (3, 4, 5), [1, 0, 2], [2, 4, 3], [1, 1, 1],
                      shrink_axis_mask=5)
    yield strided("strided_slice_negative", "f32", (6, 5), [-4, -3], [-1, -1], [1, 1])
    yield strided("strided_slice_shrinks_negative", "f32", (6, 5), [-1, 0], [0, 5], [1, 2], shrink_axis_mask=1)
    yield strided("strided_slice_beyond", "f32", (4, 5), [-9, 2], [9, 99], [1, 1])
    yield strided("strided_slice_backwards_whole", "f32", (5,), [0], [0], [-1], begin_mask=1, end_mask=1)
    yield strided("strided_slice_ellipsis", "f32", (2, 3, 4, 2), [1, 0, 1], [2, 0, 2], [1, 1, 1], ellipsis_mask=2)
    yield strided("strided_slice_ellipsis_shrinks", "f32", (2, 3, 4), [0, 1], [0, 2], [1, 1], ellipsis_mask=1,
                  shrink_axis_mask=2)
    yield strided("strided_slice_new_axis", "f32", (3, 4), [0, 0, 1], [0, 3, 3], [1, 1, 1], new_axis_mask=1)
    yield strided("strided_slice_new_axis_last", "f32", (3, 4), [0, 1, 0], [3, 3, 0], [1, 1, 1], new_axis_mask=4)
    yield strided("strided_slice_fewer", "f32", (3, 4, 2), [1], [3], [1])
    for kind in ("f32", "u8", "i8", "i32"):
        for name, shape, index_shape, index, options in (
                ("axis0", (4, 3), (3,), [2, 0, 3], dict(axis=0)), ("axis1", (2, 4, 3), (2,), [3, 1], dict(axis=1)),
                ("last", (2, 5), (2, 2), [4, 0, 1, 1], dict(axis=-1)), ("scalar", (4, 3), (), [2], dict(axis=0)),
                ("batch", (2, 4, 3), (2, 2), [1, 3, 0, 2], dict(axis=1, batch_dims=1))):
            m = Model(f"gather_{kind}_{name}")
            x = m.input(kind, shape, **quant(kind))
            y = m.tensor(kind, **quant(kind))
            m.op("GATHER", [x, m.const("i32", index_shape, index)], [y], version=5 if "batch" in name else 2, **options)
            yield m.output(y)


def pads():
    for kind in ("f32", "u8", "i8"):
        yield move(f"pad_{kind}", "PAD", kind, (1, 2, 3, 2), [((4, 2), [0, 0, 1, 2, 2, 0, 0, 1])], version=2)
        yield move(f"pad_{kind}_rank2", "PAD", kind, (3, 2), [((2, 2), [1, 0, 0, 3])])
        m = Model(f"padv2_{kind}")
        x = m.input(kind, (1, 2, 3, 2), **quant(kind))
        value = m.const(kind, (1,) if kind == "f32" else (), [0.5] if kind == "f32" else [44], **quant(kind))
        y = m.tensor(kind, **quant(kind))
        m.op("PADV2", [x, m.const("i32", (4, 2), [0, 0, 1, 1, 1, 1, 0, 0]), value], [y], version=2)
        yield m.output(y)
        for mode in ("REFLECT", "SYMMETRIC"):
            yield move(f"mirror_pad_{kind}_{mode.lower()}", "MIRROR_PAD", kind, (1, 3, 4, 2),
                       [((4, 2), [0, 0, 2, 1, 1, 2, 0, 0])], mode=mode, version=2)
    m = Model("pad_i64_paddings")
    y = m.op("PAD", [m.input("f32", (2, 3)), m.const("i64", (2, 2), [1, 0, 0, 2])], [m.tensor("f32")], version=2)
    yield m.output(y)


def resizes():
    conventions = {"plain": {}, "corners": dict(align_corners=1), "centres": dict(half_pixel=1)}
    for kind in ("f32", "u8", "i8"):
        for op, start in (("RESIZE_BILINEAR", "bilinear"), ("RESIZE_NEAREST_NEIGHBOR", "nearest")):
            for name, options in conventions.items():
                for shape, size in (((1, 3, 4, 2), (6, 8)), ((1, 3, 3, 3), (7, 5)), ((1, 5, 7, 1), (3, 4)),
                                    ((1, 1, 1, 5), (3, 2)), ((1, 4, 4, 2), (1, 1))):
                    yield move(f"{start}_{kind}_{name}_{shape[1]}x{shape[2]}_to_{size[0]}x{size[1]}", op, kind, shape,
                               [list(size)], version=3, **options)


def flex_map(values):
    """A FlexBuffers map with 32-bit values, as the exporters write options."""
    keys = sorted(values)
    out, at = bytearray(), {}
    for key in keys:
        at[key] = len(out)
        out += key.encode() + b"\0"
    while len(out) % 4:
        out.append(0)
    out += struct.pack("<I", len(keys))
    keys_at = len(out)
    for key in keys:
        out += struct.pack("<I", len(out) - at[key])
    out += struct.pack("<III", len(out) - keys_at, 4, len(keys))
    values_at = len(out)
    for key in keys:
        out += struct.pack("<f" if isinstance(values[key], float) else "<i", values[key])
    out += bytes((3 if isinstance(values[key], float) else 1) << 2 | 2 for key in keys)
    return bytes(out) + bytes([len(out) - values_at, 9 << 2 | 2, 1])


def detection(name, kind, anchors=12, classes=4, background=1, threshold=0.3, **options):
    m = Model(name)
    boxes = m.input(kind, (1, anchors, 4), low=-2.0 if kind == "f32" else None, high=2.0 if kind == "f32" else None,
                    **(dict(scale=0.02, zero=128) if kind == "u8" else {}))
    scores = m.input(kind, (1, anchors, classes + background), low=0.0 if kind == "f32" else None,
                     high=1.0 if kind == "f32" else None, **(dict(scale=1 / 256, zero=0) if kind == "u8" else {}))
    centres = []
    for i in range(anchors):
        centres += [(i // 4 + 0.5) / 3, (i % 4 + 0.5) / 4, 0.3, 0.25]
    if kind == "u8":
        fixed = m.const("u8", (anchors, 4), [round(v * 200) for v in centres], scale=0.005, zero=0)
    else:
        fixed = m.const("f32", (anchors, 4), centres)
    flex = dict(max_detections=5, max_classes_per_detection=1, num_classes=classes, nms_score_threshold=threshold,
                nms_iou_threshold=0.4, y_scale=10.0, x_scale=10.0, h_scale=5.0, w_scale=5.0)
    flex.update(options)
    outs = [m.tensor("f32") for _ in range(4)]
    m.op("TFLite_Detection_PostProcess", [boxes, scores, fixed], outs, custom=flex_map(flex))
    return m.output(*outs)


def detections():
    for kind in ("f32", "u8"):
        yield detection(f"detection_{kind}", kind)
        yield detection(f"detection_{kind}_no_background", kind, background=0)
        yield detection(f"detection_{kind}_two_classes", kind, max_classes_per_detection=2, max_detections=8)
        yield detection(f"detection_{kind}_regular", kind, use_regular_nms=1, detections_per_class=3)


def cases():
    yield from reshapes()
    yield from orders()
    yield from joins()
    yield from slices()
    yield from pads()
    yield from resizes()
    yield from detections()
