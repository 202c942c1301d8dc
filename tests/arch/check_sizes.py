#!/usr/bin/env python3
"""Are files and functions of a size that one reads in one go?

clang-format puts the braces of a function's body into the first column, and
only those.
"""

import table
import tree


def problems(root):
    for path in tree.sources(root):
        lines = tree.text(root, path).splitlines()
        yield from judge(path, "the file", len(lines), file_limits(path))
        for start, name, length in functions(lines):
            yield from judge(f"{path}:{start}", name, length,
                             table.FUNCTION_LINES)


def file_limits(path):
    test = path.startswith("tests/")
    return table.TEST_FILE_LINES if test else table.FILE_LINES


def judge(where, what, lines, limits):
    look, most = limits
    if lines > most:
        yield f"{where}: {what} has {lines} lines, more than {most}"
    elif lines > look:
        yield f"note: {where}: {what} has {lines} lines"


def functions(lines):
    """(first line, name, lines of the body) of each function."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, name_before(lines, start), number - start - 1
            start = None


def name_before(lines, start):
    for line in reversed(lines[max(0, start - 8):start - 1]):
        if "(" in line and not line[0].isspace():
            return line.partition("(")[0].split()[-1].lstrip("*")
    return "a function"


if __name__ == "__main__":
    tree.main(problems)
