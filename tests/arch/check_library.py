#!/usr/bin/env python3
"""Does the library export what its header declares, and nothing else?

The same names stand in its export map and in its man page.
"""

import re
import subprocess

import tree

DECLARED = re.compile(r"^ZS_API [^;]*?\b(zs_\w+)\(", re.M)
MAPPED = re.compile(r"^\s+(zs_\w+);", re.M)
EXPLAINED = re.compile(r"\\fB(zs_\w+)\\fP\(")
HEADER = "edge/lib/zeroservices.h"


def problems(root, library):
    declared = set(DECLARED.findall(tree.text(root, HEADER)))
    if not declared:
        yield f"{HEADER}: declares nothing"
    others = {
        "edge/lib/zeroservices.map": MAPPED,
        "edge/man/zeroservices.3": EXPLAINED,
    }
    for path, pattern in others.items():
        named = set(pattern.findall(tree.text(root, path)))
        yield from differ(path, named, declared)
    yield from differ(library, exported(library), declared)


def differ(where, named, declared):
    for name in sorted(declared - named):
        yield f"{where}: has no {name}, which the header declares"
    for name in sorted(named - declared):
        yield f"{where}: has {name}, which the header does not declare"


def exported(library):
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True,
                         capture_output=True, text=True).stdout
    names = {line.split()[-1].partition("@")[0] for line in out.splitlines()}
    return names - {"ZEROSERVICES_0"}


if __name__ == "__main__":
    tree.main(problems, "LIBRARY")
