"""The tables of crowd.py's rows."""

import report

# What a mesh of real daemons cost before rosters and checks were made cheaper:
# (until all know all, s; the relay's CPU until then, s; an edge's, ms; the
# relay's memory for an edge, KiB; its CPU when all are idle, % of a core; until
# all are back after its restart, s).
BEFORE = {100: (3.8, 0.44, 58, 71, 3.0, 1.7),
          200: (10.6, 1.2, 85, 85, 5.7, 6.4),
          400: (42, 4.4, 177, 105, 8.7, 16),
          500: (82, None, None, 144, 9.5, 27)}
MESH = ("met_s", "relay_s", "edge_ms", "relay_kib", "relay_idle", "back_s")

MESHES = """Real nodes of one mesh, many in a process, each with the relay as its only way;
all begin at once. In brackets: real daemons, before rosters and checks were
made cheaper, on another machine. The last column: an edge's CPU beside that in
a mesh of half the size.
"""

LIGHT = """Light edges do what the relay sees of an edge, and check nothing of what it says
of others. All begin at once; the relay is restarted once, while the pairs talk
(10 messages a second from each). Its CPU when idle has PINGs of all edges, one
a second, and these messages.
"""


def cells(row, keys):
    return [report.number(row.get(k)) for k in keys]


def meshes(rows, title):
    body, edge_ms = [], {}
    for row in sorted(rows, key=lambda r: r["nodes"]):
        n = row["nodes"]
        before = BEFORE.get(n, [None] * len(MESH))
        found = [f"{x} ({report.number(b)})" if b else x
                 for x, b in zip(cells(row, MESH), before)]
        edge_ms[n] = row["edge_ms"]
        half = edge_ms.get(n // 2)
        body.append([str(n), *found,
                     f"{row['edge_ms'] / half:.2f}" if half else ""])
    return (f"### {title}\n\n{MESHES}\n" + report.table(
        ["nodes", "all know all, s", "relay's CPU, s", "an edge's CPU, ms",
         "relay's memory an edge, KiB", "relay idle, % of a core",
         "back after its restart, s", "growth"], body))


def crowds(rows, title):
    keys = ("met_s", "relay_s", "relay_kib", "relay_idle", "back_s", "sent",
            "lost", "doubled")
    body = [[str(r["edges"]), str(r["meshes"]), *cells(r, keys)] for r in rows]
    return (f"### {title}\n\n{LIGHT}\n" + report.table(
        ["edges", "meshes", "all know all, s", "relay's CPU, s",
         "its memory an edge, KiB", "idle, % of a core", "all back, s", "sent",
         "lost", "doubled"], body))


def handshakes(rows, title):
    body = [[name, *(report.number(report.median(rows, f"{key}_{what}"))
                     for what in ("per_second", "cpu_ms"))]
            for name, key in (("the relay", "ours"), ("libzmq", "libzmq"))]
    return (f"### {title}\n\nThe same clients at both; the relay may take as "
            "many as come.\n\n" + report.table(
                ["", "connected a second", "CPU of the server, ms"], body))


def fans(rows, title):
    keys = ("node_back_s", "herd_back_s", "relay_kib", "node_kib", "sent",
            "undelivered", "lost", "doubled")
    body = [[str(r["edges"]), *cells(r, keys)] for r in rows]
    return (f"### {title}\n\nThe node's process and the relay are ended in "
            "turn, then killed in turn. `undelivered`: the senders were told "
            "so, as the node's process had ended.\n\n" + report.table(
                ["senders", "node back, s", "senders back, s",
                 "relay's memory an edge, KiB", "the node's memory, KiB",
                 "sent", "undelivered", "lost", "doubled"], body))


def larges(rows, title):
    keys = ("met_s", "relay_s", "edge_s", "peer_ms", "edge_mib_in",
            "relay_kib", "relay_idle")
    body = [[str(r["edges"]), str(r["real"]), *cells(r, keys)] for r in rows]
    return (f"### {title}\n\n" + report.table(
        ["light edges", "real nodes", "all know all, s", "relay's CPU, s",
         "a real node's CPU, s", "of it for each peer, ms",
         "received by an edge, MiB", "relay's memory an edge, KiB",
         "relay idle, % of a core"], body))


TITLES = {
    "mesh": (meshes, "A mesh by one relay"),
    "crowd": (crowds, "Many edges at one relay"),
    "handshakes": (handshakes, "Connecting"),
    "fan-in": (fans, "Many senders to one node"),
    "large": (larges, "A large mesh"),
}
