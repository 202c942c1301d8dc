#!/usr/bin/env python3
"""Is every file laid out as .clang-format says?"""

import re
import subprocess

import tree


def problems(root):
    files = tree.sources(root)
    done = subprocess.run(
        ["clang-format", "--dry-run", "--style=file", *files],
        cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        yield f"clang-format failed: {done.stderr}"
    wrong = re.findall(r"^(\S+?):(\d+):\d+: warning", done.stderr, re.M)
    first = {}
    for path, line in wrong:
        first.setdefault(path, line)
    for path, line in first.items():
        yield f"{path}:{line}: clang-format -i {path}"


if __name__ == "__main__":
    tree.main(problems)
