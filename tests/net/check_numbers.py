#!/usr/bin/env python3
"""Are the numbers 1 to COUNT all there, once each and in order?

    zs listen --json --type TYPE | check_numbers.py COUNT TYPE [MILLISECONDS]

Prints one line with the figures; exit 1 unless nothing is lost, doubled or
out of order.
"""
import json
import sys


def numbers(lines, wanted_type):
    for line in lines:
        event = json.loads(line)
        if event.get("type") == wanted_type:
            yield int(event["data"])


def judge(count, seen):
    unordered = sum(b <= a for a, b in zip(seen, seen[1:]))
    distinct = set(seen)
    return {
        "lost": count - len(distinct & set(range(1, count + 1))),
        "doubled": len(seen) - len(distinct),
        "out of order": unordered,
        "unknown": len(distinct - set(range(1, count + 1))),
    }


def main():
    count, wanted_type = int(sys.argv[1]), sys.argv[2]
    faults = judge(count, list(numbers(sys.stdin, wanted_type)))
    line = f"{count} sent, " + ", ".join(f"{n} {what}"
                                         for what, n in faults.items())
    if len(sys.argv) > 3:
        line += f", {count * 1000 // max(1, int(sys.argv[3]))} a second"
    print(line)
    return 1 if any(faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
