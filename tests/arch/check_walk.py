#!/usr/bin/env python3
"""Is "The walk of one message" of ARCHITECTURE.md what the code does?

Each step of the page is a row `| N | `function` | `file` | by | what |`. The
file defines the function. `by` says how the message gets there: the number of
the step whose function calls this one; where no call leads on (an event, a row
of a table, a callback, a socket), also the word in the code of that step that
hands the message over: 72 `NODE_MESSAGE`.
"""

import re
from pathlib import Path

import tree

PAGE = "ARCHITECTURE.md"
HEADING = re.compile(r"^## The walk of one message\n(.*?)(?=^## |\Z)",
                     re.M | re.S)
ROW = re.compile(r"^\| *(\d+) *\| *`(\w+)` *\| *`([^`]+)` *\| *([^|]+?) *\|",
                 re.M)
BY = re.compile(r"(\d+)(?: `([^`]+)`)?")


def problems(root):
    page = tree.text(root, PAGE) if Path(root, PAGE).exists() else ""
    section = HEADING.search(page)
    rows = ROW.findall(section[1]) if section else []
    if not rows:
        yield f"{PAGE}: has no walk of one message"
        return
    bodies = {}
    for place, (number, function, file, by) in enumerate(rows, 1):
        if int(number) != place:
            yield f"{PAGE}: step {number} of the walk is the {place}th"
        bodies[place] = body(root, file, function)
        if not bodies[place]:
            yield f"{PAGE}: step {number}: {file} has no function {function}"
        elif place > 1:
            yield from reached(bodies, place, function, by)


def reached(bodies, place, function, by):
    """Does the step that `by` names lead here?"""
    match = BY.fullmatch(by)
    if not match or not 0 < int(match[1]) < place:
        yield f"{PAGE}: step {place}: {by!r} names no earlier step"
        return
    caller, word = int(match[1]), match[2] or function
    if not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", bodies[caller]):
        yield f"{PAGE}: step {place}: step {caller} has no {word}"


def body(root, file, function):
    """The function's lines after its name; empty if the file has none."""
    if not Path(root, file).is_file():
        return ""
    match = re.search(rf"^\w[^;{{}}()#]*\b{function}(\([^;{{]*\)\n\{{\n.*?^\}})",
                      tree.text(root, file), re.M | re.S)
    return match[1] if match else ""


if __name__ == "__main__":
    tree.main(problems)
