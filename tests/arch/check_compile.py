#!/usr/bin/env python3
"""Does each header compile alone, also what stands in for a library that is
not here, and everything under the other compiler?

The commands are those of the build (compile_commands.json), without what they
write.
"""

import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import which

import tree

HEADER = ["-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wpedantic",
          "-Wconversion", "-Wshadow", "-Wstrict-prototypes", "-Werror",
          "-Wno-unused-function", "-fsyntax-only"]


def headers(root):
    """Each header alone, and each file that takes the place of another where a
    library is missing, under every compiler that is here."""
    jobs = []
    for compiler in filter(which, ("gcc", "clang")):
        for path in tree.sources(root, (".h",)):
            body = f'#include "{path}"\n#include "{path}"\n'
            jobs.append((f"{path}: alone, under {compiler}",
                         [compiler, *HEADER, "-I", root, "-x", "c", "-"],
                         body, root))
        for path in tree.sources(root, ("_none.c",)):
            jobs.append((f"{path}: without the library, under {compiler}",
                         [compiler, *HEADER, "-Wmissing-prototypes",
                          "-I", root, path], "", root))
    yield from run(jobs)


def other(_root, build):
    """Each file of the build, under the compiler that did not build it."""
    jobs = []
    commands = Path(build, "compile_commands.json")
    for entry in json.loads(commands.read_text(encoding="utf-8")):
        command, compiler = translate(shlex.split(entry["command"]))
        if not which(compiler):
            yield f"{compiler} is not here"
            return
        jobs.append((f"{entry['file']}: under {compiler}", command, "",
                     entry["directory"]))
    if not jobs:
        yield f"{commands}: is empty"
    yield from run(jobs)


def translate(command):
    words = [x for x in command if not x.endswith("ccache")]
    compiler = "gcc" if "clang" in os.path.basename(words[0]) else "clang"
    kept, skip = [], False
    for word in words[1:]:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif word not in ("-c", "-MD", "-MMD") and "lto" not in word:
            kept.append(word)
    if compiler == "clang":
        kept.append("-Wno-unknown-warning-option")  # gcc's own are passed on
    return [compiler, *kept, "-fsyntax-only"], compiler


def run(jobs):
    """A problem for each (what, command, stdin, folder) that fails."""
    def one(job):
        what, command, stdin, folder = job
        done = subprocess.run(command, input=stdin, text=True, check=False,
                              capture_output=True, cwd=folder)
        return f"{what}:\n{done.stderr}" if done.returncode else None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from filter(None, pool.map(one, jobs))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        tree.main(other, "BUILD")
    tree.main(headers)
