"""The processes of a measurement: relays, brokers, and the load generators."""

import contextlib
import getpass
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time

LOOPBACK = "127.0.0.1"


def free_port():
    with socket.socket() as s:
        s.bind((LOOPBACK, 0))
        return s.getsockname()[1]


def free_url():
    return f"tcp://{LOOPBACK}:{free_port()}"


def cpu_s(pid):
    """Seconds of processor that all threads of a live process have used."""
    return time.clock_gettime((~pid << 3) | 2)


def threads_cpu_s(pid):
    """[(its name, seconds of processor)] of each thread, the main one first."""
    threads = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text(encoding="ascii").strip()
        spent = (task / "schedstat").read_text(encoding="ascii").split()[0]
        threads.append((task.name != str(pid), int(task.name), name,
                        int(spent) / 1e9))
    return [x[2:] for x in sorted(threads)]


def busy_s():
    """Seconds of processor that the whole machine has used."""
    with open("/proc/stat", encoding="ascii") as stat:
        ticks = [int(x) for x in stat.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid):
    """The memory of a live process that is its own, and of no file."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(x.split()[1]) for x in status
                    if x.startswith("RssAnon:"))


class Process:
    """A program whose lines of output are waited for."""

    def __init__(self, *command):
        self.command = [str(x) for x in command]
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.pid = self.process.pid
        self.unread = b""

    def line(self, end):
        while b"\n" not in self.unread:
            left = end - time.monotonic()
            if left <= 0 or not select.select(
                    [self.process.stdout], [], [], left)[0]:
                raise RuntimeError(f"{self}: says nothing")
            more = os.read(self.process.stdout.fileno(), 4096)
            if not more:
                self.process.wait()
                said = self.process.stderr.read().decode()[-400:]
                raise RuntimeError(f"{self}: ended: {said}")
            self.unread += more
        line, _, self.unread = self.unread.partition(b"\n")
        return line.decode()

    def wait_for(self, word, seconds=120):
        """The numbers of the first line that begins with `word`."""
        end = time.monotonic() + seconds
        while True:
            first, *words = self.line(end).split()
            if first == word:
                return {k: int(v) for k, v in (x.split("=") for x in words)}

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def __str__(self):
        return " ".join(self.command[:2])


class Daemon(Process):
    """One that talks into a file, and is up when its port answers."""

    def __init__(self, log, port, *command):
        self.command = [str(x) for x in command]
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.pid = self.process.pid
        for _ in range(3000):  # a minute, for a machine that is busy
            with contextlib.suppress(OSError):
                socket.create_connection((LOOPBACK, port), 1).close()
                return
            time.sleep(0.02)
        self.end()
        raise RuntimeError(f"{self} does not listen")

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Stage:
    """A folder for keys and logs, and how each stack is set up in it."""

    def __init__(self, binaries, folder):
        self.bin = pathlib.Path(binaries).resolve()
        self.folder = pathlib.Path(folder)
        self.meshes = {}
        self.relays = 0

    def run(self, *command):
        done = subprocess.run([str(x) for x in command], check=False,
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")
        return done.stdout

    def mesh(self, name):
        """The folder of a mesh, and its id."""
        if name not in self.meshes:
            said = self.run(self.bin / "zs", "mesh", "create", name, "--dir",
                            self.folder / name)
            self.meshes[name] = re.search(r"[0-9a-f]{64}", said)[0]
        return self.folder / name, self.meshes[name]

    def identities(self, mesh, names):
        folder, _ = self.mesh(mesh)
        for name in names:
            if not (folder / f"{name}.zs").exists():
                self.run(self.bin / "zs", "mesh", "add", name, "--dir", folder)

    def relay(self, mesh, cores=None, form="tcp"):
        """A relay as it is by default: (process, URL of that form). `cores`: it
        counts so many when it starts, and may use all of them after. Forms:
        tcp, ws and wss at the door; curve: at libzmq's ROUTER. Mesh any: it
        serves all."""
        port, by_libzmq = free_port(), free_port()
        self.relays += 1
        home = self.folder / f"relay-{self.relays}"
        mesh_id = mesh if mesh == "any" else self.mesh(mesh)[1]
        said = self.run(self.bin / "zs-relay", "init", home, "--host",
                        LOOPBACK, "--port", port, "--mesh", mesh_id)
        conf = home / "relay.yaml"
        text = conf.read_text(encoding="utf-8")
        text = text.replace(f"*:{port}", f"{LOOPBACK}:{port}")
        text = re.sub(r"^( *udp:).*", r"\1 []", text, flags=re.M)
        if form == "curve":
            text = text.replace("listen:\n", "listen:\n  curve: "
                                f'["{LOOPBACK}:{by_libzmq}"]\n')
        text += "limits: {edges_per_address: 5000}\n"
        conf.write_text(text, encoding="utf-8")
        url = re.search(r"tcp://\S+", said)[0]
        words = [self.bin / "zs-relay", "-c", conf]
        if cores:
            words = ["taskset", "-c", f"0-{cores - 1}", *words]
        relay = Daemon(home / "log", port, *words)
        if cores:
            for thread in pathlib.Path(f"/proc/{relay.pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), range(os.cpu_count()))
        if form == "curve":
            url = url.replace(f":{port}?", f":{by_libzmq}?")
        elif form != "tcp":
            url = url.replace("tcp://", f"{form}://").replace("?", "/?")
        return relay, url

    def proxy(self):
        """tinyproxy, which lets CONNECT pass: (process, URL)."""
        port = free_port()
        conf = self.folder / f"tinyproxy-{port}.conf"
        conf.write_text(f"Port {port}\nListen {LOOPBACK}\nAllow {LOOPBACK}\n"
                        "Timeout 600\nLogLevel Error\n", encoding="utf-8")
        return Daemon(self.folder / "tinyproxy.log", port, "tinyproxy", "-d",
                      "-c", conf), f"http://{LOOPBACK}:{port}"

    def certificate(self):
        """Files for TLS: (certificate, key, both)."""
        files = [self.folder / f"{x}.pem" for x in ("cert", "key", "both")]
        if not files[2].exists():
            self.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                     "-subj", "/CN=localhost", "-addext",
                     f"subjectAltName=DNS:localhost,IP:{LOOPBACK}", "-keyout",
                     files[1], "-out", files[0])
            files[2].write_text(files[0].read_text(encoding="utf-8") +
                                files[1].read_text(encoding="utf-8"),
                                encoding="utf-8")
        return files

    def nats(self):
        """nats-server with TLS: (process, URL)."""
        port = free_port()
        certificate, key, _ = self.certificate()
        conf = self.folder / f"nats-{port}.conf"
        conf.write_text(f'listen: "{LOOPBACK}:{port}"\n'
                        f'tls {{ cert_file: "{certificate}", '
                        f'key_file: "{key}", timeout: 20 }}\n',
                        encoding="utf-8")
        server = Daemon(self.folder / "nats.log", port, "nats-server", "-c",
                        conf)
        return server, f"nats://{LOOPBACK}:{port}"

    def mosquitto(self, protocol="mqtt"):
        """mosquitto with TLS that drops nothing: (process, port). Protocols:
        mqtt and websockets."""
        port = free_port()
        certificate, key, _ = self.certificate()
        conf = self.folder / f"mosquitto-{port}.conf"
        text = (f"listener {port} {LOOPBACK}\nprotocol {protocol}\n"
                f"certfile {certificate}\nkeyfile {key}\n"
                "allow_anonymous true\npersistence false\n"
                "log_dest none\nmax_queued_messages 0\n"
                "max_inflight_messages 0\nset_tcp_nodelay true\n"
                f"user {getpass.getuser()}\n")
        if protocol == "websockets":  # It refuses to start with these alone.
            text += f"listener 0 {self.folder}/mosquitto-{port}.sock\n"
        conf.write_text(text, encoding="utf-8")
        return Daemon(self.folder / "mosquitto.log", port, "mosquitto", "-c",
                      conf), port

    def forwarder(self, url):
        forwarder = Process(self.bin / "bench_zmq", "forwarder", "--url", url)
        forwarder.wait_for("READY")
        return forwarder
