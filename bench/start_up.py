#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times the start of the light verbs (P8): each command again and again, in turns. Prints a table and JSON."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CODE = "52206353512"
COMMANDS = {
    "--help": ["--help"],
    "space count": ["space", "count", "--space", "proxyless-mobile"],
    "arch show": ["arch", "show", CODE, "--space", "cifar-mbconv"],
    "predict": ["predict", "--target", "pixel1-tflite-cpu"],
    "predict --help": ["predict", "--help"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nas", default=os.path.join(ROOT, "build", "release", "bin", "nas"))
    parser.add_argument("--runs", type=int, default=30)
    options = parser.parse_args()
    code = subprocess.run([options.nas, "space", "sample", "--space", "proxyless-mobile", "-n", "1"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    COMMANDS["predict"].append(json.loads(code)["code"])
    COMMANDS["predict"] += ["--space", "proxyless-mobile"]
    times = {name: [] for name in COMMANDS}
    for run in range(-2, options.runs):
        for name, arguments in COMMANDS.items():
            start = time.perf_counter()
            done = subprocess.run([options.nas] + arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            took = 1000 * (time.perf_counter() - start)
            if done.returncode != 0:
                sys.exit("nas %s: exit %d: %s" % (name, done.returncode, done.stderr))
            if run >= 0:
                times[name].append(took)
    result = {"schema": "nas.start_up/1", "unit": "ms", "load": os.getloadavg()[0], "items": []}
    for name, values in times.items():
        result["items"].append({"name": "nas " + name, "median": statistics.median(values), "min": min(values),
                                "max": max(values), "n": len(values)})
        print("nas %-16s median %.1f ms, %.1f to %.1f, n %d" % (name, statistics.median(values), min(values), max(values),
                                                             len(values)), file=sys.stderr)
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
