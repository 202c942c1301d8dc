#!/usr/bin/env python3
"""How often each of the words stands in the memory of a process.

    search_memory.py PID WORD...
"""
import re
import sys


def readable_regions(pid):
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            span, permissions = line.split()[:2]
            if permissions.startswith("r") and "[v" not in line:
                yield [int(end, 16) for end in span.split("-")]


def count(pid, words):
    found = dict.fromkeys(words, 0)
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end in readable_regions(pid):
            try:
                memory.seek(start)
                region = memory.read(end - start) or b""
            except OSError:
                continue  # It went away meanwhile.
            for word in words:
                found[word] += len(re.findall(re.escape(word.encode()),
                                              region))
    return found


for word, times in count(sys.argv[1], sys.argv[2:]).items():
    print(times, word)
