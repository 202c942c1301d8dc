#!/usr/bin/env python3
"""Does the library export what its header declares, and nothing else?

The same names stand in its export map and in its man page. It neither prints
nor exits, so it does not even know of what does; it may abort by ASSERT alone.
"""

import re
import subprocess

import tree

DECLARED = re.compile(r"^ZS_API [^;]*?\b(zs_\w+)\(", re.M)
MAPPED = re.compile(r"^\s+(zs_\w+);", re.M)
EXPLAINED = re.compile(r"\\fB(zs_\w+)\\fP\(")
FORTIFIED = re.compile(r"^__(\w+)_chk$")
FORBIDDEN = {
    "exit", "_exit", "_Exit", "quick_exit", "atexit", "raise", "kill",
    "printf", "vprintf", "puts", "putchar", "perror", "stdout", "syslog",
    "signal", "sigaction", "system", "fork", "chdir", "umask", "setenv",
    "putenv", "setlocale",
}
MAY_ABORT = {"assert_failed"}
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
    for name in sorted(FORBIDDEN & undefined(library)):
        yield f"{library}: knows {name}: it may change nothing of its program"
    for name in sorted(callers(library, "abort") - MAY_ABORT):
        yield f"{library}: {name} aborts by other means than ASSERT"


def differ(where, named, declared):
    for name in sorted(declared - named):
        yield f"{where}: has no {name}, which the header declares"
    for name in sorted(named - declared):
        yield f"{where}: has {name}, which the header does not declare"


def exported(library):
    return symbols(library, "--defined-only") - {"ZEROSERVICES_0"}


def undefined(library):
    names = symbols(library, "--undefined-only")
    return {FORTIFIED.sub(r"\1", name) for name in names}


def symbols(library, which):
    out = output("nm", "-D", which, library)
    return {line.split()[-1].partition("@")[0] for line in out.splitlines()}


def callers(library, called):
    """The functions that jump to it."""
    found, function = set(), None
    for line in output("objdump", "-d", library).splitlines():
        begin = re.match(r"^[0-9a-f]+ <(\S+)>:$", line)
        if begin:
            function = begin[1]
        elif re.search(rf"<{called}([@$]plt)?>$", line):
            found.add(function)
    return {x for x in found if not x.startswith(called)}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout


if __name__ == "__main__":
    tree.main(problems, "LIBRARY")
