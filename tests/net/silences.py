#!/usr/bin/env python3
"""The longest silence in each kind of fault.

    silences.py FAULTS RECEIVER=FILE... [--not EDGE] [--late LATENESS]

FAULTS has a line `BEGIN_US END_US KIND` for each fault; a FILE is what
`numbers take --silences` wrote. A silence that touches a fault's time counts
as its, but not one that was there before it. With what lateness.c wrote, each
silence is shorter by three times what the machine was late in it: a message
makes three hops, and each of them waits for a processor. Prints for each kind a line: kind, how many faults, the longest silence
(ms) of messages, of events, and of events from or to the edge of --not, which
is left out before.
"""
import argparse
import bisect
import sys
from collections import defaultdict


BEFORE_US = 300000  # A silence begins with the last message before the fault.
HOPS = 3


class Lateness:
    """How late the machine was between two times, in microseconds."""

    def __init__(self, name):
        self.ends, self.sums = [], [0]
        if not name:
            return
        with open(name, encoding="utf-8") as lines:
            for line in lines:
                end, late = map(int, line.split())
                self.ends.append(end)
                self.sums.append(self.sums[-1] + late)

    def between(self, begin, end):
        return (self.sums[bisect.bisect_right(self.ends, end)] -
                self.sums[bisect.bisect_left(self.ends, begin)])


def silences(argument):
    receiver, name = argument.split("=", 1)
    with open(name, encoding="utf-8") as lines:
        for line in lines:
            words = line.split()
            if len(words) >= 4 and words[1] == "silence":
                end, length = int(words[0]), int(words[2])
                kind, sender = words[3].split(":")
                yield end - length, end, kind, {sender, receiver}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("faults")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--not", dest="apart", default="")
    parser.add_argument("--late", default="")
    options = parser.parse_args()
    faults = [line.split(None, 2) for line in open(options.faults,
                                                   encoding="utf-8")]
    faults = [(int(a), int(b), kind.strip()) for a, b, kind in faults]
    longest = defaultdict(lambda: [0, 0, 0])
    for _, _, kind in faults:
        longest[kind] = [0, 0, 0]
    lateness = Lateness(options.late)
    for argument in options.files:
        for begin, end, what, who in silences(argument):
            column = 2 if options.apart in who else int(what == "event")
            kinds = {k for a, b, k in faults
                     if a - BEFORE_US < begin < b and end > a}
            length = end - begin - HOPS * lateness.between(begin, end)
            for kind in kinds or {"nothing"}:
                row = longest[kind]
                row[column] = max(row[column], length // 1000)
    for kind, row in longest.items():
        count = sum(k == kind for _, _, k in faults)
        print(kind.replace(" ", "_"), count, *row)


if __name__ == "__main__":
    sys.exit(main())
