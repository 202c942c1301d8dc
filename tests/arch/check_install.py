#!/usr/bin/env python3
"""Does an installation hold what it should, and do its units fit it?"""

import re
import subprocess
import tempfile
from pathlib import Path
from shutil import which

import tree

WANTED = ("bin/zs", "bin/zs-edge", "bin/zs-relay",
          "include/zeroservices.h", "share/man/man3/zeroservices.3",
          "share/doc/zeroservices/examples/hello.c",
          "lib/systemd/system/zs-edge.service",
          "lib/systemd/system/zs-relay.service",
          "lib/sysusers.d/zeroservices.conf",
          "share/doc/zeroservices/config/edge.yaml",
          "share/doc/zeroservices/config/relay.yaml",
          "share/doc/zeroservices/deploy/samples/nginx-stream.conf",
          "share/doc/zeroservices/deploy/samples/nginx-http.conf",
          "share/doc/zeroservices/deploy/samples/haproxy.cfg",
          "share/doc/zeroservices/deploy/samples/sslh.cfg",
          "share/doc/zeroservices/README.md",
          "share/doc/zeroservices/LICENSE",
          "share/man/man1/zs.1", "share/man/man8/zs-edge.8",
          "share/man/man8/zs-relay.8", "share/man/man5/edge.yaml.5",
          "share/man/man5/relay.yaml.5",
          "share/bash-completion/completions/zs",
          "share/zsh/site-functions/_zs",
          "share/fish/vendor_completions.d/zs.fish",
          "share/zeroservices/clients/python/pyproject.toml",
          "share/zeroservices/clients/python/zeroservices/py.typed",
          "share/zeroservices/clients/node/package.json",
          "share/zeroservices/clients/node/src/index.js")


def problems(build):
    with tempfile.TemporaryDirectory() as prefix:
        done = subprocess.run(
            ["cmake", "--install", build, "--prefix", prefix],
            capture_output=True, text=True, check=False)
        if done.returncode:
            yield f"cmake --install: {done.stderr.strip()}"
        for path in WANTED:
            if not Path(prefix, path).exists():
                yield f"{path}: is not installed"
        for page in sorted(Path(prefix).rglob("*.md")):
            yield from leads(page, prefix)
        for unit in sorted(Path(prefix, "lib/systemd/system").glob("*")):
            yield from fits(unit, prefix)


def leads(page, prefix):
    """Each link of the page, but to the Web, is to a file that is installed,
    and to a heading that it has."""
    name = page.relative_to(prefix)
    for link in links(page.read_text(encoding="utf-8")):
        path, _, part = link.partition("#")
        to = page.parent / path if path else page
        if re.match(r"[a-z+]+:", link):
            continue
        if Path(path).is_absolute() or not to.exists():
            yield f"{name}: links to {link}, which is not installed"
        elif part and to.suffix == ".md" and part not in parts(to):
            yield f"{name}: links to {link}, a heading that is not there"


def links(text):
    text = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.M | re.S)
    text = re.sub(r"`[^`\n]*`", "", text)
    return re.findall(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)", text) + \
        re.findall(r"^\[[^]]+\]:\s*(\S+)", text, re.M) + \
        re.findall(r"(?:href|src)=\"([^\"]+)\"", text)


def parts(page):
    """The headings as GitHub links to them."""
    text = re.sub(r"^(```|~~~).*?^\1", "", page.read_text(encoding="utf-8"),
                  flags=re.M | re.S)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
            for title in re.findall(r"^#+ +(.*)$", text, re.M)}


def fits(unit, prefix):
    """The unit starts what is installed, and systemd understands it."""
    body = unit.read_text(encoding="utf-8")
    for program in re.findall(r"^ExecStart=(\S+)", body, re.M):
        if not Path(prefix, "bin", Path(program).name).exists():
            yield f"{unit.name}: starts {program}, which is not installed"
        body = body.replace(program, "/bin/true")
    if not which("systemd-analyze"):
        yield f"note: {unit.name}: no systemd-analyze here to read it"
        return
    unit.write_text(body, encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)],
                          capture_output=True, text=True, check=False)
    for line in done.stderr.splitlines():
        if unit.name in line:
            yield line


if __name__ == "__main__":
    tree.main(problems)
