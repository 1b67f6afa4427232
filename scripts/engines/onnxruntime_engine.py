#!/usr/bin/env python3
"""ONNX Runtime as an engine of `nas profile-device --command` (JSON lines on stdout, see --help).

    onnxruntime_engine.py --model F.onnx --batch 1 --threads 1 --min-runs 20 --max-runs 200 --max-seconds 10
"""
import argparse
import json
import sys
import time


def say(**line):
    print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="ONNX file; its first input takes random numbers")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--min-runs", type=int, default=20)
    parser.add_argument("--max-runs", type=int, default=200)
    parser.add_argument("--max-seconds", type=float, default=10)
    args = parser.parse_args()
    try:
        import numpy
        import onnxruntime
    except ImportError as error:
        sys.exit(f"onnxruntime_engine: {error}; install it with: python3 -m pip install onnxruntime")

    say(type="hello", engine="onnxruntime", version=onnxruntime.__version__, precision="fp32")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(args.model, options, providers=["CPUExecutionProvider"])
    feed = session.get_inputs()[0]
    shape = [args.batch] + [int(side) for side in feed.shape[1:]]
    images = numpy.random.default_rng(0).uniform(-1, 1, shape).astype(numpy.float32)

    for _ in range(3):  # the first runs allocate
        session.run(None, {feed.name: images})
    start = time.perf_counter()
    runs = 0
    while runs < args.max_runs and (runs < args.min_runs or time.perf_counter() - start < args.max_seconds):
        before = time.perf_counter()
        session.run(None, {feed.name: images})
        say(type="sample", ms=1e3 * (time.perf_counter() - before))
        runs += 1
    say(type="done", runs=runs)


if __name__ == "__main__":
    main()
