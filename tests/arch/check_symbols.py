#!/usr/bin/env python3
"""Do the pure layers call nothing of the world, and keep nothing to themselves?

What their static libraries leave undefined, and no pure layer defines, must
be in the list: one name a line, * for any letters; ! in front takes out again.
Nothing that they define may be writable: it would be a global. (A line
"global NAME" lets one be.)
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
WRITABLE = re.compile(r"^(\.data(?!\.rel\.ro)|\.t?bss|\.tdata|\*COM\*)")
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
        for symbol, section in symbols(library):
            if section == "*UND*":
                wanted.setdefault(FORTIFIED.sub(r"\1", symbol), name)
            else:
                defined.add(symbol)
            if WRITABLE.match(section) and not COMPILER.match(symbol) \
                    and not is_allowed("global " + symbol, rules):
                yield f"{name}: is pure, but {symbol} is a writable global"
    for symbol, name in sorted(wanted.items()):
        if symbol not in defined and not COMPILER.match(symbol) \
                and not is_allowed(symbol, rules):
            yield f"{name}: is pure, but calls {symbol}"


def symbols(library):
    """(name, section) of each that is an object, a function or undefined."""
    out = subprocess.run(["nm", "-f", "sysv", str(library)], check=True,
                         capture_output=True, text=True).stdout
    for line in out.splitlines():
        column = [x.strip() for x in line.split("|")]
        if len(column) == 7 and column[3] in ("OBJECT", "FUNC", "NOTYPE",
                                              "TLS"):
            yield column[0], column[6]


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
