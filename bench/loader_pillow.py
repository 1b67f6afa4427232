#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Decode + RandomResizedCrop 224 + flip + normalise per core (P5): Pillow and NumPy in Python beside `nas bench
--items loader.crop`, on the same photographs, in turns. FOLDER holds JPEG files at any depth, e.g. unpacked
imagenet-samples.tar. Needs Pillow and NumPy. Prints a table and JSON."""
import argparse
import io
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import PIL
from PIL import Image

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MEAN = numpy.array([0.485, 0.456, 0.406], dtype=numpy.float32)
STD = numpy.array([0.229, 0.224, 0.225], dtype=numpy.float32)


def random_box(width, height, draw):
    """torchvision's RandomResizedCrop: 8 to 100 % of the area, ratio 3/4 to 4/3."""
    for _ in range(10):
        area = width * height * draw.uniform(0.08, 1.0)
        ratio = math.exp(draw.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = draw.randint(0, width - w), draw.randint(0, height - h)
            return left, top, left + w, top + h
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def sample(path, draw, side):
    with open(path, "rb") as file:
        picture = Image.open(io.BytesIO(file.read())).convert("RGB")
    picture = picture.resize((side, side), Image.BILINEAR, box=random_box(*picture.size, draw))
    if draw.random() < 0.5:
        picture = picture.transpose(Image.FLIP_LEFT_RIGHT)
    return (numpy.asarray(picture, dtype=numpy.float32) / 255 - MEAN) / STD


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--nas", default=os.path.join(ROOT, "build", "release", "bin", "nas"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--resolution", type=int, default=224)
    options = parser.parse_args()
    files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(options.folder) for name in names
                   if name.lower().endswith((".jpeg", ".jpg")))
    if len(files) < 8:
        sys.exit("%s holds %d JPEG files; give a folder of at least 8" % (options.folder, len(files)))
    pillow, nas = [], []
    with tempfile.TemporaryDirectory() as folder:
        # Two made-up classes, all pictures for training: speed does not depend on labels.
        for i, path in enumerate(files):
            for split in ("train", "test") if i < 8 else ("train",):
                os.makedirs(os.path.join(folder, split, "c%d" % (i % 2)), exist_ok=True)
                os.symlink(os.path.abspath(path), os.path.join(folder, split, "c%d" % (i % 2), "%d.jpg" % i))
        for turn in range(options.rounds):
            draw = random.Random(turn)
            start = time.perf_counter()
            for path in files:
                sample(path, draw, options.resolution)
            pillow.append(len(files) / (time.perf_counter() - start))
            out = subprocess.run([options.nas, "bench", "--items", "loader.crop", "--data", folder, "--resolution",
                                  str(options.resolution), "--threads", "1", "--json", "-q"],
                                 check=True, stdout=subprocess.PIPE, text=True)
            item = json.loads(out.stdout)["items"][0]
            nas += [item["min"], item["median"], item["max"]]
    result = {"schema": "nas.loader_pillow/1", "images": len(files), "resolution": options.resolution,
              "load": os.getloadavg()[0], "pillow_version": PIL.__version__}
    for name, values in (("pillow", pillow), ("nas", nas)):
        result[name] = {"median": statistics.median(values), "min": min(values), "max": max(values), "n": len(values)}
        print("%-6s %.1f images/s per core, %.1f to %.1f, n %d" % (name, result[name]["median"], min(values),
                                                                  max(values), len(values)), file=sys.stderr)
    result["ratio"] = result["nas"]["median"] / result["pillow"]["median"]
    print("ratio  %.2f" % result["ratio"], file=sys.stderr)
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
