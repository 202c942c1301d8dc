#!/usr/bin/env python3
"""Do the man pages and the completions say all that --help says?

Each command and option of --help stands in the program's man page and in its
completions, each key of its settings in their page; man finds nothing to warn
of; bash, and zsh and fish where they are, understand the completions, and what
bash then offers is right.
"""

import os
import re
import subprocess
from pathlib import Path
from shutil import which

import tree

PAGES = {"zs": "man1/zs.1", "zs-edge": "man8/zs-edge.8",
         "zs-relay": "man8/zs-relay.8"}
SETTINGS = {"edge": "man5/edge.yaml.5", "relay": "man5/relay.yaml.5"}
COMPLETIONS = {"bash": "bash-completion/completions/{}",
               "zsh": "zsh/site-functions/_{}",
               "fish": "fish/vendor_completions.d/{}.fish"}
# What is typed, and something that is then offered.
OFFERED = {"zs ": "send", "zs sen": "send", "zs send --js": "--json-data",
           "zs mesh ": "add", "zs mesh add --ren": "--renew",
           "zs --socket x mesh re": "revoke", "zs bench se": "serve",
           "zs wait --path t": "tcp", "zs listen -": "-n",
           "zs-edge --log-level w": "warn", "zs-edge -": "--identity",
           "zs-relay ": "init", "zs-relay init --m": "--mesh"}


def problems(programs, share):
    for name, page in PAGES.items():
        page = Path(share, "man", page)
        if not page.exists():
            yield f"{page}: was not made"
            continue
        yield from warned(page)
        shown = plain(page)
        completions = {shell: Path(share, path.format(name))
                       for shell, path in COMPLETIONS.items()}
        for words, options in helps(Path(programs, name)):
            yield from missing(words, options, shown, page.name)
            for shell, path in completions.items():
                yield from uncompleted(words, options, shell, path)
        for shell, path in completions.items():
            yield from understood(shell, path)
    for name, page in SETTINGS.items():
        yield from unsettled(name, Path(share, "man", page), programs)
    for line, word in OFFERED.items():
        yield from unoffered(line, word, share)


def run(*command, **more):
    return subprocess.run([str(x) for x in command], capture_output=True,
                          text=True, check=False, stdin=subprocess.DEVNULL,
                          timeout=20, **more)


def helps(program, *words):
    """(words of a command, its options by --help), and of those below it."""
    said = run(program, *words, "--help").stdout
    options = re.findall(r"^  (?:-(\w), |    )--([\w-]+)", said, re.M)
    yield (program.name, *words), options
    listed = said.partition("\nCommands:\n")[2].partition("\n\n")[0]
    for command in re.findall(r"^  (\w+)", listed, re.M):
        yield from helps(program, *words, command)
    if not words and "init DIR" in said:
        yield from helps(program, "init")


def plain(page):
    """The page's source, without what troff wants in it."""
    return re.sub(r"\\f.|\\", "", page.read_text(encoding="utf-8"))


def section(words, shown):
    """What the page says of a command."""
    if len(words) == 1:
        return shown.partition("\n.SH COMMANDS\n")[0]
    found = re.search(rf"^\.SS {' '.join(words)}(?: [^\n]*)?\n(.*?)(?=^\.S[SH] )",
                      shown, re.M | re.S)
    return found[1] if found else None


def missing(words, options, shown, page):
    name = " ".join(words)
    body = section(words, shown)
    if body is None:
        yield f"{page}: says nothing of {name}"
        return
    for letter, option in options:
        if len(words) > 1 and option in ("help", "version"):
            continue  # They stand at the top.
        if not re.search(rf"--{option}\b", body):
            yield f"{page}: {name} has no --{option}"
        if letter and not re.search(rf"(?<!\S)-{letter}\b", body):
            yield f"{page}: {name} has no -{letter}"


def uncompleted(words, options, shell, path):
    if not path.exists():
        yield f"{path}: was not made"
        return
    body = path.read_text(encoding="utf-8")
    name = re.escape(" ".join(words))
    form = {"bash": rf'"{name}"\).*--{{}}(?![\w-])',
            "zsh": rf"'{name}'\)\n(?:.+\n)*? +'\*--{{}}\[",
            "fish": rf"_at '{name}'\" -l {{}} "}[shell]
    for _, option in options:
        if not re.search(form.format(option), body):
            yield f"{path.name} ({shell}): {' '.join(words)} has no --{option}"
    if len(words) > 1:
        above = re.escape(" ".join(words[:-1]))
        form = {"bash": rf"\"{above} 1\"\) echo '=(?:\w+ )*{words[-1]}\b",
                "zsh": rf"^ +'{words[-1]}:",
                "fish": rf"_at '{above}'\" -a {words[-1]} "}[shell]
        if not re.search(form, body, re.M):
            yield f"{path.name} ({shell}): has no {' '.join(words)}"


def understood(shell, path):
    if not which(shell):
        yield f"note: {path.name}: no {shell} here to read it"
        return
    said = run(shell, "-n", path)
    if said.returncode or said.stderr:
        yield f"{path.name} ({shell}): {said.stderr.strip()}"


def warned(page):
    if not which("man"):
        yield f"note: {page.name}: no man here to read it"
        return
    said = run("man", "--warnings", "-l", page,
               env={**os.environ, "LC_ALL": "C", "MANWIDTH": "80"})
    for line in said.stderr.splitlines():
        yield f"{page.name}: {line}"
    if said.returncode:
        yield f"{page.name}: man ends with {said.returncode}"


def unsettled(name, page, programs):
    if not page.exists():
        yield f"{page}: was not made"
        return
    yield from warned(page)
    shown = plain(page)
    said = run(Path(programs, "zs-" + name), "--describe").stdout
    keys = re.findall(r"^key\t([^\t]+)", said, re.M)
    if not keys:
        yield f"zs-{name}: describes no keys"
    for key in keys:
        if not re.search(rf"^{re.escape(key)} \(", shown, re.M):
            yield f"{page.name}: has no {key}"


def unoffered(line, word, share):
    words = line.split(" ")
    path = Path(share, COMPLETIONS["bash"].format(words[0]))
    if not path.exists():
        return
    function = "_" + words[0].replace("-", "_")
    script = f'. "$1"; shift; COMP_WORDS=("$@"); ' \
             f'COMP_CWORD=$(($# - 1)); {function}; ' \
             f'printf "%s\\n" "${{COMPREPLY[@]}}"'
    said = run("bash", "-c", script, "bash", path, *words)
    if word not in said.stdout.split("\n"):
        yield f"bash: after `{line}` there is no {word}: " \
              f"{said.stdout.split()} {said.stderr.strip()}"


if __name__ == "__main__":
    tree.main(problems, "SHARE")
