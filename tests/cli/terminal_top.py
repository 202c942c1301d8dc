#!/usr/bin/env python3
"""zs top: what a person sees at a terminal, and what is printed elsewhere."""

import json
import signal
import subprocess
import sys

from terminal_kit import PATIENCE, Edge, Pipe, Terminal, check

LAB = sys.argv[1]


def look(t):
    check("it shows the node", t.sees(" alice  ") and t.sees("messages", "out"),
          t)
    check("its peer", t.sees(" bob ", "tcp"), t)
    flood = subprocess.Popen(alice.zs("send", "bob", "t", "--lines"),
                             stdin=subprocess.PIPE)
    check("nothing passes", t.sees("messages", "out 0/s"), t)

    def passes():
        """More at each look: a rate of the past may be gone unseen."""
        flood.stdin.write(b"x\n" * 100)
        flood.stdin.flush()
        return t.shows("messages") and not t.shows("messages", "out 0/s")

    check("then it does", t.until(passes), t)
    flood.stdin.close()
    flood.wait()
    for key, title in (("r", "RTT*"), ("p", "PATH*"), ("s", "SINCE*"),
                       ("t", "OUT*"), ("n", "NAME*")):
        t.type(key)
        check(f"{key} sorts by {title}", t.sees(title), t)
    t.resize(12, 40)
    check("a small terminal is filled anew",
          t.until(lambda: t.rows()[-1].startswith(" q quit") and
                  t.shows("bob", "tcp")), t)
    t.resize(24, 80)


def restart(t):
    alice.kill()
    check("an edge that went away is told", t.sees("the edge is away"), t)
    alice.start()
    check("and found again", t.until(
        lambda: t.shows(" alice ") and not t.shows("away") and
        t.shows("bob", "tcp")), t)


def leave(t):
    t.type("q")
    check("q ends it with 0", t.ends() == 0 and t.is_restored(), t)
    for number in (signal.SIGINT, signal.SIGTERM):
        other = Terminal(alice.zs("top"))
        other.sees("PEERS")
        check(f"so does {number.name}", other.ends(number) == 0 and
              other.is_restored(), other)
        other.close()
    other = Terminal(alice.zs("top", "--interval", "200ms", "--count", "2"))
    check("or N refreshes", other.ends() == 0 and other.is_restored(),
          other)
    other.close()


def printed():
    said = alice.run("top", "--interval", "200ms", "--count", "2")
    check("without a terminal N refreshes are printed",
          said.returncode == 0 and said.stdout.count("PEERS 1") == 2 and
          "\x1b" not in said.stdout)
    bob.run("wait", "--peers", "1")
    said = alice.run("top", "--interval", "200ms", "--count", "3", "--json")
    told = [json.loads(line) for line in said.stdout.splitlines()]
    check("or JSON, a line each", said.returncode == 0 and len(told) == 3)
    check("with rates and the status", all(
        one["version"] == 1 and one["seconds"] > 0 and
        one["rates"]["bytes_sent"] >= 0 and
        one["peers"][0]["name"] == "bob" for one in told))
    check("a wrong interval is wrong usage",
          alice.run("top", "--interval", "1ms").returncode == 2)
    check("a wrong sorting too",
          alice.run("top", "--sort", "size").returncode == 2)


def printed_across_a_restart():
    p = Pipe(alice.zs("top", "--interval", "200ms", "--json"))
    p.sees('"rates"')
    before = len(p.lines())
    alice.kill()
    alice.start()
    check("prints go on after a restart", p.until(
        lambda: len(p.lines()) > before + 2))
    p.process.send_signal(signal.SIGTERM)
    check("until SIGTERM", p.process.wait(PATIENCE) == 0)
    check("and it was told", b"the edge is away" in p.process.stderr.read())
    p.close()


alice = Edge(LAB, "alice")
bob = Edge(LAB, "bob")
alice.waits_for(1)
top = Terminal(alice.zs("top", "--interval", "200ms"))
look(top)
restart(top)
leave(top)
top.close()
bob.waits_for(1)
alice.waits_for(1)
printed()
printed_across_a_restart()
alice.kill()
bob.kill()
