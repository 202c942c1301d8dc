#!/usr/bin/env python3
"""Runs a page of deploy/guide: its commands, on the hosts that it names, and
compares what they say with what the page shows.

    guide.py PAGE FOLDER [FROM=TO]...

What a block is, its first line tells:

    ```console          HOST$ COMMAND, and below it what the command says.
    ```console HOST     what the command that goes on at HOST says now.
    ```json HOST        a talk with the edge there: what follows `> ` is sent.
    ```LANG HOST/FILE   a file: it is written there.
    ```LANG             is not run here.

HOST is a network namespace; its home is FOLDER/HOST. A command ends with 0,
or as its comment says: `# exit 4`. With `# stays` it goes on; `HOST$ ^C` ends
the last one. In what is shown, these stand for any of their kind: 12 or more
hexadecimal digits, dates, milliseconds, numbers of five digits (ports), and
the width of a gap; `...` is any text, on a line alone any lines. FROM=TO
replaces text in commands, as the place where it is all installed.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PATIENCE_S = 60
FENCE = re.compile(r"^```(.*)$")
PROMPT = re.compile(r"^([a-z]+)\$ (.*)$")
KINDS = re.compile(
    r"(?P<any>\.\.\.)|(?P<hex>[0-9a-f]{12,})"
    r"|(?P<date>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?)"
    r'|(?P<ms>\d+\.\d+ ms|(?<="rtt_ms":)[\d.]+)'
    r"|(?P<port>(?<!\d)\d{5}(?!\d))|(?P<gap>\s+)")
SHELL = """
cd "$(cat "$HOME/.place")" && . "$HOME/.exports"
{}
code=$?
export -p >"$HOME/.exports"; pwd >"$HOME/.place"
exit $code
"""


class Wrong(Exception):
    pass


def blocks(text):
    """(line of the fence, words after it, lines) of each block."""
    words, lines = None, []
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if not fence and words is not None:
            lines.append(line)
        elif fence and words is None:
            start, words, lines = number, fence[1].split(), []
        elif fence:
            yield start, words, lines
            words = None


def commands(start, lines):
    """(line, host, command, what it says) of each in a console's lines."""
    found, open_end = [], False
    for number, line in enumerate(lines, start + 1):
        prompt = PROMPT.match(line)
        if open_end:
            found[-1][2] += "\n" + line
        elif prompt:
            found.append([number, prompt[1], prompt[2], []])
        elif not found:
            raise Wrong(f"line {number}: says what no command said")
        else:
            found[-1][3].append(line)
        open_end = (open_end or prompt) and line.endswith("\\")
    return found


def of_kind(match):
    length = len(match[0])
    return {"any": r".*", "hex": rf"[0-9a-f]{{{length}}}", "gap": r"[ \t]+",
            "ms": r"(\d+(\.\d+)?( ms)?|-)",
            "port": r"\d{4,5}",
            "date": re.sub(r"\d", r"\\d", match[0])}[match.lastgroup]


def pattern(shown):
    """A regular expression of whole lines."""
    made = []
    for line in shown:
        if line.strip() == "...":
            made.append(r"(?:.*\n)*?")
            continue
        at, text = 0, ""
        for match in KINDS.finditer(line):
            text += re.escape(line[at:match.start()]) + of_kind(match)
            at = match.end()
        made.append(text + re.escape(line[at:]) + r"[ \t]*\n")
    return re.compile("".join(made))


class Running:
    """A command that goes on, and how far its words are compared."""

    def __init__(self, process, path, silent):
        self.process, self.path, self.at = process, path, 0
        self.silent = silent

    def expect(self, shown):
        wanted = pattern(shown)
        end = time.monotonic() + PATIENCE_S
        while True:
            over = self.process.poll() is not None
            said = self.path.read_text(errors="replace")[self.at:]
            match = wanted.match(said)
            if match:
                self.at += match.end()
                return
            if over or time.monotonic() > end:
                raise Wrong(difference(shown, said))
            time.sleep(0.02)

    def stop(self, sign=signal.SIGINT):
        try:
            os.killpg(self.process.pid, sign)
            self.process.wait(PATIENCE_S)
        except (ProcessLookupError, subprocess.TimeoutExpired) as error:
            raise Wrong(f"does not end by itself: {error}") from error


class Talk:
    """JSON, a line an object, with the only edge of a home."""

    def __init__(self, home):
        path, = (home / "run/zeroservices").glob("*.sock")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(str(path))

    def expect(self, shown):
        wanted, said = pattern(shown), ""
        while not wanted.fullmatch(said):
            try:
                more = self.socket.recv(65536).decode()
            except TimeoutError:
                more = ""
            said += more
            if not more:
                raise Wrong(difference(shown, said))

    def run(self, lines):
        shown = []
        for line in lines:
            if line.startswith("> "):
                self.expect(shown)
                self.socket.sendall(line[2:].encode() + b"\n")
                shown = []
            else:
                shown.append(line)
        self.expect(shown)


class Guide:
    def __init__(self, folder, replaced):
        self.folder, self.replaced = Path(folder), replaced
        self.running, self.count = {}, 0
        for host in os.listdir("/run/netns"):
            home = self.folder / host
            (home / "run").mkdir(parents=True)
            (home / ".place").write_text(f"{home}\n")
            (home / ".exports").write_text(
                f'export HOME="{home}" XDG_RUNTIME_DIR="{home}/run"\n')

    def home(self, host):
        if not (self.folder / host).exists():
            raise Wrong(f"there is no host {host}")
        return self.folder / host

    def start(self, host, command, out):
        for old, new in self.replaced:
            command = command.replace(old, new)
        home = self.home(host)
        return subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{host}", "bash", "-c",
             SHELL.format(command)],
            env={**os.environ, "HOME": str(home)}, stdin=subprocess.DEVNULL,
            stdout=out, stderr=subprocess.STDOUT, start_new_session=True)

    def run(self, host, command, shown):
        stays = re.search(r"\s# stays\b", command)
        wanted = re.search(r"\s# exit (\d+)", command)
        self.count += 1
        if command == "^C":
            self.running[host].pop().stop()
        elif stays:
            path = self.folder / f"{host}.{self.count}.out"
            with path.open("wb") as out:
                running = Running(self.start(host, command, out), path,
                                  not shown)
            self.running.setdefault(host, []).append(running)
            if shown:
                running.expect(shown)
            else:
                self.until_heard(host)
        else:
            self.whole(host, command, int(wanted[1]) if wanted else 0, shown)

    def until_heard(self, host):
        """What goes on and says nothing is `zs listen`: the edge has it."""
        count = sum(x.silent and x.process.poll() is None
                    for x in self.running[host])
        end = time.monotonic() + PATIENCE_S
        while True:
            process = self.start(host, "zs status --json", subprocess.PIPE)
            said, _ = process.communicate()
            clients = re.search(rb'"clients": *(\d+)', said)
            if clients and int(clients[1]) == count + 1:  # and who asks
                return
            if time.monotonic() > end:
                raise Wrong("does not reach its edge")

    def whole(self, host, command, code, shown):
        process = self.start(host, command, subprocess.PIPE)
        try:
            said, _ = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            raise Wrong("does not end") from error
        said = said.decode(errors="replace")
        for new, old in self.replaced:
            said = said.replace(old, new)
        print(f"{host}$ {command}\n{said}", end="")
        if process.returncode != code:
            raise Wrong(f"exit {process.returncode}, not {code}: {said}")
        if not pattern(shown).fullmatch(said):
            raise Wrong(difference(shown, said))

    def block(self, start, words, lines):
        if words[:1] == ["console"] and len(words) == 2:
            self.running[words[1]][-1].expect(lines)
        elif words == ["console"]:
            for line, host, command, shown in commands(start, lines):
                try:
                    self.run(host, command, shown)
                except Wrong as wrong:
                    raise Wrong(f"line {line}: {host}$ {command}\n"
                                f"{wrong}") from wrong
        elif words[:1] == ["json"] and len(words) == 2 and "/" not in words[1]:
            Talk(self.home(words[1])).run(lines)
            self.count += 1
        elif len(words) == 2:
            host, _, name = words[1].partition("/")
            path = self.home(host) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("\n".join(lines) + "\n")
            self.count += 1

    def end(self):
        for running in sum(self.running.values(), []):
            running.stop(signal.SIGTERM)


def difference(shown, said):
    return "the page shows:\n  " + "\n  ".join(shown) + \
        "\nit says:\n  " + said.replace("\n", "\n  ")


def main():
    page, folder, *replaced = sys.argv[1:]
    guide = Guide(folder, [x.split("=", 1) for x in replaced])
    try:
        for start, words, lines in blocks(Path(page).read_text()):
            try:
                guide.block(start, words, lines)
            except Wrong as wrong:
                sys.exit(f"{page}:{start}: {wrong}")
    finally:
        guide.end()
    if guide.count == 0:
        sys.exit(f"{page}: nothing was run")
    print(f"{guide.count} commands and files")


if __name__ == "__main__":
    main()
