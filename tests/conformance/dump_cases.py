#!/usr/bin/env python3
"""Writes the ONNX backend cases of cases.tsv as files, from the PyPI package `onnx` (1.23.2) and numpy.

    pip install onnx==1.23.2 numpy
    python3 tests/conformance/dump_cases.py FOLDER
    cargo xtask conformance --cases FOLDER

FOLDER gets KIND/NAME/model.onnx with test_data_set_0/{input,output}_I.pb, and light/ with the package's light models.
"""

import csv
import shutil
import sys
from pathlib import Path

import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test.loader import load_node_model_tests

HERE = Path(__file__).parent
PACKAGED = Path(onnx.__file__).parent / "backend/test/data"


def listed():
    """The names of the cases, by kind."""
    with open(HERE / "cases.tsv", newline="") as file:
        kinds = {}
        for row in csv.DictReader(file, delimiter="\t"):
            kinds.setdefault(row["kind"], set()).add(row["name"])
        return kinds


def tensor(value, name):
    """A tensor's bytes, whatever the case holds."""
    if not isinstance(value, TensorProto):
        value = numpy_helper.from_array(value, name)
    return value.SerializeToString()


def write(case, folder):
    """Writes a generated case."""
    data = folder / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    inputs, outputs = case.data_sets[0]
    for i, (value, info) in enumerate(zip(inputs, case.model.graph.input)):
        (data / f"input_{i}.pb").write_bytes(tensor(value, info.name))
    for i, (value, info) in enumerate(zip(outputs, case.model.graph.output)):
        (data / f"output_{i}.pb").write_bytes(tensor(value, info.name))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    target = Path(sys.argv[1])
    wanted = listed()
    for case in load_node_model_tests():
        if case.model is not None and case.name in wanted.get(case.kind, ()):
            write(case, target / case.kind / case.name)
            wanted[case.kind].remove(case.name)
    for kind in ("simple", "pytorch-converted", "pytorch-operator"):
        for name in sorted(wanted[kind]):
            if (PACKAGED / kind / name).is_dir():
                shutil.copytree(PACKAGED / kind / name, target / kind / name, dirs_exist_ok=True)
                wanted[kind].remove(name)
    shutil.copytree(PACKAGED / "light", target / "light", dirs_exist_ok=True)
    wanted.pop("real")
    missing = sorted(f"{kind}/{name}" for kind, names in wanted.items() for name in names)
    if missing:
        sys.exit(f"{len(missing)} cases are not in this version of the package ({onnx.__version__}): {' '.join(missing[:10])}")


if __name__ == "__main__":
    main()
