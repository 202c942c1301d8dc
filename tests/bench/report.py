"""What was found: as lines, tables, ratios, a page, JSON and plots."""

import json
import os
import pathlib
import platform
import statistics
import subprocess

import plots

OURS = "zeroservices"
ZMQ = "libzmq CURVE"
NATS = "nats-server TLS"
DOOR, ROUTER = "zeroservices, tcp", "zeroservices, tcp to listen.curve"
UDP, TCP = "zeroservices, UDP", "zeroservices, TCP"
NGTCP2, NGTCP2_GSO = "ngtcp2", "ngtcp2 with GSO"
SIZES = {64: "64 B", 1024: "1 KiB", 65536: "64 KiB"}

# (what, bench, selection, key, the other's selection, at least or at most)
AT_LEAST, AT_MOST = ">=", "<="


def beside(stack, size):
    return {"size": size, "stack": OURS}, {"size": size, "stack": stack}


def at_door(size):
    return {"size": size, "stack": DOOR}, {"size": size, "stack": ROUTER}


def over_udp(beside_it, size):
    return {"size": size, "stack": UDP}, {"size": size, "stack": beside_it}


TARGETS = [
    ("relay path, 64 B: messages a second", "relay", "per_second",
     beside(NATS, 64), AT_LEAST, 2.0),
    ("relay path, 64 B: CPU a message", "relay", "cpu_us",
     beside(NATS, 64), AT_MOST, 0.6),
    ("relay path, 1 KiB", "relay", "per_second", beside(NATS, 1024),
     AT_LEAST, 1.4),
    ("relay path, 64 KiB", "relay", "per_second", beside(NATS, 65536),
     AT_LEAST, 1.1),
    ("direct, 64 B", "direct", "per_second", beside(ZMQ, 64), AT_LEAST, 4.0),
    ("direct, 1 KiB", "direct", "per_second", beside(ZMQ, 1024), AT_LEAST,
     1.5),
    ("direct, 64 KiB", "direct", "per_second", beside(ZMQ, 65536), AT_LEAST,
     0.95),
    ("round trip direct, p50", "direct-rtt", "p50_us", beside(ZMQ, 64),
     AT_MOST, 1.15),
    ("round trip direct, p99", "direct-rtt", "p99_us", beside(ZMQ, 64),
     AT_MOST, 1.15),
    ("round trip by the relay beside libzmq, p50", "relay-rtt", "p50_us",
     beside(ZMQ, 64), AT_MOST, 0.8),
    ("round trip by the relay beside libzmq, p99", "relay-rtt", "p99_us",
     beside(ZMQ, 64), AT_MOST, 0.8),
    ("round trip by the relay beside nats-server, p50", "relay-rtt", "p50_us",
     beside(NATS, 64), AT_MOST, 1.0),
    ("round trip by the relay beside nats-server, p99", "relay-rtt", "p99_us",
     beside(NATS, 64), AT_MOST, 1.0),
    ("relay's CPU a message, door beside listen.curve, 64 B", "forms",
     "cpu_relay_us", at_door(64), AT_MOST, 0.65),
    ("relay's CPU a message, door beside listen.curve, 1 KiB", "forms",
     "cpu_relay_us", at_door(1024), AT_MOST, 0.65),
    ("relay's CPU a message, door beside listen.curve, 64 KiB", "forms",
     "cpu_relay_us", at_door(65536), AT_MOST, 0.65),
    ("fan-out to 100, 64 B", "fan", "per_second", beside(NATS, 64), AT_LEAST,
     1.5),
    ("fan-out to 100, 1 KiB", "fan", "per_second", beside(NATS, 1024),
     AT_LEAST, 1.3),
    ("publisher's CPU, 100 receivers beside 2, 1 KiB", "publish",
     "cpu_source_us",
     ({"size": 1024, "receivers": 100},
      {"size": 1024, "receivers": 2, "paced_as": None}), AT_MOST, 1.25),
    ("publisher's CPU, 100 receivers beside 2 at the same rate, 1 KiB",
     "publish", "cpu_source_us",
     ({"size": 1024, "receivers": 100},
      {"size": 1024, "receivers": 2, "paced_as": 100}), AT_MOST, 1.25),
    ("publisher's upload, 100 receivers beside 2, 1 KiB", "publish",
     "uploaded",
     ({"size": 1024, "receivers": 100},
      {"size": 1024, "receivers": 2, "paced_as": None}), AT_MOST, 1.05),
    ("over UDP, no limit, 64 B", "udp", "per_second", over_udp(NGTCP2, 64),
     AT_LEAST, 1.0),
    ("over UDP, no limit, 1 KiB", "udp", "per_second", over_udp(NGTCP2, 1024),
     AT_LEAST, 1.0),
    ("over UDP, no limit, 64 KiB", "udp", "per_second",
     over_udp(NGTCP2, 65536), AT_LEAST, 1.0),
    ("round trip over UDP beside TCP, p50", "udp-rtt", "p50_us",
     over_udp(TCP, 64), AT_MOST, 1.3),
    ("round trip over UDP beside TCP, p99", "udp-rtt", "p99_us",
     over_udp(TCP, 64), AT_MOST, 1.3),
]
# Targets that are figures, not ratios; bare ngtcp2 or libzmq's ROUTER stands
# beside them.
# (what, bench, key, at least or at most, the figure)
FIGURES = [
    ("over UDP, 100 Mbit/s, RTT 50 ms, 1 % loss: Mbit/s", "udp-lossy",
     "mbit_s", AT_LEAST, 85),
    ("over UDP, RTT 20 ms, 1 % loss: p99, us", "udp-delay", "p99_us", AT_MOST,
     45000),
    ("an idle path over UDP: datagrams a minute", "udp-idle", "per_minute",
     AT_MOST, 6),
    ("an idle edge by tcp: KiB at the relay, libzmq's beside it", "memory",
     "kib", AT_MOST, 20),
]


def median(rows, key, **wanted):
    found = [r[key] for r in rows if key in r
             and all(r.get(k) == v for k, v in wanted.items())]
    return statistics.median(found) if found else None


def number(value):
    if value is None:
        return "-"
    for limit, unit in ((1e6, " M"), (1e4, " k")):
        if value >= limit:
            value = value / (1e6 if unit == " M" else 1e3)
            return f"{value:.3g}{unit}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def line(row):
    what = " ".join(str(row[k]) for k in
                    ("bench", "stack", "size", "receivers", "mesh", "threads",
                     "pairs", "nodes", "edges")
                    if k in row)
    if "paced_as" in row:
        what += f" at the rate of {row['paced_as']}"
    if "error" in row:
        return f"{what}: {row['error']}"
    if "per_minute" in row:
        return f"{what}: {row['per_minute']} datagrams a minute"
    if "kib" in row:
        return f"{what}: {row['kib']:.1f} KiB an edge, of {row['edges']}"
    if "others" not in row:
        return f"{what}: " + ", ".join(f"{k} {number(v)}" for k, v in
                                       row.items() if isinstance(v, float))
    if "p50_us" in row:
        found = f"p50 {row['p50_us']:.0f} us, p99 {row['p99_us']:.0f} us"
    else:
        found = (f"{number(row['per_second'])}/s, {row['cpu_us']:.3g} us CPU, "
                 f"relay {row['cpu_relay_us']:.3g} us")
    return f"{what}: {found}; others {row['others']:.0%} of the machine"


def is_bad(rows):
    return not rows or any("error" in r or r["lost"] or r["reordered"]
                           or r["doubled"] for r in rows)


# ---- Tables

def table(head, body):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(x) + " |" for x in body]
    return "\n".join(lines) + "\n"


def unique(values):
    return list(dict.fromkeys(values))


def rates(rows, title):
    sizes = sorted(unique(r["size"] for r in rows))
    body = []
    for stack in unique(r["stack"] for r in rows):
        cells = []
        for size in sizes:
            rate, cpu, relay = (median(rows, k, stack=stack, size=size)
                                for k in ("per_second", "cpu_us",
                                          "cpu_relay_us"))
            share = f" ({number(relay)})" if relay else ""
            cells.append(f"{number(rate)}, {number(cpu)}{share}")
        body.append([stack, *cells])
    return (f"### {title}\n\nA second; in microseconds the CPU for each, all "
            "processes (the relay's share)\n\n" +
            table([""] + [SIZES[x] for x in sizes], body))


def entering(rows, title):
    """The cells of what has no part in it stay empty."""
    keys = ("cpu_relay_us", "cpu_source_us", "cpu_sink_us", "cpu_proxy_us")
    body = []
    for size in sorted(unique(r["size"] for r in rows)):
        for stack in unique(r["stack"] for r in rows):
            rate, *cpu = (median(rows, k, stack=stack, size=size)
                          for k in ("per_second", *keys))
            if rate:
                body.append([SIZES[size], stack, number(rate),
                             *(number(x) if x else "" for x in cpu)])
    return (f"### {title}\n\n" + ENTERING + "\n" +
            table(["size", "", "messages a second", "relay", "source", "sink",
                   "proxy"], body))


def trips(rows, title):
    body = [[stack] + [number(median(rows, k, stack=stack))
                       for k in ("p50_us", "p99_us", "p999_us")]
            for stack in unique(r["stack"] for r in rows)]
    return (f"### {title}\n\nMicroseconds, one message of 64 B under way\n\n" +
            table(["", "p50", "p99", "p99.9"], body))


def remembering(rows, title):
    body = [[stack, *(number(median(rows, k, stack=stack))
                      for k in ("edges", "kib"))]
            for stack in unique(r["stack"] for r in rows)]
    return (f"### {title}\n\n" + REMEMBERING + "\n" +
            table(["", "edges", "KiB for each"], body))


def publishing(rows, title):
    body = []
    for size in sorted(unique(r["size"] for r in rows)):
        for n in unique(r["receivers"] for r in rows):
            cpu, up, rate = (median(rows, k, size=size, receivers=n,
                                    paced_as=None)
                             for k in ("cpu_source_us", "uploaded",
                                       "per_second"))
            few = median(rows, "cpu_source_us", size=size, paced_as=n)
            body.append([SIZES[size], str(n), number(cpu),
                         number(few) if few else "", number(up),
                         number(rate and rate / n), number(rate)])
    return (f"### {title}\n\n" + PUBLISHING + "\n" +
            table(["size", "receivers", "publisher's CPU, us",
                   "with 2 at this rate", "its upload, bytes",
                   "messages a second", "deliveries a second"], body))


def idling(rows, title):
    body = []
    for n in sorted(unique(r["beside"] for r in rows)):
        cells = [number(median(rows, key, mesh=mesh, beside=n))
                 for mesh in (n, 2) for key in ("per_second", "cpu_us")]
        body.append([str(n), *cells,
                     f"{median(rows, 'others', beside=n):.0%}"])
    return (f"### {title}\n\n64 B by the relay. The idle nodes, all on this "
            "machine, run beside the mesh of 2 as well; of what others use "
            "theirs is a part\n\n" +
            table(["nodes", "a second", "CPU a message, us",
                   "in a mesh of 2", "CPU a message, us",
                   "others used of the machine"], body))


def scaling(rows, title):
    body = []
    for size in sorted(unique(r["size"] for r in rows)):
        for threads in unique(r["threads"] for r in rows):
            for pairs in unique(r["pairs"] for r in rows):
                of = {"size": size, "threads": threads, "pairs": pairs}
                rate, workers, most, main = (
                    median(rows, k, **of) for k in
                    ("per_second", "cpu_workers_us", "busiest_worker",
                     "cpu_main_us"))
                if rate:
                    body.append([SIZES[size], str(threads), str(pairs),
                                 number(rate), number(workers), f"{most:.0%}",
                                 number(main), number(1e6 / main)])
    return (f"### {title}\n\n" + SCALING + "\n" +
            table(["size", "I/O threads", "pairs", "messages a second",
                   "CPU in I/O threads, us", "of it in the busiest",
                   "in the main thread, us", "one main thread: messages a "
                   "second"], body))


def lossy(rows, title):
    body = [[stack] + [number(median(rows, k, stack=stack))
                       for k in ("mbit_s", "per_second", "cpu_us")]
            for stack in unique(r["stack"] for r in rows)]
    return (f"### {title}\n\n" + LOSSY + "\n" +
            table(["", "Mbit/s", "messages a second", "CPU a message, us"],
                  body))


def delayed(rows, title):
    body = [[stack] + [number(median(rows, k, stack=stack))
                       for k in ("p50_us", "p99_us", "p999_us", "cpu_us")]
            for stack in unique(r["stack"] for r in rows)]
    return (f"### {title}\n\nMicroseconds from sending to receiving, at even "
            "distances; the wire alone takes 10,000\n\n" +
            table(["", "p50", "p99", "p99.9", "CPU a message"], body))


TITLES = {
    "udp-lossy": (lossy, "Over UDP: 64 KiB by 100 Mbit/s, RTT 50 ms, 1 % loss"),
    "udp-delay": (delayed, "Over UDP: 1,000 messages of 1 KiB a second, RTT 20 "
                           "ms, 1 % loss"),
    "udp": (rates, "Over UDP, a cable without a limit"),
    "udp-rtt": (trips, "Round trip over UDP, the same cable"),
    "relay": (rates, "By one relay"),
    "relay-rtt": (trips, "Round trip by one relay"),
    "forms": (entering, "Each way into the relay"),
    "forms-rtt": (trips, "Round trip by each way into the relay"),
    "direct": (rates, "Direct"),
    "direct-rtt": (trips, "Round trip, direct"),
    "fan": (rates, "Fan-out to 100 by the relay: deliveries"),
    "publish": (publishing, "Publishing to N behind the relay"),
    "scale": (scaling, "The relay over cores"),
    "memory": (remembering, "The relay's memory for an idle edge"),
    "idle": (idling, "Two nodes in a mesh of many"),
}


def figures(rows):
    body = []
    for what, bench, key, sense, limit in FIGURES:
        of = [r for r in rows if r["bench"] == bench]
        stacks = (DOOR, ROUTER) if bench == "memory" else (UDP, NGTCP2)
        a, b = (median(of, key, stack=x) for x in stacks)
        if a is not None:
            good = a >= limit if sense == AT_LEAST else a <= limit
            body.append([what, number(a), number(b),
                         f"{a / b:.2f}" if b else "", f"{sense} {limit}",
                         "reached" if good else "**no**"])
    return body


def targets(rows):
    body = []
    for what, bench, key, (ours, other), sense, limit in TARGETS:
        of = [r for r in rows if r["bench"] == bench]
        a, b = median(of, key, **ours), median(of, key, **other)
        if a and b:
            body.append([what, number(a), number(b),
                         *verdict(a / b, sense, limit)])
    body += figures(rows)
    of = [r for r in rows if r["bench"] == "idle" and "per_second" in r]
    for n in sorted(unique(r["beside"] for r in of)):
        a = median(of, "per_second", mesh=n, beside=n)
        b = median(of, "per_second", mesh=2, beside=n)
        if a and b:
            body.append([f"mesh of {n} beside one of 2", number(a), number(b),
                         *verdict(a / b, AT_LEAST, 0.95)])
    return ("### Targets\n\n" +
            table(["", "ours", "beside it", "ratio", "target", ""], body))


def verdict(ratio, sense, limit):
    good = ratio >= limit if sense == AT_LEAST else ratio <= limit
    return f"{ratio:.2f}", f"{sense} {limit}", "reached" if good else "**no**"


def faults(rows):
    failed = [r for r in rows if "error" in r]
    sums = {k: sum(r.get(k, 0) for r in rows)
            for k in ("lost", "doubled", "reordered")}
    words = ", ".join(f"{k} {v}" for k, v in sums.items())
    text = f"In {len(rows)} runs: {words}, failed runs {len(failed)}.\n"
    return text + "".join(f"\n    {line(r)}" for r in failed)


def tables(rows):
    parts = []
    for bench, (make, title) in TITLES.items():
        of = [r for r in rows if r["bench"] == bench and "error" not in r]
        if of:
            parts.append(make(of, title))
    return "\n".join([*parts, targets(rows), faults(rows)])


def text(found):
    return "\n".join([tables(found["rows"]), left_out(found), about(found)])


def left_out(found):
    return "".join(f"Not measured: {stack} ({why}).\n"
                   for stack, why in found.get("missing", {}).items())


# ---- Circumstances

def version_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              check=True)
    except (OSError, subprocess.CalledProcessError):
        return "?"
    return done.stdout.strip().removeprefix("nats-server: v")


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        models = [x.partition(":")[2].strip() for x in info
                  if x.startswith("model name")]
    return {"processor": models[0] if models else platform.machine(),
            "cores": os.cpu_count(), "kernel": platform.release(),
            "libzmq": version_of("pkg-config", "--modversion", "libzmq"),
            "libsodium": version_of("pkg-config", "--modversion",
                                    "libsodium"),
            "openssl": version_of("pkg-config", "--modversion", "libcrypto"),
            "nats-server": version_of("nats-server", "--version"),
            "mosquitto": version_of("pkg-config", "--modversion",
                                    "libmosquitto"),
            "load_before": round(os.getloadavg()[0], 2)}


def about(found):
    m, rows = found["machine"], found["rows"]
    later = found.get("later", [])
    rows = [r for r in rows if not any(is_of(r, x["names"]) for x in later)]
    others = [r["others"] for r in rows if "others" in r]
    busy = (f"Other processes used {statistics.median(others):.0%} of the "
            f"machine in the median run, {max(others):.0%} in the worst"
            if others else "No use of a processor was measured")
    loaded = others and statistics.median(others) > 0.05
    return (f"Begun {found['begun']}; medians of {found['repeats']} runs of "
            f"{found['seconds']} s, ours and theirs in turn, all processes on "
            f"one machine: {m['processor']}, {m['cores']} cores, Linux "
            f"{m['kernel']}, libzmq {m['libzmq']}, libsodium "
            f"{m['libsodium']}, OpenSSL {m.get('openssl', '?')}, "
            f"nats-server {m['nats-server']}, mosquitto "
            f"{m.get('mosquitto', '?')}; load "
            f"{m['load_before']} before. {busy}" +
            (": **the machine was not quiet**, so the figures are worth little "
             "and the ratios not much more." if loaded else ".") +
            "".join(about_later(found["rows"], x) for x in later))


def about_later(rows, later):
    others = [r["others"] for r in rows
              if is_of(r, later["names"]) and "others" in r]
    m = later["machine"]
    busy = (f"Other processes used {statistics.median(others):.0%} of the "
            "machine in the median run." if others else "")
    return (f"\n\nMeasured apart from the rest, begun {later['begun']}: "
            f"{', '.join(later['names'])}; medians of {later['repeats']} runs "
            f"on {m['processor']}, {m['cores']} cores, Linux {m['kernel']}. "
            + busy)


# ---- Files

PAGE = """# What ZeroServices does beside others

Written by `tests/bench/run`, which measures all of this again; `--quick` takes
a minute and writes nothing. Ours is the public C library in the form of an
event loop (`thread`: with a thread of its own), CURVE on every link, sealed
from end to end on the relay's path, acknowledged, at its defaults but for
`paths`. Beside it stand bare libzmq with CURVE (DEALER and ROUTER; by the relay
a loop of 15 lines that forwards, one frame a message), and nats-server with
TLS; mosquitto, nng and Zyre are there for comparing, no target names them.
Every stack does the same work with its own library (`load/roles.c`): the sink
tells the source what it had, and the source is at most a window ahead (8 MiB or
16,384 messages, mosquitto 1,024, others 4,096; fan-out 512 KiB or 4,096
messages), so nothing has a reason to be lost. The sink of a fan-out has a
hundred nodes in one process: ours an event loop for each core, nats-server's
clients a thread for each connection. CPU is user and system time of
all threads of all processes. Where a target is not reached,
[LIMITS.md](LIMITS.md) says where the CPU goes.

"""

PUBLISHING = """Of one message. As fast as it goes, all receivers and the relay share this
machine with the publisher, so that with a hundred it has far fewer messages a
second, each in a colder cache, and each with a larger part of what a second
costs. What more receivers cost the publisher itself is seen beside 2 receivers
at the same rate, in bursts of the same size.
"""

LOSSY = """Between two network namespaces, through a wire in user space
(`tests/net/wire.c`) that holds 256 KiB for its rate. `ngtcp2` is the library
alone with the settings of `edge/shell/quic.c` and a system call for each
datagram; with GSO the kernel cuts and joins datagrams, as it does for ours. TCP
is our link over TCP with CUBIC; the relay is behind the same wire.
"""

ENTERING = """What one message costs the relay or broker, the node that sends
it, the node that receives it, and the proxy, in microseconds of CPU. `tcp` is
plain CurveZMQ through the relay's front door; `ws` and `wss` are the same
inside a WebSocket, `wss` in TLS with the relay's own self-signed certificate;
the proxy is tinyproxy, by CONNECT. The row of `listen.curve` has the same edges
at a relay whose libzmq (ROUTER) owns the connections. The client of mosquitto
is paho's. mosquitto 2.0 looks at a WebSocket that has room again only when its
loop turns, each 100 ms without other work: that limits messages of more than 4
KiB, and single ones. nats-server is not measured by WebSocket, as libnats 3.4
has none.
"""

REMEMBERING = """By what the relay's own memory (RssAnon) grows for each edge
that is present and sends nothing but keep-alives, after 50 others; each 50 are
the members of one mesh. It includes 4 MiB at most that the front door keeps for
empty queues in all. The kernel's memory for the sockets is not in it.
"""

SCALING = """A relay has an I/O thread for each two cores, and two where there
are two, eight at the most: these decrypt, encrypt, read and write. The main
thread decides where a packet goes, and is the part that more cores do not speed
up. Relay and load generators share the cores of this machine, so messages a
second cannot grow here with threads; what shows that the relay scales is that a
message costs the same with more threads and pairs, that the I/O threads share
it, and what one main thread could do if it had a core of its own (last column:
a second / its CPU a message).
"""


def rows_in(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def replaced(found, folder, names):
    """What results.json has, with the benches of these names as found."""
    kept = json.loads(pathlib.Path(folder, "results.json").read_text(
        encoding="utf-8"))
    rows = [r for r in kept["rows"] if not is_of(r, names)]
    later = [x for x in kept.get("later", []) if x["names"] != names]
    later.append({"names": names, "begun": found["begun"],
                  "repeats": found["repeats"], "seconds": found["seconds"],
                  "machine": found["machine"]})
    return kept | {"rows": rows + found["rows"], "later": later}


def is_of(row, names):
    return row["bench"] in names or row["bench"].split("-")[0] in \
        [x for x in names if x in ("udp", "forms")]


def rows_of(path):
    if not path:
        return []
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["rows"]


def write_json(found, path):
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def write_all(found, folder):
    drawn = plots.draw(found["rows"], pathlib.Path(folder, "plots"))
    pictures = "".join(f"![{title}](plots/{name})\n\n"
                       for name, title in drawn)
    page = "\n".join([PAGE + about(found), "", tables(found["rows"]),
                      left_out(found), pictures])
    pathlib.Path(folder, "RESULTS.md").write_text(page.rstrip() + "\n",
                                                  encoding="utf-8")
    write_json(found, pathlib.Path(folder, "results.json"))
