#!/usr/bin/env python3
"""The longest silence in each kind of fault.

    silences.py FAULTS RECEIVER=FILE... [--not EDGE]

FAULTS has a line `BEGIN_US END_US KIND` for each fault; a FILE is what
`numbers take --silences` wrote. A silence that touches a fault's time counts
as its. Prints for each kind a line: kind, how many faults, the longest silence
(ms) of messages, of events, and of events from or to the edge of --not, which
is left out before.
"""
import argparse
import sys
from collections import defaultdict


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
    options = parser.parse_args()
    faults = [line.split(None, 2) for line in open(options.faults,
                                                   encoding="utf-8")]
    faults = [(int(a), int(b), kind.strip()) for a, b, kind in faults]
    longest = defaultdict(lambda: [0, 0, 0])
    for _, _, kind in faults:
        longest[kind] = [0, 0, 0]
    for argument in options.files:
        for begin, end, what, who in silences(argument):
            column = 2 if options.apart in who else int(what == "event")
            kinds = {k for a, b, k in faults if begin < b and end > a}
            for kind in kinds or {"nothing"}:
                row = longest[kind]
                row[column] = max(row[column], (end - begin) // 1000)
    for kind, row in longest.items():
        count = sum(k == kind for _, _, k in faults)
        print(kind.replace(" ", "_"), count, *row)


if __name__ == "__main__":
    sys.exit(main())
