"""Many edges at one relay: how long until all know all, what it costs the relay
and an edge, and what is lost when the relay or a node restarts."""

import os
import pathlib
import re
import resource
import signal
import time
import types

import stage

PROCESSES = 2  # of light edges, and of nodes: one for each core
PAIRS, REAL = 100, 20
IDLE_S, SHORT_S = 10, 2
PATIENCE_S = 300
# The forwarder's, in link_zmq.c as Z85.
LIBZMQ_KEY = "54fcba24e93249969316fb617c872bb0c1d1ff14800427c594cbfacf1bc2d652"
LIMITS = "limits: {edges: 30000, edges_per_mesh: 10000, " \
         "edges_per_address: 10000"


class Relay:
    """One for several meshes, which can be restarted."""

    def __init__(self, scene, meshes, limits=""):
        self.scene, self.port = scene, stage.free_port()
        scene.relays += 1
        self.home = scene.folder / f"relay-{scene.relays}"
        ids = [scene.mesh(x)[1] for x in meshes]
        said = scene.run(scene.bin / "zs-relay", "init", self.home, "--host",
                         stage.LOOPBACK, "--port", self.port, "--mesh", ids[0])
        self.url = re.search(r"tcp://\S+", said)[0]
        self.conf = self.home / "relay.yaml"
        text = self.conf.read_text(encoding="utf-8")
        text = text.replace(f"*:{self.port}", f"{stage.LOOPBACK}:{self.port}")
        text = re.sub(r"^( *udp:).*", r"\1 []", text, flags=re.M)
        text = re.sub(r"^meshes:.*", f"meshes: {ids}".replace("'", '"'), text,
                      flags=re.M)
        self.conf.write_text(f"{text}{LIMITS}{limits}}}\n", encoding="utf-8")
        self.start()
        self.empty_kib = self.memory_kib()

    def start(self):
        self.process = stage.Daemon(self.home / "log", self.port,
                                    self.scene.bin / "zs-relay", "-c",
                                    self.conf)

    def restart(self):
        self.process.end()
        self.start()

    def cpu_s(self):
        return stage.cpu_s(self.process.pid)

    def memory_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status")
        return int(re.search(r"VmRSS:\s+(\d+)", status.read_text())[1])

    def idle(self):
        """The processor's share, in percent of a core."""
        before, seconds = self.cpu_s(), self.scene.idle_s
        time.sleep(seconds)
        return 100 * (self.cpu_s() - before) / seconds

    def end(self):
        self.process.end()


def crowd(scene, relay, meshes, role, edges, *more, processes=PROCESSES):
    """Processes of light edges, which have just begun."""
    folders = [x for m in meshes for x in ("--mesh", scene.mesh(m)[0])]
    each = edges // processes
    return [stage.Process(scene.bin / "bench_crowd", role, "--relay", relay.url,
                          *folders, "--edges", each, "--first", i * each,
                          "--all", edges, *more) for i in range(processes)]


def herd(scene, relay, mesh, nodes, peers, *more, processes=PROCESSES):
    """Processes of real nodes, which have just begun."""
    scene.identities(mesh, [f"herd-{i}" for i in range(nodes)])
    each = nodes // processes
    return [stage.Process(scene.bin / "bench_herd", "--relay", relay.url,
                          "--mesh", scene.mesh(mesh)[0], "--nodes", each,
                          "--first", i * each, "--peers", peers, *more)
            for i in range(processes)]


def all_say(processes, word):
    """Waits for a line of each, and adds their numbers up; `us` is the
    longest."""
    said = [p.wait_for(word, PATIENCE_S) for p in processes]
    return {key: (max if key == "us" else sum)(x[key] for x in said)
            for key in said[0]}


def end(*processes):
    for process in processes:
        process.end()


def results(processes):
    """What was sent and had, once the senders have settled all of it."""
    for process in processes:
        process.process.send_signal(signal.SIGUSR1)
    found = all_say(processes, "RESULT")
    keys = ["sent", "delivered", "undelivered", "had", "lost", "doubled"]
    return {key: found[key] for key in keys}


def measure_mesh(scene, nodes):
    """Real nodes, all in one mesh."""
    name = f"mesh-{nodes}"
    scene.identities(name, [f"herd-{i}" for i in range(nodes)])
    relay = Relay(scene, [name])
    began = time.monotonic()
    running = herd(scene, relay, name, nodes, nodes - 1)
    try:
        said = all_say(running, "READY")
        row = {"met_s": time.monotonic() - began, "relay_s": relay.cpu_s(),
               "edge_ms": said["cpu_us"] / nodes / 1000,
               "relay_kib": (relay.memory_kib() - relay.empty_kib) / nodes,
               "relay_idle": relay.idle()}
        began = time.monotonic()
        relay.restart()
        all_say(running, "BACK")
        return row | {"nodes": nodes, "back_s": time.monotonic() - began}
    finally:
        end(*running, relay)


def measure_crowd(scene, edges, meshes):
    """Light edges, of which some talk while the relay is restarted."""
    names = [f"crowd-{i}" for i in range(meshes)]
    relay = Relay(scene, names)
    began = time.monotonic()
    running = crowd(scene, relay, names, "pairs", edges, "--pairs",
                    min(PAIRS, edges // 4),
                    "--peers", edges // meshes - 1, "--every-ms", 100)
    try:
        said = all_say(running, "READY")
        row = {"edges": edges, "meshes": meshes,
               "met_s": time.monotonic() - began, "relay_s": relay.cpu_s(),
               "relay_kib": (relay.memory_kib() - relay.empty_kib) / edges,
               "relay_idle": relay.idle(), "refused": said["refused"]}
        began = time.monotonic()
        relay.restart()
        all_say(running, "BACK")
        row["back_s"] = time.monotonic() - began
        return row | results(running)
    finally:
        end(*running, relay)


def measure_handshakes(scene, edges):
    """How fast light edges connect: to ours, and to bare libzmq. The relay may
    take as many as come."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    url = stage.free_url()
    relay = Relay(scene, ["shake"], ", handshakes: 100000")
    forwarder = scene.forwarder(url)
    libzmq = types.SimpleNamespace(process=forwarder,
                                   url=f"{url}?key={LIBZMQ_KEY}")
    row = {"edges": edges}
    try:
        for name, server in (("ours", relay), ("libzmq", libzmq)):
            pid = server.process.pid
            before, began = stage.cpu_s(pid), time.monotonic()
            running = crowd(scene, server, ["shake"], "handshakes", edges)
            all_say(running, "READY")
            row[f"{name}_per_second"] = edges / (time.monotonic() - began)
            row[f"{name}_cpu_ms"] = 1000 * (stage.cpu_s(pid) - before) / edges
            end(*running)
        return row
    finally:
        end(relay, forwarder)


def measure_fan_in(scene, edges):
    """Light edges send 1 KiB each 2 s to one real node; it and the relay are
    restarted in turn, each killed once."""
    scene.identities("fan-in", ["herd-0"])
    folder, _ = scene.mesh("fan-in")
    relay = Relay(scene, ["fan-in"])
    node_id = re.search(r"[0-9a-f]{64}", scene.run(
        scene.bin / "zs", "id", folder / "herd-0.zs"))[0]
    words = ("--collect", scene.folder / "tallies", "--senders", edges,
             "--most-peers", edges + 10)

    def node():
        return herd(scene, relay, "fan-in", 1, edges, *words, processes=1)[0]

    collector = node()
    running = crowd(scene, relay, ["fan-in"], "fan-in", edges, "--peers", 1,
                    "--to", node_id, "--every-ms", 2000)
    try:
        all_say(running, "READY")
        collector.wait_for("READY", PATIENCE_S)
        time.sleep(scene.idle_s)
        row = {"edges": edges, "relay_kib": (relay.memory_kib() - relay.empty_kib) / edges}
        for how in (signal.SIGTERM, signal.SIGKILL):
            collector.process.send_signal(how)
            collector.process.wait()
            began = time.monotonic()
            collector = node()
            collector.wait_for("READY", PATIENCE_S)
            row["node_back_s"] = time.monotonic() - began
            began = time.monotonic()
            relay.process.process.send_signal(how)
            relay.process.process.wait()
            relay.start()
            all_say(running, "BACK")
            row["herd_back_s"] = time.monotonic() - began
            collector.wait_for("BACK", PATIENCE_S)
        row |= results(running)
        row["node_kib"] = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(
            f"/proc/{collector.pid}/status").read_text())[1])
        os.kill(collector.pid, signal.SIGTERM)
        tally = collector.wait_for("RESULT")
        # What was told as undelivered may have come, or not.
        lost = max(0, tally["skipped"] - row["undelivered"])
        return row | {"had": tally["had"], "lost": lost,
                      "doubled": tally["again"]}
    finally:
        end(*running, collector, relay)


def measure_large(scene, edges):
    """A mesh of many light edges and a few real nodes."""
    real = min(REAL, edges // 10)
    scene.identities("large", [f"herd-{i}" for i in range(real)])
    relay = Relay(scene, ["large"])
    nodes = herd(scene, relay, "large", real, real + edges - 1, "--most-peers",
                 real + edges)
    began = time.monotonic()
    running = crowd(scene, relay, ["large"], "idle", edges, "--peers",
                    real + edges - 1)
    try:
        said = all_say(running, "READY")
        real_said = all_say(nodes, "READY")
        return {"edges": edges, "real": real,
                "met_s": time.monotonic() - began, "relay_s": relay.cpu_s(),
                "edge_s": real_said["cpu_us"] / real / 1e6,
                "peer_ms": real_said["cpu_us"] / real / edges / 1e3,
                "edge_mib_in": said["bytes_in"] / edges / 2**20,
                "relay_kib": (relay.memory_kib() - relay.empty_kib) / edges,
                "relay_idle": relay.idle()}
    finally:
        end(*running, *nodes, relay)


# Name: (what measures it, its sizes, those of a quick run).
BENCHES = {
    "mesh": (measure_mesh, [(100,), (200,), (400,), (500,)], [(20,), (40,)]),
    "crowd": (measure_crowd, [(10000, 100)], [(200, 4)]),
    "handshakes": (measure_handshakes, [(5000,)], [(200,)]),
    "fan-in": (measure_fan_in, [(5000,)], [(50,)]),
    "large": (measure_large, [(5000,)], [(100,)]),
}


def rows(scene, name, quick):
    """Once for each size: what is looked for varies little."""
    measure, sizes, few = BENCHES[name]
    scene.idle_s = SHORT_S if quick else IDLE_S
    for size in few if quick else sizes:
        row = {"bench": name, "stack": "zeroservices", "lost": 0,
               "reordered": 0, "doubled": 0}
        try:
            row |= measure(scene, *size)
        except RuntimeError as error:
            row["error"] = str(error)
        yield row
