#!/usr/bin/env python3
"""What the Python client is given by mistake fails that call alone, at a real
edge: a call under way, and those that come, are served.

    harm.py sync|asyncio PEER SOCKET       (PEER answers no request of the type
                                            "silent")
"""

import asyncio
import inspect
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] /
                       "edge/clients/python"))

import zeroservices as zs  # noqa: E402

DEEP = []  # More than the edge reads, less than Python writes.
for _ in range(300):
    DEEP = [DEEP]
BAD = [
    ("send", "t", DEEP),
    ("send", "t", os.fsdecode(b"caf\xe9.txt")), ("send", "t", float("nan")),
    ("send", "t", {"a": {1}}), ("send", "\0", 1),
    ("send", "", 1), ("send", "x" * 256, 1), ("send", None, 1),
    ("send", {"a": 1}, 1), ("send", b"t", 1), ("send", "t\udce9", 1),
    ("send", "t", "x" * 2_000_000), ("request", "t", "x" * 2_000_000),
]
PEERS = ["nobody", "bo\0b", "", 5, ["bob"], b"bob", "b" * 5000, "bob\udce9"]


async def done(result):
    return await result if inspect.isawaitable(result) else result


async def main(kind, peer, socket):
    edge = zs.Edge(socket) if kind == "sync" else \
        await zs.AsyncEdge(socket).open()
    # Under way meanwhile, in a way that both clients have.
    waiting = asyncio.get_running_loop().run_in_executor(
        None, lambda: zs.Edge.request(edge, peer, "silent", timeout=20)) \
        if kind == "sync" else asyncio.ensure_future(
            edge.request(peer, "silent", timeout=20))
    calls = [(op, peer, *rest) for op, *rest in BAD] + \
        [("send", to, "t", 1) for to in PEERS]
    for op, *args in calls:
        try:
            await done(getattr(edge, op)(*args))
            return f"{str(args)[:80]} was sent"
        except zs.Disconnected as e:
            return f"{str(args)[:80]} ended the connection: {e}"
        except zs.ApiError:
            pass
        await done(edge.send(peer, "t", 1))
        if waiting.done():
            return f"{str(args)[:80]} ended another call"
    await done(edge.close())
    try:
        await waiting
    except zs.Disconnected:
        pass
    print(f"{len(calls)} calls failed, and harmed no other")
    return None


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
