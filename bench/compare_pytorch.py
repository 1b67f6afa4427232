#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Steps of a supernet in plain PyTorch beside `nas bench`, on the same paths of the same space, in turns.

Two kinds of PyTorch: "default" (NCHW, the allocator as it is: what a user gets) and "tuned" (channels_last and an
allocator that keeps its memory). Items: plain.step and supernet.weight (forward, backward, SGD), supernet.two and
supernet.full_v2 (forward and backward to the gates, as the published search code does them: every gradient of the
active path is formed, the weights are not stepped). Run it with a Python that has PyTorch: .venv/bin/python.
Prints a table on stderr and JSON on stdout."""
import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ITEMS = ("plain.step", "supernet.weight", "supernet.two", "supernet.full_v2")
KINDS = ("default", "tuned")


# ---- the worker: one process per kind, answers "ITEM PATH" with seconds ----

def keep_memory():
    """glibc hands no freed buffer back to the kernel: each step would page it in again."""
    libc = ctypes.CDLL("libc.so.6")
    m_trim_threshold, m_mmap_max = -1, -4
    libc.mallopt(m_mmap_max, 0)
    libc.mallopt(m_trim_threshold, 2**31 - 1)


def build(space, resolution):
    import torch
    from torch import nn

    bn = space.get("bn", {"momentum": 0.1, "eps": 1e-3})

    def conv(cin, cout, kernel, stride, groups=1, act=True):
        layers = [nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False),
                  nn.BatchNorm2d(cout, eps=bn["eps"], momentum=bn["momentum"])]
        return layers + ([nn.ReLU6(inplace=True)] if act else [])

    class MbConv(nn.Module):
        def __init__(self, cin, cout, kernel, stride, expand):
            super().__init__()
            mid = round(cin * expand)
            layers = conv(cin, mid, 1, 1) if expand != 1 else []
            layers += conv(mid, mid, kernel, stride, groups=mid) + conv(mid, cout, 1, 1, act=False)
            self.body = nn.Sequential(*layers)

        def forward(self, x):
            return self.body(x)

    class Zero(nn.Module):
        def forward(self, x):
            return torch.zeros_like(x)

    class FullV2(torch.autograd.Function):
        """Only the active op has a graph; the backward runs the others without one, for their gates' gradients."""

        @staticmethod
        def forward(ctx, x, gates, edge):
            inner = x.detach().requires_grad_(x.requires_grad)
            with torch.enable_grad():
                out = edge.ops[edge.active](inner)
            ctx.edge, ctx.inner, ctx.out = edge, inner, out
            return out.detach()

        @staticmethod
        def backward(ctx, grad):
            edge, inner, out = ctx.edge, ctx.inner, ctx.out
            if out.requires_grad:
                out.backward(grad)
            gates = []
            with torch.no_grad():
                for i, op in enumerate(edge.ops):
                    y = out if i == edge.active else op(inner)
                    gates.append((y * grad).sum())
            return inner.grad, torch.stack(gates), None

    class Edge(nn.Module):
        def __init__(self, ops, shortcut):
            super().__init__()
            self.ops = nn.ModuleList(ops)
            self.gates = nn.Parameter(torch.zeros(len(ops)))
            self.shortcut = shortcut
            self.active, self.other, self.mode = 0, -1, "weight"

        def forward(self, x):
            if self.mode == "weight":
                op = self.ops[self.active]
                if isinstance(op, Zero):
                    return x
                y = op(x)
            elif self.mode == "two":
                y = self.gates[self.active] * self.ops[self.active](x)
                y = y + self.gates[self.other] * self.ops[self.other](x).detach()
            else:
                y = FullV2.apply(x, self.gates, self)
            return x + y if self.shortcut else y

    class Supernet(nn.Module):
        def __init__(self):
            super().__init__()
            stem = space["stem"]
            channels = stem["channels"]
            layers = conv(3, channels, stem["kernel"], stem["stride"])
            if "first_block" in space:
                first = space["first_block"]
                layers.append(MbConv(channels, first["channels"], first["kernel"], 1, first["expand"]))
                channels = first["channels"]
            self.stem = nn.Sequential(*layers)
            edges = []
            for stage in space["stages"]:
                for cell in range(stage["cells"]):
                    stride = stage["stride"] if cell == 0 else 1
                    kept = stride == 1 and channels == stage["channels"]
                    ops = []
                    for op in space["ops"]:
                        if op["op"] == "mbconv":
                            ops.append(MbConv(channels, stage["channels"], op["kernel"], stride, op["expand"]))
                        elif op["op"] == "zero" and kept:
                            ops.append(Zero())
                    edges.append(Edge(ops, kept))
                    channels = stage["channels"]
            self.edges = nn.ModuleList(edges)
            mix = space["head"]["mix"]
            self.head = nn.Sequential(*conv(channels, mix, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                                      nn.Linear(mix, space["classes"]))

        def forward(self, x):
            x = self.stem(x)
            for edge in self.edges:
                x = edge(x)
            return self.head(x)

    torch.manual_seed(0)
    return Supernet()


class Plain:
    """The active path alone, as a network of its own with its own optimizer."""

    def __init__(self, supernet, choice):
        import copy
        from torch import nn
        for edge, active in zip(supernet.edges, choice):
            edge.active, edge.mode = active, "weight"
        net = copy.deepcopy(supernet)
        for edge in net.edges:
            edge.ops = nn.ModuleList([edge.ops[edge.active]])
            edge.active = 0
        self.net = net
        self.sgd = make_sgd(net)


def make_sgd(net):
    import torch
    weights = [p for name, p in net.named_parameters() if not name.endswith("gates")]
    return torch.optim.SGD(weights, lr=1e-3, momentum=0.9, nesterov=True, weight_decay=4e-5)


def high_water_mib():
    with open("/proc/self/status", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file if line.startswith(("VmHWM", "VmRSS")))
    return {key: int(value.split()[0]) / 1024 for key, value in fields.items()}


def worker(options):
    if options.worker == "tuned":
        keep_memory()
    import torch
    torch.set_num_threads(options.threads)
    with open(options.space_file, encoding="utf-8") as file:
        space = json.load(file)
    resolution = options.resolution or space["resolution"]
    layout = torch.channels_last if options.worker == "tuned" else torch.contiguous_format
    supernet = build(space, resolution).to(memory_format=layout)
    sgd = make_sgd(supernet)
    images = torch.randn(options.batch, 3, resolution, resolution).contiguous(memory_format=layout)
    labels = torch.randint(space["classes"], (options.batch,))
    loss = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    choices = [[int(digit, 36) for digit in code] for code in options.codes.split(",")]
    plain, plain_path = None, -1

    def step(item, path):
        nonlocal plain, plain_path
        choice = choices[path]
        if item == "plain.step":
            if plain_path != path:
                plain, plain_path = Plain(supernet, choice), path
            loss(plain.net(images), labels).backward()
            plain.sgd.step()
            plain.sgd.zero_grad(set_to_none=True)
            return
        for edge, active in zip(supernet.edges, choice):
            edge.active, edge.other = active, (active + 1) % len(edge.ops)
            edge.mode = item.split(".")[1]
        loss(supernet(images), labels).backward()
        if item == "supernet.weight":
            sgd.step()
        else:
            torch.stack([edge.gates.grad.sum() for edge in supernet.edges]).tolist()
        supernet.zero_grad(set_to_none=True)

    if options.memory_of:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
        start = high_water_mib()["VmRSS"]
        for path in range(len(choices)):
            step(options.memory_of, path)
        print(high_water_mib()["VmHWM"] - start)
        return
    print("ready", flush=True)
    for line in sys.stdin:
        item, path = line.split()
        start = time.perf_counter()
        step(item, int(path))
        print(time.perf_counter() - start, flush=True)


# ---- the driver ----

def start_worker(kind, options, codes, more=()):
    return subprocess.Popen(
        [sys.executable, os.path.abspath(__file__), "--worker", kind, "--space-file", options.space_file, "--codes",
         ",".join(codes), "--batch", str(options.batch), "--resolution", str(options.resolution), "--threads",
         str(options.threads), *more],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_WAIT_POLICY": "passive"})


def run_nas(options, items, iters):
    out = subprocess.run(
        [options.nas, "bench", "--items", items, "--space", options.space_file, "--batch", str(options.batch),
         "--resolution", str(options.resolution), "--threads", str(options.threads), "--iters", str(iters), "--json",
         "-q"], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(out.stdout)


def summary(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "n": len(values)}


def compare(options):
    items = [item for item in ITEMS if item in options.items.split(",")]
    first = run_nas(options, items[0], 1)
    codes = options.codes.split(",") if options.codes else first["paths"]
    seconds = {(who, item): [] for who in KINDS for item in items}
    speeds = {("nas", item): [] for item in items}
    memory = {}
    workers = {kind: start_worker(kind, options, codes) for kind in KINDS}
    for process in workers.values():
        process.stdout.readline()
    for turn in range(options.rounds):
        for path in range(len(codes)):
            for item in items:
                for kind, process in workers.items():
                    for repeat in range(-1, options.iters):
                        process.stdin.write("%s %d\n" % (item, path))
                        process.stdin.flush()
                        took = float(process.stdout.readline())
                        if repeat >= 0:
                            seconds[kind, item].append(took)
        for entry in run_nas(options, ",".join(items), options.iters)["items"]:
            if entry["unit"] == "images/s":
                speeds["nas", entry["name"]] += [entry["min"], entry["median"], entry["max"]]
            else:
                memory["nas", entry["name"]] = entry["value"]
    for process in workers.values():
        process.stdin.close()
        process.wait()
    for kind in KINDS:
        for item in items:
            process = start_worker(kind, options, codes, ("--memory-of", item))
            memory[kind, item] = float(process.communicate()[0])
    result = {"schema": "nas.compare_pytorch/1", "space": os.path.basename(options.space_file), "batch": options.batch,
              "resolution": options.resolution, "threads": options.threads, "codes": codes,
              "load": os.getloadavg()[0], "items": []}
    for item in items:
        entry = {"name": item, "nas": {"images_per_s": summary(speeds["nas", item]), "mib": memory["nas", item]}}
        for kind in KINDS:
            rates = [options.batch / s for s in seconds[kind, item]]
            entry[kind] = {"images_per_s": summary(rates), "mib": memory[kind, item]}
            entry["over_" + kind] = entry["nas"]["images_per_s"]["median"] / entry[kind]["images_per_s"]["median"]
            entry["memory_over_" + kind] = entry["nas"]["mib"] / entry[kind]["mib"]
        result["items"].append(entry)
    return result


def print_table(result):
    line = "%-18s %12s %12s %12s %9s %9s %24s %9s"
    print(line % ("images/s, median", "default", "tuned", "nas", "/default", "/tuned", "MiB default tuned nas",
                  "MiB/tuned"), file=sys.stderr)
    for e in result["items"]:
        speed = ["%.1f" % e[who]["images_per_s"]["median"] for who in (*KINDS, "nas")]
        mib = " ".join("%.0f" % e[who]["mib"] for who in (*KINDS, "nas"))
        print(line % (e["name"], *speed, "%.2f" % e["over_default"], "%.2f" % e["over_tuned"], mib,
                      "%.2f" % e["memory_over_tuned"]), file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nas", default=os.path.join(ROOT, "build", "release", "bin", "nas"))
    parser.add_argument("--space", default="proxyless-mobile", help="shipped space, or the path of one")
    parser.add_argument("--items", default=",".join(ITEMS))
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--resolution", type=int, default=112, help="pixels; 0: the space's own")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--iters", type=int, default=2, help="timed steps per item, path and round")
    parser.add_argument("--rounds", type=int, default=2, help="turns of PyTorch and nas")
    parser.add_argument("--codes", default="", help="paths, comma-separated, if not those that nas bench tells")
    for internal in ("--worker", "--space-file", "--memory-of"):
        parser.add_argument(internal, default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options)
        return
    options.space_file = options.space
    if not os.path.exists(options.space_file):
        options.space_file = os.path.join(ROOT, "search_spaces", options.space + ".json")
    if not os.path.exists(options.space_file):
        sys.exit("no search space %s; give a shipped one or the path of a file" % options.space)
    result = compare(options)
    print_table(result)
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
