#!/usr/bin/env python3
"""Of the JSON lines on stdin, prints WANTED of those whose KEY is VALUE.

    zs peers --json | field.py name bob path
"""
import json
import sys

key, value, wanted = sys.argv[1:]
for line in sys.stdin:
    thing = json.loads(line)
    if thing.get(key) == value:
        print(thing.get(wanted))
