#!/usr/bin/env python3
"""Is what was reported delivered what the receivers had?

    delivered.py SENT [--numbers FILE]... [--tap FILE]... [--in-order]

SENT is the log of `numbers send`, a line `NUMBER OUTCOME` each. --numbers: what
one process of a subscriber had (`numbers take --numbers`). --tap: what a node's
process got out of libzmq and out of the seals (tap.c), in which the same may
stand more than once. Prints the figures; exit 1 if a number was reported
delivered and nobody had it, if subscribers had one twice, or out of order.
"""
import argparse
import mmap
import re
import sys
from collections import Counter

IN_TAP = re.compile(rb'"(\d{1,10}) \d{16} \d{2,7} [a-z]')


def numbers_in(name):
    with open(name, encoding="utf-8") as lines:
        return [int(line.split()[0]) for line in lines]


def numbers_in_tap(name):
    with open(name, "rb") as file:
        whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return {int(match[1]) for match in IN_TAP.finditer(whole)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sent")
    parser.add_argument("--numbers", action="append", default=[])
    parser.add_argument("--tap", action="append", default=[])
    options = parser.parse_args()
    outcomes, delivered = Counter(), set()
    with open(options.sent, encoding="utf-8") as lines:
        for line in lines:
            number, outcome = line.split()
            outcomes[outcome] += 1
            if outcome == "ok":
                delivered.add(int(number))
    had, at_node = Counter(), set()
    unordered, skipped = 0, 0
    for name in options.numbers:
        seen = numbers_in(name)
        had.update(seen)
        unordered += sum(b < a for a, b in zip(seen, seen[1:]))
        if seen:
            within = {n for n in delivered if seen[0] < n < seen[-1]}
            skipped += len(within - set(seen))
    for name in options.tap:
        at_node |= numbers_in_tap(name)
    twice = sum(n > 1 for n in had.values())
    untrue = len(delivered - set(had) - at_node)
    print(", ".join(f"{count} {outcome}"
                    for outcome, count in sorted(outcomes.items())))
    print(f"{len(had)} at subscribers, {len(delivered - set(had))} of the "
          f"delivered not at one; not delivered, but there: "
          f"{len(set(had) - delivered)}")
    print(f"delivered, but nobody had it: {untrue}; left out in between: "
          f"{skipped}; twice: {twice}; out of order: {unordered}")
    return 1 if untrue + twice + unordered + skipped else 0


if __name__ == "__main__":
    sys.exit(main())
