#!/usr/bin/env python3
"""Do the pure layers call nothing of the world?

What their static libraries leave undefined, and no pure layer defines, must
be in the list: one name a line, * for any letters; ! in front takes out again.
"""

import re
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

import table
import tree

# What compilers and sanitizers put in by themselves.
COMPILER = re.compile(
    r"^(__asan_|__ubsan_|__tsan_|__sanitizer_|__sancov_|__gcov_|__llvm_|"
    r"__stack_chk_fail$|_GLOBAL_OFFSET_TABLE_$)")
FORTIFIED = re.compile(r"^__(\w+)_chk$")


def problems(root, libraries, allowed):
    rules = read_rules(allowed)
    defined, wanted = set(), {}
    for name, layer in table.LAYERS.items():
        if not layer.pure or not any(Path(root, name).glob("*.c")):
            continue
        library = Path(libraries, f"lib{name.replace('/', '_')}.a")
        if not library.exists():
            yield f"{library}: was not built"
            continue
        for kind, symbol in symbols(library):
            if kind == "U":
                wanted.setdefault(FORTIFIED.sub(r"\1", symbol), name)
            else:
                defined.add(symbol)
    for symbol, name in sorted(wanted.items()):
        if symbol not in defined and not COMPILER.match(symbol) \
                and not is_allowed(symbol, rules):
            yield f"{name}: is pure, but calls {symbol}"


def symbols(library):
    out = subprocess.run(["nm", "-g", str(library)], check=True,
                         capture_output=True, text=True).stdout
    return re.findall(r"^[0-9a-f ]* (\w) (\w+)$", out, re.M)


def read_rules(path):
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [x.strip() for x in lines if x.strip() and x[0] != "#"]


def is_allowed(symbol, rules):
    allowed = False
    for rule in rules:
        if fnmatchcase(symbol, rule.lstrip("!")):
            allowed = not rule.startswith("!")
    return allowed


if __name__ == "__main__":
    tree.main(problems, "LIBRARIES", "ALLOWED")
