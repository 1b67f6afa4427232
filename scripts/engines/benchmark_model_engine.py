#!/usr/bin/env python3
"""TFLite's benchmark_model, or a program with the same flags and output, as an engine of `nas profile-device --command`.

    NAS_BENCHMARK_MODEL=path/to/benchmark_model NAS_TO_TFLITE='python3 scripts/onnx-to-tflite.py' \\
        nas profile-device --command scripts/engines/benchmark_model_engine.py --space proxyless-mobile --out tflite.json

NAS_TO_TFLITE is called with the ONNX file and the file to write; without it NAS_BENCHMARK_MODEL has to take ONNX files.
benchmark_model prints means only, so each sample is the mean of one call of it with 10 runs. Its version is not in its output:
name it in NAS_BENCHMARK_MODEL_VERSION, for version and flags belong to the device.
"""
import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

RUNS_PER_CALL = 10
AVERAGE = re.compile(r"Inference \(avg\): ([0-9.eE+]+)")  # microseconds


def say(**line):
    print(json.dumps(line), flush=True)


def call(words):
    result = subprocess.run(words, capture_output=True, text=True)
    if result.returncode != 0:
        last = (result.stderr or result.stdout).strip().splitlines()[-1:]
        sys.exit(f"benchmark_model_engine: {words[0]} ended with {result.returncode}: {' '.join(last)}")
    return result.stdout + result.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--min-runs", type=int, default=20)
    parser.add_argument("--max-runs", type=int, default=200)
    parser.add_argument("--max-seconds", type=float, default=10)
    args = parser.parse_args()
    program = os.environ.get("NAS_BENCHMARK_MODEL", "benchmark_model")
    if args.batch != 1:
        sys.exit("benchmark_model_engine: benchmark_model runs batch 1 only")

    say(type="hello", engine="tflite-benchmark", version=os.environ.get("NAS_BENCHMARK_MODEL_VERSION", "unknown"), precision="fp32")
    with tempfile.TemporaryDirectory() as folder:
        model = args.model
        if "NAS_TO_TFLITE" in os.environ:
            model = os.path.join(folder, "model.tflite")
            call(shlex.split(os.environ["NAS_TO_TFLITE"]) + [args.model, model])
        words = [program, f"--graph={model}", f"--num_threads={args.threads}", f"--num_runs={RUNS_PER_CALL}", "--warmup_runs=3",
                 "--min_secs=0"]
        start = time.perf_counter()
        runs = 0
        while runs < args.max_runs and (runs < args.min_runs or time.perf_counter() - start < args.max_seconds):
            found = AVERAGE.search(call(words))
            if not found:
                sys.exit(f"benchmark_model_engine: {program} prints no \"Inference (avg)\"")
            say(type="sample", ms=float(found.group(1)) / 1e3)
            runs += 1
        say(type="done", runs=runs)


if __name__ == "__main__":
    main()
