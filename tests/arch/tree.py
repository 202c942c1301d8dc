"""Reading the tree, and what every check has in common."""

import os
import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def sources(root, suffixes=(".c", ".h"), below=None):
    """The source files as paths relative to the top, in order."""
    found = []
    for top in below or ("common", "edge", "relay", "tests"):
        for folder, folders, files in os.walk(Path(root, top)):
            folders[:] = [x for x in folders if not x.startswith((".", "_"))]
            for name in files:
                if name.endswith(tuple(suffixes)):
                    path = Path(folder, name).relative_to(root)
                    found.append(path.as_posix())
    return sorted(found)


def text(root, path):
    return Path(root, path).read_text(encoding="utf-8")


def line_of(body, position):
    return body.count("\n", 0, position) + 1


def includes(body):
    """(line, is it in <>, what) of each #include."""
    for match in INCLUDE.finditer(body):
        yield line_of(body, match.start()), match[1] == "<", match[2]


def main(check, *more):
    """Runs check(root, ...) for `check.py ROOT ...`; a line a problem."""
    if len(sys.argv) != 2 + len(more):
        sys.exit(f"usage: {sys.argv[0]} " + " ".join(["ROOT", *more]))
    problems = [x for x in check(*sys.argv[1:])]
    wrong = [x for x in problems if not x.startswith("note: ")]
    for line in problems:
        print(line)
    print(f"{len(wrong)} wrong, {len(problems) - len(wrong)} to note")
    sys.exit(1 if wrong else 0)
