#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a search promises, checked by whole runs of the program on this machine.

  constraint  budgets all over the range of a space, selected with --from out of two supernets, and measured
  targets     two targets in one run against a run for each, over several seeds
  pruning     the same search with and without pruning: seconds in architecture steps, memory freed, accuracy
  folders     image folders unlike those that the defaults were made for: few classes, many, few images, photographs

Each piece writes one JSON file below --out and reuses the run folders below --work that are finished.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]


def search(args, folder, *flags):
    """A run to its end, started or gone on with; its result.json."""
    result = folder / "result.json"
    if not result.exists():
        command = [args.nas, "search", "--out", folder, "--progress", "none", "-q", *flags]
        if "--from" not in flags:
            command.append("--resume=auto")
        print("+", " ".join(map(str, command)), file=sys.stderr, flush=True)
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode not in (0, 4):
            sys.exit(f"exit {done.returncode}: {done.stderr.strip()}")
    return json.loads(result.read_text())


def side_by_side(args, jobs):
    """Runs {key: (folder, flags)}, --jobs at a time."""
    with ThreadPoolExecutor(args.jobs) as pool:
        return dict(zip(jobs, pool.map(lambda job: search(args, job[0], *job[1]), jobs.values())))


def metrics(folder, event):
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [line for line in lines if line.get("event") == event]


def write(args, name, value):
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / name).write_text(json.dumps(value, indent=1) + "\n")
    print(json.dumps(value, indent=1))


def constraint(args):
    """Shares of the reachable range; odd ones from one supernet, even ones from the other."""
    shares = [[5, 25, 45, 65, 85], [15, 35, 55, 75, 95]]
    rows = []
    for seed, own in enumerate(shares):
        run = args.work / f"constraint-{seed}"
        search(args, run, "--space", args.space, "--data", args.data, "--seed", seed, "--epochs", args.epochs,
               "--target", f"cpu={25 if seed == 0 else 35}%", "--target", f"cpu={65 if seed == 0 else 75}%", "--prune", "off")
        words = [word for share in own for word in ("--target", f"cpu={share}%")]
        chosen = search(args, args.work / f"constraint-{seed}-from", "--from", run, *words)
        for share, target in zip(own, chosen["targets"]):
            asked = target["asked"]
            rows.append({"seed": seed, "share": share, "asked_ms": asked, "predicted_ms": target["predicted"],
                         "measured_ms": target["measured"], "unconstrained_ms": target["argmax"]["predicted"],
                         "code": target["code"], "predicted_share": target["predicted"] / asked,
                         "measured_share": target["measured"] / asked})
    ends = [row["unconstrained_ms"] < row["asked_ms"] for row in rows]
    write(args, "constraint_held.json", {
        "space": args.space, "budgets": len(rows),
        "met_as_predicted": sum(row["predicted_ms"] <= row["asked_ms"] for row in rows),
        "within_5_percent_as_measured": sum(row["measured_share"] <= 1.05 for row in rows),
        "below_85_percent_of_asked": sum(row["predicted_share"] < 0.85 and not end for row, end in zip(rows, ends)),
        "rows": rows})


def targets(args):
    budgets = ("macs=30%", "macs=60%")
    common = ("--space", args.space, "--data", args.data, "--epochs", args.epochs, "--threads", 1)
    jobs = {}
    for seed in range(args.seeds):
        both = [word for budget in budgets for word in ("--target", budget)]
        jobs[seed, "both"] = (args.work / f"targets-{seed}-both", (*common, "--seed", seed, *both))
        for i, budget in enumerate(budgets):
            jobs[seed, i] = (args.work / f"targets-{seed}-{i}", (*common, "--seed", seed, "--target", budget))
    results = side_by_side(args, jobs)
    rows = []
    for seed in range(args.seeds):
        for i, budget in enumerate(budgets):
            together, alone = results[seed, "both"]["targets"][i], results[seed, i]["targets"][0]
            rows.append({"seed": seed, "target": budget, "together": 100 * together["top1"], "alone": 100 * alone["top1"]})
    loss = np.array([row["alone"] - row["together"] for row in rows])
    both = np.mean([results[seed, "both"]["wall_s"] for seed in range(args.seeds)])
    single = np.mean([results[seed, i]["wall_s"] for seed in range(args.seeds) for i in (0, 1)])
    write(args, "two_targets.json", {
        "space": args.space, "data": args.data, "epochs": args.epochs, "seeds": args.seeds,
        "mean_together": float(np.mean([row["together"] for row in rows])),
        "mean_alone": float(np.mean([row["alone"] for row in rows])),
        "points_lost_together": float(loss.mean()), "standard_error": float(loss.std(ddof=1) / np.sqrt(len(loss))),
        "wall_of_both_over_one": float(both / single), "rows": rows})


def pruning(args):
    jobs = {}
    for seed in range(args.seeds):
        for prune in ("on", "off"):
            flags = ("--space", args.space, "--data", args.data, "--epochs", args.epochs, "--threads", 1, "--seed", seed,
                     "--strategy", args.strategy, "--target", "macs=50%", "--prune", prune)
            jobs[seed, prune] = (args.work / f"pruning-{args.strategy}-{seed}-{prune}", flags)
    results = side_by_side(args, jobs)
    rows = []
    for seed in range(args.seeds):
        row = {"seed": seed}
        for prune in ("on", "off"):
            folder = jobs[seed, prune][0]
            epochs = [line for line in metrics(folder, "epoch") if line["phase"] == "search"]
            dropped = metrics(folder, "prune")
            row[prune] = {"arch_s": [round(line["arch_s"], 3) for line in epochs],
                          "weight_s": [round(line["weight_s"], 3) for line in epochs],
                          "top1": results[seed, prune]["targets"][0]["top1"], "code": results[seed, prune]["targets"][0]["code"],
                          "dropped": len(dropped), "freed_mib": sum(line["bytes"] for line in dropped) / 2**20,
                          "dropped_by_epoch": [sum(d["epoch"] == e["epoch"] for d in dropped) for e in epochs]}
        # Weight steps have the same work in both: they say how much of a difference is the machine's.
        speed = sum(row["on"]["weight_s"]) / sum(row["off"]["weight_s"])
        row["arch_seconds_saved"] = 1 - sum(row["on"]["arch_s"]) / sum(row["off"]["arch_s"]) / speed
        rows.append(row)
    write(args, f"pruning_{args.strategy}.json", {
        "space": args.space, "data": args.data, "epochs": args.epochs, "strategy": args.strategy,
        "arch_seconds_saved": [row["arch_seconds_saved"] for row in rows],
        "top1_on": [row["on"]["top1"] for row in rows], "top1_off": [row["off"]["top1"] for row in rows], "rows": rows})


def folders(args):
    """Made of CIFAR-10 JPEG folders (--cifar) and of photographs (--photos, any folder of JPEG files)."""
    shuffle = random.Random(0)
    made = args.work / "folders"

    def copy(name, classes, per_class):
        place = made / name
        shutil.rmtree(place, ignore_errors=True)
        for label, source in classes.items():
            for split, count in (("train", per_class), ("test", max(2, per_class // 5))):
                files = sorted((args.cifar / split / source).iterdir())
                (place / split / label).mkdir(parents=True)
                for file in shuffle.sample(files, count):
                    shutil.copy(file, place / split / label)
        return place

    names = sorted(p.name for p in (args.cifar / "train").iterdir())
    cases = {
        "three classes": (copy("three", {name: name for name in names[:3]}, 300), ()),
        "twenty classes": (copy("twenty", {f"{name}-{half}": name for name in names for half in "ab"}, 100), ()),
        "sixty images": (copy("sixty", {name: name for name in names[:3]}, 20), ()),
    }
    if args.photos:
        place = made / "photos"
        shutil.rmtree(place, ignore_errors=True)
        files = sorted(p for p in args.photos.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
        for i, file in enumerate(files[:80]):
            target = place / f"class{i % 2}"
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target / f"{i}.jpg")
        cases["photographs"] = (place, ("--space", "proxyless-mobile", "--width-mult", "0.35", "--resolution", "96"))
    rows = {}
    for name, (place, flags) in cases.items():
        run = args.work / ("folder-" + name.replace(" ", "-"))
        result = search(args, run, "--data", place, "--target", "macs=50%", "--epochs", args.epochs, *flags)
        target = result["targets"][0]
        rows[name] = {"space": result["space"], "met": target["met"], "top1": target["top1"], "code": target["code"],
                      "ranking": (result.get("ranking") or {}).get("verdict"), "wall_s": round(result["wall_s"], 1)}
    write(args, "folders.json", rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nas", default=ROOT / "build" / "release" / "bin" / "nas")
    parser.add_argument("--work", type=Path, required=True, help="run folders; kept")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results")
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side, of one thread each")
    pieces = parser.add_subparsers(dest="piece", required=True)
    for does, space, epochs, seeds in ((constraint, "cifar-mbconv", 8, 2), (targets, "tiny", 24, 3),
                                       (pruning, "cifar-mbconv", 24, 1), (folders, "", 2, 1)):
        piece = pieces.add_parser(does.__name__, help=does.__doc__)
        piece.add_argument("--epochs", type=int, default=epochs)
        if does is folders:
            piece.add_argument("--cifar", type=Path, required=True)
            piece.add_argument("--photos", type=Path)
        else:
            piece.add_argument("--space", default=space)
            piece.add_argument("--data", default="demo")
            piece.add_argument("--seeds", type=int, default=seeds)
        if does is pruning:
            piece.add_argument("--strategy", default="full_v2")
        piece.set_defaults(does=does)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    args.does(args)


if __name__ == "__main__":
    main()
