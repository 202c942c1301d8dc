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
    "mosquitto QoS 1, TLS": ("bench_mqtt", [], 1024),
    "mosquitto QoS 1, WebSocket in TLS": ("bench_paho", [], 1024),
    "nng pair, TLS": ("bench_nng", [], 4096),
    "Zyre whisper, not encrypted": ("bench_zyre", [], 4096),
}
# Ours, by each way into the relay: (form of its URL, whether by a proxy).
WAYS = {
    "zeroservices, tcp": ("tcp", False),
    "zeroservices, ws": ("ws", False),
    "zeroservices, wss": ("wss", False),
    "zeroservices, wss by a proxy": ("wss", True),
    "zeroservices, tcp to listen.curve": ("curve", False),
}
STACKS |= dict.fromkeys(WAYS, STACKS["zeroservices"])
# What has to be there for it besides its load generator.
SERVERS = {"nats-server TLS": "nats-server",
           "mosquitto QoS 1, TLS": "mosquitto",
           "mosquitto QoS 1, WebSocket in TLS": "mosquitto",
           "zeroservices, wss by a proxy": "tinyproxy"}
FAN_BYTES, FAN_MOST = 512 * 1024, 4096  # of a fan-out
# In flight at most, where the usual window would take minutes.
WINDOWS = {("mosquitto QoS 1, WebSocket in TLS", 65536): 8}


class Setting:
    """What a measurement is of."""

    def __init__(self, stack, mode, size=64, seconds=1.0, receivers=1,
                 mesh="small", relay=None, peers=1, rate=0):
        self.stack, self.mode, self.size = stack, mode, size
        self.seconds, self.receivers = seconds, receivers
        self.mesh = mesh    # zeroservices: which, and its relay if it runs
        self.relay = relay
        self.peers = peers  # that the left end waits for
        self.rate = rate    # messages a second; 0: as many as it takes


def ours(scene, setting, stack):
    """See middle."""
    names = [f"dst-{i}" for i in range(setting.receivers)]
    scene.identities(setting.mesh,
                     ["src", "dst"] + names * (setting.mode == "fan"))
    folder, _ = scene.mesh(setting.mesh)
    form, by_proxy = WAYS.get(setting.stack, ("tcp", False))
    relay, url = setting.relay or scene.relay(setting.mesh, form=form)
    if not setting.relay:
        stack.callback(relay.end)
    between, words = [relay], ["--mesh", folder, "--relay", url]
    if by_proxy:
        proxy, at = scene.proxy()
        stack.callback(proxy.end)
        between.append(proxy)
        words += ["--proxy", at]
    return between, words


def middle(scene, setting, stack):
    """(what is between the two ends: the relay, then proxies; words for both
    ends)."""
    if setting.stack.startswith("zeroservices"):
        return ours(scene, setting, stack)
    if setting.stack == "nats-server TLS":
        server, url = scene.nats()
        stack.callback(server.end)
        return [server], ["--url", url, "--ca", scene.certificate()[0]]
    if setting.stack.startswith("mosquitto"):
        broker, port = scene.mosquitto(
            "websockets" if "WebSocket" in setting.stack else "mqtt")
        stack.callback(broker.end)
        return [broker], ["--url", port, "--ca", scene.certificate()[0]]
    if setting.stack == "nng pair, TLS":
        certificate, _, both = scene.certificate()
        return [], ["--url", "tls+" + stage.free_url(), "--ca", certificate,
                    "--key", both]
    url = stage.free_url()
    if setting.stack == "Zyre whisper, not encrypted":
        return [], ["--url", url, "--own", stage.free_url(), "--gossip",
                    stage.free_url()]
    if setting.mode == "direct":
        return [], ["--url", url]
    forwarder = scene.forwarder(url)
    stack.callback(forwarder.end)
    return [forwarder], ["--url", url]


def unwatched(_):
    return contextlib.nullcontext()


def ends(scene, setting, left, right, watched=unwatched):
    """Runs both ends: (left's numbers, right's, CPU s of each that is between
    them, share of the machine that others used meanwhile). What is measured
    happens within `watched`, which is told the processes."""
    program, words, most = STACKS[setting.stack]
    with contextlib.ExitStack() as stack:
        between, where = middle(scene, setting, stack)
        words = [*words, *where, "--mode", setting.mode,
                 "--size", setting.size, "--seconds", setting.seconds,
                 "--most", most, "--rate", setting.rate]
        if setting.mode == "fan":
            words += ["--window", min(FAN_MOST, FAN_BYTES // setting.size)]
        elif (setting.stack, setting.size) in WINDOWS:
            words += ["--window", WINDOWS[setting.stack, setting.size]]
        r = stage.Process(scene.bin / program, right, *words,
                          "--receivers", setting.receivers)
        stack.callback(r.end)
        r.wait_for("READY")
        peers = max(setting.peers, setting.receivers)
        l = stage.Process(scene.bin / program, left, *words, "--peers", peers)
        stack.callback(l.end)
        l.wait_for("START", 120)
        before = [stage.cpu_s(x.pid) for x in between]
        busy, begun = stage.busy_s(), time.monotonic()
        with watched([*between, l, r]):
            at_left = l.wait_for("RESULT", 90)
        cpu = [stage.cpu_s(x.pid) - s for x, s in zip(between, before)]
        busy, took = stage.busy_s() - busy, time.monotonic() - begun
        at_right = r.wait_for("RESULT")
        spent = sum(cpu) + (at_left["cpu_ns"] + at_right["cpu_ns"]) / 1e9
        others = max(0, busy - spent) / took / os.cpu_count()
        return at_left, at_right, cpu, others


def throughput(scene, setting):
    left, right, between, others = ends(scene, setting, "source", "sink")
    relay, proxies = sum(between[:1]), sum(between[1:])
    copies, n = right["copies"], setting.receivers
    late, skipped = right["late"], right["skipped"]
    reordered = min(late, skipped)
    lost = left["sent"] * n - (copies - (late - reordered))
    cpu = (left["cpu_ns"] + right["cpu_ns"]) / 1e3
    cpu += (relay + proxies) * 1e6
    return {"per_second": copies / right["ns"] * 1e9,
            "cpu_us": cpu / copies, "cpu_relay_us": relay * 1e6 / copies,
            "cpu_proxy_us": proxies * 1e6 / copies,
            "cpu_source_us": left["cpu_ns"] / 1e3 / left["sent"],
            "cpu_sink_us": right["cpu_ns"] / 1e3 / copies,
            "uploaded": left["uploaded"] / left["sent"],
            "lost": lost, "reordered": reordered,
            "doubled": late - reordered, "others": others}


def round_trip(scene, setting):
    left, _, _, others = ends(scene, setting, "ping", "pong")
    return {"p50_us": left["p50"] / 1e3, "p99_us": left["p99"] / 1e3,
            "p999_us": left["p999"] / 1e3, "trips": left["count"],
            "lost": 0, "reordered": 0, "doubled": left["strange"],
            "others": others}


# ---- Several pairs at once

# How many I/O threads a relay takes that counts so many cores.
CORES_FOR = {1: 1, 2: 2, 4: 8, 8: 16}


class Pairs:
    """What is measured: pairs of nodes at once, by a relay of so many I/O
    threads that may use all cores."""

    def __init__(self, size, pairs, threads):
        self.stack, self.size, self.seconds = "zeroservices", size, 1.0
        self.pairs, self.threads = pairs, threads


def open_pairs(scene, setting, words, stack):
    """[(source, sink)] that have begun. Each source knows all other nodes
    before, so they begin within some milliseconds."""
    program = scene.bin / STACKS[setting.stack][0]
    ends = {}
    for role, known in (("sink", []),
                        ("source", ["--peers", 2 * setting.pairs - 1])):
        ends[role] = [stage.Process(program, role, *words, "--pair", i + 1,
                                    *known) for i in range(setting.pairs)]
        for end in ends[role]:
            stack.callback(end.end)
    for sink in ends["sink"]:
        sink.wait_for("READY")
    for source in ends["source"]:
        source.wait_for("START", 60)
    return list(zip(ends["source"], ends["sink"]))


def scale(scene, setting):
    """What a message costs each thread of the relay."""
    scene.identities("small", [f"{x}-{i + 1}" for i in range(setting.pairs)
                               for x in ("src", "dst")])
    folder, _ = scene.mesh("small")
    with contextlib.ExitStack() as stack:
        relay, url = scene.relay("small", CORES_FOR[setting.threads])
        stack.callback(relay.end)
        words = ["--mesh", folder, "--relay", url, "--size", setting.size,
                 "--seconds", setting.seconds, "--most",
                 STACKS[setting.stack][2]]
        pairs = open_pairs(scene, setting, words, stack)
        before = stage.threads_cpu_s(relay.pid)
        busy, begun = stage.busy_s(), time.monotonic()
        sent = [source.wait_for("RESULT", 90) for source, _ in pairs]
        busy, took = stage.busy_s() - busy, time.monotonic() - begun
        spent = spent_by(before, stage.threads_cpu_s(relay.pid))
        had = [sink.wait_for("RESULT") for _, sink in pairs]
    ours = spent["all"] + sum(x["cpu_ns"] for x in sent + had) / 1e9
    others = max(0, busy - ours) / took / os.cpu_count()
    return of_pairs(sent, had, spent) | {"others": others}


def spent_by(before, after):
    """Seconds of processor by the relay's threads: the main one is first."""
    spent = [(name, b - a) for (_, a), (name, b) in zip(before, after)]
    workers = [x for name, x in spent if name.startswith("ZMQbg/IO")]
    return {"all": sum(x for _, x in spent), "main": spent[0][1],
            "workers": workers}


def of_pairs(sent, had, spent):
    messages = sum(x["copies"] for x in had)
    late, skipped = (sum(x[k] for x in had) for k in ("late", "skipped"))
    reordered = min(late, skipped)
    ends = sum(x["cpu_ns"] for x in sent + had) / 1e3
    return {"per_second": sum(x["copies"] / x["ns"] * 1e9 for x in had),
            "cpu_us": (ends + spent["all"] * 1e6) / messages,
            "cpu_relay_us": spent["all"] * 1e6 / messages,
            "cpu_main_us": spent["main"] * 1e6 / messages,
            "cpu_workers_us": sum(spent["workers"]) * 1e6 / messages,
            "workers": len(spent["workers"]),
            "busiest_worker": max(spent["workers"]) / sum(spent["workers"]),
            "lost": sum(x["sent"] for x in sent) - messages + late - reordered,
            "reordered": reordered, "doubled": late - reordered}


# ---- Memory

class Idle:
    """What is measured: the edges of so many meshes, which send nothing, by one
    way into the relay."""

    def __init__(self, stack, meshes):
        self.stack, self.meshes = stack, meshes
        self.size, self.seconds = 64, 1.0


IDLE_EDGES = 50  # of a mesh
STEADY = 10  # looks at a relay whose memory does not grow any more


def idle_mesh(scene, name, url, stack):
    """Its edges join one after the other."""
    scene.identities(name, [f"idle-{i}" for i in range(IDLE_EDGES)])
    edges = stage.Process(
        scene.bin / "bench_zs", "idle", "--mesh", scene.mesh(name)[0],
        "--relay", url, "--receivers", IDLE_EDGES, "--peers", IDLE_EDGES - 1)
    stack.callback(edges.end)
    return edges


def steady_kib(pid):
    """The memory that stays after the joining."""
    seen, same = stage.resident_kib(pid), 0
    end = time.monotonic() + 30
    while same < STEADY and time.monotonic() < end:
        time.sleep(0.3)
        now = stage.resident_kib(pid)
        same = same + 1 if now == seen else 0
        seen = now
    return seen


def memory(scene, setting):
    """What an idle edge takes of the relay's memory, besides what the relay
    needs for the first mesh as well."""
    form, _ = WAYS[setting.stack]
    with contextlib.ExitStack() as stack:
        relay, url = scene.relay("any", form=form)
        stack.callback(relay.end)
        idle_mesh(scene, "idle", url, stack).wait_for("READY", 120)
        before = steady_kib(relay.pid)
        for more in [idle_mesh(scene, f"idle-{i}", url, stack)
                     for i in range(setting.meshes)]:
            more.wait_for("READY", 600)
        edges = setting.meshes * IDLE_EDGES
        kib = (steady_kib(relay.pid) - before) / edges
    return {"kib": kib, "edges": edges, "lost": 0, "reordered": 0,
            "doubled": 0}


def quietest(measure, scene, setting, tries):
    """Again, while others used more than a tenth of the machine."""
    best = None
    for _ in range(tries):
        found = measure(scene, setting)
        if best is None or found["others"] < best["others"]:
            best = found
        if best.get("others", 0) <= 0.10:
            break
    return best
