#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""From float models to int8 files, on small networks and pictures."""
import os
import struct
import unittest

from fixtures import RED, CommandTest, Model, RAW_CARD, Rng, colours, flexbuffer, png, refused, two_inputs
from flatbuffers import FLOAT32, INT8, INT32, read_tflite

ADD, CONCATENATION, CONV_2D, DEPTHWISE, FULLY_CONNECTED, LOGISTIC = 0, 2, 3, 4, 9, 14
SOFTMAX, QUANTIZE, DEQUANTIZE, CUSTOM = 25, 114, 6, 32
SIDE = 16
LABELS = "north\neast\nsouth\nwest\n"


def convolution(model, source, channels, out, kernel=1, name="CONV_2D", act="NONE", stride=1, side=SIDE):
    """Returns the output tensor. Weights of a depthwise convolution are 1HWC."""
    depthwise = name.startswith("DEPTHWISE")
    shape = (1, kernel, kernel, out) if depthwise else (out, kernel, kernel, channels)
    reach = (6.0 / (kernel * kernel * (1 if depthwise else channels))) ** 0.5
    weights = model.const("f32", shape, low=-reach, high=reach)
    bias = model.const("f32", (out,), low=-0.2, high=0.2)
    options = {"padding": "SAME", "stride_w": stride, "stride_h": stride, "act": act}
    if depthwise:
        options["multiplier"] = out // channels
    side //= stride
    return model.op(name, [source, weights, bias], [model.tensor("f32", (1, side, side, out))], **options)


def classifier(in_the_middle=None):
    """An inverted bottleneck with a residual, pooling and a classifier of four classes."""
    model = Model("classifier")
    picture = model.input("f32", (1, SIDE, SIDE, 3))
    shape = (1, SIDE // 2, SIDE // 2, 8)
    x = stem = convolution(model, picture, 3, 8, 3, act="RELU6", stride=2)
    x = model.op("HARD_SWISH", [convolution(model, x, 8, 16, side=SIDE // 2)], [model.tensor("f32", (*shape[:3], 16))])
    x = convolution(model, x, 16, 16, 3, "DEPTHWISE_CONV_2D", "RELU", side=SIDE // 2)
    x = convolution(model, x, 16, 8, side=SIDE // 2)
    x = model.op("ADD", [stem, x], [model.tensor("f32", shape)], act="NONE")
    if in_the_middle:
        x = model.op(in_the_middle, [x], [model.tensor("f32", shape)])
    x = model.op("MEAN", [x, model.ints([1, 2])], [model.tensor("f32", (1, 8))], keep_dims=0)
    weights, bias = model.const("f32", (4, 8), low=-4, high=4), model.const("f32", (4,))
    x = model.op("FULLY_CONNECTED", [x, weights, bias], [model.tensor("f32", (1, 4))], act="NONE")
    return model.output(model.op("SOFTMAX", [x], [model.tensor("f32", (1, 4))], beta=1.0)).bytes()


def heads(model):
    """Boxes and class scores of 64 cells by two convolutions."""
    picture = model.input("f32", (1, SIDE, SIDE, 3))
    x = convolution(model, picture, 3, 8, 3, act="RELU6", stride=2)
    outs = []
    for columns in 4, 3:
        rows = convolution(model, x, 8, columns, side=SIDE // 2)
        out = model.tensor("f32", (1, 64, columns))
        outs.append(model.op("RESHAPE", [rows, model.ints([1, 64, columns])], [out]))
    return outs


def detector():
    """Heads with TFLite_Detection_PostProcess."""
    model = Model("detector")
    boxes, scores = heads(model)
    scores = model.op("LOGISTIC", [scores], [model.tensor("f32", (1, 64, 3))])
    anchors = [v for y in range(8) for x in range(8) for v in ((y + 0.5) / 8, (x + 0.5) / 8, 0.25, 0.25)]
    outs = [model.tensor("f32", shape) for shape in ((1, 5, 4), (1, 5), (1, 5), (1,))]
    model.op("TFLite_Detection_PostProcess", [boxes, scores, model.const("f32", (64, 4), anchors)], outs, custom=flexbuffer(
        {"max_detections": 5, "max_classes_per_detection": 1, "num_classes": 2, "nms_score_threshold": 0.5,
         "nms_iou_threshold": 0.3, "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0}))
    return model.output(*outs).bytes()


def picture(number):
    rng = Rng(f"picture {number}")
    corners = [rng.ints(3, 0, 255) for _ in range(4)]

    def colour(x, y):
        a, b = x / (2 * SIDE - 1), y / (2 * SIDE - 1)
        shares = ((1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b)
        return [int(sum(share * corner[c] for share, corner in zip(shares, corners))) for c in range(3)]
    return png(2 * SIDE, 2 * SIDE, colour)


class Photos(CommandTest):
    def setUp(self):
        super().setUp()
        for number in range(8):
            self.write(f"photos/{number}.png", picture(number))
        self.write("names.txt", LABELS)


class Quantize(Photos):
    def quantize(self, model, *options, status=0, photos="photos"):
        self.write("float.tflite", model)
        return self.lines("quantize", "float.tflite", photos, "--mean", 127.5, "--std", 127.5, *options, status=status)

    def read(self, name="float.int8.tflite"):
        return read_tflite((self.folder / name).read_bytes())

    def test_scheme(self):
        """TensorFlow Lite's 8-bit quantisation specification, read by a reader of the test's own."""
        self.quantize(classifier(), "--keep-float", "none")
        model = self.read()
        for op in model.operators:
            if op.builtin in (CONV_2D, DEPTHWISE, FULLY_CONNECTED):
                data, weights, bias = op.inputs
                each = {CONV_2D: weights.shape[0], DEPTHWISE: weights.shape[-1], FULLY_CONNECTED: 1}[op.builtin]
                self.assertEqual((data.type, weights.type, bias.type), (INT8, INT8, INT32))
                self.assertEqual((len(weights.scale), weights.zero), (each, [0] * each))
                self.assertEqual(weights.axis, 3 if op.builtin == DEPTHWISE else 0)
                self.assertGreaterEqual(min(struct.unpack(f"{len(weights.data)}b", weights.data)), -127)
                for got, scale in zip(bias.scale, weights.scale):
                    self.assertAlmostEqual(got / (data.scale[0] * scale), 1, places=5)
            if op.builtin == SOFTMAX:
                self.assertEqual((op.outputs[0].scale, op.outputs[0].zero), ([1 / 256], [-128]))
        first, last = model.inputs[0], model.outputs[0]
        self.assertEqual((first.type, first.zero), (INT8, [-1]))
        self.assertAlmostEqual(first.scale[0], 1 / 127.5, places=7)
        self.assertEqual(last.type, FLOAT32)
        self.assertNotIn(QUANTIZE, [op.builtin for op in model.operators])

    def test_answers(self):
        for method in "mse", "minmax", "percentile":
            report, = self.quantize(classifier(), "--labels", "names.txt", "--method", method)
            self.assertEqual((report["method"], report["photos"], report["card"]), (method, 8, None))
            self.assertEqual(report["answers"]["same_best"], 8)
            self.assertLess(report["answers"]["score_change_most"], 0.05)
            self.assertEqual({layer["type"] for layer in report["layers"]}, {"int8"})
            self.assertGreater(min(layer["all_db"] for layer in report["layers"]), 20)
        for number in range(8):
            photo = f"photos/{number}.png"
            exact, = self.lines("classify", "-m", "float.tflite", "--labels", "names.txt", "--mean", 127.5, "--std", 127.5,
                                photo)
            rounded, = self.lines("classify", "-m", "float.int8.tflite", photo)
            self.assertEqual(exact["top"][0]["label"], rounded["top"][0]["label"])
            self.assertAlmostEqual(exact["top"][0]["score"], rounded["top"][0]["score"], delta=0.05)

    def test_many_channels(self):
        """A normalisation for each channel: the input stays in float, and the file knows how it is made."""
        self.write("float.tflite", classifier())
        usual = ["--mean", "123,116,104", "--std", "58,57,57"]
        self.lines("quantize", "float.tflite", "photos", *usual)
        model = self.read()
        self.assertEqual((model.inputs[0].type, model.operators[0].builtin), (FLOAT32, QUANTIZE))
        exact, = self.lines("classify", "-m", "float.tflite", *usual, "photos/1.png")
        rounded, = self.lines("classify", "-m", "float.int8.tflite", "photos/1.png")
        self.assertEqual(exact["top"][0]["index"], rounded["top"][0]["index"])

    def test_float_layers(self):
        report, = self.quantize(classifier("EXP"), "--keep-float", "none")
        kept = [layer for layer in report["layers"] if layer["why"]]
        self.assertEqual([layer["operation"] for layer in kept], ["EXP"])
        self.assertEqual(report["answers"]["same_best"], 8)
        builtins = [op.builtin for op in self.read().operators]
        self.assertIn(QUANTIZE, builtins)
        self.assertEqual(builtins.count(DEQUANTIZE), 2)
        report, = self.quantize(classifier(), "--keep-float", 1)
        kept = [layer["why"] for layer in report["layers"] if layer["why"]]
        self.assertIn("sensitive", kept)
        self.assertEqual(report["answers"]["same_best"], 8)

    def test_detector(self):
        self.write("classes.txt", "cat\ndog\n")
        report, = self.quantize(detector(), "--labels", "classes.txt")
        answers = report["answers"]
        self.assertGreater(answers["objects"], 8)
        self.assertGreaterEqual(answers["matched"], 0.6 * answers["objects"])
        self.assertGreater(answers["overlap"], 0.9)
        custom = [op for op in self.read().operators if op.builtin == CUSTOM]
        self.assertEqual([op.custom for op in custom], ["TFLite_Detection_PostProcess"])
        found, = self.lines("detect", "-m", "float.int8.tflite", "photos/0.png")
        self.assertTrue(found["objects"])
        self.assertLessEqual({o["label"] for o in found["objects"]}, {"cat", "dog"})

    def test_card(self):
        """Raw heads: what no TFLite file can say of them goes into a card beside the new file."""
        model = Model("raw")
        card = RAW_CARD.replace("grids = 2", "grids = 8").replace("0.5", "0.2").replace("threshold = 0.6", "threshold = 0.55")
        self.write("cards/raw.tflite", model.output(*heads(model)).bytes())
        self.write("cards/raw.ini", card + "\n[input]\nmean = 127.5\nstd = 127.5\n")
        report, = self.lines("quantize", "raw", "photos", "-o", "raw8.tflite")
        self.assertEqual(report["card"], "raw8.ini")
        self.assertGreater(report["answers"]["matched"], 0)
        exact, = self.lines("detect", "-m", "raw", "photos/3.png")
        for name in "raw8.tflite", "raw8.ini":
            rounded, = self.lines("detect", "-m", name, "photos/3.png")
            self.assertEqual(len(exact["objects"]) > 0, len(rounded["objects"]) > 0)

    def test_photos_that_fail(self):
        self.write("photos/8.png", b"no picture")
        self.write("float.tflite", classifier())
        _, errors = self.pipit("quantize", "float.tflite", "photos", "--mean", 127.5, "--std", 127.5, status=65)
        self.assertIn("8.png", errors)
        self.assertTrue(self.read().operators)

    def test_nothing_to_learn_from(self):
        self.write("empty/notes.txt", "none")
        for photos, status in ("empty", 66), ("missing.png", 66), ("missing/", 66):
            self.quantize(classifier(), status=status, photos=photos)
        self.pipit("quantize", "float.tflite", status=64)
        self.pipit("quantize", "float.tflite", "photos", status=65)  # nothing says how it is normalised
        self.pipit("quantize", "float.tflite", "photos", "--method", "best", status=64)
        self.pipit("quantize", "float.tflite", "photos", "--keep-float", "some", status=64)
        self.assertFalse(list(self.folder.glob("*.int8.tflite*")))

    def test_models_that_cannot_be(self):
        for model, words in ((colours(), "quantised already"), (two_inputs(), "not one picture")):
            self.write("float.tflite", model)
            _, errors = self.pipit("quantize", "float.tflite", "photos", "--mean", 0, "--std", 255, status=65)
            self.assertIn(words, errors)
        self.quantize(classifier())
        os.rename(self.folder / "float.int8.tflite", self.folder / "again.tflite")
        _, errors = self.pipit("quantize", "again.tflite", "photos", status=65)
        self.assertIn("quantised already", errors)

    def test_whole_or_not_at_all(self):
        self.write("float.tflite", classifier())
        self.write("kept/old.tflite", b"old")
        usual = ["quantize", "float.tflite", "photos", "--mean", "127.5", "--std", "127.5"]
        self.pipit(*usual, "-o", "no/such/folder.tflite", status=73)
        _, errors = self.pipit(*usual, "-o", "float.tflite", status=73)
        self.assertIn("float model itself", errors)
        self.pipit(*usual, "-o", "kept", status=73)
        self.pipit(*usual, "-o", "kept/old.tflite")
        self.assertEqual(os.listdir(self.folder / "kept"), ["old.tflite"])
        self.assertTrue(self.read("kept/old.tflite").operators)

    def test_one_photo(self):
        self.write("red.png", png(SIDE, SIDE, RED))
        report, = self.quantize(classifier(), photos="red.png")
        self.assertEqual(report["answers"], {**report["answers"], "photos": 1, "same_best": 1})


class Precision(Photos):
    """--precision int8 answers as the file that pipit quantize makes of the same photos."""

    CARD = "[model]\ntask = {}\nfile = {}.tflite\n[input]\nmean = 127.5\nstd = 127.5\n"
    INT8 = ("--precision", "int8", "--calibrate")

    def setUp(self):
        super().setUp()
        self.write("cards/float.tflite", classifier())
        self.write("cards/float.ini", self.CARD.format("classify", "float") + "[output]\nlabels = names.txt\n")
        self.write("cards/names.txt", LABELS)
        self.write("input.rgb", bytes(Rng("input").ints(SIDE * SIDE * 3, 0, 255)))

    def tensors(self, model, *options):
        self.pipit("infer", model, "input.rgb", "--output-dir", "answer", *options)
        return [path.read_bytes() for path in sorted((self.folder / "answer").iterdir())]

    @staticmethod
    def answers(line):
        return {key: value for key, value in line.items() if key not in ("ms", "model")}

    def test_same_bytes(self):
        self.pipit("quantize", "float", "photos", "-o", "made.tflite")
        made = self.tensors("made.tflite")
        self.assertEqual(self.tensors("float", *self.INT8, "photos"), made)
        self.assertNotEqual(self.tensors("float"), made)
        for number in range(8):
            photo = f"photos/{number}.png"
            exact, = self.lines("classify", "-m", "made.tflite", photo)
            found, = self.lines("classify", "-m", "float", *self.INT8, "photos", photo)
            self.assertEqual(self.answers(found), self.answers(exact))
            self.assertEqual(found["model"], "float")

    def test_one_photo_and_options(self):
        self.write("plain.tflite", classifier())
        usual = ["--mean", "123,116,104", "--std", "58,57,57"]
        self.pipit("quantize", "plain.tflite", "photos/2.png", *usual, "-o", "made.tflite")
        self.assertEqual(self.tensors("plain.tflite", *usual, *self.INT8, "photos/2.png"), self.tensors("made.tflite"))

    def test_detectors(self):
        raw = Model("raw")
        self.write("cards/raw.tflite", raw.output(*heads(raw)).bytes())
        self.write("cards/raw.ini", RAW_CARD.replace("grids = 2", "grids = 8").replace("0.5", "0.2").replace(
            "threshold = 0.6", "threshold = 0.55") + "\n[input]\nmean = 127.5\nstd = 127.5\n")
        self.write("cards/boxes.tflite", detector())
        self.write("cards/boxes.ini", self.CARD.format("detect", "boxes"))
        for model in "raw", "boxes":
            self.pipit("quantize", model, "photos", "-o", f"{model}8.tflite")
            exact, = self.lines("detect", "-m", f"{model}8.tflite", "photos/3.png")
            found, = self.lines("detect", "-m", model, *self.INT8, "photos", "photos/3.png")
            self.assertTrue(found["objects"])
            self.assertEqual(self.answers(found), self.answers(exact))

    def test_bench_and_info(self):
        line, = self.lines("bench", "float", "--runs", 1, "--warmup", 0, *self.INT8, "photos")
        self.assertEqual((line["model"], line["precision"]), ("float", "int8"))
        line, = self.lines("info", "float", *self.INT8, "photos")
        self.assertEqual((line["plan"]["precision"], line["inputs"][0]["type"], line["labels"]), ("int8", "int8", LABELS.split()))
        _, errors = self.pipit("bench", "mobilenet-v1:0.25@32", "--precision", "int8", status=69)
        self.assertIn("'mobilenet-v1:0.25@32/int8'", errors)
        line, = self.lines("bench", "mobilenet-v1:0.25@32/int8", "--runs", 1, "--precision", "int8")
        self.assertEqual(line["precision"], "int8")

    def test_quantised_models_are_what_they_are(self):
        self.write("colours.tflite", colours())
        exact, = self.lines("classify", "-m", "colours.tflite", "photos/1.png")
        for options in ((), ("--calibrate", "photos"), ("--calibrate", "nowhere")):
            found, = self.lines("classify", "-m", "colours.tflite", "--precision", "int8", *options, "photos/1.png")
            self.assertEqual(self.answers(found), self.answers(exact))

    def test_without_photos(self):
        self.write("empty/notes.txt", "none")
        self.write("plain.tflite", classifier())
        for options, status, words in (
                (["-m", "float", "--precision", "int8"], 64, "give --calibrate FOLDER"),
                (["-m", "float", *self.INT8, "empty"], 66, "no JPEG or PNG photos in 'empty'"),
                (["-m", "float", *self.INT8, "nowhere"], 66, "'nowhere'"),
                (["-m", "float", *self.INT8, "empty/notes.txt"], 65, "no photo to calibrate on can be read"),
                (["-m", "plain.tflite", *self.INT8, "photos"], 65, "--mean"),
                (["-m", "float", "--calibrate", "photos"], 64, "goes with --precision int8"),
                (["-m", "float", "--precision", "f16", "--calibrate", "photos"], 64, "goes with --precision int8")):
            with self.subTest(options=options):
                out, errors = self.pipit("classify", *options, "photos/0.png", status=status)
                self.assertEqual(out, "")
                self.assertIn(words, errors)
        self.assertIn("pipit quantize", self.pipit("classify", "-m", "float", "--precision", "int8", "photos/0.png", status=64)[1])

    def test_models_that_cannot_be(self):
        self.write("sum.tflite", two_inputs())
        self.write("refused.tflite", refused())
        for model, status, words in (("sum", 65, "not one picture"), ("refused", 69, "NoSuchOperator")):
            for options in ((), ("--calibrate", "photos")):
                _, errors = self.pipit("infer", f"{model}.tflite", "input.rgb", "-d", "answer", "--precision", "int8",
                                       *options, status=status)
                self.assertIn(words, errors)

    def test_photos_that_fail(self):
        exact = self.tensors("float", *self.INT8, "photos")
        self.write("photos/8.png", b"no picture")
        _, errors = self.pipit("infer", "float", "input.rgb", "-d", "answer", *self.INT8, "photos")
        self.assertRegex(errors, "warning: .*8.png.*left out")
        self.assertEqual((self.folder / "answer/out0.bin").read_bytes(), exact[0])

    def test_a_large_folder(self):
        """Some photos from all over it: here every second one, and those between are never read."""
        for number in range(128):
            self.write(f"many/{number}.png", b"no picture" if number % 2 else picture(number))
        _, errors = self.pipit("infer", "float", "input.rgb", "-d", "answer", *self.INT8, "many")
        self.assertEqual(errors, "")


unittest.main()
