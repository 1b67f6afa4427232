#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Errors of the latency predictor on measured data, by `nas predictor eval` alone.

  bench/latency_goals.py [--nas build/release/bin/nas] [--data ../shared/data/latency] [--out FILE]

One line per check (value, goal, the command to repeat it by hand); exit 1 when a goal is missed. Seeds 0…9 are averaged
where rows are drawn. The same splits work on tables of your own: `nas predictor eval TABLE --split leave:kernel=7`.
"""
import argparse
import json
import subprocess
import sys

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--nas", default="build/release/bin/nas")
parser.add_argument("--data", default="../shared/data/latency")
parser.add_argument("--out", help="also write the results as JSON")
args = parser.parse_args()

BLOCKS = ["--as", "csv"]
NETS = ["--as", "nets-jsonl", "--class", "gpu", "--width", "1.2"]
GPU = "ofa_gpu_whole_nets.jsonl"
FEW = {"pixel4": "pixel4-tflite-cpu", "note10": "note10-tflite-cpu"}
checks = []
missed = 0


def evaluate(file, flags, split, seed):
    command = ["predictor", "eval", "--data", f"{args.data}/{file}", *flags, "--split", split]
    done = subprocess.run([args.nas, *command, "--seed", str(seed), "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"nas {' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout), "nas " + " ".join(command)


def check(name, file, flags, split, goals, seeds=1):
    """goals: [(what, relation, bound, value of the reports)]"""
    global missed
    reports = []
    for seed in range(seeds):
        report, command = evaluate(file, flags, split, seed)
        reports.append(report)
    for what, relation, bound, value in goals:
        figure = sum(value(r) for r in reports) / seeds
        met = figure <= bound if relation == "<=" else figure >= bound
        missed += not met
        checks.append({"check": name, "figure": what, "value": round(figure, 4), "goal": f"{relation} {bound}",
                       "met": met, "n": reports[0]["n"], "seeds": seeds, "command": command})
        print(f"{'ok    ' if met else 'MISSED'} {name:34} {what:22} {figure:9.4f} {relation} {bound}")


def mape(bound):
    return ("MAPE, %", "<=", bound, lambda r: r["mape"])


check("note10, 100 rows fit", "note10_blocks.csv", BLOCKS, "random:100", [mape(2.0)], 10)
for side, bound in ((160, 2.5), (176, 2.5), (192, 2.5), (208, 2.5), (224, 2.0)):
    check(f"note10, {side} px left out", "note10_blocks.csv", BLOCKS, f"leave:source=*r{side}", [mape(bound)])
for name, split in (("k = 7", "leave:kernel=7"), ("cin >= 136", "leave:c_in>=136")):
    check(f"note10, {name} left out", "note10_blocks.csv", BLOCKS, split,
          [("flagged rows, share", ">=", 1.0, lambda r: r["extrapolated_share"]),
           ("inside 95 % interval", ">=", 0.8, lambda r: r["coverage_95"])])
check("pixel4, 100 rows fit", "pixel4_blocks.csv", BLOCKS, "random:100", [mape(3.8)], 10)
check("pixel4, 200 rows fit", "pixel4_blocks.csv", BLOCKS, "random:200", [mape(3.2)], 10)
check("pixel1, 50 rows fit", "pixel1_blocks.csv", BLOCKS, "random:50", [mape(5.5)], 10)
for source, target, few, many in (("pixel4", "pixel1", 7.5, 5.5), ("note10", "pixel4", 7.0, 5.0),
                                  ("note10", "pixel1", 7.5, 5.5)):
    for count, bound in ((20, few), (50, many)):
        goals = [mape(bound), ("level scale chosen", "<=", 0, lambda r: r["level"] == "scale")]
        if (source, target) == ("pixel4", "pixel1"):
            goals.append(("warned of the hull", ">=", 1, lambda r: r["outside_hull"] > 0))
        check(f"{source} to {target}, {count} items", f"{target}_blocks.csv", [*BLOCKS, "--from", FEW[source]],
              f"device:{target}:{count}", goals, 10)
check("titan rtx batch 64, 50 nets fit", GPU, [*NETS, "--batch", "64", "--column", "titan_rtx_batch64_ms"], "nets:50",
      [mape(1.5), ("Spearman", ">=", 0.995, lambda r: r["spearman"]),
       ("MAPE over MACs line's", "<=", 0.6, lambda r: r["mape"] / r["baselines"]["macs_line"]["mape"])])
check("v100 batch 1, 50 nets fit", GPU, [*NETS, "--batch", "1", "--column", "v100_batch1_ms"], "nets:50",
      [mape(5.0), ("Spearman", ">=", 0.85, lambda r: r["spearman"])])

if args.out:
    with open(args.out, "w", encoding="utf-8") as file:
        json.dump({"schema": "nas.latency-goals/1", "missed": missed, "checks": checks}, file, indent=1)
        file.write("\n")
sys.exit(1 if missed else 0)
