#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From an exported model.onnx to TFLite, and whether both compute the same: the latency tables of phones are TFLite's.

    python3 -m venv tflite && tflite/bin/pip install onnx2tf==1.29.24 tensorflow-cpu tf-keras onnx-graphsurgeon \\
        ai-edge-litert sng4onnx onnxsim psutil                      # 2.6 GB installed, for this script only
    tflite/bin/python scripts/onnx-to-tflite.py model.onnx model.tflite

Batch size 1 and NHWC input, as phones want it. Exit code 6 when the largest difference exceeds 1e-3 of the largest logit.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    try:
        import numpy
        import onnxruntime
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        print(f"onnx-to-tflite: {error}; see the head of this script", file=sys.stderr)
        return 5
    with tempfile.TemporaryDirectory() as folder:
        command = [str(pathlib.Path(sys.executable).parent / "onnx2tf"), "-i", str(source), "-o", folder, "-n"]
        done = subprocess.run(command, capture_output=True, text=True)
        made = pathlib.Path(folder) / f"{source.stem}_float32.tflite"
        if not made.exists():
            print(f"onnx-to-tflite: onnx2tf failed: {(done.stderr or done.stdout).strip()[-300:]}", file=sys.stderr)
            return 3
        session = onnxruntime.InferenceSession(str(source), providers=["CPUExecutionProvider"])
        side = session.get_inputs()[0].shape[2]
        images = numpy.random.default_rng(0).standard_normal((8, 3, side, side), dtype=numpy.float32)
        expected = session.run(["logits"], {"images": images})[0]
        interpreter = Interpreter(model_path=str(made))
        interpreter.allocate_tensors()
        place, out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        got = []
        for image in images:
            interpreter.set_tensor(place["index"], image.transpose(1, 2, 0)[None])
            interpreter.invoke()
            got.append(interpreter.get_tensor(out["index"])[0])
        difference = float(numpy.abs(numpy.stack(got) - expected).max())
        agree = float((numpy.stack(got).argmax(1) == expected.argmax(1)).mean())
        print(f"{target}: input {list(place['shape'])}, largest difference {difference:.2e}, top-1 agrees {100 * agree:.0f} %")
        if difference > 1e-3 * max(1.0, float(numpy.abs(expected).max())):
            return 6
        shutil.copyfile(made, target)
    return 0


sys.exit(main())
