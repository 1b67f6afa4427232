#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures how cost grows (P10 of the goals): time of a step with batch and active MACs, memory with candidates,
search time with devices. Adds one occasion to bench/results/growth.json; bench/draw_curves.py draws it."""
import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STEPS = "plain.step,supernet.weight,supernet.two"


def bench(nas, arguments):
    out = subprocess.run([nas, "bench", "--json", "-q"] + arguments, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(out.stdout)


def active_macs(nas, paths, space="cifar-mbconv", resolution=0):
    """Mean MACs of the paths that the step items run."""
    counts = []
    for code in paths:
        out = subprocess.run([nas, "arch", "show", code, "--space", space, "--resolution", str(resolution), "--json"],
                             check=True, stdout=subprocess.PIPE, text=True)
        counts.append(json.loads(out.stdout)["macs"])
    return sum(counts) / len(counts)


def rows(result, **where):
    """One row per item and unit, with what was varied."""
    return [{**where, **{key: item[key] for key in ("name", "unit", "median", "min", "max", "n")}}
            for item in result["items"]]


def batch(nas, iters):
    found = []
    for size in (8, 16, 32, 64):
        found += rows(bench(nas, ["--items", STEPS, "--batch", str(size), "--iters", iters]), batch=size)
    return found


def macs(nas, iters):
    found = []
    for side in (16, 24, 32, 40, 48):
        arguments = ["--items", STEPS, "--batch", "16", "--resolution", str(side), "--iters", iters]
        result = bench(nas, arguments)
        count = active_macs(nas, result["paths"], resolution=side)
        found += rows(result, batch=16, resolution=side, active_macs=count)
    return found


def candidates(nas, iters):
    """cifar-mbconv with 1 to 12 candidates per edge; the greediest one, k7 e6, is always among them."""
    with open(os.path.join(ROOT, "search_spaces", "cifar-mbconv.json"), encoding="utf-8") as file:
        space = json.load(file)
    ops = [{"op": "mbconv", "kernel": k, "expand": e} for e in (6, 5, 4, 3) for k in (7, 5, 3)]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (1, 2, 3, 6, 12):
            space["ops"] = ops[:count]
            path = os.path.join(folder, "space.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(space, file)
            arguments = ["--items", "supernet.*", "--space", path, "--batch", "16", "--iters", iters]
            found += rows(bench(nas, arguments), candidates=count)
    return found


def devices(nas, _iters):
    """Whole searches on the demo set for 1, 2, 4 and 8 targets: the weights are shared, each target has its alphas."""
    budgets = ["30%", "70%", "40%", "60%", "35%", "65%", "45%", "55%"]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (1, 2, 4, 8):
            targets = [word for budget in budgets[:count] for word in ("--target", "macs=" + budget)]
            out = subprocess.run(
                [nas, "search", "--data", "demo", "--epochs", "6", "--no-profile", "--json", "-q", "--progress", "none",
                 "--out", os.path.join(folder, str(count))] + targets,
                stdout=subprocess.PIPE, text=True)
            if out.returncode not in (0, 4):
                sys.exit("the search for %d targets ended with %d" % (count, out.returncode))
            result = json.loads(out.stdout)
            epochs = []
            with open(os.path.join(folder, str(count), "metrics.jsonl"), encoding="utf-8") as file:
                for line in map(json.loads, file):
                    if line["event"] == "epoch":
                        epochs.append({"phase": line.get("phase"), "t": line["t"]})
            found.append({"devices": count, "wall_s": result["wall_s"], "epochs": epochs})
    return found


SECTIONS = {"batch": batch, "macs": macs, "candidates": candidates, "devices": devices}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nas", default=os.path.join(ROOT, "build", "release", "bin", "nas"))
    parser.add_argument("--sections", default=",".join(SECTIONS), help="of " + ", ".join(SECTIONS))
    parser.add_argument("--iters", default="2", help="timed steps per item and path; there are four paths")
    parser.add_argument("--occasion", default=datetime.datetime.now().strftime("%Y-%m-%dT%H:%M"),
                        help="name of this occasion; sections of one name are kept together")
    parser.add_argument("--commit", default="", help="of the program that is measured; by default HEAD")
    parser.add_argument("--out", default=os.path.join(ROOT, "bench", "results", "growth.json"))
    options = parser.parse_args()

    commit = options.commit or subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"],
                                              stdout=subprocess.PIPE, text=True).stdout.strip()
    record = {"what": "cost growth: bench/growth.py", "occasions": {}}
    if os.path.exists(options.out):
        with open(options.out, encoding="utf-8") as file:
            record = json.load(file)
    occasion = record["occasions"].setdefault(options.occasion, {})
    for name in options.sections.split(","):
        occasion[name] = {
            "time": datetime.datetime.now().isoformat(timespec="seconds"),
            "commit": commit,
            "load": os.getloadavg()[0],
            "rows": SECTIONS[name](options.nas, options.iters),
        }
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump(record, file, indent=1)
            file.write("\n")
        print("%s: %d rows" % (name, len(occasion[name]["rows"])), file=sys.stderr)


if __name__ == "__main__":
    main()
