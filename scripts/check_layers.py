"""Reads every #include "nas/…" against the layer table and fails on a breach. The table is the one of CONTRIBUTING.md."""
import pathlib
import re
import subprocess
import sys

# module → modules whose public headers it may include (and, through them, what those include)
LAYERS = {
    "core": set(),
    "space": {"core"},
    "data": {"core"},
    "kernels": {"core"},
    "dist": {"core"},
    "energy": {"core"},
    "latency": {"core", "space"},
    "nn": {"core", "space", "kernels"},
    "device": {"core", "space"},
    "train": {"core", "space", "nn", "data", "dist"},
    "export": {"core", "space", "nn"},
    "profile": {"core", "space", "device", "latency", "nn"},
    "search": {"core", "space", "data", "dist", "nn", "train", "latency", "device", "profile"},
    "cluster": {"core", "dist"},
    "report": {"core", "space", "latency"},
    "agent": {"core", "space", "kernels", "device"},
}
TORCH_FREE = {"core", "space", "kernels", "energy", "latency", "device", "cluster", "report", "agent"}
INCLUDE = re.compile(r'#include\s+["<]([^">]+)[">]')


def module_of(path):
    parts = path.parts
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[0] == "include" and len(parts) > 3:
        return parts[2]
    return None


root = pathlib.Path(__file__).resolve().parent.parent
files = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "src", "include"], cwd=root,
                       capture_output=True, text=True, check=True).stdout.split()
breaches = []
for name in sorted(set(files)):
    path = pathlib.Path(name)
    module = module_of(path)
    if path.suffix not in (".h", ".cpp") or module in (None, "cli") or not (root / path).exists():
        continue
    if module not in LAYERS:
        breaches.append(f"{name}: module {module} is not in the layer table")
        continue
    for number, line in enumerate((root / path).read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match.group(1)
        other = re.match(r"nas/(\w+)/", target)
        if other and other.group(1) != module and other.group(1) not in LAYERS[module]:
            breaches.append(f"{name}:{number}: {module} may not include {other.group(1)}")
        if module in TORCH_FREE and re.match(r"(torch|ATen|c10)/", target):
            breaches.append(f"{name}:{number}: {module} is free of LibTorch")
        if path.parts[0] == "include" and target.startswith("torch/"):
            breaches.append(f"{name}:{number}: public headers include at most <ATen/core/Tensor.h>")
        if re.match(r"(spdlog|fmt)/", target) and name != "src/core/log.cpp":
            breaches.append(f"{name}:{number}: spdlog and fmt belong in src/core/log.cpp only")
for breach in breaches:
    print("check:", breach, file=sys.stderr)
sys.exit(bool(breaches))
