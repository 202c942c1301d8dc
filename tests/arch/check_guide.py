#!/usr/bin/env python3
"""Do the pages hold together, and does troubleshooting know all findings?

Each relative link of a *.md leads to a file that is there, and to a heading or
line of it. README.md has a link to each page of deploy/guide. What an edge or a
relay can find amiss - health codes, why a relay is down, reasons to refuse,
warnings and errors of the log, exit codes - is in troubleshooting.md. Whether
the commands of the pages work is tested by tests/cli/guide_*.sh.
"""

import os
import re
import subprocess
from pathlib import Path

import tree

PAGE = "deploy/guide/troubleshooting.md"
LINK = re.compile(r"\]\(([^)\s]+)\)|<img[^>]* src=\"([^\"]+)\"")
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
HEADING = re.compile(r"^#+ +(.*?) *$", re.M)

# What can be found: (kind, where in the sources, where in the page, how the
# page has it, the pattern of a name).
FINDINGS = (
    ("health code", "edge/shell", "## Health lines", "### {}\n",
     r'struct health \w+ = \{\s*"\w+",\s*"(\w+)"'),
    ("relay error", "edge/core", "### relay_down", "| `{}` |",
     r'\[RELAY_ERROR_[A-Z_]+\] = "(\w+)"'),
    ("refusal", "common/wire", "## Refused", "| `{}` |",
     r'\[REFUSAL_(?!NONE)[A-Z_]+\] = "(\w+)"'),
    ("refusal by HTTP", "edge/shell", "## Refused", "| `{}` |",
     r'case HTTP_(?!PASS)[A-Z_]+:\s*return "(\w+)"'),
    ("netcheck finding", "edge/shell", "## zs netcheck", "| `{}` |",
     r'findings_add\(\s*out,[^"]*?"(\w+)"|"\w*", "(relay_\w+)",\s+(?:ERR|WARN)'),
    ("log line", "", "## Log lines", "`{}`",
     r'(?:log_warn|log_error|relay_log_lines)\(\s*"(\w+)"'
     r'|(?:LOG_WARN|LOG_ERROR|owner\.context), "(\w+)"'),
)


def problems(root):
    pages = sorted(documents(root))
    for path in pages:
        yield from links(root, path)
        yield from shell(path, tree.text(root, path))
    yield from indexed(root, pages)
    yield from findings(root)
    yield from exit_codes(root)


def documents(root):
    for folder, folders, files in os.walk(root):
        folders[:] = [x for x in folders
                      if not x.startswith((".", "build", "node_modules"))]
        for name in files:
            if name.endswith(".md"):
                yield Path(folder, name).relative_to(root).as_posix()


def without_fenced(body):
    """The same lines, those of the blocks empty."""
    return FENCED.sub(lambda x: "\n" * x[0].count("\n"), body)


def anchors(body):
    """As GitHub names the headings."""
    found = set()
    for match in HEADING.finditer(without_fenced(body)):
        slug = re.sub(r"[^\w\- ]", "", match[1].lower()).replace(" ", "-")
        number = 0
        while (slug if not number else f"{slug}-{number}") in found:
            number += 1
        found.add(slug if not number else f"{slug}-{number}")
    return found


def links(root, path):
    body = without_fenced(tree.text(root, path))
    for match in LINK.finditer(body):
        target = match[1] or match[2]
        if re.match(r"[a-z]+:", target):
            continue
        line = f"{path}:{tree.line_of(body, match.start())}"
        name, _, anchor = target.partition("#")
        file = Path(root, path).parent / name if name else Path(root, path)
        if not file.exists():
            yield f"{line}: there is no {target}"
        elif anchor and anchor not in anchors(file.read_text()):
            yield f"{line}: {name or path} has no heading #{anchor}"


def shell(path, body):
    for match in SHELL.finditer(body):
        checked = subprocess.run(["bash", "-n"], input=match[1], text=True,
                                 capture_output=True)
        if checked.returncode != 0:
            line = tree.line_of(body, match.start())
            yield f"{path}:{line}: {checked.stderr.strip()}"


def indexed(root, pages):
    readme = tree.text(root, "README.md")
    for path in pages:
        if path.startswith("deploy/guide/") and f"]({path})" not in readme:
            yield f"README.md: has no link to {path}"


def section(page, heading):
    """What stands below it, up to the next as high; "" without it."""
    level = heading.partition(" ")[0]
    match = re.search(rf"^{heading}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", page,
                      re.M | re.S)
    return match[1] if match else ""


def findings(root):
    page = tree.text(root, PAGE)
    for kind, folder, heading, shown, pattern in FINDINGS:
        names = set()
        for path in tree.sources(root, (".c",), ("common", "edge", "relay")):
            if path.startswith(folder):
                for match in re.finditer(pattern, tree.text(root, path)):
                    names |= set(match.groups()) - {None}
        if not names:
            yield f"{folder or 'the sources'}: no {kind} was found"
        for name in sorted(names):
            if shown.format(name) not in section(page, heading):
                yield f"{PAGE}: {heading} has nothing on {kind} {name}"


def exit_codes(root):
    codes = section(tree.text(root, PAGE), "## Exit codes")
    header = tree.text(root, "common/conf/options.h")
    value, names = -1, re.findall(r"^    (EXIT_\w+)(?: = (\d+))?", header, re.M)
    if not names:
        yield "common/conf/options.h: no exit code was found"
    for name, given in names:
        value = int(given) if given else value + 1
        if not re.search(rf"^\| {value} \|", codes, re.M):
            yield f"{PAGE}: has nothing on the exit code {value} ({name})"


if __name__ == "__main__":
    tree.main(problems)
