#!/usr/bin/env python3
"""The table of nat_matrix.sh.

    nat_table.py RESULTS

RESULTS has a line `WEST EAST RUN PATH MS LATE` for each run of a pair. Prints a
table: in each cell the paths that the pair had (with counts, if they differ),
and median and worst time from join to direct in seconds. Pairs of the first five
kinds make a square; the others are listed below.
"""
import sys
from collections import Counter, defaultdict
from statistics import median

SQUARE = ["none", "full-cone", "home", "plain", "sym"]


def cell(runs):
    if not runs:
        return ""
    paths = Counter(path for path, _ in runs)
    text = ("/".join(paths) if len(paths) == 1 else
            ", ".join(f"{n} {path}" for path, n in paths.most_common()))
    times = [ms / 1000 for _, ms in runs if ms is not None]
    if not times:
        return text
    if len(times) == 1:
        return f"{text} {times[0]:.1f}"
    return f"{text} {median(times):.1f}, {max(times):.1f}"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def main():
    results = defaultdict(list)
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            west, east, _, path, ms = line.split()[:5]
            results[west, east].append((path, None if ms == "-" else int(ms)))
    print(row(["west \\ east"] + SQUARE))
    print(row(["---"] * (1 + len(SQUARE))))
    for west in SQUARE:
        print(row([west] + [cell(results[west, east]) for east in SQUARE]))
    print()
    print(row(["west", "east", "path; median, worst in s"]))
    print(row(["---"] * 3))
    for (west, east), runs in sorted(results.items()):
        if runs and not (west in SQUARE and east in SQUARE):
            print(row([west, east, cell(runs)]))


if __name__ == "__main__":
    sys.exit(main())
