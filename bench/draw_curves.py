#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws bench/results/growth.json as SVG files beside it (bench/growth.py measures). Lines are medians over the
occasions' fastest step, bars reach from the fastest to the median step of each occasion, points are occasions."""
import argparse
import json
import math
import os
import statistics

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 70, 150, 34, 48
COLOURS = {"plain.step": "#555555", "supernet.weight": "#1b6ca8", "supernet.two": "#c8552b",
           "supernet.full_v2": "#3b8a4d", "search": "#1b6ca8"}


def nice_step(top):
    """1, 2 or 5 times a power of ten, for four to ten ticks."""
    power = 10.0 ** math.floor(math.log10(top))
    return next(power * part for part in (1, 0.5, 0.2) if top / (power * part) >= 4)


class Figure:
    def __init__(self, title, x_name, y_name, x_top, y_top):
        self.x_top, self.y_top = x_top * 1.05, y_top * 1.08
        self.parts = [
            '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" '
            'font-family="sans-serif" font-size="12">' % (WIDTH, HEIGHT, WIDTH, HEIGHT),
            '<rect width="100%" height="100%" fill="white"/>',
            '<text x="%d" y="20" font-size="14">%s</text>' % (LEFT, title),
            '<text x="%d" y="%d" text-anchor="middle">%s</text>' % ((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x_name),
            '<text transform="translate(16 %d) rotate(-90)" text-anchor="middle">%s</text>'
            % ((TOP + HEIGHT - BOTTOM) / 2, y_name)]
        for axis, top in (("x", self.x_top), ("y", self.y_top)):
            step, value = nice_step(top), 0
            while value <= top:
                self.tick(axis, value)
                value += step
        self.legend = 0

    def x(self, value):
        return LEFT + (WIDTH - LEFT - RIGHT) * value / self.x_top

    def y(self, value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.y_top

    def tick(self, axis, value):
        if axis == "x":
            self.parts.append('<text x="%.1f" y="%d" text-anchor="middle">%g</text>'
                              % (self.x(value), HEIGHT - BOTTOM + 16, value))
        else:
            y = self.y(value)
            self.parts.append('<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#dddddd"/>'
                              '<text x="%d" y="%.1f" text-anchor="end">%g</text>'
                              % (LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, value))

    def series(self, name, points):
        """points: {x: [(fastest, median) of each occasion]}"""
        colour = COLOURS[name]
        line = " ".join("%.1f,%.1f" % (self.x(x), self.y(statistics.median(low for low, _ in values)))
                        for x, values in sorted(points.items()))
        self.parts.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>' % (line, colour))
        for x, values in points.items():
            for low, middle in values:
                self.parts.append('<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s" stroke-opacity="0.45"/>'
                                  '<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>'
                                  % (self.x(x), self.x(x), self.y(low), self.y(min(middle, self.y_top)), colour,
                                     self.x(x), self.y(low), colour))
        y = TOP + 16 * self.legend + 8
        self.parts.append('<circle cx="%d" cy="%d" r="4" fill="%s"/><text x="%d" y="%d">%s</text>'
                          % (WIDTH - RIGHT + 12, y, colour, WIDTH - RIGHT + 22, y + 4, name))
        self.legend += 1

    def save(self, path):
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(self.parts) + "\n</svg>\n")
        print(path)


def gather(record, section, key, value_of):
    """{item: {x: [(fastest, median) …]}}; rows that another occasion has the MACs of get them from there."""
    macs = {row["resolution"]: row["active_macs"] for occasion in record["occasions"].values()
            for row in occasion.get("macs", {}).get("rows", []) if row.get("active_macs")}
    found = {}
    for occasion in record["occasions"].values():
        for row in occasion.get(section, {}).get("rows", []):
            pair = value_of(row)
            if pair is None:
                continue
            x = macs[row["resolution"]] / 1e6 if key == "macs" else row[key]
            found.setdefault(row.get("name", "search"), {}).setdefault(x, []).append(pair)
    return found


def step_ms(batch):
    def value_of(row):
        if row["unit"] != "images/s":
            return None
        images = row["batch"] if batch is None else batch
        return 1000 * images / row["max"], 1000 * images / row["median"]
    return value_of


def mib(row):
    return (row["median"], row["median"]) if row["unit"] == "MiB" else None


def draw(folder, name, title, x_name, y_name, found):
    points = [(x, pair) for series in found.values() for x, pairs in series.items() for pair in pairs]
    figure = Figure(title, x_name, y_name, max(x for x, _ in points), max(pair[1] for _, pair in points))
    for item in COLOURS:
        if item in found:
            figure.series(item, found[item])
    figure.save(os.path.join(folder, name + ".svg"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", default=os.path.join(ROOT, "bench", "results", "growth.json"))
    path = parser.parse_args().results
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    folder = os.path.dirname(path)
    draw(folder, "growth_batch", "Time of a step against the batch, cifar-mbconv", "images per step",
         "ms per step", gather(record, "batch", "batch", step_ms(None)))
    draw(folder, "growth_macs", "Time of a step against active MACs, cifar-mbconv, batch 16",
         "mean MACs of the active path of one image, millions", "ms per step",
         gather(record, "macs", "macs", step_ms(16)))
    draw(folder, "growth_candidates", "Extra peak memory against candidates per edge, batch 16",
         "candidates per edge", "MiB above the start of the step", gather(record, "candidates", "candidates", mib))
    draw(folder, "growth_devices", "Whole search against the number of targets, demo set", "targets", "seconds",
         gather(record, "devices", "devices", lambda row: (row["wall_s"], row["wall_s"])))


if __name__ == "__main__":
    main()
