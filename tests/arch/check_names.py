#!/usr/bin/env python3
"""Is everything where and called what a reader expects?

The top of the tree holds only what table.py names; a header's guard is its
path; a tag is one struct, union or enum in the whole tree, so that a search
for it ends at one place.
"""

import re
import subprocess
from pathlib import Path

import table
import tree


def problems(root):
    yield from top(root)
    for path in tree.sources(root, (".h",)):
        yield from guard(path, tree.text(root, path))
    yield from tags(root)


def top(root):
    for name in listed(root):
        known = table.TOP_DOT if name.startswith(".") else table.TOP
        if name not in known:
            yield f"{name}: does not belong at the top of the tree"


def listed(root):
    """What git keeps at the top; without git, what lies there."""
    try:
        out = subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", root, "ls-files"],
            check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return sorted(x.name for x in Path(root).iterdir()
                      if not x.name.startswith("build"))
    return sorted({x.split("/")[0] for x in out.splitlines()})


def guard(path, body):
    wanted = re.sub(r"[^A-Z0-9]", "_", path.upper())
    first = re.search(r"^#ifndef (\w+)\n#define (\w+)\n", body, re.M)
    if not first or first[1] != first[2]:
        yield f"{path}: has no include guard"
    elif first[1] != wanted:
        line = tree.line_of(body, first.start())
        yield f"{path}:{line}: the guard is {first[1]}, not {wanted}"


# A definition of a tag; comments and strings match first, without a tag.
TAG = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\])'|"""
                 r"\b(?:struct|union|enum)\s+(\w+)\s*\{", re.S)


def tags(root):
    first = {}
    for path in tree.sources(root):
        body = tree.text(root, path)
        for match in TAG.finditer(body):
            tag, line = match[1], tree.line_of(body, match.start())
            if not tag or table.FAKES.get(tag) == path:
                continue
            if tag in first:
                yield f"{path}:{line}: the tag {tag} is used in {first[tag]}"
            else:
                first[tag] = f"{path}:{line}"


if __name__ == "__main__":
    tree.main(problems)
