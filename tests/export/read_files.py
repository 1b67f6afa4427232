# SPDX-License-Identifier: Apache-2.0
"""Reads exported files as other people's programs do. argv[1]: a folder with one folder per network, which holds the
exported files, `images.f32` [7, 3, side, side] and `logits.f32` [7, classes]. Prints one JSON line per network."""
import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime
import safetensors.numpy
import torch

torch.set_num_threads(2)
BATCHES = (1, 7)


def in_batches(run, images):
    return [numpy.concatenate([run(images[i:i + n]) for i in range(0, len(images), n)]) for n in BATCHES]


def difference(outputs, logits):
    return max(float(numpy.abs(out - logits).max()) for out in outputs)


for folder in sorted(p for p in pathlib.Path(sys.argv[1]).iterdir() if p.is_dir()):
    fact = {"name": folder.name}
    images = numpy.fromfile(folder / "images.f32", numpy.float32)
    side = int(round((images.size / 21) ** 0.5))
    images = images.reshape(7, 3, side, side)
    logits = numpy.fromfile(folder / "logits.f32", numpy.float32).reshape(7, -1)

    for name in ("model.onnx", "kept.onnx", "half.onnx"):
        if not (folder / name).exists():
            continue
        model = onnx.load(folder / name)
        onnx.checker.check_model(model, full_check=True)
        fact["opset"] = model.opset_import[0].version
        fact["ir_version"] = model.ir_version
        fact["batch"] = model.graph.input[0].type.tensor_type.shape.dim[0].dim_param
        fact["metadata"] = {p.key: p.value for p in model.metadata_props}
        fact[name + ":norms"] = sum(n.op_type == "BatchNormalization" for n in model.graph.node)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(folder / name, options, providers=["CPUExecutionProvider"])
        run = lambda part: session.run(["logits"], {"images": part})[0]
        fact[name] = difference(in_batches(run, images), logits)

    module = torch.jit.load(folder / "model.pt")
    with torch.no_grad():
        run = lambda part: module(torch.from_numpy(part)).numpy()
        fact["model.pt"] = difference(in_batches(run, images), logits)

    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    with safetensors.safe_open(folder / "model.safetensors", "numpy") as file:
        fact["schema"] = file.metadata()["nas.schema"]
    state = torch.load(folder / "init", weights_only=True)["state_dict"]
    script = module.state_dict()
    fact["names_equal"] = sorted(tensors) == sorted(state) == sorted(script)
    fact["values_equal"] = all(
        numpy.array_equal(value, state[name].numpy()) and numpy.array_equal(value, script[name].numpy())
        for name, value in tensors.items())
    print(json.dumps(fact), flush=True)
