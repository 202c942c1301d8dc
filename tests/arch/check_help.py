#!/usr/bin/env python3
"""Do the programs say what they are, on the right stream, in short lines?"""

import subprocess
from pathlib import Path

import tree

PROGRAMS = ("zs", "zs-edge", "zs-relay")
COMMANDS = ("mesh", "keygen", "id", "status", "peers", "wait", "send",
            "publish", "listen", "ping", "chat", "top", "help", "version")


def problems(programs):
    for name in PROGRAMS:
        program = Path(programs, name)
        if not program.exists():
            yield f"{program}: was not built"
            continue
        yield from helps(program)
        yield from tells_version(program)
        yield from refuses(program)
    zs = Path(programs, "zs")
    if zs.exists():
        for command in COMMANDS:
            yield from helps(zs, command)


def run(*command):
    return subprocess.run([str(x) for x in command], capture_output=True,
                          text=True, check=False, stdin=subprocess.DEVNULL,
                          timeout=10)


def helps(*command):
    said = run(*command, "--help")
    what = " ".join([command[0].name, *command[1:], "--help"])
    if said.returncode != 0 or said.stderr:
        yield f"{what}: exit {said.returncode}, on stderr: {said.stderr!r}"
    if "usage" not in said.stdout.lower() or "--" not in said.stdout:
        yield f"{what}: shows no usage or no option"
    if len(command) > 1 and command[1] not in said.stdout:
        yield f"{what}: does not name the command"
    for line in said.stdout.splitlines():
        if len(line) > 80:
            note = "note: " if len(line) <= 100 else ""
            yield f"{note}{what}: wider than 80 columns: {line!r}"


def tells_version(program):
    said = run(program, "--version")
    words = said.stdout.split()
    if said.returncode != 0 or said.stderr or not words \
            or not words[-1][:1].isdigit():
        yield f"{program.name} --version: exit {said.returncode}, " \
              f"says {said.stdout!r}"


def refuses(program):
    said = run(program, "--no-such-option")
    if said.returncode != 2 or said.stdout or not said.stderr:
        yield f"{program.name} --no-such-option: exit {said.returncode}, " \
              f"not 2 with a word on stderr"


if __name__ == "__main__":
    tree.main(problems)
