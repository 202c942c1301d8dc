"""One measurement: a relay or broker, the right end, the left end."""

import contextlib
import os
import time

import stage

# What is compared: the program, its words, and how much it has under way at
# most, where it does best (load.h, `most`).
STACKS = {
    "zeroservices": ("bench_zs", [], 16384),
    "zeroservices, thread": ("bench_zs", ["--form", "thread"], 16384),
    "libzmq CURVE": ("bench_zmq", [], 4096),
    "nats-server TLS": ("bench_nats", [], 16384),
}
FAN_BYTES, FAN_MOST = 512 * 1024, 4096  # of a fan-out


class Setting:
    """What a measurement is of."""

    def __init__(self, stack, mode, size=64, seconds=1.0, receivers=1,
                 mesh="small", relay=None, peers=1):
        self.stack, self.mode, self.size = stack, mode, size
        self.seconds, self.receivers = seconds, receivers
        self.mesh = mesh    # zeroservices: which, and its relay if it runs
        self.relay = relay
        self.peers = peers  # that the left end waits for


def middle(scene, setting, stack):
    """(what is between the two ends or None, words for both ends)."""
    if setting.stack.startswith("zeroservices"):
        names = [f"dst-{i}" for i in range(setting.receivers)]
        scene.identities(setting.mesh, ["src", "dst"] + names *
                         (setting.mode == "fan"))
        folder, _ = scene.mesh(setting.mesh)
        relay, url = setting.relay or scene.relay(setting.mesh)
        if not setting.relay:
            stack.callback(relay.end)
        return relay, ["--mesh", folder, "--relay", url]
    if setting.stack == "nats-server TLS":
        server, url = scene.nats()
        stack.callback(server.end)
        return server, ["--url", url, "--ca", scene.folder / "cert.pem"]
    url = f"tcp://{stage.LOOPBACK}:{stage.free_port()}"
    if setting.mode == "direct":
        return None, ["--url", url]
    forwarder = scene.forwarder(url)
    stack.callback(forwarder.end)
    return forwarder, ["--url", url]


def ends(scene, setting, left, right):
    """Runs both ends: (left's numbers, right's, relay's CPU s, share of the
    machine that others used meanwhile)."""
    program, words, most = STACKS[setting.stack]
    with contextlib.ExitStack() as stack:
        between, where = middle(scene, setting, stack)
        words = [*words, *where, "--mode", setting.mode,
                 "--size", setting.size, "--seconds", setting.seconds,
                 "--most", most]
        if setting.mode == "fan":
            words += ["--window", min(FAN_MOST, FAN_BYTES // setting.size)]
        r = stage.Process(scene.bin / program, right, *words,
                          "--receivers", setting.receivers)
        stack.callback(r.end)
        r.wait_for("READY")
        peers = max(setting.peers, setting.receivers)
        l = stage.Process(scene.bin / program, left, *words, "--peers", peers)
        stack.callback(l.end)
        l.wait_for("START", 120)
        cpu = stage.cpu_s(between.pid) if between else 0
        busy, begun = stage.busy_s(), time.monotonic()
        at_left = l.wait_for("RESULT", 90)
        cpu = stage.cpu_s(between.pid) - cpu if between else 0
        busy, took = stage.busy_s() - busy, time.monotonic() - begun
        at_right = r.wait_for("RESULT")
        ours = cpu + (at_left["cpu_ns"] + at_right["cpu_ns"]) / 1e9
        others = max(0, busy - ours) / took / os.cpu_count()
        return at_left, at_right, cpu, others


def throughput(scene, setting):
    left, right, relay, others = ends(scene, setting, "source", "sink")
    copies, n = right["copies"], setting.receivers
    late, skipped = right["late"], right["skipped"]
    reordered = min(late, skipped)
    lost = left["sent"] * n - (copies - (late - reordered))
    cpu = (left["cpu_ns"] + right["cpu_ns"]) / 1e3 + relay * 1e6
    return {"per_second": copies / right["ns"] * 1e9,
            "cpu_us": cpu / copies, "cpu_relay_us": relay * 1e6 / copies,
            "cpu_source_us": left["cpu_ns"] / 1e3 / left["sent"],
            "uploaded": left["uploaded"] / left["sent"],
            "lost": lost, "reordered": reordered,
            "doubled": late - reordered, "others": others}


def round_trip(scene, setting):
    left, _, _, others = ends(scene, setting, "ping", "pong")
    return {"p50_us": left["p50"] / 1e3, "p99_us": left["p99"] / 1e3,
            "p999_us": left["p999"] / 1e3, "trips": left["count"],
            "lost": 0, "reordered": 0, "doubled": left["strange"],
            "others": others}


def quietest(measure, scene, setting, tries):
    """Again, while others used more than a tenth of the machine."""
    best = None
    for _ in range(tries):
        found = measure(scene, setting)
        if best is None or found["others"] < best["others"]:
            best = found
        if best["others"] <= 0.10:
            break
    return best
