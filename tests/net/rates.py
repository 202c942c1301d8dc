#!/usr/bin/env python3
"""The median of what was received a second, between two times.

    rates.py FILE STREAM FROM_US TO_US

FILE is what `numbers take --rates` wrote. Whole seconds only.
"""
import sys
from statistics import median

name, stream, begin, end = sys.argv[1:]
with open(name, encoding="utf-8") as lines:
    words = [line.split() for line in lines]
rates = [int(count) for who, second, count in words
         if who == stream
         and int(begin) < int(second) * 1000000
         and (int(second) + 1) * 1000000 < int(end)]
print(int(median(rates)) if rates else 0)
