# SPDX-License-Identifier: MIT
"""Makes one network's files with the same weights for Pipit and its peers: convert.py FOLDER NETWORK...

A NETWORK is named as for pipit bench. Weights are random, of a fixed seed, with batch normalisation set on seeded
pictures so that activations have the ranges of a trained network, and a classifier that knows a hundred such. In
FOLDER/NETWORK/ lie then
    float32.tflite int8.tflite          TensorFlow's converter: Pipit and LiteRT
    float32.onnx                        written here from float32.tflite: ONNX Runtime
    int8.onnx int8-arm64.onnx           quantize_static from float32.onnx: ONNX Runtime on x86-64 and arm64
    float32.ncnn.* float16.ncnn.*       pnnx from float32.onnx: ncnn
    input.rgb answer.f32                a picture, H x W x 3 bytes, and TensorFlow's logits for it, float32

Runs in the environment that environment.py makes for it.
"""
import importlib.util
import os
import re
import shutil
import subprocess
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", KERAS_BACKEND="tensorflow")

import numpy as np  # noqa: E402
import onnx  # noqa: E402
import tensorflow as tf  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnxruntime import quantization  # noqa: E402
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2  # noqa: E402
from tensorflow.lite.python import schema_py_generated as schema  # noqa: E402


CLASSES, LOGIT = 100, 10  # classes with a picture of their own, and what they answer to it


def pictures(count, side, seed):
    """Smooth seeded pictures, N x side x side x 3 in -1..1, all of one contrast: noise of several scales and a colour
    of their own."""
    rng = np.random.default_rng(seed)
    total = rng.uniform(-0.5, 0.5, (count, 1, 1, 3)).astype(np.float32)
    for cells in 3, 9, 27, side:
        noise = rng.normal(0, 0.3, (count, cells, cells, 3)).astype(np.float32)
        total = total + tf.image.resize(noise, (side, side), "bicubic").numpy()
    return np.clip(total / (2 * np.sqrt(np.mean(total ** 2, axis=(1, 2, 3), keepdims=True))), -1, 1)


# ---- the network ----

def parse(name):
    match = re.fullmatch(r"(mobilenet-v[123](?:-small|-large)?)(?::([\d.]+))?(?:@(\d+))?", name)
    if not match:
        sys.exit(f"convert.py: no network '{name}'")
    return match[1], float(match[2] or 1), int(match[3] or 224)


def build(name):
    base, width, side = parse(name)
    tf.keras.utils.set_random_seed(1)
    options = {"input_shape": (side, side, 3), "alpha": width, "weights": None, "classifier_activation": None}
    if "v3" in base:
        options["include_preprocessing"] = False
    make = {"mobilenet-v1": "MobileNet", "mobilenet-v2": "MobileNetV2", "mobilenet-v3-small": "MobileNetV3Small",
            "mobilenet-v3-large": "MobileNetV3Large"}[base]
    model = getattr(tf.keras.applications, make)(**options)
    tame(model)
    model(pictures(32, side, 2), training=True)
    prototypes = pictures(CLASSES, side, 4)
    return model, side, prototypes[recognise(model, prototypes)]


def tame(model):
    """Weights that pass on what rounding adds, as trained ones do, where plain random ones double it every few layers:
    depthwise filters that blur, activations about 1, where h-swish is close to a line (about 0 it squares, and a few
    pictures would have all of the range), and small changes of what goes past a bottleneck."""
    rng = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.DepthwiseConv2D):
            layer.set_weights([np.abs(layer.get_weights()[0])])
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.momentum = 0.0
            gamma, beta, *rest = layer.get_weights()
            if "project" in layer.name:
                gamma[:] = 0.5
            else:
                beta[:] = rng.normal(1, 0.5, beta.shape)
            layer.set_weights([gamma, beta, *rest])


def recognise(model, prototypes):
    """Has each of the first classes answer to a picture of its own, as a trained classifier would: random rows answer
    all pictures alike, and int8 then changes which class is best. A row is what sets its picture's features apart.
    Returns which picture is least like any other, of those whose features are not longer than the mean ones."""
    layer = [layer for layer in model.layers if layer.weights][-1]
    features = tf.keras.Model(model.inputs, layer.input).predict(prototypes, batch_size=10, verbose=0)
    features = features.reshape(len(prototypes), -1)
    mean = features.mean(0)
    rows = features - mean
    lengths = np.linalg.norm(rows, axis=1)
    unit = rows / lengths[:, None]
    kernel, bias = layer.get_weights()
    kernel[..., :len(unit)] = unit.T * LOGIT / lengths.mean()
    layer.set_weights([kernel, -(mean @ kernel).reshape(bias.shape)])
    alike = np.max(unit @ unit.T - 2 * np.eye(len(unit)), axis=1)
    return int(np.argmin(np.where(lengths <= lengths.mean(), alike, 1)))


def to_tflite(model, side, folder):
    shape = tf.TensorSpec((1, side, side, 3), tf.float32)
    function = convert_variables_to_constants_v2(tf.function(lambda x: model(x, training=False)).get_concrete_function(shape))

    def converter():
        return tf.lite.TFLiteConverter.from_concrete_functions([function])

    def calibration():
        for picture in pictures(48, side, 3):
            yield [picture[None]]

    write(folder, "float32.tflite", converter().convert())
    eight = converter()
    eight.optimizations = [tf.lite.Optimize.DEFAULT]
    eight.representative_dataset = calibration
    eight.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    eight.inference_input_type = eight.inference_output_type = tf.int8
    write(folder, "int8.tflite", eight.convert())


def write(folder, name, data):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


# ---- TFLite to ONNX ----

OPERATOR = {value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()}
ACTIVATION = {value: name for name, value in vars(schema.ActivationFunctionType).items() if name.isupper()}


class Onnx:
    """An ONNX graph of a float TFLite file, NCHW throughout: no transpositions, pads within convolutions."""

    def __init__(self, data):
        model = schema.ModelT.InitFromPackedBuf(data, 0)
        self.graph, self.buffers, self.codes = model.subgraphs[0], model.buffers, model.operatorCodes
        self.nodes, self.initializers, self.pads, self.names = [], [], {}, {}
        for operator in self.graph.operators:
            self.add(operator)

    def shape(self, tensor):
        return [int(side) for side in self.graph.tensors[tensor].shape]

    def constant(self, tensor):
        entry = self.graph.tensors[tensor]
        data = self.buffers[entry.buffer].data
        if data is None:
            return None
        return np.frombuffer(bytes(data), np.float32 if entry.type == 0 else np.int32).reshape(self.shape(tensor))

    def name(self, tensor):
        return self.names.get(tensor, f"t{tensor}")

    def weights(self, name, array):
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    def node(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def activated(self, kind, inputs, output, activation, **attributes):
        name = self.name(output)
        function = ACTIVATION[activation]
        if function == "NONE":
            return self.node(kind, inputs, name, **attributes)
        self.node(kind, inputs, name + "_", **attributes)
        return self.activate(function, name + "_", name)

    def activate(self, function, source, name):
        if function == "RELU6":
            limits = [self.weights(f"{name}_{text}", np.float32(value)) for text, value in (("min", 0), ("max", 6))]
            return self.node("Clip", [source, *limits], name)
        return self.node({"RELU": "Relu"}[function], [source], name)

    def add(self, operator):
        code = self.codes[operator.opcodeIndex]
        kind = OPERATOR[max(code.builtinCode, code.deprecatedBuiltinCode)]
        getattr(self, "add_" + kind.lower())(operator, operator.builtinOptions, operator.inputs, operator.outputs[0])

    def padding(self, source, output, kernel, options):
        """The tensor to read and the pads (top, left, bottom, right), a PAD operator before included."""
        source, pads = self.pads.get(source, (source, [0, 0, 0, 0]))
        if options.padding == schema.Padding.SAME:
            sizes = self.shape(source)[1:3], self.shape(output)[1:3], kernel, (options.strideH, options.strideW)
            need = [max((out - 1) * stride + k - size, 0) for size, out, k, stride in zip(*sizes)]
            pads = [need[0] // 2, need[1] // 2, need[0] - need[0] // 2, need[1] - need[1] // 2]
        return source, pads

    def convolution(self, options, inputs, output, weights, group):
        source, pads = self.padding(inputs[0], output, weights.shape[2:], options)
        names = [self.name(source), self.weights(f"w{inputs[1]}_{output}", weights),
                 self.weights(f"b{inputs[2]}_{output}", self.constant(inputs[2]))]
        self.activated("Conv", names, output, options.fusedActivationFunction, group=group, pads=pads,
                       kernel_shape=list(weights.shape[2:]), strides=[options.strideH, options.strideW])

    def add_conv_2d(self, _, options, inputs, output):
        self.convolution(options, inputs, output, self.constant(inputs[1]).transpose(0, 3, 1, 2), 1)

    def add_depthwise_conv_2d(self, _, options, inputs, output):
        weights = self.constant(inputs[1]).transpose(3, 0, 1, 2)
        self.convolution(options, inputs, output, weights, len(weights))

    def add_fully_connected(self, _, options, inputs, output):
        weights = self.constant(inputs[1])
        bias = self.constant(inputs[2]) if len(inputs) > 2 and inputs[2] >= 0 else np.zeros(len(weights))
        names = [self.name(inputs[0]), self.weights(f"w{output}", weights), self.weights(f"b{output}", bias)]
        self.activated("Gemm", names, output, options.fusedActivationFunction, transB=1)

    def add_pad(self, _, options, inputs, output):
        amounts = self.constant(inputs[1])
        self.pads[output] = inputs[0], [int(amounts[i][j]) for j in (0, 1) for i in (1, 2)]

    def binary(self, kind, options, inputs, output):
        names = []
        for tensor in inputs:
            value = self.constant(tensor)
            names.append(self.name(tensor) if value is None else self.weights(f"c{tensor}_{output}", value))
        self.activated(kind, names, output, options.fusedActivationFunction)

    def add_add(self, _, options, inputs, output):
        self.binary("Add", options, inputs, output)

    def add_mul(self, _, options, inputs, output):
        self.binary("Mul", options, inputs, output)

    def add_hard_swish(self, _, options, inputs, output):
        self.node("HardSwish", [self.name(inputs[0])], self.name(output))

    def add_relu(self, _, options, inputs, output):
        self.activate("RELU", self.name(inputs[0]), self.name(output))

    def add_relu6(self, _, options, inputs, output):
        self.activate("RELU6", self.name(inputs[0]), self.name(output))

    def add_mean(self, _, options, inputs, output):
        if self.constant(inputs[1]).tolist() != [1, 2]:
            sys.exit("convert.py: a mean of something else than height and width")
        self.node("GlobalAveragePool", [self.name(inputs[0])], self.name(output))

    def add_reshape(self, _, options, inputs, output):
        """Between a pooled N x C and N x 1 x 1 x C there is nothing to do in NCHW: both stay N x C x 1 x 1."""
        self.names[output] = self.name(inputs[0])

    add_squeeze = add_reshape

    def flattened(self):
        """A Gemm reads N x C; so does who asks for the answer."""
        for node in [node for node in self.nodes if node.op_type == "Gemm"]:
            flat = node.input[0] + "_flat"
            self.nodes.insert(self.nodes.index(node), helper.make_node("Flatten", [node.input[0]], [flat]))
            node.input[0] = flat
        answer = self.name(self.graph.outputs[0])
        if self.nodes[-1].op_type != "Gemm":
            self.node("Flatten", [answer], answer := answer + "_flat")
        return answer

    def model(self):
        side, classes = self.shape(self.graph.inputs[0])[1], self.shape(self.graph.outputs[0])[-1]
        answer = self.flattened()
        for node in self.nodes:
            for names in node.input, node.output:
                for at, name in enumerate(names):
                    names[at] = {self.name(self.graph.inputs[0]): "input", answer: "output"}.get(name, name)
        graph = helper.make_graph(
            self.nodes, "network", [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, side, side])],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, classes])], self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model


class Calibration(quantization.CalibrationDataReader):
    def __init__(self, side):
        self.pictures = iter(pictures(48, side, 3).transpose(0, 3, 1, 2)[:, None])

    def get_next(self):
        picture = next(self.pictures, None)
        return None if picture is None else {"input": np.ascontiguousarray(picture)}


def to_onnx(side, folder):
    with open(os.path.join(folder, "float32.tflite"), "rb") as file:
        model = Onnx(file.read()).model()
    float32 = os.path.join(folder, "float32.onnx")
    onnx.save(model, float32)
    # Optimised before, HardSwish would be taken apart, and each part rounded.
    ready = os.path.join(folder, "ready.onnx")
    quantization.shape_inference.quant_pre_process(float32, ready, skip_symbolic_shape=True, skip_optimization=True)
    # On x86 ONNX Runtime multiplies uint8 by int8: activations in int8, the default, leave a quarter of the convolutions
    # in float. Arm has the default. Weights have all eight bits: seven (reduce_range), which its guide to quantisation
    # advises for AVX2 without VNNI, are too few for V3-Large.
    for name, kind in ("int8", quantization.QuantType.QUInt8), ("int8-arm64", quantization.QuantType.QInt8):
        quantization.quantize_static(ready, os.path.join(folder, f"{name}.onnx"), Calibration(side), per_channel=True,
                                     activation_type=kind)
    os.remove(ready)


def to_ncnn(side, folder):
    """By the program in pnnx's package, without the package: that would want torch."""
    pnnx = os.path.join(*importlib.util.find_spec("pnnx").submodule_search_locations, "pnnx")
    for precision, half in ("float32", 0), ("float16", 1):
        work = os.path.join(folder, "pnnx")
        os.makedirs(work)
        shutil.copy(os.path.join(folder, "float32.onnx"), os.path.join(work, "net.onnx"))
        result = subprocess.run([pnnx, "net.onnx", f"inputshape=[1,3,{side},{side}]", f"fp16={half}"], cwd=work,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if not os.path.exists(os.path.join(work, "net.ncnn.bin")):
            sys.exit(f"pnnx: {result.stdout.decode(errors='replace')[-2000:]}")
        for kind in "param", "bin":
            os.rename(os.path.join(work, f"net.ncnn.{kind}"), os.path.join(folder, f"{precision}.ncnn.{kind}"))
        shutil.rmtree(work)


def convert(name, parent):
    folder = os.path.join(parent, name)
    if os.path.isdir(folder):
        return
    new = folder + ".new"
    shutil.rmtree(new, ignore_errors=True)
    os.makedirs(new)
    model, side, chosen = build(name)
    pixels = np.uint8(np.rint((chosen[None] + 1) * 127.5))
    picture = np.float32(pixels) / np.float32(127.5) - 1
    pixels.tofile(os.path.join(new, "input.rgb"))
    model(picture, training=False).numpy().tofile(os.path.join(new, "answer.f32"))
    to_tflite(model, side, new)
    to_onnx(side, new)
    to_ncnn(side, new)
    os.rename(new, folder)
    tf.keras.backend.clear_session()
    print(f"{name}: converted", file=sys.stderr)


if __name__ == "__main__":
    for network in sys.argv[2:]:
        convert(network, sys.argv[1])
