"""Trains the digits network, exports it to ONNX and writes the test images.

    python train.py            train, export, write images and expected outputs
    python train.py --check    print the accuracy of the committed model.onnx on the held-out split

Needs numpy, scikit-learn, onnx and onnxruntime. Everything is seeded; the weights may differ in the last bits between BLAS
builds, so the committed files are the reference, not a rerun on another machine.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).parent
SEED = 7
EPOCHS = 40
BATCH = 32


def data():
    """Train and test images as [n, 1, 8, 8] f32 in 0..1, with their labels."""
    digits = load_digits()
    x = (digits.images / 16.0).astype(np.float32)[:, None]
    return train_test_split(x, digits.target, test_size=0.2, random_state=SEED, stratify=digits.target)


def columns(x):
    """3x3 patches with padding 1: [n, c, h, w] -> [n, h, w, c * 9]."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    patches = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return patches.transpose(0, 2, 3, 1, 4, 5).reshape(x.shape[0], x.shape[2], x.shape[3], -1)


def spread(dcols, channels):
    """The transpose of `columns`."""
    n, h, w, _ = dcols.shape
    d = dcols.reshape(n, h, w, channels, 3, 3)
    out = np.zeros((n, channels, h + 2, w + 2), np.float32)
    for i in range(3):
        for j in range(3):
            out[:, :, i : i + h, j : j + w] += d[..., i, j].transpose(0, 3, 1, 2)
    return out[:, :, 1:-1, 1:-1]


def initial(rng):
    """He-initialised weights, zero biases."""

    def he(*shape):
        return (rng.standard_normal(shape) * np.sqrt(2.0 / np.prod(shape[1:]))).astype(np.float32)

    return {
        "conv1.weight": he(16, 1, 3, 3), "conv1.bias": np.zeros(16, np.float32),
        "conv2.weight": he(32, 16, 3, 3), "conv2.bias": np.zeros(32, np.float32),
        "fc1.weight": he(64, 512), "fc1.bias": np.zeros(64, np.float32),
        "fc2.weight": he(10, 64), "fc2.bias": np.zeros(10, np.float32),
    }  # fmt: skip


def step(p, x, y):
    """Gradients of the mean cross-entropy of one batch."""
    n = len(x)
    w1, w2 = p["conv1.weight"].reshape(16, -1), p["conv2.weight"].reshape(32, -1)
    c1 = columns(x)
    z1 = (c1 @ w1.T + p["conv1.bias"]).transpose(0, 3, 1, 2)
    a1 = np.maximum(z1, 0)
    c2 = columns(a1)
    z2 = (c2 @ w2.T + p["conv2.bias"]).transpose(0, 3, 1, 2)
    a2 = np.maximum(z2, 0)
    blocks = a2.reshape(n, 32, 4, 2, 4, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, 32, 4, 4, 4)
    winner = blocks.argmax(-1)[..., None]
    flat = np.take_along_axis(blocks, winner, -1).reshape(n, 512)
    z3 = flat @ p["fc1.weight"].T + p["fc1.bias"]
    a3 = np.maximum(z3, 0)
    z4 = a3 @ p["fc2.weight"].T + p["fc2.bias"]
    e = np.exp(z4 - z4.max(1, keepdims=True))
    d4 = e / e.sum(1, keepdims=True)
    d4[np.arange(n), y] -= 1
    d4 /= n
    d3 = (d4 @ p["fc2.weight"]) * (z3 > 0)
    dblocks = np.zeros_like(blocks)
    np.put_along_axis(dblocks, winner, (d3 @ p["fc1.weight"]).reshape(winner.shape), -1)
    da2 = dblocks.reshape(n, 32, 4, 4, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(a2.shape)
    d2 = (da2 * (z2 > 0)).transpose(0, 2, 3, 1)
    d1 = (spread(d2 @ w2, 16) * (z1 > 0)).transpose(0, 2, 3, 1)
    return {
        "conv1.weight": np.tensordot(d1, c1, ([0, 1, 2], [0, 1, 2])).reshape(16, 1, 3, 3), "conv1.bias": d1.sum((0, 1, 2)),
        "conv2.weight": np.tensordot(d2, c2, ([0, 1, 2], [0, 1, 2])).reshape(32, 16, 3, 3), "conv2.bias": d2.sum((0, 1, 2)),
        "fc1.weight": d3.T @ flat, "fc1.bias": d3.sum(0),
        "fc2.weight": d4.T @ a3, "fc2.bias": d4.sum(0),
    }  # fmt: skip


def train(x, y):
    """Adam with a falling rate."""
    rng = np.random.default_rng(SEED)
    p = initial(rng)
    m, v, t = {k: np.zeros_like(w) for k, w in p.items()}, {k: np.zeros_like(w) for k, w in p.items()}, 0
    for epoch in range(EPOCHS):
        rate = 2e-3 * (1 - epoch / EPOCHS)
        order = rng.permutation(len(x))
        for start in range(0, len(x), BATCH):
            batch = order[start : start + BATCH]
            t += 1
            for k, g in step(p, x[batch], y[batch]).items():
                m[k] = 0.9 * m[k] + 0.1 * g
                v[k] = 0.999 * v[k] + 0.001 * g * g
                p[k] = (p[k] - rate * (m[k] / (1 - 0.9**t)) / (np.sqrt(v[k] / (1 - 0.999**t)) + 1e-8)).astype(np.float32)
    return p


def export(p):
    """The network as an ONNX model, opset 17."""
    node = helper.make_node
    conv = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        node("Conv", ["image", "conv1.weight", "conv1.bias"], ["conv1"], "conv1", **conv),
        node("Relu", ["conv1"], ["relu1"], "relu1"),
        node("Conv", ["relu1", "conv2.weight", "conv2.bias"], ["conv2"], "conv2", **conv),
        node("Relu", ["conv2"], ["relu2"], "relu2"),
        node("MaxPool", ["relu2"], ["pool"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", ["pool"], ["features"], "flatten"),
        node("Gemm", ["features", "fc1.weight", "fc1.bias"], ["fc1"], "fc1", transB=1),
        node("Relu", ["fc1"], ["relu3"], "relu3"),
        node("Gemm", ["relu3", "fc2.weight", "fc2.bias"], ["logits"], "fc2", transB=1),
        node("Softmax", ["logits"], ["probabilities"], "softmax", axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 8, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(w, k) for k, w in p.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="rebut")
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, HERE / "model.onnx")


def probabilities(x):
    """The committed model's outputs, image by image, by onnxruntime."""
    session = onnxruntime.InferenceSession(HERE / "model.onnx", providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"image": image[None]})[0] for image in x])


def write_images(x, y):
    """The first held-out image of each digit that the network gets right, with its label and onnxruntime's output."""
    right = probabilities(x).argmax(1) == y
    (HERE / "images").mkdir(exist_ok=True)
    (HERE / "expected").mkdir(exist_ok=True)
    for digit in range(10):
        image = x[np.flatnonzero(right & (y == digit))[0]][None]
        for folder, name, array in [("images", "image", image), ("expected", "probabilities", probabilities(image))]:
            (HERE / folder / f"digit_{digit}.pb").write_bytes(numpy_helper.from_array(array, name).SerializeToString())
    labels = {f"digit_{digit}.pb": digit for digit in range(10)}
    (HERE / "labels.json").write_text(json.dumps(labels, indent=2) + "\n")


def main():
    x, test_x, y, test_y = data()
    if "--check" not in sys.argv:
        export(train(x, y))
        write_images(test_x, test_y)
    right = int((probabilities(test_x).argmax(1) == test_y).sum())
    print(f"held-out accuracy: {right}/{len(test_y)} = {right / len(test_y):.4f}")


if __name__ == "__main__":
    main()
