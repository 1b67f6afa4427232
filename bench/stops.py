#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How runs stop and go on: times from a signal to exit 75, and a run that is stopped again and again against an undisturbed one.

  bench/stops.py --nas build/release/bin/nas --stops 5 --kills 10 [--slow-ms 200] [--ranks 2] [--out stops.json]

--stops N   N times: start a search on `tiny`, send USR1 or TERM at a random moment, time until it has exited
--slow-ms   every write, fsync, close and rename on a file takes so much longer (a preloaded library; needs cc)
--kills N   one search that gets KILL, TERM or USR1 (with --ranks: at a random rank) N times at random moments; afterwards weights,
            networks and figures are compared with those of an undisturbed search, bit for bit
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
    """How often a run has been started: each start leaves an owner-<k>."""
    return sum(1 for name in os.listdir(out) if name.startswith("owner-")) if os.path.isdir(out) else 0


def wait_started(process, out, known):
    while process.poll() is None and starts(out) <= known:
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
        wait_started(process, out, 0)
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
    epochs = 8
    plain = os.path.join(folder, "undisturbed")
    begin = time.monotonic()
    process = start(args, plain, epochs)
    process.communicate()
    whole = time.monotonic() - begin
    out, sent, exits = os.path.join(folder, "disturbed"), [], []
    while True:
        known = starts(out)
        process = start(args, out, epochs)
        if len(sent) < args.kills:
            wait_started(process, out, known)
            time.sleep(random.random() * whole / args.kills)
        if len(sent) < args.kills and process.poll() is None:
            kind = random.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1])
            victim = random.choice(children(process.pid))
            try:
                os.kill(victim, kind)
                sent.append(kind.name)
            except ProcessLookupError:
                pass
        _, err = process.communicate()
        exits.append(process.returncode)
        if process.returncode in (0, 4):
            break
        if process.returncode not in (75, -9, 137):
            sys.exit(f"exit {process.returncode}: {err[-2000:]}")
    same = outcome(plain) == outcome(out)
    return {"sent": sent, "exits": exits, "undisturbed_s": round(whole, 1), "same_bits": same, "left_behind": leavings(out)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nas", default="build/release/bin/nas")
    parser.add_argument("--stops", type=int, default=0)
    parser.add_argument("--kills", type=int, default=0)
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
