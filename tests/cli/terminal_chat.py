#!/usr/bin/env python3
"""zs chat: what a person sees at two terminals and a program at its pipes."""

import os
import re
import signal
import sys

from terminal_kit import Edge, Pipe, Terminal, ZS, check

LAB = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
COLOUR = re.compile(rb"\x1b\[(\d+;)*3[0-7](;\d+)*m")
LONG = "the whole text and not only its first word " * 3 + "end."


def meet():
    a = Terminal(alice.zs("chat"))
    b = Terminal(bob.zs("chat"), NO_COLOR="1")
    check("it says who one is and who is here",
          a.sees("connected as alice; here: bob") and
          b.sees("connected as bob; here: alice"), a, b)
    check("the bar says so too", a.sees(" alice · everyone", "1 other here"),
          a)
    check("and the panel, with the path", a.sees("│ bob", "tcp"), a)
    return a, b


def come_and_go(a):
    carol = Edge(LAB, "carol")
    check("who comes is told", a.sees("* carol joined"), a)
    carol.kill()
    check("who goes is told", a.sees("* carol left"), a)
    check("and is not in the panel",
          a.until(lambda: not a.shows("│ carol")), a)


def talk(a, b):
    a.say("hello bob, grüße, 你好")
    check("a message gets there", b.sees("alice: hello bob, grüße, 你好"), b)
    check("and is said to be sent", a.sees("you: hello bob", "sent to 1"), a)
    b.say("hello alice")
    check("and back", a.sees("bob: hello alice"), a)
    b.say("/msg alice for you alone, all of it")
    check("a private one is whole, and marked",
          a.sees("bob → you: for you alone, all of it"), a)
    check("its delivery is shown with the path",
          b.sees("you → alice: for you", "delivered,") and b.sees("tcp,"), b)
    a.say("@bob " + LONG)
    check("a long one is wrapped, not cut", b.sees("end."), b)
    a.say("@nobody are you there")
    check("one that cannot be delivered says why",
          a.sees("you → nobody: are you there", "not delivered: no") and
          a.sees(" present"), a)
    a.say("/quti")
    check("an unknown command is told", a.sees("did you mean /quit?"), a)
    a.type("@b\thi there\r")
    check("Tab completes a name", a.sees("you → bob: hi there"), a)
    a.say("/who")
    check("/who tells the path", a.sees("* here: bob (tcp,"), a)


def edit(a):
    a.type("abd\x1b[Dc\x01X")
    check("the line is edited", a.sees("> Xabcd"), a)
    a.type("\x15\x0b")
    check("and erased", a.until(lambda: a.rows()[-1] == ">"), a)
    a.type("\x1b[A")
    check("what was written before comes again", a.sees("> /who"), a)
    a.type("\x15")


def obey_nothing(a):
    carol = Edge(LAB, "carol")
    carol.waits_for(2)
    evil = "\x1b]0;pwned\x07\x1b[2J\x1b[31m\u009b2J\rbob: forged\u202e"
    carol.run("publish", "chat", evil)
    check("an escape sequence of a peer's is shown as text",
          a.sees("carol: ?]0;pwned??[2J?[31m?2J?bob: forged?"), a)
    check("and never reaches the terminal",
          b"pwned\x07" not in a.raw and "\u009b".encode() not in a.raw and
          "\u202e".encode() not in a.raw)
    carol.run("publish", "chat", "one\nalice: two")
    check("the second line of a message is set in",
          a.sees("      alice: two") and
          not any(row.startswith("alice: two") for row in a.rows()), a)
    carol.run("publish", "chat", '{"text":"as an object"}', "--json-data")
    check("a message in an object is understood",
          a.sees("carol: as an object"), a)
    carol.kill()
    a.sees("* carol left")


def scroll(a):
    for number in range(40):
        a.say(f"number {number}.")
    a.sees("number 39.", "sent")
    check("old messages have left the screen", not a.shows("number 3."), a)
    a.type("\x1b[5~")
    check("PageUp shows them, and how much is below",
          a.until(lambda: a.shows("more below") and
                  not a.shows("number 39.")), a)
    a.type("\x1b[5~\x1b[5~\x1b[5~")
    check("all of them, up to the first", a.sees("connected as alice"), a)
    a.type("\x1b[6~" * 4)
    check("PageDown goes back",
          a.until(lambda: a.shows("number 39.") and
                  not a.shows("more below")), a)


def resize(a, b):
    a.resize(12, 40)
    check("a small terminal is filled anew",
          a.until(lambda: a.rows()[0].startswith(" alice · everyone") and
                  a.rows()[0].endswith("here") and a.rows()[-1] == ">" and
                  a.rows()[-2] == "─" * 40), a)
    check("without the panel", not a.shows("│"), a)
    a.resize(50, 200)
    b.say("to the large one")
    check("a large one too",
          a.until(lambda: a.shows("bob: to the large one") and
                  a.rows()[-2] == "─" * 200), a)
    a.resize(24, 80)
    check("and back", a.until(lambda: a.rows()[-2] == "─" * 80), a)


def edge_restarts(a, b):
    alice.kill()
    check("an edge that went away is told",
          a.sees("the edge is away; trying again") and
          b.sees("* alice left"), a, b)
    a.say("kept")
    check("what cannot be sent stays in the line", a.sees("> kept"), a)
    alice.start()
    check("it comes back by itself", a.sees("connected again as alice"), a)
    b.sees("* alice joined")
    a.say("")
    check("and goes on", b.sees("alice: kept") and a.sees("> "), a, b)


def lines(a):
    carol = Edge(LAB, "carol")
    carol.waits_for(2)
    c = Pipe(carol.zs("chat"))
    check("with pipes there are lines",
          c.sees("* connected as carol; here: alice, bob"), c)
    c.say("from a script")
    c.say("@alice to alice\talone")
    check("a line is a message", a.sees("carol: from a script"), a)
    check("and its fate a line",
          c.sees("you: from a script (sent to 2)") and
          c.sees("you (to alice): to alice alone (delivered, tcp"), c)
    a.say("hear this")
    a.say("@carol hear that")
    check("what is heard is a line",
          c.sees("alice: hear this") and
          c.sees("alice (to you): hear that"), c)
    bob.run("publish", "chat", "two\nlines\x1b[2J")
    check("always one", c.sees("bob: two / lines?[2J"), c)
    check("no escape sequence is in it", b"\x1b" not in c.out)
    c.say("last")
    check("the end of the input ends it", c.ends() == 0 and
          a.sees("carol: last"), a)
    carol.kill()


def lines_across_a_restart():
    carol = Edge(LAB, "carol")
    carol.waits_for(2)
    c = Pipe(carol.zs("chat"))
    c.sees("connected as carol")
    carol.kill()
    check("lines: an edge that went away is told",
          c.sees("* the edge is away"), c)
    c.say("said meanwhile")
    carol.start()
    check("and is found again", c.sees("* connected again as carol"), c)
    check("what was said meanwhile is not lost",
          c.sees("you: said meanwhile (sent"), c)
    c.ends()
    carol.kill()


def rooms(a):
    carol = Edge(LAB, "carol")
    carol.waits_for(2)
    c = Pipe(carol.zs("chat", "--group", "lab"))
    check("a room is a group", c.sees("connected as carol; here: nobody"), c)
    g = Terminal(bob.zs("chat", "--group", "lab"))
    check("who is in it is here", g.sees("here: carol"), g)
    check("who enters is told", c.sees("* bob joined"), c)
    g.say("in the lab")
    check("it hears its own", c.sees("bob: in the lab"), c)
    a.say("outside")
    a.sees("you: outside", "sent")
    g.say("after")
    check("and not the others",
          c.sees("bob: after") and not any("outside" in line
                                           for line in c.lines()), c)
    g.type("\x03")
    check("who leaves it is told", c.sees("* bob left #lab"), c)
    g.close()
    c.close()
    wrong = Pipe(carol.zs("chat", "--group", "no good"))
    check("a wrong name of a group", wrong.ends() == 2)
    wrong.close()
    carol.kill()


def others(a):
    """The examples see the same conversation."""
    examples = os.environ["ZS_BIN"] + "/../examples"
    package = HERE + "/../../edge/clients/python"
    python = Pipe([sys.executable, "-u", package + "/examples/chat.py",
                   bob.socket], PYTHONPATH=package)
    python.sees("alice is here")
    a.say("to the examples")
    check("Python's chat hears", python.sees("alice: to the examples"), python)
    python.say("from Python")
    python.say("/alice to one")
    check("and is heard", a.sees("bob: from Python") and
          a.sees("bob → you: to one"), a)
    python.close()
    dave = Pipe([examples + "/chat", f"{LAB}/dave.yaml"])
    check("C's chat joins", a.sees("* dave joined"), a)
    a.say("@dave to C")
    check("hears", dave.sees("alice: to C"), dave)
    dave.say("from C")
    dave.say("@alice to one alone")
    check("and is heard", a.sees("dave: from C") and
          a.sees("dave → you: to one alone"), a)
    dave.ends()
    a.sees("* dave left")


def leave(a, b):
    check("there are colours", COLOUR.search(a.raw))
    check("with NO_COLOR there are none", not COLOUR.search(b.raw))
    check("the terminal is in a mode of its own", not a.is_restored())
    a.type("\x03")
    check("Ctrl-C ends it with 0", a.ends() == 0, a)
    check("and restores the terminal", a.is_restored())
    b.type("\x04")
    check("so does Ctrl-D", b.ends() == 0 and b.is_restored(), b)
    for number in (signal.SIGTERM, signal.SIGINT):
        c = Terminal(alice.zs("chat"))
        c.sees("connected as alice")
        check(f"and {number.name}", c.ends(number) == 0 and c.is_restored(), c)
        c.close()
    d = Terminal(alice.zs("chat"))
    d.sees("connected as alice")
    d.say("/quit")
    check("and /quit", d.ends() == 0 and d.is_restored(), d)
    d.close()
    e = Terminal(alice.zs("chat"), TERM="dumb")
    check("a dumb terminal gets lines", e.sees("* connected as alice"), e)
    e.type("\x04")
    check("until Ctrl-D", e.ends() == 0)
    e.close()
    none = Terminal([ZS, "--socket", "/run/zeroservices/none.sock", "chat"])
    check("without an edge it does not begin", none.ends() == 4 and
          none.is_restored(), none)
    none.close()


alice = Edge(LAB, "alice")
bob = Edge(LAB, "bob")
alice.waits_for(1)
bob.waits_for(1)
at_alice, at_bob = meet()
come_and_go(at_alice)
talk(at_alice, at_bob)
edit(at_alice)
obey_nothing(at_alice)
scroll(at_alice)
resize(at_alice, at_bob)
edge_restarts(at_alice, at_bob)
lines(at_alice)
lines_across_a_restart()
rooms(at_alice)
others(at_alice)
leave(at_alice, at_bob)
at_alice.close()
at_bob.close()
alice.kill()
bob.kill()
