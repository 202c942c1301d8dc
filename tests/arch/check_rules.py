#!/usr/bin/env python3
"""Does each rule of the protocol that the code cites exist?

Rules are defined in PROTOCOL.md, at the start of a line, and cited anywhere
in brackets, also several: [P-4.3], [P-5, P-6.1]. A cited section stands for
all its rules. Rules that nothing cites are noted.
"""

import re
from pathlib import Path

import tree

DEFINED = re.compile(r"^[#>*\-|\s\d.]*[\[*`]*P-(\d+(?:\.\d+)*)\b", re.M)
CITED = re.compile(r"\[(P-\d[^\]]*)\]")
NUMBER = re.compile(r"P-(\d+(?:\.\d+)*)")


def problems(root):
    if not Path(root, "PROTOCOL.md").exists():
        yield "there is no PROTOCOL.md"
        return
    rules = defined(tree.text(root, "PROTOCOL.md"))
    cited = set()
    for path in tree.sources(root):
        for line, number in citations(tree.text(root, path)):
            cited.add(number)
            if number not in rules:
                yield f"{path}:{line}: there is no rule P-{number}"
    for number in sorted(rules, key=lambda x: [int(i) for i in x.split(".")]):
        inside = any(x == number or x.startswith(number + ".") for x in cited)
        if not inside and number.rpartition(".")[0] not in cited:
            yield f"note: nothing cites P-{number}"


def defined(protocol):
    """The numbers of all rules, and of the sections they stand in."""
    rules = set(DEFINED.findall(protocol))
    for number in list(rules):
        while "." in number:
            number = number.rpartition(".")[0]
            rules.add(number)
    return rules


def citations(body):
    for match in CITED.finditer(body):
        for number in NUMBER.findall(match[1]):
            yield tree.line_of(body, match.start()), number


if __name__ == "__main__":
    tree.main(problems)
