#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proof of quality of `nas search` on a space whose networks have known trained accuracies.

It works in pieces, each of which is skipped when its result is there and goes on where it stopped:

  supernet   one `nas search` per seed, all budgets as targets of the same run
  inherited  accuracy with inherited weights of random networks (or --all) out of a finished run
  train      trains networks alike with `nas train`, and keeps accuracy by code in a JSON file
  judge      regret of what the runs selected and of the counting rules, Kendall's tau of the ranking

`judge` takes the truth from the file that `train` writes, or from NAS-Bench-Macro's published table
(Su et al., CVPR 2021: `nas-bench-macro_cifar10.json`, three trainings per network), which is not part of this project.
"""

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"
BUDGETS_M = (40, 50, 60, 70)
RANKED = 200  # random networks of the ranking
RESAMPLES = 2000


def run(command, **kwargs):
    print("+", " ".join(map(str, command)), file=sys.stderr, flush=True)
    return subprocess.run(list(map(str, command)), check=True, **kwargs)


def read_json(path, default=None):
    return json.loads(path.read_text()) if path.exists() else default


def write_json(path, value):
    """Whole or not at all, so that a piece that is killed loses only itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")
    temporary.replace(path)


# ---------------------------------------------------------------------------------------------- the space


def enumerate_space(nas, space):
    """{code: MACs} of all networks that a space of single-digit codes has; networks alike count once."""
    digits = {"macro-cifar": ("012", 8)}
    if space not in digits:
        sys.exit(f"space {space} cannot be listed as a whole; known: {', '.join(digits)}")
    alphabet, length = digits[space]
    codes = [""]
    for _ in range(length):
        codes = [code + digit for code in codes for digit in alphabet]
    listing = run([nas, "predict", "-", "--space", space, "--target", "macs", "--json"],
                  input="\n".join(codes), capture_output=True, text=True)
    macs = {}
    for line in listing.stdout.splitlines():
        item = json.loads(line)
        macs[item["name"].rsplit("-", 1)[-1]] = item["macs"]
    return macs


def canonical(code):
    """macro-cifar: blocks that keep the shape commute with identities of their stage (positions 1, 3-4, 6-7)."""
    def pushed(part):
        kept = part.replace("0", "")
        return kept + "0" * (len(part) - len(kept))
    return code[0] + code[1] + code[2] + pushed(code[3:5]) + code[5] + pushed(code[6:8])


def blocks(code):
    return sum(digit != "0" for digit in code)


def most_blocks_then_macs(macs, budget):
    return max((code for code in macs if macs[code] <= budget), key=lambda code: (blocks(code), macs[code]))


def most_macs(macs, budget):
    return max((code for code in macs if macs[code] <= budget), key=lambda code: macs[code])


# ---------------------------------------------------------------------------------------------- statistics


def signs(values):
    values = np.asarray(values, dtype=float)
    return np.sign(values[:, None] - values[None, :])


def tau_b(x, y):
    """Kendall's tau-b, ties counted (Kendall 1945)."""
    a, b = signs(x), signs(y)
    norm = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / norm) if norm > 0 else float("nan")


def tau_with_interval(judged, baseline, truth, seed=0):
    """tau of `judged`, of `baseline`, and their difference with its 95 % bootstrap interval over networks."""
    judged, baseline, truth = map(np.asarray, (judged, baseline, truth))
    generator = np.random.default_rng(seed)
    a, b, t = signs(judged), signs(baseline), signs(truth)
    differences = []
    for _ in range(RESAMPLES):
        rows = generator.integers(0, len(truth), len(truth))
        pick = np.ix_(rows, rows)
        at, aa, tt, bt, bb = ((u[pick] * v[pick]).sum() for u, v in ((a, t), (a, a), (t, t), (b, t), (b, b)))
        differences.append(at / np.sqrt(aa * tt) - bt / np.sqrt(bb * tt))
    low, high = np.quantile(differences, (0.025, 0.975))
    return {"tau": tau_b(judged, truth), "baseline": tau_b(baseline, truth), "networks": len(truth),
            "difference": tau_b(judged, truth) - tau_b(baseline, truth), "interval": [float(low), float(high)]}


def main_effects(codes, accuracies, penalty=1.0):
    """Accuracy of each network foretold from all the others: ridge regression on which op each position has, left out
    one by one (by the hat matrix). What a single judgement says of a network, less its noise."""
    ops = sorted({digit for code in codes for digit in code})
    x = np.array([[float(code[i] == op) for i in range(len(code)) for op in ops] for code in codes])
    x -= x.mean(axis=0)
    y = np.asarray(accuracies, dtype=float)
    hat = x @ np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T) + 1 / len(y)
    fitted = hat @ (y - y.mean()) + y.mean()
    leverage = np.diag(hat)
    return y - (y - fitted) / (1 - leverage)


# ---------------------------------------------------------------------------------------------- the pieces


def supernet(args):
    """One run with all budgets as targets; `--resume=auto` makes it go on where it stopped."""
    command = [args.nas, "search", "--space", args.space, "--data", args.data, "--seed", args.seed, "--out", args.run,
               "--resume=auto", "--no-profile", "--progress", "plain"]
    for budget in BUDGETS_M:
        command += ["--target", f"macs={budget}M"]
    run(command + args.flags)


def random_codes(macs):
    return random.Random(0).sample(sorted(macs), RANKED)


def inherited(args):
    macs = enumerate_space(args.nas, args.space)
    codes = sorted({canonical(code) for code in macs}) if args.all else random_codes(macs)
    known = read_json(args.out, {})
    missing = [code for code in codes if code not in known]
    for first in range(0, len(missing), 100):
        piece = missing[first:first + 100]
        listing = run([args.nas, "eval", "--supernet", args.run, "--archs", "-", "--carve-out",
                       args.images, "--json"], input="\n".join(piece), capture_output=True, text=True)
        for line in listing.stdout.splitlines():
            item = json.loads(line)
            known[item["code"]] = item["top1"]
        write_json(args.out, known)


def train(args):
    """`--codes` and, unless that is given, what the runs selected and the counting rules' networks."""
    macs = enumerate_space(args.nas, args.space)
    codes = list(args.codes)
    if not codes:
        for budget in BUDGETS_M:
            codes += [most_blocks_then_macs(macs, budget * 1e6), most_macs(macs, budget * 1e6)]
        for folder in args.runs:
            codes += [code for code, _ in selected(folder)]
    trained = read_json(args.out, {})
    for code in dict.fromkeys(map(canonical, codes)):
        if str(args.seed) in trained.get(code, {}):
            continue
        folder = args.work / f"{code}-{args.seed}"
        arch = args.work / f"{code}.json"
        args.work.mkdir(parents=True, exist_ok=True)
        run([args.nas, "arch", "convert", code, "--space", args.space, "--to", "json", "--out", arch])
        done = run([args.nas, "train", "--arch", arch, "--data", args.data, "--seed", args.seed, "--out", folder,
                    "--resume=auto", "--progress", "plain", "--json"] + args.flags, capture_output=True, text=True)
        trained.setdefault(code, {})[str(args.seed)] = json.loads(done.stdout)["top1"]
        write_json(args.out, trained)


def selected(folder):
    """(code, budget in MACs) per target of a finished run."""
    result = json.loads((Path(folder) / "result.json").read_text())
    return [(target["code"], target["asked"]) for target in result["targets"]]


def read_truth(path):
    """{canonical code: accuracy in percent}, of this project's file or of NAS-Bench-Macro's table."""
    truth = {}
    for code, value in json.loads(Path(path).read_text()).items():
        accuracy = value["mean_acc"] if "mean_acc" in value else 100 * float(np.mean(list(value.values())))
        truth[canonical(code)] = accuracy
    return truth


def judge(args):
    macs = enumerate_space(args.nas, args.space)
    truth = read_truth(args.truth)
    report = {"space": args.space, "truth": Path(args.truth).name, "networks_with_truth": len(truth), "budgets": [],
              "ranking": {}}
    complete = all(canonical(code) in truth for code in macs)
    best = {}
    for budget in BUDGETS_M:
        feasible = {code for code in map(canonical, macs) if macs[code] <= budget * 1e6 and code in truth}
        best[budget] = max(feasible, key=truth.get)
        regret = lambda code: round(truth[best[budget]] - truth[canonical(code)], 3)
        row = {"budget_m": budget, "best": best[budget], "best_accuracy": truth[best[budget]],
               "rules": {"blocks_then_macs": regret(most_blocks_then_macs(macs, budget * 1e6)),
                         "most_macs": regret(most_macs(macs, budget * 1e6)),
                         "random_mean": round(float(np.mean([regret(code) for code in feasible])), 3)},
               "runs": {}}
        for folder in args.runs:
            for code, asked in selected(folder):
                if asked == budget * 1e6:
                    row["runs"][Path(folder).name] = {"code": code, "macs": macs[code], "regret": regret(code),
                                                      "feasible": macs[code] <= asked}
        report["budgets"].append(row)
    pairs = [(found["regret"], row["rules"]["blocks_then_macs"]) for row in report["budgets"]
             for found in row["runs"].values()]
    if pairs:
        gain = np.array([rule - found for found, rule in pairs])
        report["mean_regret"] = float(np.mean([found for found, _ in pairs]))
        report["rule_mean_regret"] = float(np.mean([rule for _, rule in pairs]))
        report["paired_gain"] = {"mean": float(gain.mean()), "n": len(gain), "wins": int((gain > 0).sum()),
                                 "standard_error": float(gain.std(ddof=1) / np.sqrt(len(gain))) if len(gain) > 1 else 0}
    report["complete_truth"] = complete
    for path in args.inherited:
        judged = read_json(Path(path), {})
        codes = [code for code in random_codes(macs) if code in judged and canonical(code) in truth]
        accuracies = [judged[code] for code in codes]
        trained = [truth[canonical(code)] for code in codes]
        counts = [blocks(code) for code in codes]
        report["ranking"][Path(path).stem] = {
            "mean_inherited": float(np.mean(accuracies)),
            "inherited": tau_with_interval(accuracies, counts, trained),
            "main_effects_left_out": tau_with_interval(main_effects(codes, accuracies), counts, trained)}
    print(json.dumps(report, indent=1))
    if args.out:
        write_json(args.out, report)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nas", default=str(ROOT / "build" / "release" / "bin" / "nas"))
    parser.add_argument("--space", default="macro-cifar")
    pieces = parser.add_subparsers(dest="piece", required=True)
    piece = pieces.add_parser("supernet", help="one run with all budgets; flags after -- go to nas search")
    piece.add_argument("--data", required=True)
    piece.add_argument("--seed", type=int, default=0)
    piece.add_argument("--run", required=True)
    piece.add_argument("flags", nargs="*")
    piece.set_defaults(does=supernet)
    piece = pieces.add_parser("inherited", help="inherited accuracies of random networks")
    piece.add_argument("--run", required=True)
    piece.add_argument("--all", action="store_true", help="of every network that differs")
    piece.add_argument("--images", type=int, default=1000)
    piece.add_argument("--out", type=Path, required=True)
    piece.set_defaults(does=inherited)
    piece = pieces.add_parser("train", help="trains networks alike; flags after -- go to nas train")
    piece.add_argument("--data", required=True)
    piece.add_argument("--seed", type=int, default=0)
    piece.add_argument("--runs", nargs="*", default=[])
    piece.add_argument("--codes", nargs="*", default=[])
    piece.add_argument("--work", type=Path, required=True)
    piece.add_argument("--out", type=Path, default=RESULTS / "trained_macro_cifar.json")
    piece.add_argument("flags", nargs="*")
    piece.set_defaults(does=train)
    piece = pieces.add_parser("judge", help="regret and ranking against known accuracies")
    piece.add_argument("--truth", required=True)
    piece.add_argument("--runs", nargs="*", default=[])
    piece.add_argument("--inherited", nargs="*", default=[])
    piece.add_argument("--out", type=Path)
    piece.set_defaults(does=judge)
    args = parser.parse_args()
    args.does(args)


if __name__ == "__main__":
    main()
