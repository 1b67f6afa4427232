#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How runs stop and go on: times from a signal to exit 75, and a run that is stopped again and again against an undisturbed one.

  bench/stops.py --nas build/release/bin/nas --stops 5 --kills 10 [--slow-ms 200] [--ranks 2] [--out stops.json]

--stops N   N times: start a search on `tiny`, send USR1 or TERM at a random moment of its steps, time until it has exited
--slow-ms   every write, fsync, close and rename on a file takes so much longer (a preloaded library; needs cc)
--kills N   a search that gets KILL, TERM or USR1 (with --ranks: at a random rank) N times at random moments and goes on after each;
            afterwards weights, networks and figures are compared with those of an undisturbed search, bit for bit
"""
import argparse, json, os, random, shutil, signal, subprocess, sys, tempfile, time

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
static void slow(int fd) {
  struct stat s;
  if (fd < 0 || (fstat(fd, &s) == 0 && S_ISREG(s.st_mode))) usleep(1000 * (getenv("SLOW_MS") ? atoi(getenv("SLOW_MS")) : 0));
}
#define NEXT(name) static __typeof__(&name) next; if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
ssize_t write(int fd, const void* p, size_t n) { NEXT(write); slow(fd); return next(fd, p, n); }
ssize_t writev(int fd, const struct iovec* v, int n) { NEXT(writev); slow(fd); return next(fd, v, n); }
int fsync(int fd) { NEXT(fsync); slow(fd); return next(fd); }
int fdatasync(int fd) { NEXT(fdatasync); slow(fd); return next(fd); }
int close(int fd) { NEXT(close); slow(fd); return next(fd); }
int rename(const char* a, const char* b) { NEXT(rename); slow(-1); return next(a, b); }
"""


def search(args, out, epochs):
    words = [args.nas, "search", "--data", "demo", "--target", "macs=50%", f"--epochs={epochs}", "--limit-per-class=200", "--batch=32",
             "--seed=3", f"--threads={args.threads}", "--out", out, "--resume=auto", "--progress=none", "-q"]
    return words + ([f"--ranks={args.ranks}"] if args.ranks > 1 else [])


def start(args, out, epochs, slow=False):
    env = dict(os.environ)
    if slow:
        env.update(LD_PRELOAD=args.shim, SLOW_MS=str(args.slow_ms))
    return subprocess.Popen(search(args, out, epochs), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def starts(out):
    """How often a run has got as far as its folder."""
    log = os.path.join(out, "nas.log")
    return open(log).read().count("run folder: ") if os.path.exists(log) else 0


def newest_step(out):
    """Of its checkpoints."""
    names = os.listdir(os.path.join(out, "checkpoints")) if os.path.isdir(os.path.join(out, "checkpoints")) else []
    return max([int(n[5:-12]) for n in names if n.startswith("step-") and n.endswith(".safetensors")], default=None)


def wait_started(process, out, known):
    while process.poll() is None and starts(out) <= known:
        time.sleep(0.02)


def wait_running(process, out, ranks):
    """Until the start is over: what comes then is a step. Several ranks write a checkpoint before their first one."""
    begun = [os.path.join(out, "metrics.jsonl")] + [os.path.join(out, "checkpoints", "step-0.safetensors")] * (ranks > 1)
    while process.poll() is None and not all(map(os.path.exists, begun)):
        time.sleep(0.02)


def leavings(folder):
    """Processes that work there, and temporary files."""
    names = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if folder.encode() in open(f"/proc/{pid}/cmdline", "rb").read() and int(pid) != os.getpid():
                names.append("pid " + pid)
        except OSError:
            pass
    for place, _, files in os.walk(folder):
        names += [f for f in files if ".tmp" in f]
    return names


def children(pid):
    """The ranks that a process has started, itself where there are none."""
    try:
        found = open(f"/proc/{pid}/task/{pid}/children").read().split()
    except OSError:
        found = []
    return [int(c) for c in found] or [pid]


def times(args, folder):
    seconds, codes, left = [], [], []
    for i in range(args.stops):
        out = os.path.join(folder, f"stop-{i}")
        process = start(args, out, 60, slow=args.slow_ms > 0)
        wait_running(process, out, args.ranks)
        time.sleep(random.random() * 2)
        begin = time.monotonic()
        process.send_signal(random.choice([signal.SIGUSR1, signal.SIGTERM]))
        process.communicate()
        seconds.append(round(time.monotonic() - begin, 3))
        codes.append(process.returncode)
        left += leavings(out)
    return {"seconds": seconds, "worst": max(seconds), "exit": sorted(set(codes)), "left_behind": left}


def outcome(out):
    result = json.load(open(os.path.join(out, "result.json")))
    place = os.path.join(out, "targets", "macs-50pct")
    return result["targets"], [open(os.path.join(place, f), "rb").read() for f in ("arch.json", "weights.safetensors")]


def kills(args, folder):
    plain = os.path.join(folder, "undisturbed")
    begin = time.monotonic()
    start(args, plain, args.epochs).communicate()
    whole = time.monotonic() - begin
    sent, exits, steps, same, left = [], [], [], [], []
    # A search that gets through before it has had all of them is followed by another one, for the rest.
    while len(sent) < args.kills:
        out = os.path.join(folder, f"disturbed-{len(same)}")
        ended = False
        while not ended:
            known = starts(out)
            process = start(args, out, args.epochs)
            if len(sent) < args.kills:
                wait_started(process, out, known)
                time.sleep(random.random() * whole / args.kills)
                ranks = children(process.pid)
                rank = random.randrange(len(ranks))
                kind = random.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1])
                try:
                    if process.poll() is None:
                        os.kill(ranks[rank], kind)
                        sent.append({"signal": kind.name, "rank": rank})
                except ProcessLookupError:
                    pass
            _, err = process.communicate()
            exits.append(process.returncode)
            steps.append(newest_step(out))
            ended = process.returncode in (0, 4)
            if not ended and process.returncode not in (75, -9, 137):
                sys.exit(f"exit {process.returncode}: {err[-2000:]}")
        same.append(outcome(plain) == outcome(out))
        left += leavings(out)
    return {"sent": sent, "exits": exits, "checkpoints": steps, "undisturbed_s": round(whole, 1), "searches": len(same), "same_bits": all(same),
            "left_behind": left}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nas", default="build/release/bin/nas")
    parser.add_argument("--stops", type=int, default=0)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=8, help="of the search that is killed")
    parser.add_argument("--slow-ms", type=int, default=0)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out")
    args = parser.parse_args()
    args.nas = os.path.abspath(args.nas)
    random.seed(args.seed)
    folder = tempfile.mkdtemp(prefix="nas-stops-")
    report = {"schema": "nas.stops/1", "ranks": args.ranks, "threads": args.threads, "slow_ms": args.slow_ms}
    try:
        if args.slow_ms:
            source, args.shim = os.path.join(folder, "slow.c"), os.path.join(folder, "slow.so")
            open(source, "w").write(SHIM)
            subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", args.shim, source, "-ldl"], check=True)
        if args.stops:
            report["stops"] = times(args, folder)
        if args.kills:
            report["kills"] = kills(args, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = json.dumps(report)
    print(text)
    if args.out:
        open(args.out, "w").write(text + "\n")


if __name__ == "__main__":
    main()
