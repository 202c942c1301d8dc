#!/usr/bin/env python3
"""Takes one part in a conversation with the Python client: see README.md."""

import asyncio
import base64
import dataclasses
import inspect
import json
import sys
import time
from collections import defaultdict, deque
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] /
                       "edge/clients/python"))

import zeroservices as zs  # noqa: E402

KINDS = {zs.NewNode: "join", zs.NodeClose: "leave", zs.Message: "message",
         zs.Event: "event", zs.Path: "path", zs.Gap: "gap",
         zs.Synced: "synced", zs.EdgeLost: "edge_lost",
         zs.EdgeBack: "edge_back"}


def meant(value):
    """The script's $bytes and $repeat as what they stand for."""
    if isinstance(value, dict):
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        if "$repeat" in value:
            return value["$repeat"][0] * value["$repeat"][1]
        return {k: meant(v) for k, v in value.items()}
    return [meant(x) for x in value] if isinstance(value, list) else value


def fits(got, expected):
    if isinstance(expected, dict) and isinstance(got, dict):
        return all(k in got and fits(got[k], v) for k, v in expected.items())
    return type(got) is type(expected) and got == expected


def plain(result):
    return dataclasses.asdict(result) if dataclasses.is_dataclass(result) \
        else result


async def done(result):
    """Of either client."""
    return await result if inspect.isawaitable(result) else result


class Talker:
    def __init__(self, edge):
        self.edge = edge
        self.heard = defaultdict(deque)
        self.kept = {}

    async def do(self, step):
        args = {k: meant(v) for k, v in step.items()
                if k not in ("who", "at", "do", "expect")}
        own = getattr(self, "do_" + step["do"], None)
        try:
            if own:
                return plain(await own(step, **args))
            return plain(await done(getattr(self.edge, step["do"])(**args)))
        except zs.ZsError as e:
            return {"error": e.error}

    async def do_hear(self, step, event, **kept):
        while not self.heard[event]:
            next_one = await done(self.edge.next_event())
            self.heard[KINDS[type(next_one)]].append(next_one)
        got = self.heard[event].popleft()
        if "as" in kept:
            self.kept[kept["as"]] = got
        return got

    async def do_reply(self, step, request, **args):
        return await done(self.edge.reply(self.kept[request], **args))

    async def do_burst(self, step, to, type, count):
        edge = self.edge
        if isinstance(edge, zs.Edge):
            sent = [edge.post(to, type, i) for i in range(count)]
            return [x.result() for x in sent][-1]
        return (await asyncio.gather(
            *(edge.send(to, type, i) for i in range(count))))[-1]

    async def do_hear_burst(self, step, type, count):
        for i in range(count):
            got = await self.do_hear(step, "message")
            if (got.type, got.data) != (type, i):
                return {"not": i, "but": got.data}
        return None

    async def do_until_peer(self, step, name):
        until = time.monotonic() + 60
        while True:
            peers = await done(self.edge.peers())
            got = [p for p in peers if p["name"] == name]
            if got and fits(got[0], step["expect"]):
                return got[0]
            if time.monotonic() > until:
                return got
            await asyncio.sleep(0.02)

    async def do_tell(self, step, text):
        print(text, flush=True)


async def talk(edge, who, steps):
    talker = Talker(edge)
    for number, step in enumerate(steps, 1):
        if step["who"] != who:
            continue
        got = await talker.do(step)
        expected = meant(step.get("expect"))
        if "expect" in step and not fits(got, expected) or \
                "expect" not in step and isinstance(got, dict) and \
                ("error" in got or "not" in got):
            return f"step {number} of {who}, {json.dumps(step)[:200]}: " \
                   f"got {str(got)[:200]}"
    return None


async def main(kind, who, file, socket):
    steps = json.loads(Path(file).read_text(encoding="utf-8"))
    if kind == "sync":
        with zs.Edge(socket, reconnect=True) as edge:
            return await talk(edge, who, steps)
    async with zs.AsyncEdge(socket, reconnect=True) as edge:
        return await talk(edge, who, steps)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
