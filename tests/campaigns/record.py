#!/usr/bin/env python3
"""Records inputs from a seed and onnxruntime's outputs of models, for `cargo xtask models --bench FOLDER`.

    pip install onnx onnxruntime==1.31 numpy
    python3 tests/campaigns/record.py FOLDER NAME...

For each FOLDER/NAME.onnx it writes FOLDER/io/NAME/test_data_set_0/{input,output}_K.pb. Floats are standard normal, integers are below 1,000
(token ids), open dimensions are 1.
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import numpy_helper

SEED = 0


def made_up(random, info):
    dims = [d if isinstance(d, int) else 1 for d in info.shape]
    if info.type == "tensor(float)":
        return random.standard_normal(dims).astype(np.float32)
    if info.type == "tensor(int64)":
        return random.integers(0, 1000, dims)
    sys.exit(f"input {info.name} is a {info.type}: this script makes none")


def write(folder, what, values):
    for k, (name, value) in enumerate(values):
        (folder / f"{what}_{k}.pb").write_bytes(numpy_helper.from_array(value, name).SerializeToString())


def record(folder, name):
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
    random = np.random.default_rng(SEED)
    inputs = {info.name: made_up(random, info) for info in session.get_inputs()}
    outputs = session.run(None, inputs)
    data = folder / "io" / name / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    write(data, "input", inputs.items())
    write(data, "output", zip((info.name for info in session.get_outputs()), outputs))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    for name in sys.argv[2:]:
        record(Path(sys.argv[1]), name)
