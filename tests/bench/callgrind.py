"""Runs a program under callgrind and reads what it counted."""

import collections
import os
import pathlib
import subprocess
import tempfile

# Steps collect; what a program does around them does not.
STEPS = ("steps_sender", "steps_relay", "steps_receiver")

# The C library takes the plainest code for copying, on every processor.
PLAIN = "glibc.cpu.hwcaps=" + ",".join("-" + x for x in (
    "AVX2", "AVX", "AVX512F", "AVX512VL", "AVX512BW", "ERMS", "FSRM", "SSSE3",
    "AVX_Fast_Unaligned_Load", "Fast_Unaligned_Copy", "RTM", "BMI2"))


class Profile:
    """Instructions by function: `own` and `within` (with what it calls)."""

    def __init__(self):
        self.own = collections.Counter()
        self.within = collections.Counter()
        self.total = 0

    def object_total(self, name):
        return sum(n for (where, _, _), n in self.own.items() if where == name)

    def within_named(self, name):
        return sum(n for (_, _, fn), n in self.within.items() if fn == name)


def run(command, native=False):
    """(Profile, what it printed). Raises if the program failed."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "out")
        valgrind = ["valgrind", "--tool=callgrind", "-q", "--instr-atstart=no",
                    "--compress-strings=no", "--compress-pos=no",
                    f"--callgrind-out-file={out}"]
        valgrind += [f"--toggle-collect={x}" for x in STEPS]
        environment = dict(os.environ)
        if not native:
            environment["GLIBC_TUNABLES"] = PLAIN
        done = subprocess.run(valgrind + command, capture_output=True,
                              text=True, env=environment, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: exit "
                               f"{done.returncode}: {done.stdout}{done.stderr}")
        return read(out.read_text(encoding="utf-8")), done.stdout


def object_of(path):
    """The program's own code, "libc", "libsodium", or another's name."""
    name = pathlib.Path(path).name
    if name.startswith(("libc.so", "libc-", "ld-linux")):
        return "libc"
    return name.split(".so")[0] if ".so" in name else "own"


def read(text):
    profile = Profile()
    ob = fl = home = fn = cob = cfl = cfn = ""
    called = False
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if not equals:
            fields = line.split()
            if not fields or not fields[0].isdigit():
                continue
            cost = int(fields[1])
            me = (object_of(ob), home, fn)
            if called:
                them = (object_of(cob or ob), cfl or fl, cfn)
                if them != me:
                    profile.within[me] += cost
                called, cob, cfl = False, "", ""
            else:
                profile.own[me] += cost
                profile.within[me] += cost
                profile.total += cost
        elif key == "ob":
            ob = value
        elif key in ("fl", "fi", "fe"):
            fl = value
        elif key == "fn":
            fn, home = value, fl
        elif key == "cob":
            cob = value
        elif key in ("cfl", "cfi"):
            cfl = value
        elif key == "cfn":
            cfn = value
        elif key == "calls":
            called = True
    return profile
