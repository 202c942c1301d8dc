#!/usr/bin/env python3
"""Measures links over UDP beside bare ngtcp2 and links over TCP.

Runs inside udp_lab.sh, for tests/bench/run: see there. Each measurement runs a
left end at host a and a right end at host b; a row says what they found.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import report
import stage
from report import NGTCP2 as BARE, NGTCP2_GSO as GSO, TCP, UDP

PROGRAMS = {UDP: ("bench_zs", ["--mode", "udp"]),
            TCP: ("bench_zs", ["--mode", "direct"]),
            BARE: ("bench_ngtcp2", ["--form", "loop"]),
            GSO: ("bench_ngtcp2", ["--form", "gso"])}
WIRE, CABLE = ("wire", "198.18.1.2"), ("cable", "198.18.2.2")
LOSSY = ["delay 25", "loss 1", "rate 100"]
SHORT = ["delay 10", "loss 1", "rate 0"]
PORT = 4433
# Messages of 64 KiB under way: more than the path holds, and no more than it
# takes in some seconds.
MUCH, LITTLE = 64, 16
IDLE_BEFORE_S, IDLE_S = 15, 60


def say(commands):
    """Tells the wire what it is from now on."""
    fifo = pathlib.Path(os.environ["LAB"], "wire.fifo")
    with open(fifo, "w", encoding="ascii") as wire:
        wire.write("".join(f"{x}\n" for x in commands))
    time.sleep(0.2)


def at(host, *command):
    return stage.Process("nsenter", f"--net=/run/netns/{host}", *command)


def words(stack, line, more):
    device, address = line
    program, form = PROGRAMS[stack]
    return [pathlib.Path(os.environ["ZS_BIN"], program)], [
        *form, "--mesh", pathlib.Path(os.environ["LAB"], "office"), "--relay",
        os.environ["RELAY_URL"], "--interface", device, "--url",
        f"{address}:{PORT}", *more]


def ends(stack, line, left, right, more):
    """(left's numbers, right's, share of the machine that others used)."""
    program, options = words(stack, line, more)
    with contextlib.ExitStack() as stack_of_ends:
        r = at("b", *program, right, *options)
        stack_of_ends.callback(r.end)
        r.wait_for("READY")
        l = at("a", *program, left, *options)
        stack_of_ends.callback(l.end)
        l.wait_for("START", 120)
        wire = int(os.environ["WIRE_PID"])
        cpu, busy, begun = stage.cpu_s(wire), stage.busy_s(), time.monotonic()
        at_left = l.wait_for("RESULT", 240)
        cpu = stage.cpu_s(wire) - cpu
        busy, took = stage.busy_s() - busy, time.monotonic() - begun
        at_right = r.wait_for("RESULT", 120)
        ours = cpu + (at_left["cpu_ns"] + at_right["cpu_ns"]) / 1e9
        return at_left, at_right, max(0, busy - ours) / took / os.cpu_count()


def faults(left, right):
    late, skipped = right["late"], right["skipped"]
    reordered = min(late, skipped)
    return {"lost": left["sent"] - (right["copies"] - (late - reordered)),
            "reordered": reordered, "doubled": late - reordered}


def flood(stack, line, size, seconds, window=0):
    left, right, others = ends(stack, line, "source", "sink", [
        "--size", size, "--seconds", seconds, "--most", 16384, "--window",
        window])
    per_second = right["copies"] / right["ns"] * 1e9
    return {"size": size, "per_second": per_second,
            "mbit_s": per_second * size * 8 / 1e6,
            "cpu_us": (left["cpu_ns"] / left["sent"] +
                       right["cpu_ns"] / right["copies"]) / 1e3,
            "cpu_relay_us": 0, "others": others} | faults(left, right)


def delays(stack, seconds):
    left, right, others = ends(stack, WIRE, "pace", "watch", [
        "--size", 1024, "--seconds", seconds, "--rate", 1000])
    return {"size": 1024, "p50_us": right["p50"] / 1e3,
            "p99_us": right["p99"] / 1e3, "p999_us": right["p999"] / 1e3,
            "cpu_us": (left["cpu_ns"] / left["sent"] +
                       right["cpu_ns"] / right["copies"]) / 1e3,
            "others": others} | faults(left, right)


def trips(stack, seconds):
    left, right, others = ends(stack, CABLE, "ping", "pong", [
        "--size", 64, "--seconds", seconds])
    return {"size": 64, "p50_us": left["p50"] / 1e3,
            "p99_us": left["p99"] / 1e3, "p999_us": left["p999"] / 1e3,
            "cpu_us": (left["cpu_ns"] + right["cpu_ns"]) / left["count"] / 1e3,
            "lost": 0, "reordered": 0, "doubled": left["strange"],
            "others": others}


def datagrams_on_wire():
    """Of both directions, so far."""
    said = subprocess.run(
        ["nsenter", "--net=/run/netns/a", "nft", "list", "table", "inet",
         "idle"], check=True, capture_output=True, text=True).stdout
    return sum(int(x) for x in re.findall(r"packets (\d+)", said))


def idle():
    """Datagrams in a minute on a path that idles, of both ends together."""
    time.sleep(IDLE_BEFORE_S)
    before = datagrams_on_wire()
    time.sleep(IDLE_S)
    return {"size": 0, "per_minute": datagrams_on_wire() - before,
            "lost": 0, "reordered": 0, "doubled": 0, "others": 0}


class Rows:
    def __init__(self, asked):
        self.asked, self.rows = asked, []

    def record(self, bench, stack, repeat, measure, *arguments):
        row = {"bench": bench, "stack": stack, "repeat": repeat}
        try:
            row |= measure(*arguments)
        except RuntimeError as error:
            row |= {"size": 0, "error": str(error)}
        self.rows.append(row)
        print(report.line(row), file=sys.stderr, flush=True)

    def all(self):
        asked = self.asked
        if asked.idle:
            say(SHORT)
            self.record("udp-idle", UDP, 0, idle)
        for repeat in range(asked.repeats):
            say(LOSSY)
            for stack in (UDP, BARE, GSO, TCP):
                self.record("udp-lossy", stack, repeat, flood, stack, WIRE,
                            65536, 3 * asked.seconds,
                            LITTLE if stack == TCP else MUCH)
            say(SHORT)
            for stack in (UDP, BARE, TCP):
                self.record("udp-delay", stack, repeat, delays, stack,
                            2 * asked.seconds)
            for size in (64, 1024, 65536):
                for stack in (UDP, BARE, GSO, TCP):
                    self.record("udp", stack, repeat, flood, stack, CABLE,
                                size, asked.seconds)
            for stack in (UDP, BARE, TCP):
                self.record("udp-rtt", stack, repeat, trips, stack,
                            asked.seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--idle", action="store_true")
    rows = Rows(parser.parse_args())
    rows.all()
    pathlib.Path(rows.asked.file).write_text(json.dumps(rows.rows),
                                             encoding="utf-8")


if __name__ == "__main__":
    main()
