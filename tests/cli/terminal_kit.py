"""A terminal for a program, and what it shows: a pseudo terminal whose other
end is read by pyte, which is what a person would see."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import pyte

PATIENCE = 60
ZS = os.environ["ZS_BIN"] + "/zs"


def check(what, passed, *terminals):
    """Says whether it passed; what stood on the terminals if not."""
    print(("ok " if passed else "not ok ") + what, flush=True)
    for terminal in terminals if not passed else ():
        print(terminal.dump(), flush=True)


class Edge:
    """A zs-edge that a test may kill and start again."""

    def __init__(self, lab, name):
        self.name = name
        self.socket = f"/run/zeroservices/{name}.sock"
        self.command = [os.environ["ZS_BIN"] + "/zs-edge", "-c",
                        f"{lab}/{name}.yaml"]
        self.log = open(f"{lab}/{name}.log", "ab")
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stderr=self.log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def zs(self, *words):
        """A command of zs at this edge."""
        return [ZS, "--socket", self.socket, *words]

    def run(self, *words):
        return subprocess.run(self.zs(*words), capture_output=True,
                              text=True, timeout=2 * PATIENCE, check=False)

    def waits_for(self, count):
        return self.run("wait", "--peers", str(count)).returncode == 0


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, command, rows=24, columns=80, **environment):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.master, self.slave = pty.openpty()
        self._set_size(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        env = {**os.environ, "TERM": "linux", **environment}
        self.process = subprocess.Popen(
            command, stdin=self.slave, stdout=self.slave, stderr=self.slave,
            env={k: v for k, v in env.items() if v is not None},
            start_new_session=True, preexec_fn=self._control)

    def _control(self):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def _set_size(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        self.read(0)
        self.screen.resize(rows, columns)
        self._set_size(rows, columns)

    def read(self, seconds):
        """Takes what the program writes, for so long at the most."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return
        data = os.read(self.master, 65536)
        self.raw += data
        self.stream.feed(data)

    def type(self, text):
        os.write(self.master, text.encode())

    def say(self, line):
        self.type(line + "\r")

    def rows(self):
        return [row.rstrip() for row in self.screen.display]

    def shows(self, *words):
        """A row has all the words."""
        return any(all(w in row for w in words) for row in self.rows())

    def until(self, condition, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            self.read(0.05)
        return True

    def sees(self, *words, seconds=PATIENCE):
        return self.until(lambda: self.shows(*words), seconds)

    def ends(self, number=None, seconds=PATIENCE):
        """Its exit code; None if it still runs after that."""
        if number:
            self.process.send_signal(number)
        self.until(lambda: self.process.poll() is not None, seconds)
        return self.process.poll()

    def is_restored(self):
        """The terminal's modes are those from before."""
        return termios.tcgetattr(self.slave) == self.before

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def dump(self):
        width = self.screen.columns
        return "\n".join(["+" + "-" * width + "+",
                          *("|" + row + "|" for row in self.screen.display),
                          "+" + "-" * width + "+"])


class Pipe:
    """A program with pipes instead of a terminal."""

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, **environment})
        self.out = b""

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def until(self, condition, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            if select.select([self.process.stdout], [], [], 0.05)[0]:
                self.out += os.read(self.process.stdout.fileno(), 65536)
        return True

    def sees(self, *words, seconds=PATIENCE):
        return self.until(lambda: any(all(w in line for w in words)
                                      for line in self.lines()), seconds)

    def lines(self):
        return self.out.decode(errors="replace").splitlines()

    def dump(self):
        return self.out.decode(errors="replace")

    def ends(self, seconds=PATIENCE):
        self.process.stdin.close()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
